/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/front_mta.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

#include "net/server.h"
#include "tests/unit/dmtpd_world.h"

enum { LINE = 4096 };

static struct server *server;
static struct tls_context *tls;
static pthread_t server_thread;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t grew = PTHREAD_COND_INITIALIZER;
static struct buffer so_far;
static char greeting[512];

const uint64_t mta_sum_of_nothing = 14695981039346656037u;

uint64_t
mta_sum(uint64_t sum, struct span octets)
{
	for (size_t i = 0; i < octets.length; i++)
		sum = (sum ^ octets.data[i]) * 1099511628211u;
	return sum;
}

/* ---- what the test sees ---- */

void
mta_greets(const char *text)
{
	pthread_mutex_lock(&lock);
	snprintf(greeting, sizeof(greeting), "%s", text);
	pthread_mutex_unlock(&lock);
}

static void
note(struct span line)
{
	pthread_mutex_lock(&lock);
	buffer_append_span(&so_far, line);
	buffer_u8(&so_far, '\n');
	pthread_cond_broadcast(&grew);
	pthread_mutex_unlock(&lock);
}

void
mta_forget(void)
{
	pthread_mutex_lock(&lock);
	buffer_reset(&so_far);
	pthread_mutex_unlock(&lock);
}

void
mta_wait(const char *text)
{
	struct timespec until;
	bool found;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WORLD_PATIENCE / 1000;
	pthread_mutex_lock(&lock);
	while (!(found = strstr(buffer_string(&so_far), text) != NULL) &&
	    pthread_cond_timedwait(&grew, &lock, &until) == 0)
		;
	if (!found)
		print_message("heard:\n%s", buffer_string(&so_far));
	pthread_mutex_unlock(&lock);
	assert_true(found);
}

/* ---- a connection ---- */

static bool
answer(struct stream *stream, const char *text)
{
	return stream_write(stream, span_string(text),
	    deadline_in(WORLD_PATIENCE)) == 0;
}

static bool
answer_sum(struct stream *stream, size_t length, uint64_t sum)
{
	char line[100];

	snprintf(line, sizeof(line), "250 2.0.0 Ok: %zu %016" PRIx64 "\r\n",
	    length, sum);
	return answer(stream, line);
}

static bool
take_data(struct stream *stream)
{
	uint64_t sum = mta_sum_of_nothing;
	size_t length = 0;
	struct span line;

	if (!answer(stream, "354 go on\r\n"))
		return false;
	while (stream_read_line(stream, LINE, &line,
	    deadline_in(WORLD_PATIENCE)) == 0) {
		if (span_equal_string(line, "."))
			return answer_sum(stream, length, sum);
		sum = mta_sum(mta_sum(sum, line), span_string("\r\n"));
		length += line.length + 2;
	}
	return false;
}

/* `BDAT 123 LAST` */
static bool
take_chunk(struct stream *stream, struct span line)
{
	uint64_t sum = mta_sum_of_nothing, length;
	uint8_t octets[16384];
	size_t got;

	line = span_slice(line, 5, line.length);
	line.length -= memmem(line.data, line.length, " LAST", 5) != NULL
	    ? 5 : 0;
	if (!span_number(line, 1 << 30, &length))
		return false;
	for (size_t rest = length; rest > 0; rest -= got) {
		if (stream_read(stream, octets,
		        rest < sizeof(octets) ? rest : sizeof(octets), &got,
		        deadline_in(WORLD_PATIENCE)) != 0 || got == 0)
			return false;
		sum = mta_sum(sum, span_of(octets, got));
	}
	return answer_sum(stream, length, sum);
}

static bool
obey(struct stream *stream, struct span line)
{
	struct span verb = span_slice(line, 0, 4);

	if (span_equal_string(verb, "EHLO"))
		return answer(stream, "250-mta.beta.test\r\n250-PIPELINING\r\n"
		    "250-STARTTLS\r\n250 CHUNKING\r\n");
	if (span_equal_string(verb, "DATA"))
		return take_data(stream);
	if (span_equal_string(verb, "BDAT"))
		return take_chunk(stream, line);
	if (span_equal_string(verb, "STAR"))
		return answer(stream, "220 2.0.0 Ready\r\n") &&
		    stream_start_tls_server(stream, tls,
		        deadline_in(WORLD_PATIENCE), NULL) == 0;
	if (span_equal_string(verb, "LEAV")) {
		answer(stream, "421 4.4.2 leaving\r\n");
		return false;
	}
	if (span_equal_string(verb, "QUIT")) {
		answer(stream, "221 2.0.0 Bye\r\n");
		return false;
	}
	return answer(stream, span_equal_string(verb, "MODE")
	    ? "500 5.5.2 unknown\r\n" : "250 2.0.0 Ok\r\n");
}

static void
serve(struct stream *stream, void *context)
{
	char text[sizeof(greeting)];
	struct span line;
	bool good;

	pthread_mutex_lock(&lock);
	strcpy(text, greeting);
	pthread_mutex_unlock(&lock);
	good = answer(stream, text);
	while (good && stream_read_line(stream, LINE, &line,
	    deadline_in(WORLD_PATIENCE)) == 0) {
		note(line);
		good = span_equal_string(span_slice(line, 0, 6), "PROXY ") ||
		    obey(stream, line);
	}
	note(span_string("(end)"));
}

/* ---- all of it ---- */

static void *
run(void *argument)
{
	server_run(server, 1000);
	return NULL;
}

void
mta_start(void)
{
	static const struct server_limits limits = {0};
	const struct tls_identity identity = {
	    world.mta_certificate.certificate_path,
	    world.mta_certificate.key_path};

	mta_greets("220 mta.beta.test ESMTP\r\n");
	so_far = buffer_make(16 << 20);
	assert_int_equal(tls_server_new(&identity, 1, &tls, NULL), 0);
	assert_int_equal(server_new(&limits, NULL, NULL, NULL, &server), 0);
	assert_int_equal(server_listen_tcp(server, "127.0.0.1", world.mta_port,
	    serve, NULL, NULL), 0);
	assert_int_equal(pthread_create(&server_thread, NULL, run, NULL), 0);
}

void
mta_end(void)
{
	server_stop(server);
	pthread_join(server_thread, NULL);
	server_free(server);
	tls_free(tls);
	buffer_free(&so_far);
}
