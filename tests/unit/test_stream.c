/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "net/stream.h"

enum { LONG = 10000 }; /* a time that no test waits for */

static struct stream *
make_pair(int *other)
{
	struct stream *stream;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	stream = stream_of_fd(pair[0]);
	assert_non_null(stream);
	*other = pair[1];
	return stream;
}

static void
put(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* All lines of `text`, limit 8, as "line|", "!" for one that is too long. */
static void
line_table(void **state)
{
	static const struct {
		const char *text, *outcome;
	} cases[] = {
	    {"", ""},
	    {"a\n", "a|"},
	    {"a\r\nb\n", "a|b|"},
	    {"\n\r\n", "||"},
	    {"a\rb\n", "a\rb|"},
	    {"1234567\n", "1234567|"},
	    {"123456\r\n", "123456|"},
	    {"12345678\n", "!"},
	    {"1234567\r\nb\n", "!b|"},
	    {"a\n123456789012345678901234567890\nb\n", "a|!b|"},
	    {"a\nno end", "a|"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer out = buffer_make(100);
		struct span line;
		int other, err;
		struct stream *stream = make_pair(&other);

		unit_case(cases[i].text);
		put(other, cases[i].text);
		close(other);
		do {
			err = stream_read_line(stream, 8, &line,
			    deadline_in(LONG));
			if (err == 0) {
				buffer_append_span(&out, line);
				buffer_append_string(&out, "|");
			} else if (err == ERR_TOO_LARGE) {
				buffer_append_string(&out, "!");
			}
		} while (err == 0 || err == ERR_TOO_LARGE);
		assert_int_equal(err, ERR_UNREACHABLE);
		assert_string_equal(buffer_string(&out), cases[i].outcome);
		buffer_free(&out);
		stream_free(stream);
	}
}

static void
lines_that_come_in_pieces(void **state)
{
	static const char text[] = "first\r\nsecond line\n";
	struct span line;
	int other;
	struct stream *stream = make_pair(&other);

	for (const char *at = text; *at != '\0'; at++) {
		int err;

		assert_int_equal(write(other, at, 1), 1);
		err = stream_read_line(stream, 100, &line, deadline_in(0));
		if (*at != '\n') {
			assert_int_equal(err, ERR_TIMEOUT);
			continue;
		}
		assert_int_equal(err, 0);
		assert_true(span_equal_string(line,
		    at - text < 8 ? "first" : "second line"));
	}
	close(other);
	stream_free(stream);
}

static void
octets_after_lines(void **state)
{
	char data[4];
	struct span line;
	size_t got;
	int other;
	struct stream *stream = make_pair(&other);

	put(other, "one\ntwo\nthree");
	assert_int_equal(stream_read_line(stream, 9, &line, deadline_in(LONG)),
	    0);
	assert_int_equal(stream_buffered(stream), 9);
	assert_int_equal(stream_read(stream, data, 2, &got, deadline_in(LONG)),
	    0);
	assert_int_equal(got, 2);
	assert_memory_equal(data, "tw", 2);
	assert_int_equal(stream_read_line(stream, 9, &line, deadline_in(LONG)),
	    0);
	assert_true(span_equal_string(line, "o"));
	assert_int_equal(stream_read(stream, data, 4, &got, deadline_in(LONG)),
	    0);
	assert_memory_equal(data, "thre", 4);
	close(other);
	assert_int_equal(stream_read(stream, data, 4, &got, deadline_in(LONG)),
	    0);
	assert_int_equal(got, 1);
	assert_int_equal(stream_read(stream, data, 4, &got, deadline_in(LONG)),
	    0);
	assert_int_equal(got, 0);
	assert_string_equal(stream_peer(stream), "unix");
	stream_free(stream);
}

static int64_t
now(void)
{
	return clock_monotonic(&clock_system);
}

static void
silence_ends_at_the_deadline(void **state)
{
	int64_t start = now();
	struct span line;
	char data[4];
	size_t got;
	int other;
	struct stream *stream = make_pair(&other);

	assert_int_equal(stream_read(stream, data, 4, &got, deadline_in(30)),
	    ERR_TIMEOUT);
	put(other, "no line end");
	assert_int_equal(stream_read_line(stream, 99, &line, deadline_in(30)),
	    ERR_TIMEOUT);
	assert_in_range(now() - start, 60, 5000);
	close(other);
	stream_free(stream);
}

static void *
drip(void *argument)
{
	const int *fd = argument;

	while (write(*fd, "x", 1) == 1)
		;
	return NULL;
}

static void
octets_do_not_move_the_deadline(void **state)
{
	int64_t start = now();
	pthread_t thread;
	struct span line;
	int other;
	struct stream *stream = make_pair(&other);

	assert_int_equal(pthread_create(&thread, NULL, drip, &other), 0);
	assert_int_equal(stream_read_line(stream, 1000, &line,
	    deadline_in(100)), ERR_TIMEOUT);
	assert_in_range(now() - start, 100, 5000);
	stream_free(stream);
	pthread_join(thread, NULL);
	close(other);
}

static void
a_reader_that_does_not_read(void **state)
{
	size_t size = 8 << 20;
	char *data = calloc(1, size);
	int64_t start = now();
	int other;
	struct stream *stream = make_pair(&other);

	assert_non_null(data);
	assert_int_equal(stream_write(stream, span_of(data, size),
	    deadline_in(30)), ERR_TIMEOUT);
	assert_in_range(now() - start, 30, 5000);
	close(other);
	assert_int_equal(stream_write(stream, span_of(data, size),
	    deadline_in(LONG)), ERR_UNREACHABLE);
	free(data);
	stream_free(stream);
}

static void *
abort_it(void *argument)
{
	stream_abort(argument);
	return NULL;
}

static void
abort_wakes_the_reader(void **state)
{
	pthread_t thread;
	struct span line;
	int other;
	struct stream *stream = make_pair(&other);

	put(other, "said before");
	assert_int_equal(pthread_create(&thread, NULL, abort_it, stream), 0);
	assert_int_equal(stream_read_line(stream, 99, &line,
	    deadline_in(LONG)), ERR_UNREACHABLE);
	pthread_join(thread, NULL);
	assert_int_equal(stream_write(stream, span_string("x"),
	    deadline_in(LONG)), ERR_UNREACHABLE);
	close(other);
	stream_free(stream);
}

static void
connecting(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	struct sockaddr_in source = {.sin_family = AF_INET};
	struct sockaddr *to = (struct sockaddr *)&address;
	socklen_t length = sizeof(address);
	struct stream *stream;
	struct fault fault = {0};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
	inet_pton(AF_INET, "127.0.0.2", &source.sin_addr);
	assert_int_equal(bind(fd, to, length), 0);
	assert_int_equal(getsockname(fd, to, &length), 0);
	/* Bound, but nobody listens. */
	assert_int_equal(stream_connect(to, length, NULL, 0, deadline_in(LONG),
	    &stream, &fault), ERR_UNREACHABLE);
	assert_string_equal(fault.text, "connect: Connection refused");
	assert_null(stream);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(stream_connect(to, length,
	    (struct sockaddr *)&source, sizeof(source), deadline_in(LONG),
	    &stream, &fault), 0);
	assert_string_equal(stream_peer(stream), "127.0.0.1");
	stream_free(stream);
	close(fd);
	inet_pton(AF_INET, "192.0.2.1", &source.sin_addr);
	assert_int_equal(stream_connect(to, length,
	    (struct sockaddr *)&source, sizeof(source), deadline_in(LONG),
	    &stream, &fault), ERR_SYSTEM);
	assert_non_null(strstr(fault.text, "bind to the source address"));
}

static void
connecting_to_unix(void **state)
{
	char path[300];
	struct stream *stream;
	struct fault fault = {0};

	assert_int_equal(stream_connect_unix("/nowhere/socket",
	    deadline_in(LONG), &stream, &fault), ERR_UNREACHABLE);
	assert_non_null(strstr(fault.text, "/nowhere/socket: No such file"));
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(stream_connect_unix(path, deadline_in(LONG), &stream,
	    &fault), ERR_CONFIG);
	assert_null(stream);
}

/* ---- two at once ---- */

/* A connection of the address to itself; false without that family. */
static bool
connect_pair(const char *text, struct stream **caller, struct stream **called)
{
	const bool is_v4 = strchr(text, ':') == NULL;
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct sockaddr *address = is_v4 ? (struct sockaddr *)&v4
					 : (struct sockaddr *)&v6;
	socklen_t length = is_v4 ? sizeof(v4) : sizeof(v6);
	int listening;

	assert_int_equal(inet_pton(address->sa_family, text, is_v4
	    ? (void *)&v4.sin_addr : (void *)&v6.sin6_addr), 1);
	listening = socket(address->sa_family, SOCK_STREAM, 0);
	if (listening < 0 || bind(listening, address, length) != 0) {
		close(listening);
		return false;
	}
	assert_int_equal(listen(listening, 1), 0);
	assert_int_equal(getsockname(listening, address, &length), 0);
	assert_int_equal(stream_connect(address, length, NULL, 0,
	    deadline_in(LONG), caller, NULL), 0);
	*called = stream_of_fd(accept(listening, NULL, NULL));
	assert_non_null(*called);
	close(listening);
	return true;
}

/* As much as goes in at once, and what is left when the other side reads. */
static void
some_is_written(void **state)
{
	static uint8_t octets[1 << 20], back[1 << 16];
	size_t moved, sum = 0, got = 0;
	int other;
	struct stream *stream = make_pair(&other);

	do {
		assert_int_equal(stream_write_some(stream,
		    span_of(octets, sizeof(octets)), &moved), 0);
		sum += moved;
	} while (moved > 0);
	assert_true(sum > 0);
	assert_int_equal(stream_write_some(stream, span_of(NULL, 0), &moved),
	    0);
	assert_int_equal(moved, 0);
	while (got < sum)
		got += (size_t)read(other, back, sizeof(back));
	assert_int_equal(got, sum);
	assert_int_equal(stream_write_some(stream, span_of(octets, 1), &moved),
	    0);
	assert_int_equal(moved, 1);
	close(other);
	assert_int_equal(stream_write_some(stream, span_of(octets, 1), &moved),
	    ERR_UNREACHABLE);
	stream_free(stream);
}

static void
either_is_waited_for(void **state)
{
	int others[2];
	struct stream *a = make_pair(&others[0]), *b = make_pair(&others[1]);
	struct stream_interest interests[2] = {{a, true, false},
	    {b, true, false}};

	assert_int_equal(stream_wait_two(interests, deadline_in(1)),
	    ERR_TIMEOUT);
	put(others[1], "x");
	assert_int_equal(stream_wait_two(interests, deadline_in(LONG)), 0);
	interests[1].reads = false;
	assert_int_equal(stream_wait_two(interests, deadline_in(1)),
	    ERR_TIMEOUT);
	interests[0].writes = true;
	assert_int_equal(stream_wait_two(interests, deadline_in(LONG)), 0);
	/* Who asks for nothing of it hears nothing, not even that it is
	 * gone. */
	interests[0] = (struct stream_interest){a, false, false};
	close(others[0]);
	assert_int_equal(stream_wait_two(interests, deadline_in(1)),
	    ERR_TIMEOUT);
	stream_abort(b);
	assert_int_equal(stream_wait_two(interests, deadline_in(LONG)),
	    ERR_UNREACHABLE);
	close(others[1]);
	stream_free(a);
	stream_free(b);
}

static void
output_ends(void **state)
{
	int other;
	struct stream *stream = make_pair(&other);
	struct span line;
	char octet;

	stream_end_output(stream);
	assert_int_equal(read(other, &octet, 1), 0);
	put(other, "still\n");
	assert_int_equal(stream_read_line(stream, 100, &line,
	    deadline_in(LONG)), 0);
	assert_true(span_equal_string(line, "still"));
	close(other);
	stream_free(stream);
}

/* Both ends of a TCP connection, from both sides; none of another one. */
static void
ends_table(void **state)
{
	static const struct {
		const char *address;
		int family;
	} cases[] = {{"127.0.0.1", AF_INET}, {"::1", AF_INET6}};
	struct stream_end ends[4];
	int other;
	struct stream *stream = make_pair(&other);

	stream_ends(stream, &ends[0], &ends[1]);
	assert_int_equal(ends[0].family, 0);
	assert_int_equal(ends[1].family, 0);
	close(other);
	stream_free(stream);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct stream *caller, *called;

		unit_case(cases[i].address);
		if (!connect_pair(cases[i].address, &caller, &called))
			continue;
		stream_ends(caller, &ends[0], &ends[1]);
		stream_ends(called, &ends[2], &ends[3]);
		for (size_t j = 0; j < COUNT(ends); j++) {
			assert_int_equal(ends[j].family, cases[i].family);
			assert_string_equal(ends[j].address, cases[i].address);
			assert_int_equal(ends[j].port, ends[3 - j].port);
		}
		assert_int_not_equal(ends[0].port, ends[1].port);
		stream_free(caller);
		stream_free(called);
	}
}

/* ---- the end ---- */

enum { SPOKEN = 512 * 1024, UNREAD = 20000 };

/* Two ends of a TCP connection in which little is underway at a time. */
static void
make_tcp_pair(int *near, int *far)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0), small = 4096;

	assert_int_equal(bind(listener, (struct sockaddr *)&address, length),
	    0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address,
	    &length), 0);
	*far = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(*far, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	assert_int_equal(connect(*far, (struct sockaddr *)&address, length),
	    0);
	*near = accept(listener, NULL, NULL);
	assert_true(*near >= 0);
	close(listener);
}

