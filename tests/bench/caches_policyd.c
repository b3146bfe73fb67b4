/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"
#include "tests/bench/caches.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/base64.h"

enum {
	CONNECTIONS = 100,
	SECONDS = 5,
	COLD = 1000,
	WARMING = 200, /* rounds, at most, until all names are in memory */
	ANSWER_SIZE = 200,
};

struct daemon_process {
	char directory[64], map[100];
	pid_t pid;
	int black_hole; /* the DNS server that never answers */
};

/* ---- the daemon ---- */

static unsigned int
open_black_hole(struct daemon_process *process)
{
	struct sockaddr_in place = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(place);

	process->black_hole = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(process->black_hole, (struct sockaddr *)&place,
	    length), 0);
	assert_int_equal(getsockname(process->black_hole,
	    (struct sockaddr *)&place, &length), 0);
	return ntohs(place.sin_port);
}

static void
write_files(struct daemon_process *process, const struct unit_redis *redis)
{
	struct buffer text = buffer_make(10000);
	char path[120], key[BASE64_LENGTH(sizeof(bench_key)) + 3];
	const char *directory = process->directory;

	base64_encode(span_of(bench_key, sizeof(bench_key)), key);
	strcat(key, "=\n");
	snprintf(path, sizeof(path), "%s/key", directory);
	assert_int_equal(file_write(path, span_string(key), 0600, true, NULL),
	    0);
	snprintf(process->map, sizeof(process->map), "%s/map", directory);
	buffer_printf(&text,
	    "domains = {\"alpha.test\"}\n"
	    "facts_socket = \"%s/facts\"\nmap_socket = \"%s\"\n"
	    "state_db = \"%s/policyd.db\"\ncache_key_file = \"%s\"\n"
	    "redis_socket = \"%s\"\nca_file = \"\"\n"
	    "memory_cache_size = 536870912\n"
	    "log_target = \"%s/log\"\nlog_level = \"warning\"\n"
	    "dns_forward = {\"127.0.0.1@%u\"}\n",
	    directory, process->map, directory, path, redis->socket, directory,
	    open_black_hole(process));
	snprintf(path, sizeof(path), "%s/conf", directory);
	assert_int_equal(file_write(path, buffer_span(&text), 0600, true,
	    NULL), 0);
	buffer_free(&text);
}

