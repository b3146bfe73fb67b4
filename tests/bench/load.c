/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"
#include "tests/bench/load.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"

/*
 * How dmtpd holds under load: idle sessions, questions for signets, handshakes.
 * tests/bench/README.md says how to read what this prints.
 *
 * usage: bench_load DMTPD FLOOR [PART]
 *
 * PART is idle, signets or handshakes; without it, all.
 */

enum {
	IDLE = 5000,
	IDLE_BOUND = 24, /* KiB a session above the floor's */
	PROCESSORS = 2,
	ASKERS = 2,      /* threads of clients who ask */
	SESSIONS = 25,   /* that each of them holds */
	SHAKERS = 16,    /* threads of clients who shake hands */
	SECONDS = 5, /* of each kind of load */
	IDLE_SECONDS = 4,
	PIPELINED = 16,
	SIGNETS_BOUND = 20000,
};

/* ---- idle sessions ---- */

struct held {
	struct load_client *clients;
	pid_t pid;
	double before;
};

/* KiB of memory that each of the sessions has taken. */
static double
memory_of_one(const struct held *held)
{
	return (bench_resident(held->pid) - held->before) / 1024 / IDLE;
}

static void
hold(struct held *held, SSL_CTX *context, pid_t pid, unsigned int port)
{
	held->clients = calloc(IDLE, sizeof(*held->clients));
	assert_non_null(held->clients);
	held->pid = pid;
	held->before = bench_resident(pid);
	for (size_t i = 0; i < IDLE; i++)
		if (!load_open(&held->clients[i], context, LOOPBACK,
		        port, i))
			fail_msg("session %zu was refused", i);
}

static void
let_go(struct held *held)
{
	for (size_t i = 0; i < IDLE; i++)
		load_close(&held->clients[i]);
	free(held->clients);
}

/* Each session says a line and takes its reply. */
static void
talk(const struct held *held, const char *line)
{
	for (size_t i = 0; i < IDLE; i++) {
		load_say(&held->clients[i], line, strlen(line));
		load_hear(&held->clients[i], 1, "");
	}
}

static void
print_above(double ours, double floor)
{
	bench_print("  above the bare server", ours - floor, "KiB", "<= 24",
	    ours - floor <= IDLE_BOUND);
}

static void
load_idle(const struct load_servers *servers, SSL_CTX *context)
{
	struct held held;
	double floor, ours, used;

	hold(&held, context, servers->floor, servers->floor_port);
	talk(&held, "EHLO <a.test>\n");
	floor = memory_of_one(&held);
	let_go(&held);
	bench_print("idle TLS sessions", IDLE, "", "", true);
	bench_print("memory of one, bare server", floor, "KiB", "", true);
	hold(&held, context, servers->dmtpd, servers->dmtpd_port);
	talk(&held, "EHLO <a.test>\n");
	ours = memory_of_one(&held);
	bench_print("memory of one, dmtpd, after EHLO", ours, "KiB", "", true);
	print_above(ours, floor);
	talk(&held, "SGNT FOR=<u1@beta.test>\n");
	ours = memory_of_one(&held);
	bench_print("memory of one, dmtpd, after SGNT", ours, "KiB", "", true);
	print_above(ours, floor);
	used = bench_processor(servers->dmtpd);
	poll(NULL, 0, IDLE_SECONDS * 1000);
	used = (bench_processor(servers->dmtpd) - used) / IDLE_SECONDS / 1e4;
	bench_print("processor time while all are idle", used, "%", "", true);
	let_go(&held);
}

/* ---- threads of clients ---- */

struct worker {
	pthread_t thread;
	SSL_CTX *context;
	unsigned int port;
	size_t first; /* of its numbers, which its addresses come from */
	size_t batch;
	double until;
	size_t done;
};

/* Runs `work` in so many threads for SECONDS; what they have done a second, and
 * the processor time that each of it took here. */
static double
run(void *(*work)(void *), size_t threads, const struct worker *pattern,
    double *own)
{
	const double start = bench_now(), used = bench_processor(getpid());
	struct worker workers[SHAKERS];
	double taken;
	size_t done = 0;

	for (size_t i = 0; i < threads; i++) {
		workers[i] = *pattern;
		workers[i].first = i * SESSIONS;
		workers[i].until = start + SECONDS * 1e6;
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work,
		    &workers[i]), 0);
	}
	for (size_t i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		done += workers[i].done;
	}
	taken = bench_now() - start;
	*own = (bench_processor(getpid()) - used) / (double)done;
	return (double)done / (taken / 1e6);
}

/* ---- signets ---- */

static size_t
questions(size_t seed, size_t count, char *out, size_t size)
{
	size_t length = 0;

	for (size_t i = 0; i < count; i++)
		length += (size_t)snprintf(out + length, size - length,
		    "SGNT FOR=<u%zu@beta.test>\n", (seed + i * 7) % LOAD_USERS);
	return length;
}