/* Says much, with input left unread, and ends. */
static void *
say_and_end(void *argument)
{
	static char spoken[SPOKEN];
	struct stream *stream = argument;

	assert_int_equal(stream_write(stream, span_of(spoken, SPOKEN),
	    deadline_in(LONG)), 0);
	stream_finish(stream, deadline_in(LONG));
	stream_free(stream);
	return NULL;
}

/* All that was said arrives, and an end, although the peer has said more than
 * was read. */
static void
the_last_words_arrive(void **state)
{
	static char octets[UNREAD];
	size_t total = 0;
	int near, far;
	pthread_t thread;
	ssize_t got;

	make_tcp_pair(&near, &far);
	assert_int_equal(write(far, octets, sizeof(octets)), sizeof(octets));
	assert_int_equal(pthread_create(&thread, NULL, say_and_end,
	    stream_of_fd(near)), 0);
	while ((got = read(far, octets, sizeof(octets))) > 0)
		total += (size_t)got;
	assert_int_equal(got, 0);
	assert_int_equal(total, SPOKEN);
	close(far);
	pthread_join(thread, NULL);
}

/* A peer that never closes is not waited for longer than that. */
static void
an_end_has_a_deadline(void **state)
{
	int near, far;
	struct stream *stream;
	char octet;

	make_tcp_pair(&near, &far);
	stream = stream_of_fd(near);
	stream_finish(stream, deadline_in(10));
	assert_int_equal(read(far, &octet, 1), 0);
	stream_free(stream);
	close(far);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(line_table),
	    cmocka_unit_test(lines_that_come_in_pieces),
	    cmocka_unit_test(octets_after_lines),
	    cmocka_unit_test(silence_ends_at_the_deadline),
	    cmocka_unit_test(octets_do_not_move_the_deadline),
	    cmocka_unit_test(a_reader_that_does_not_read),
	    cmocka_unit_test(abort_wakes_the_reader),
	    cmocka_unit_test(connecting),
	    cmocka_unit_test(connecting_to_unix),
	    cmocka_unit_test(some_is_written),
	    cmocka_unit_test(either_is_waited_for),
	    cmocka_unit_test(output_ends),
	    cmocka_unit_test(ends_table),
	    cmocka_unit_test(the_last_words_arrive),
	    cmocka_unit_test(an_end_has_a_deadline),
	};

	/* stream_free() on one end makes the dripping thread's write fail. */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
