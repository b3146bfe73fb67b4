/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/server_world.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

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

/* Who is refused again and again does not fill the disk with what is said of
 * it: a line now and then, and how many there were. */
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
	    cmocka_unit_test(reload_and_end_by_signal),
	    cmocka_unit_test(grace_for_connections),
	    cmocka_unit_test(abort_after_the_grace),
	    cmocka_unit_test(end_of_input_at_the_stop),
	    cmocka_unit_test(second_signal_ends_the_grace),
	};

	return cmocka_run_group_tests(tests, server_world_start,
	    server_world_end);
}
