/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/file.h"
#include "base/log.h"
#include "net/server.h"

enum { LONG = 20000 }; /* a time that no test waits for */

static char directory[64] = "/tmp/dimegate-unit-XXXXXX";
static char path[100];

/* What the handlers tell the test. */
static struct {
	atomic_int reloads;
	atomic_int ended_with;
} seen;

/* Echoes lines until "quit"; then, or at an error, the connection ends. */
static void
echo(struct stream *stream, void *context)
{
	struct span line;
	struct buffer out = buffer_make(1000);
	int err;

	while ((err = stream_read_line(stream, 500, &line,
		    deadline_in(LONG))) == 0 &&
	    !span_equal_string(line, "quit")) {
		buffer_reset(&out);
		buffer_append_string(&out, context);
		buffer_append_span(&out, line);
		buffer_append_string(&out, "\n");
		if ((err = stream_write(stream, buffer_span(&out),
			 deadline_in(LONG))) != 0)
			break;
	}
	buffer_free(&out);
	atomic_store(&seen.ended_with, err);
}

static void
say_full(struct stream *stream, void *context)
{
	assert_string_equal(context, "context");
	stream_write(stream, span_string("full\n"), deadline_in(0));
}

static void
count_reload(void *context)
{
	atomic_fetch_add(&seen.reloads, 1);
}

static struct server *
make(const struct server_limits *limits)
{
	static char context[] = "context";
	struct server *server;

	assert_int_equal(server_new(limits, count_reload, say_full, context,
	    &server), 0);
	atomic_store(&seen.reloads, 0);
	atomic_store(&seen.ended_with, 1);
	return server;
}

static void
listen_unix(struct server *server)
{
	struct fault fault = {0};
	static char mark[] = "> ";

	assert_int_equal(server_listen_unix(server, path, 0600, "", echo, mark,
	    &fault), 0);
}

/* A port that nobody has; the search is repeated if somebody was faster. */
static unsigned int
listen_tcp(struct server *server, const char *address)
{
	static char mark[] = "tcp ";
	struct sockaddr_in any = {.sin_family = AF_INET};
	struct sockaddr *at = (struct sockaddr *)&any;
	socklen_t length = sizeof(any);

	for (int tries = 0; tries < 20; tries++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		any.sin_port = 0;
		assert_int_equal(bind(fd, at, sizeof(any)), 0);
		assert_int_equal(getsockname(fd, at, &length), 0);
		close(fd);
		if (server_listen_tcp(server, address, ntohs(any.sin_port),
			echo, mark, NULL) == 0)
			return ntohs(any.sin_port);
	}
	fail_msg("no free port");
	return 0;
}

struct run {
	struct server *server;
	int64_t grace;
	pthread_t thread;
};

static void *
run_server(void *argument)
{
	const struct run *run = argument;

	server_run(run->server, run->grace);
	return NULL;
}

static void
start(struct run *run, struct server *server, int64_t grace)
{
	run->server = server;
	run->grace = grace;
	assert_int_equal(pthread_create(&run->thread, NULL, run_server, run),
	    0);
}

static void
finish(struct run *run)
{
	server_stop(run->server);
	pthread_join(run->thread, NULL);
	server_free(run->server);
}

static struct stream *
dial_unix(void)
{
	struct stream *stream;
	struct fault fault = {0};

	assert_int_equal(stream_connect_unix(path, deadline_in(LONG), &stream,
	    &fault), 0);
	return stream;
}

static struct stream *
dial_tcp(const char *source, unsigned int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct sockaddr_in from = {.sin_family = AF_INET};
	struct stream *stream;

	to.sin_port = htons((uint16_t)port);
	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	inet_pton(AF_INET, source, &from.sin_addr);
	assert_int_equal(stream_connect((struct sockaddr *)&to, sizeof(to),
	    (struct sockaddr *)&from, sizeof(from), deadline_in(LONG), &stream,
	    NULL), 0);
	return stream;
}

static void
expect(struct stream *stream, const char *said, const char *answer)
{
	struct span line;

	stream_write(stream, span_string(said), deadline_in(LONG));
	assert_int_equal(stream_read_line(stream, 500, &line,
	    deadline_in(LONG)), 0);
	assert_true(span_equal_string(line, answer));
}

/* Nothing more comes; the server has let go of the connection. */
static void
expect_end(struct stream *stream)
{
	struct span line;

	assert_int_equal(stream_read_line(stream, 500, &line,
	    deadline_in(LONG)), ERR_UNREACHABLE);
	stream_free(stream);
}

