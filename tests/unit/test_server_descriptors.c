/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/server_world.h"

#include <stdio.h>
#include <time.h>

#include <sys/resource.h>
#include <sys/un.h>

#include "base/file.h"
#include "base/log.h"

/* How many descriptors there are, and what is done without. */

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

/* A daemon uses all descriptors that it may have: the usual number is for
 * programs with a select(2), and less than connection_limit needs. */
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

/* More connections than descriptors are told of when the server starts to run,
 * and when limits change meanwhile. */
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_descriptors),
	    cmocka_unit_test(descriptors_are_had),
	    cmocka_unit_test(too_few_descriptors),
	};

	return cmocka_run_group_tests(tests, server_world_start,
	    server_world_end);
}