/* All sessions of the thread ask, then all hear. */
static void *
ask_signets(void *argument)
{
	static _Thread_local struct load_client clients[SESSIONS];
	struct worker *worker = argument;
	char text[PIPELINED * 40];

	for (size_t i = 0; i < SESSIONS; i++)
		assert_true(load_open(&clients[i], worker->context,
		    LOOPBACK, worker->port, worker->first + i));
	while (bench_now() < worker->until) {
		for (size_t i = 0; i < SESSIONS; i++)
			load_say(&clients[i], text, questions(worker->done + i,
			    worker->batch, text, sizeof(text)));
		for (size_t i = 0; i < SESSIONS; i++)
			assert_true(load_hear(&clients[i], worker->batch,
			    "280"));
		worker->done += SESSIONS * worker->batch;
	}
	for (size_t i = 0; i < SESSIONS; i++)
		load_close(&clients[i]);
	return NULL;
}

static void
measure_signets(const struct load_servers *servers, SSL_CTX *context,
    size_t batch)
{
	struct worker pattern = {.context = context, .batch = batch,
	    .port = servers->dmtpd_port};
	double own, rate, used = bench_processor(servers->dmtpd);
	char what[80];

	rate = run(ask_signets, ASKERS, &pattern, &own);
	used = (bench_processor(servers->dmtpd) - used) / (rate * SECONDS);
	snprintf(what, sizeof(what), batch == 1 ? "SGNT, one at a time"
	    : "SGNT, %zu at a time", batch);
	bench_print(what, rate, "/s", ">= 20000", rate >= SIGNETS_BOUND);
	bench_print("  processor time of dmtpd for one", used, "us", "", true);
	bench_print("  processor time of the client for one", own, "us", "",
	    true);
	bench_print("  what two processors have time for",
	    PROCESSORS * 1e6 / (used + own), "/s", "", true);
}

/* ---- handshakes ---- */

static void *
shake_hands(void *argument)
{
	struct worker *worker = argument;
	struct load_client client;

	while (bench_now() < worker->until) {
		assert_true(load_open(&client, worker->context, LOOPBACK,
		    worker->port, worker->first + worker->done % SESSIONS));
		load_close(&client);
		worker->done++;
	}
	return NULL;
}

/* What `openssl speed` says of signatures a second, with so many processes. */
static double
signatures(int processes)
{
	char command[120], line[300];
	double signs = 0;
	FILE *output;

	snprintf(command, sizeof(command),
	    "openssl speed -seconds 2 -multi %d rsa%d 2>/dev/null", processes,
	    LOAD_KEY_BITS);
	output = popen(command, "re");
	while (output != NULL && fgets(line, sizeof(line), output) != NULL)
		sscanf(line, "rsa %*d bits %*fs %*fs %lf", &signs);
	if (output != NULL)
		pclose(output);
	return signs;
}

static double
measure_handshakes(const char *what, pid_t pid, unsigned int port,
    SSL_CTX *context, double signs)
{
	struct worker pattern = {.context = context, .port = port};
	double own, rate, used = bench_processor(pid);

	rate = run(shake_hands, SHAKERS, &pattern, &own);
	used = (bench_processor(pid) - used) / (rate * SECONDS);
	bench_print(what, rate, "/s", "", true);
	bench_print("  by RSA signatures", rate / signs, "", "", true);
	bench_print("  processor time of the server for one", used, "us", "",
	    true);
	bench_print("  processor time of the client for one", own, "us", "",
	    true);
	return rate;
}

static void
load_handshakes(const struct load_servers *servers, SSL_CTX *context)
{
	double signs = signatures(PROCESSORS), ours, floor;

	bench_print("RSA signatures of 2048 bits, two processes", signs, "/s",
	    "", true);
	bench_print("  processor time of one", PROCESSORS * 1e6 / signs, "us",
	    "",
	    true);
	floor = measure_handshakes("full handshakes, bare server",
	    servers->floor, servers->floor_port, context, signs);
	ours = measure_handshakes("full handshakes, dmtpd", servers->dmtpd,
	    servers->dmtpd_port, context, signs);
	bench_print("full handshakes, dmtpd by bare server", ours / floor, "",
	    ">= 0.9", ours / floor >= 0.9);
}

static bool
is_part(const char *name, const char *wanted)
{
	return wanted == NULL || strcmp(name, wanted) == 0;
}

int
main(int count, char **arguments)
{
	struct load_servers servers;
	const char *part;
	SSL_CTX *context;

	if (count != 3 && count != 4) {
		fprintf(stderr, "usage: bench_load DMTPD FLOOR [PART]\n");
		return 64;
	}
	part = count == 4 ? arguments[3] : NULL;
	if (unit_start(NULL) != 0)
		return 1;
	log_open("bench", "stderr", LOG_ERR);
	context = load_context();
	load_servers_start(arguments[1], arguments[2], &servers);
	/* Memory comes first: what the others leave behind would hide it. */
	if (is_part("idle", part))
		load_idle(&servers, context);
	if (is_part("signets", part)) {
		measure_signets(&servers, context, 1);
		measure_signets(&servers, context, PIPELINED);
	}
	if (is_part("handshakes", part))
		load_handshakes(&servers, context);
	load_servers_end(&servers);
	SSL_CTX_free(context);
	unit_end(NULL);
	return 0;
}