static void
hang_up(struct stream *stream)
{
	stream_write(stream, span_string("quit\n"), deadline_in(LONG));
	expect_end(stream);
}

static void
serving(void **state)
{
	struct server_limits limits = {0};
	struct server *server = make(&limits);
	struct stream *a, *b, *c;
	unsigned int port = listen_tcp(server, "127.0.0.1");
	struct run run;

	listen_unix(server);
	start(&run, server, LONG);
	a = dial_unix();
	b = dial_unix();
	c = dial_tcp("127.0.0.1", port);
	expect(a, "one\n", "> one");
	expect(b, "two\n", "> two");
	expect(c, "three\n", "tcp three");
	hang_up(b);
	expect(a, "four\n", "> four");
	hang_up(a);
	hang_up(c);
	finish(&run);
	assert_int_equal(access(path, F_OK), -1);
}

static void
limit_of_connections(void **state)
{
	struct server_limits limits = {.connections = 2};
	struct server *server = make(&limits);
	unsigned int port = listen_tcp(server, "127.0.0.1");
	struct stream *a, *b, *c;
	struct run run;

	listen_unix(server);
	start(&run, server, LONG);
	a = dial_unix();
	b = dial_unix();
	expect(a, "a\n", "> a");
	expect(b, "b\n", "> b");
	c = dial_unix();
	expect(c, "", "full");
	expect_end(c);
	/* The other listener has a limit of its own. */
	c = dial_tcp("127.0.0.1", port);
	expect(c, "c\n", "tcp c");
	hang_up(c);
	hang_up(a);
	a = dial_unix();
	expect(a, "again\n", "> again");
	hang_up(a);
	hang_up(b);
	finish(&run);
}

