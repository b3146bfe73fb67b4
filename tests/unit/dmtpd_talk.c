/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/dmtpd_world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#include "dime/armor.h"

char heard[1024];
struct buffer listing;

/* ---- conversations ---- */

static struct stream *
clear_open_from(const char *source, unsigned int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons((uint16_t)port)};
	struct sockaddr_in own = {.sin_family = AF_INET};
	struct stream *stream;

	assert_int_equal(inet_pton(AF_INET, source, &own.sin_addr), 1);
	assert_int_equal(stream_connect((struct sockaddr *)&address,
	    sizeof(address), (struct sockaddr *)&own, sizeof(own),
	    deadline_in(WORLD_PATIENCE), &stream, NULL), 0);
	return stream;
}

struct stream *
clear_open(unsigned int port)
{
	return clear_open_from("127.0.0.1", port);
}

void
secure(struct stream *stream, const char *name, struct tls_peer *peer)
{
	assert_int_equal(stream_start_tls_client(stream, world.tls, name, peer,
	    deadline_in(WORLD_PATIENCE), NULL), 0);
}

struct stream *
dmtp_open_as(const char *name, struct tls_peer *peer)
{
	struct stream *stream = clear_open(world.port);

	secure(stream, name, peer);
	assert_int_equal(hear(stream), 220);
	return stream;
}

struct stream *
dmtp_open(void)
{
	struct tls_peer peer;
	struct stream *stream = dmtp_open_as("mx.beta.test", &peer);

	tls_peer_free(&peer);
	return stream;
}

struct stream *
dmtp_open_from(const char *source)
{
	struct stream *stream = clear_open_from(source, world.port);
	struct tls_peer peer;

	secure(stream, "mx.beta.test", &peer);
	tls_peer_free(&peer);
	assert_int_equal(hear(stream), 220);
	return stream;
}

struct stream *
lmtp_open(void)
{
	struct stream *stream;

	assert_int_equal(stream_connect_unix(world_path("lmtp"),
	    deadline_in(WORLD_PATIENCE), &stream, NULL), 0);
	assert_int_equal(hear(stream), 220);
	assert_int_equal(ask(stream, "LHLO mail.alpha.test"), 250);
	return stream;
}

void
say_span(struct stream *stream, struct span text)
{
	assert_int_equal(stream_write(stream, text,
	    deadline_in(WORLD_PATIENCE)), 0);
}

void
say(struct stream *stream, const char *text)
{
	say_span(stream, span_string(text));
}

int
hear(struct stream *stream)
{
	struct span line;
	uint64_t code;

	buffer_reset(&listing);
	for (;;) {
		int err = stream_read_line(stream, 1000, &line,
		    deadline_in(WORLD_PATIENCE));

		if (err != 0)
			fail_msg("no reply: %s", error_row(err)->name);
		assert_true(span_number(span_slice(line, 0, 3), 599, &code));
		assert_true(line.length >= 4);
		if (line.data[3] != '-')
			break;
		buffer_append_span(&listing, span_slice(line, 4, line.length));
		buffer_u8(&listing, '\n');
	}
	assert_true(span_copy_string(span_slice(line, 4, line.length), heard,
	    sizeof(heard)));
	return (int)code;
}

int
ask(struct stream *stream, const char *format, ...)
{
	struct buffer line = buffer_make(4096);
	va_list arguments;
	char text[2048];

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	buffer_append_string(&line, text);
	buffer_append_string(&line, "\r\n");
	say_span(stream, buffer_span(&line));
	buffer_free(&line);
	return hear(stream);
}

int
say_mail(struct stream *stream, const char *domain, const char *fingerprint)
{
	return ask(stream, "MAIL FROM=<%s> FINGERPRINT=[%s]", domain,
	    fingerprint);
}

int
say_rcpt(struct stream *stream, const char *domain, const char *fingerprint)
{
	return ask(stream, "RCPT TO=<%s> FINGERPRINT=[%s]", domain,
	    fingerprint);
}

void
start_data(struct stream *stream, const char *origin)
{
	const struct keys_org *org =
	    strcmp(origin, "beta.test") == 0 ? world.beta : world.alpha;

	assert_int_equal(say_mail(stream, origin, org->signet->fingerprint),
	    250);
	assert_int_equal(say_rcpt(stream, "beta.test",
	    world.beta->signet->fingerprint), 250);
	assert_int_equal(ask(stream, "DATA"), 354);
}