static int
connect_map(const struct daemon_process *process)
{
	struct sockaddr_un place = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(place.sun_path, sizeof(place.sun_path), "%s", process->map);
	if (connect(fd, (struct sockaddr *)&place, sizeof(place)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void
start_policyd(struct daemon_process *process, const char *program,
    const struct unit_redis *redis)
{
	char path[120];
	int fd = -1;

	*process = (struct daemon_process){
	    .directory = "/tmp/dimegate-bench-XXXXXX"};
	unit_directory(process->directory);
	write_files(process, redis);
	snprintf(path, sizeof(path), "%s/conf", process->directory);
	process->pid = fork();
	assert_true(process->pid >= 0);
	if (process->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(program, program, "-c", path, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 1000 && fd < 0; i++) {
		assert_int_equal(waitpid(process->pid, NULL, WNOHANG), 0);
		fd = connect_map(process);
		poll(NULL, 0, 10);
	}
	assert_true(fd >= 0);
	close(fd);
}

static void
end_policyd(struct daemon_process *process)
{
	kill(process->pid, SIGKILL);
	waitpid(process->pid, NULL, 0);
	close(process->black_hole);
}

/* ---- asking ---- */

static void
ask(int fd, const char *name)
{
	char query[100], text[120];
	int length = snprintf(query, sizeof(query), "transport bob@%s", name);

	length = snprintf(text, sizeof(text), "%d:%s,", length, query);
	assert_int_equal(send(fd, text, (size_t)length, 0), length);
}

/* Whether the recipient may go naked. */
static bool
hear(int fd)
{
	char text[ANSWER_SIZE];
	size_t length = 0;

	do {
		ssize_t got = recv(fd, text + length,
		    sizeof(text) - 1 - length, 0);

		assert_true(got > 0);
		length += (size_t)got;
	} while (text[length - 1] != ',');
	text[length] = '\0';
	return strstr(text, "NOTFOUND") != NULL;
}

/* Asks for all names until it has them from Redis. */
static void
warm(int fd)
{
	char name[BENCH_NAME_SIZE];
	size_t unknown = 1;

	for (int round = 0; round < WARMING && unknown > 0; round++) {
		unknown = 0;
		for (size_t i = 0; i < BENCH_NAMES; i++) {
			bench_name(i, name);
			ask(fd, name);
			unknown += hear(fd) == bench_has_record(i);
		}
	}
	assert_int_equal(unknown, 0);
}

/* ---- many connections ---- */

static double
processor_time(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Each connection asks when it has its answer, as Postfix does. `step` 2 asks
 * for names without a record only. */
static double
load(const struct daemon_process *process, size_t step, double *client)
{
	const double start = bench_now(), used = processor_time();
	int fds[CONNECTIONS];
	char name[BENCH_NAME_SIZE];
	size_t answers = 0;
	double taken;

	for (size_t i = 0; i < CONNECTIONS; i++)
		assert_true((fds[i] = connect_map(process)) >= 0);
	while (bench_now() - start < SECONDS * 1e6) {
		for (size_t i = 0; i < CONNECTIONS; i++) {
			bench_name((size_t)random() % BENCH_NAMES / step * step,
			    name);
			ask(fds[i], name);
		}
		for (size_t i = 0; i < CONNECTIONS; i++, answers++)
			hear(fds[i]);
	}
	taken = bench_now() - start;
	*client = (processor_time() - used) / (taken / 1e6);
	for (size_t i = 0; i < CONNECTIONS; i++)
		close(fds[i]);
	return (double)answers / (taken / 1e6);
}

static void
measure_load(const struct daemon_process *process)
{
	double client, rate;

	rate = load(process, 2, &client);
	bench_print("answers from many connections, no record", rate, "/s",
	    ">= 50000", rate >= 50000);
	bench_print("  processors that the asking took", client, "", "", true);
	rate = load(process, 1, &client);
	bench_print("answers from many connections, half with record", rate,
	    "/s", ">= 50000", rate >= 50000);
	bench_print("  processors that the asking took", client, "", "", true);
}

/* ---- nobody answers ---- */

static void
measure_cold(const struct daemon_process *process, struct unit_redis *redis)
{
	double start, one, taken, longest = 0;
	int fd = connect_map(process);
	char name[BENCH_NAME_SIZE];

	kill(redis->pid, SIGSTOP);
	start = bench_now();
	for (int i = 0; i < COLD; i++) {
		snprintf(name, sizeof(name), "cold%d.test", i);
		one = bench_now();
		ask(fd, name);
		assert_false(hear(fd));
		one = bench_now() - one;
		longest = one > longest ? one : longest;
	}
	taken = (bench_now() - start) / 1e6;
	kill(redis->pid, SIGCONT);
	close(fd);
	bench_print("1000 cold names, DNS silent, Redis frozen", taken, "s",
	    "<= 2", taken <= 2);
	bench_print("  the longest of them", longest / 1e3, "ms", "", true);
}

static void
measure_warm(int fd)
{
	static double times[COLD * 10];
	char name[BENCH_NAME_SIZE];
	double start, late;

	for (size_t i = 0; i < COUNT(times); i++) {
		bench_name((size_t)random() % BENCH_NAMES, name);
		start = bench_now();
		ask(fd, name);
		hear(fd);
		times[i] = bench_now() - start;
	}
	start = bench_median(times, COUNT(times));
	bench_print("answer on one connection, median", start, "us", "", true);
	late = times[COUNT(times) / 100 * 99] / 1e3;
	bench_print("answer on one connection, 99th percentile", late, "ms",
	    "<= 5", late <= 5);
}

void
bench_policyd(const char *policyd, struct unit_redis *redis)
{
	struct daemon_process process;
	int fd;

	start_policyd(&process, policyd, redis);
	fd = connect_map(&process);
	assert_true(fd >= 0);
	warm(fd);
	measure_warm(fd);
	close(fd);
	measure_load(&process);
	measure_cold(&process, redis);
	end_policyd(&process);
}