static void
source_table(void **state)
{
	static const struct {
		const char *a, *b;
		struct source_prefixes prefixes;
		bool same;
	} cases[] = {
	    {"192.0.2.1", "192.0.2.1", {0, 0}, true},
	    {"192.0.2.1", "192.0.2.2", {0, 0}, false},
	    {"192.0.2.1", "192.0.2.255", {24, 0}, true},
	    {"192.0.2.1", "192.0.3.1", {24, 0}, false},
	    {"192.0.2.1", "192.0.3.1", {23, 0}, true},
	    {"192.0.2.1", "192.0.4.1", {23, 0}, false},
	    {"192.0.2.1", "192.0.2.2", {31, 0}, false},
	    {"192.0.2.2", "192.0.2.3", {31, 0}, true},
	    {"2001:db8::1", "2001:db8::ffff:1", {0, 0}, true},
	    {"2001:db8::1", "2001:db8:0:1::1", {0, 0}, false},
	    {"2001:db8::1", "2001:db8:0:1::1", {0, 56}, true},
	    {"2001:db8::1", "2001:db8:0:100::1", {0, 56}, false},
	    {"2001:db8::1", "2001:db8::2", {0, 128}, false},
	    {"2001:db8::1", "2001:db8::1", {0, 128}, true},
	    {"1.2.3.4", "102:304::", {32, 64}, false},
	    {"unix", "unix", {0, 0}, false},
	    {"", "", {0, 0}, false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct source a = source_of_text(cases[i].a,
		    &cases[i].prefixes);
		struct source b = source_of_text(cases[i].b,
		    &cases[i].prefixes);
		uint8_t key_of_a[SOURCE_KEY], key_of_b[SOURCE_KEY];

		unit_case(cases[i].a);
		assert_int_equal(source_is_same(&a, &b), cases[i].same);
		source_key(&a, key_of_a);
		source_key(&b, key_of_b);
		assert_int_equal(memcmp(key_of_a, key_of_b, SOURCE_KEY) == 0,
		    cases[i].same || a.family + b.family == 0);
	}
}

/* Two addresses of one network, where it is the network that counts. */
static void
limit_of_a_prefix(void **state)
{
	struct server_limits limits = {.source_connections = 1,
	    .prefixes = {24, 64}};
	struct server *server = make(&limits);
	unsigned int port = listen_tcp(server, "127.0.0.1");
	struct stream *a, *b;
	struct run run;

	start(&run, server, LONG);
	a = dial_tcp("127.0.0.1", port);
	expect(a, "a\n", "tcp a");
	b = dial_tcp("127.0.0.2", port);
	expect(b, "", "full");
	expect_end(b);
	b = dial_tcp("127.0.1.2", port);
	expect(b, "b\n", "tcp b");
	hang_up(a);
	hang_up(b);
	finish(&run);
}

static void
limit_of_one_source(void **state)
{
	struct server_limits limits = {.source_connections = 1};
	struct server *server = make(&limits);
	unsigned int port = listen_tcp(server, "127.0.0.1");
	struct stream *a, *b, *c;
	struct run run;

	listen_unix(server);
	start(&run, server, LONG);
	a = dial_tcp("127.0.0.1", port);
	expect(a, "a\n", "tcp a");
	b = dial_tcp("127.0.0.1", port);
	expect(b, "", "full");
	expect_end(b);
	b = dial_tcp("127.0.0.2", port);
	expect(b, "b\n", "tcp b");
	hang_up(a);
	a = dial_tcp("127.0.0.1", port);
	expect(a, "a\n", "tcp a");
	hang_up(a);
	hang_up(b);
	/* A unix socket has no sources to count. */
	b = dial_unix();
	c = dial_unix();
	expect(b, "b\n", "> b");
	expect(c, "c\n", "> c");
	hang_up(b);
	hang_up(c);
	finish(&run);
}

/* The lines of the log with that event, which began when it was opened. */
static unsigned int
count_in_log(const char *log, const char *event, struct buffer *text)
{
	unsigned int count = 0;
	const char *at;

	buffer_reset(text);
	assert_int_equal(file_read(log, text, NULL), 0);
	at = buffer_string(text);
	while ((at = strstr(at, event)) != NULL) {
		at++;
		count++;
	}
	return count;
}

/* Who is refused again and again does not fill the disk with what is said of it:
 * a line now and then, and how many there were. */
static void
refusals_are_counted(void **state)
{
	enum { CALLS = 200 };
	struct server_limits limits = {.connections = 1};
	struct server *server = make(&limits);
	struct buffer text = buffer_make(1 << 20);
	char log[sizeof(directory) + 8];
	struct stream *a, *b;
	struct run run;

	snprintf(log, sizeof(log), "%s/log", directory);
	assert_int_equal(log_open("test", log, LOG_INFO), 0);
	listen_unix(server);
	start(&run, server, LONG);
	a = dial_unix();
	expect(a, "a\n", "> a");
	for (int i = 0; i < CALLS; i++) {
		b = dial_unix();
		expect(b, "", "full");
		expect_end(b);
	}
	hang_up(a);
	finish(&run);
	/* What is left over is said in the end. */
	assert_in_range(count_in_log(log, "event=refused", &text), 2,
	    CALLS / 4);
	assert_non_null(strstr(buffer_string(&text), " more="));
	assert_int_equal(log_open("test", "stderr", LOG_DEBUG), 0);
	buffer_free(&text);
}

static void
no_thread(void **state)
{
	struct server_limits limits = {.stack_size = (size_t)1 << 50};
	struct server *server = make(&limits);
	struct stream *a;
	struct run run;

	listen_unix(server);
	start(&run, server, LONG);
	a = dial_unix();
	expect(a, "", "full");
	expect_end(a);
	finish(&run);
}

static int64_t
cpu_time(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

/* Without descriptors a caller waits in the backlog and the server does not
 * spin; when there are some again, the caller is served. */
static void
no_descriptors(void **state)
{
	struct server_limits limits = {0};
	struct server *server = make(&limits);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct rlimit normal, low;
	struct stream *stream;
	struct span line;
	int64_t used;
	struct run run;
	int fd;

	listen_unix(server);
	start(&run, server, LONG);
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_true(fd >= 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &normal), 0);
	low = normal;
	low.rlim_cur = (rlim_t)fd + 1; /* `fd` was the lowest that was free */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address,
	    sizeof(address)), 0);
	stream = stream_of_fd(fd);
	stream_write(stream, span_string("hello\n"), deadline_in(LONG));
	used = cpu_time();
	assert_int_equal(stream_read_line(stream, 500, &line,
	    deadline_in(250)), ERR_TIMEOUT);
	assert_true(cpu_time() - used < 150);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &normal), 0);
	expect(stream, "", "> hello");
	hang_up(stream);
	finish(&run);
}

/* A daemon uses all descriptors that it may have: the usual number is for programs
 * with a select(2), and less than connection_limit needs. */