int
transact(struct stream *stream, const char *origin, struct span message)
{
	start_data(stream, origin);
	say_span(stream, message);
	return ask(stream, ".");
}

void
assert_listed(const struct signet *expected)
{
	struct signet *signet = NULL;
	struct fault fault = {0};

	if (signet_read(buffer_span(&listing), &signet, &fault) != 0)
		fail_msg("%s", fault.text);
	assert_true(span_equal(signet_binary(signet), signet_binary(expected)));
	signet_free(signet);
}

void
start_lmtp_data(struct stream *stream, const char *sender,
    const char *recipient, const char *head, struct span body)
{
	struct span line;

	assert_int_equal(ask(stream, "MAIL FROM:<%s>", sender), 250);
	assert_int_equal(ask(stream, "RCPT TO:<%s>", recipient), 250);
	assert_int_equal(ask(stream, "DATA"), 354);
	say(stream, head);
	while (span_next_line(&body, &line)) {
		say_span(stream, line);
		say(stream, "\r\n");
	}
}

int
hand_in(struct stream *stream, const char *sender, const char *recipient,
    const char *head, struct span body)
{
	start_lmtp_data(stream, sender, recipient, head, body);
	return ask(stream, ".");
}

/* ---- messages ---- */

static struct buffer
seal(const struct keys_org *destination, const struct keys_user *recipient,
    const char *words)
{
	struct buffer mime = buffer_make(WORLD_MESSAGE_LIMIT * 8);
	struct buffer binary = buffer_make(WORLD_MESSAGE_LIMIT * 8);
	bool is_libdime =
	    recipient->signet->signet->layout == LAYOUT_LIBDIME;
	struct random_source random;
	struct message_seal wish = {
	    .parties = {
	        (is_libdime ? world.libdime_alice : world.alice)->signet,
	        (is_libdime ? world.libdime_alpha : world.alpha)->signet,
	        destination->signet, recipient->signet},
	    .author_signer = world.alice->signer,
	    .origin_signer = world.alpha->signer,
	    .random = &random,
	};
	struct fault fault = {0};

	buffer_printf(&mime, "From: alice@alpha.test\r\nSubject: %.40s\r\n\r\n",
	    words);
	buffer_append_string(&mime, words);
	random_start(&random);
	if (message_seal(&wish, buffer_span(&mime), &binary, &fault) != 0)
		fail_msg("%s", fault.text);
	random_end(&random);
	buffer_free(&mime);
	return binary;
}

static struct buffer
armored(struct buffer *binary)
{
	struct buffer out = buffer_make(WORLD_MESSAGE_LIMIT * 16);

	armor_write(ARMOR_MESSAGE, buffer_span(binary), &out);
	assert_int_equal(out.error, 0);
	buffer_free(binary);
	return out;
}

struct buffer
sealed(const struct keys_org *destination, const struct keys_user *recipient,
    const char *words)
{
	struct buffer binary = seal(destination, recipient, words);

	return armored(&binary);
}

/* 255 is the last chunk: 64 octets and four slots. */
enum { LAST_PAYLOAD = 64 + 4 * 64, LAST_CHUNK = 4 + LAST_PAYLOAD };

struct buffer
sealed_badly(const struct keys_org *destination,
    const struct keys_user *recipient, const char *words)
{
	struct buffer binary = seal(destination, recipient, words);

	binary.data[binary.length - LAST_PAYLOAD] ^= 1;
	return armored(&binary);
}

struct buffer
sealed_unsigned(const struct keys_org *destination,
    const struct keys_user *recipient, const char *words)
{
	enum { MAGIC = 2, HEADER = 6 };
	struct buffer binary = seal(destination, recipient, words);
	size_t size;

	assert_int_equal(binary.data[binary.length - LAST_CHUNK], 255);
	binary.length -= LAST_CHUNK;
	size = binary.length - HEADER;
	for (size_t i = 0; i < 4; i++)
		binary.data[MAGIC + i] = (uint8_t)(size >> (24 - 8 * i));
	return armored(&binary);
}