static void
descriptors_are_had(void **state)
{
	struct server_limits limits = {0};
	struct rlimit normal, low, now;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &normal), 0);
	low = normal;
	low.rlim_cur = normal.rlim_max / 2;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	server_free(make(&limits));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
	assert_true(now.rlim_cur == normal.rlim_max);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &normal), 0);
}

/* More connections than descriptors are told of when the server starts to run, and
 * when limits change meanwhile. */
static void
too_few_descriptors(void **state)
{
	static const char wanted[] = "event=descriptors connection_limit=5000 "
	                             "needed=10300 allowed=400 ";
	struct server_limits limits = {.connections = 50};
	struct server *server = make(&limits);
	struct rlimit normal, low;
	struct buffer text = buffer_make(10000);
	char log[100];

	snprintf(log, sizeof(log), "%s/descriptors.log", directory);
	assert_int_equal(log_open("test", log, LOG_INFO), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &normal), 0);
	low = normal;
	low.rlim_cur = 400;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	listen_unix(server);
	server_set_limits(server, &limits);
	limits.connections = 0;
	server_set_limits(server, &limits);
	assert_int_equal(file_read(log, &text, NULL), 0);
	assert_int_equal(text.length, 0);
	limits.connections = 5000;
	server_set_limits(server, &limits);
	server_stop(server);
	server_run(server, 0);
	assert_int_equal(file_read(log, &text, NULL), 0);
	assert_non_null(strstr(buffer_string(&text), wanted));
	assert_non_null(strstr(strstr(buffer_string(&text), wanted) + 1,
	    wanted));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &normal), 0);
	assert_int_equal(log_open("test", "stderr", LOG_DEBUG), 0);
	buffer_free(&text);
	server_free(server);
}

static void
reload_and_end_by_signal(void **state)
{
	struct server_limits limits = {0};
	struct server *server = make(&limits);
	struct stream *a;
	struct run run;

	listen_unix(server);
	kill(getpid(), SIGHUP);
	start(&run, server, LONG);
	a = dial_unix();
	/* The signal came before this caller; both are seen in one turn. */
	expect(a, "a\n", "> a");
	hang_up(a);
	assert_int_equal(atomic_load(&seen.reloads), 1);
	kill(getpid(), SIGTERM);
	pthread_join(run.thread, NULL);
	assert_true(server_stopping(server));
	server_free(server);
}

static void
grace_for_connections(void **state)
{
	struct server_limits limits = {0};
	struct server *server = make(&limits);
	struct stream *a;
	struct run run;

	listen_unix(server);
	start(&run, server, LONG);
	a = dial_unix();
	expect(a, "a\n", "> a");
	server_stop(server);
	/* Within the grace the conversation goes on to its end. */
	expect(a, "b\n", "> b");
	hang_up(a);
	finish(&run);
	assert_int_equal(atomic_load(&seen.ended_with), 0);
}

static void
abort_after_the_grace(void **state)
{
	struct server_limits limits = {0};
	struct server *server = make(&limits);
	struct stream *a;
	struct run run;

	listen_unix(server);
	start(&run, server, 20);
	a = dial_unix();
	expect(a, "a\n", "> a");
	finish(&run);
	assert_int_equal(atomic_load(&seen.ended_with), ERR_UNREACHABLE);
	expect_end(a);
}

static struct server *stopping;

static void
end_input(void *context)
{
	server_end_input(stopping);
}

/* Who is silent does not hold up the end, however long the grace. */
static void
end_of_input_at_the_stop(void **state)
{
	struct server_limits limits = {0};
	struct stream *a;
	struct run run;

	stopping = make(&limits);
	server_set_on_stop(stopping, end_input);
	listen_unix(stopping);
	start(&run, stopping, 1000 * LONG);
	a = dial_unix();
	expect(a, "a\n", "> a");
	finish(&run);
	/* And not that of a read that waited in vain. */
	assert_int_equal(atomic_load(&seen.ended_with), ERR_UNREACHABLE);
	expect_end(a);
}

static void
second_signal_ends_the_grace(void **state)
{
	struct server_limits limits = {0};
	struct server *server = make(&limits);
	struct stream *a;
	struct run run;

	listen_unix(server);
	start(&run, server, 1000 * LONG);
	a = dial_unix();
	expect(a, "a\n", "> a");
	server_stop(server);
	kill(getpid(), SIGINT);
	pthread_join(run.thread, NULL);
	server_free(server);
	assert_int_equal(atomic_load(&seen.ended_with), ERR_UNREACHABLE);
	expect_end(a);
}

static void
unix_socket_table(void **state)
{
	static const struct {
		const char *name, *path, *group, *complaint;
	} cases[] = {
	    {"empty path", "", "", "1 to 107 octets"},
	    {"too long",
	     "/tmp/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "",
	     "1 to 107 octets"},
	    {"no directory", "/nowhere/s", "", "/nowhere/s: bind: No such"},
	    {"a file", "/etc/passwd", "", "exists and is not a socket"},
	    {"unknown group", NULL, "no such group", "no group \"no such"},
	    {"group number too large", NULL, "4294967295", "no group"},
	};
	struct server_limits limits = {0};
	struct server *server = make(&limits);

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fault fault = {0};

		unit_case(cases[i].name);
		assert_int_equal(server_listen_unix(server,
		    cases[i].path != NULL ? cases[i].path : path, 0600,
		    cases[i].group, echo, NULL, &fault), ERR_CREATE);
		assert_non_null(strstr(fault.text, cases[i].complaint));
		assert_int_equal(access(path, F_OK), -1);
	}
	server_free(server);
}

static void
unix_socket_owner_and_mode(void **state)
{
	struct server_limits limits = {0};
	struct server *server = make(&limits);
	struct stat status;
	char group[16];

	snprintf(group, sizeof(group), "%u", (unsigned int)getegid());
	assert_int_equal(server_listen_unix(server, path, 0642, group, echo,
	    NULL, NULL), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0642);
	assert_int_equal(status.st_gid, getegid());
	server_free(server);
}

static void
stale_and_living_sockets(void **state)
{
	struct server_limits limits = {0};
	struct server *first = make(&limits), *second = make(&limits);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct fault fault = {0};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	/* What a process that was killed leaves behind. */
	strcpy(address.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
	    sizeof(address)), 0);
	close(fd);
	listen_unix(first);
	assert_int_equal(server_listen_unix(second, path, 0600, "", echo, NULL,
	    &fault), ERR_CREATE);
	assert_non_null(strstr(fault.text, "another process answers"));
	/* A socket that somebody else put there in the meantime stays. */
	unlink(path);
	listen_unix(second);
	server_free(first);
	assert_int_equal(access(path, F_OK), 0);
	server_free(second);
	assert_int_equal(access(path, F_OK), -1);
}

static void
tcp_addresses(void **state)
{
	struct server_limits limits = {0};
	struct server *server = make(&limits);
	struct fault fault = {0};
	char text[32];
	unsigned int port = listen_tcp(server, "127.0.0.1");

	assert_int_equal(server_listen_tcp(server, "127.0.0.1", port, echo,
	    NULL, &fault), ERR_CREATE);
	snprintf(text, sizeof(text), "127.0.0.1, port %u: bind: ", port);
	assert_non_null(strstr(fault.text, text));
	assert_int_equal(server_listen_tcp(server, "localhost", port, echo,
	    NULL, &fault), ERR_CREATE);
	assert_non_null(strstr(fault.text, "not a numeric address"));
	assert_int_equal(server_listen_tcp(server, "192.0.2.1", port, echo,
	    NULL, &fault), ERR_CREATE);
	/* Either there is IPv6, side by side, or it is passed over. */
	assert_int_equal(server_listen_tcp(server, "::", port, echo, NULL,
	    &fault), 0);
	server_free(server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(serving),
	    cmocka_unit_test(limit_of_connections),
	    cmocka_unit_test(limit_of_one_source),
	    cmocka_unit_test(source_table),
	    cmocka_unit_test(limit_of_a_prefix),
	    cmocka_unit_test(refusals_are_counted),
	    cmocka_unit_test(no_thread),
	    cmocka_unit_test(no_descriptors),
	    cmocka_unit_test(descriptors_are_had),
	    cmocka_unit_test(too_few_descriptors),
	    cmocka_unit_test(reload_and_end_by_signal),
	    cmocka_unit_test(grace_for_connections),
	    cmocka_unit_test(abort_after_the_grace),
	    cmocka_unit_test(end_of_input_at_the_stop),
	    cmocka_unit_test(second_signal_ends_the_grace),
	    cmocka_unit_test(unix_socket_table),
	    cmocka_unit_test(unix_socket_owner_and_mode),
	    cmocka_unit_test(stale_and_living_sockets),
	    cmocka_unit_test(tcp_addresses),
	};

	unit_directory(directory);
	snprintf(path, sizeof(path), "%s/socket", directory);
	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
