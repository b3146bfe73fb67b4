/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <zlib.h>

#include "tests/unit/heap.h"
#include "tests/unit/message_forge.h"

#include "dime/armor.h"

/* What doc/dmime.md says of memory under "Limits", and doc/signets.md in
 * section 1. */
enum {
	LIMIT = 1 << 20,
	TIMES = 8,
	BEYOND = 1 << 20,
	SIGNET_TIMES = 3,
	SIGNET_BEYOND = 1 << 20,
	BOMB = 16, /* times the limit */
};

/* One gzip member of `head`, `unit` repeated up to `length` octets, and
 * CRLF. */
static struct buffer
packed(const char *head, const char *unit, size_t length)
{
	struct buffer out = buffer_make(WORLD_LIMIT);
	struct buffer data = buffer_make(WORLD_LIMIT);
	z_stream stream = {.zalloc = Z_NULL};

	buffer_append_string(&data, head);
	while (data.length < length)
		buffer_append_string(&data, unit);
	buffer_append_string(&data, "\r\n");
	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 31, 9,
	    Z_DEFAULT_STRATEGY), Z_OK);
	stream.next_in = data.data;
	stream.avail_in = (uInt)data.length;
	stream.avail_out = (uInt)deflateBound(&stream, data.length);
	stream.next_out = buffer_extend(&out, stream.avail_out);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	out.length = stream.total_out;
	deflateEnd(&stream);
	buffer_free(&data);
	return out;
}

static void
gzip_chunk(struct forge *forge, uint8_t type, const char *head,
    const char *unit, size_t length)
{
	struct buffer data = packed(head, unit, length);
	size_t padding = (16 - (69 + data.length) % 16) % 16;
	const struct forge_payload how = {.flags = 4, .pad = (uint8_t)padding,
	    .padding = padding, .fill = (uint8_t)padding};

	forge_chunk(forge, type, buffer_span(&data), &how);
	buffer_free(&data);
}

/* ---- messages that want much memory ---- */

static void
common_bomb(struct forge *forge)
{
	forge_envelope(forge);
	gzip_chunk(forge, 33, "Subject: ", "xxxxxxxx", BOMB * LIMIT);
}

static void
largest_common(struct forge *forge)
{
	forge_envelope(forge);
	gzip_chunk(forge, 33, "Subject: ", "x", LIMIT - 10);
}

static void
headers_bomb(struct forge *forge)
{
	forge_envelope(forge);
	forge_common(forge);
	gzip_chunk(forge, 34, "", "X: y\r\n", BOMB * LIMIT);
}

/* Chunk 33, its field again in a layout, and all white space that fits. */
static void
layout(struct forge *forge)
{
	forge_envelope(forge);
	gzip_chunk(forge, 33, "Subject: ", "x", LIMIT - 10);
	gzip_chunk(forge, 34, "Return-Path: <>\r\nDIME-Layout: end=crlf; ",
	    "Subject@0=\r\n AAAA \t\r\n    ", LIMIT + LIMIT / 2);
}

/* A header of 30 MiB in a message that is far smaller. */
static void
long_header(struct forge *forge)
{
	forge_envelope(forge);
	forge_common(forge);
	gzip_chunk(forge, 34, "", "X: y\r\n", 30 * LIMIT);
}

static void
content_bomb(struct forge *forge)
{
	forge_envelope(forge);
	forge_common(forge);
	gzip_chunk(forge, 67, "", "xxxxxxxx", BOMB * LIMIT);
}

static void
many_bombs(struct forge *forge)
{
	forge_envelope(forge);
	forge_common(forge);
	for (int i = 0; i < 16; i++)
		gzip_chunk(forge, 67, "", "xxxxxxxx", LIMIT / 2);
}

static void
envelope_bomb(struct forge *forge)
{
	gzip_chunk(forge, 4, "Author: <", "xxxxxxxx", BOMB * LIMIT);
	forge_chunk(forge, 5, span_string("x"), NULL);
	forge_common(forge);
}

static void
smallest_chunks(struct forge *forge)
{
	forge_envelope(forge);
	forge_common(forge);
	for (int i = 0; i < 4900; i++)
		forge_chunk(forge, 67, span_string("x"), NULL);
}

static void
largest_content(struct forge *forge)
{
	struct buffer data = buffer_make(WORLD_LIMIT);

	memset(buffer_extend(&data, LIMIT - 3000), 'x', LIMIT - 3000);
	forge_envelope(forge);
	forge_common(forge);
	forge_chunk(forge, 67, buffer_span(&data), NULL);
	buffer_free(&data);
}

/* Not one of them belongs where it stands. */
static void
useless_chunks(struct forge *forge)
{
	size_t length = LIMIT - forge->out.length - 1000;

	memset(buffer_extend(&forge->out, length / 4 * 4), 0, length / 4 * 4);
}

static const struct {
	const char *name;
	void (*make)(struct forge *forge);
	int err;
} cases[] = {
    {"common headers that inflate", common_bomb, ERR_TOO_LARGE},
    {"as many common headers as fit", largest_common, 0},
    {"headers that inflate", headers_bomb, ERR_TOO_LARGE},
    {"as much layout as fits", layout, ERR_CORRUPT},
    {"content that inflates", content_bomb, ERR_TOO_LARGE},
    {"more content that inflates", many_bombs, ERR_TOO_LARGE},
    {"an envelope that inflates", envelope_bomb, ERR_FORMAT},
    {"as many chunks as fit", smallest_chunks, 0},
    {"as much content as fits", largest_content, 0},
    {"useless chunks", useless_chunks, ERR_FORMAT},
};

/* Reads, unlocks and opens for bob, as any reader would. */
static int
open_message(struct span data, size_t limit)
{
	struct message_parties parties = world_parties();
	struct buffer mime = buffer_make(SIZE_MAX / 2);
	char sender[ADDRESS_SIZE];
	struct message *message;
	int err = message_read(data, LIMIT, &message, NULL);

	if (err == 0)
		err = message_unlock(message, MESSAGE_RECIPIENT,
		    agreer_of_scalar(world.keys[WORLD_BOB]), NULL);
	if (err == 0)
		err = message_open(message, &parties, limit, &mime, sender,
		    NULL);
	message_free(message);
	buffer_free(&mime);
	return err;
}

static void
expect_bounded(struct span data, int err)
{
	size_t before = heap_held();

	heap_start();
	assert_int_equal(open_message(data, LIMIT), err);
	assert_int_equal(heap_held(), before);
	/* The message itself, at least: something counts. */
	assert_true(heap_peak() - before >= data.length / 2);
	if (heap_peak() - before > (size_t)TIMES * LIMIT + BEYOND)
		fail_msg("%zu octets for a message of %zu",
		    heap_peak() - before, data.length);
}

static void
opening_is_bounded(void **state)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer armored = buffer_make(WORLD_LIMIT);
		struct forge forge;

		unit_case(cases[i].name);
		forge_start(&forge);
		cases[i].make(&forge);
		forge_sign(&forge, NULL);
		assert_true(forge_end(&forge).length <= LIMIT);
		expect_bounded(buffer_span(&forge.out), cases[i].err);
		armor_write(ARMOR_MESSAGE, buffer_span(&forge.out), &armored);
		expect_bounded(buffer_span(&armored), cases[i].err);
		buffer_free(&armored);
		forge_free(&forge);
	}
}

/* Whatever size of mail is accepted. */
static void
headers_do_not_inflate(void **state)
{
	struct forge forge;

	forge_start(&forge);
	long_header(&forge);
	forge_sign(&forge, NULL);
	assert_int_equal(open_message(forge_end(&forge), 128 * LIMIT),
	    ERR_TOO_LARGE);
	forge_free(&forge);
}

/* ---- sealing ---- */

/* A mail of about `length` octets in `parts` parts that do not compress. */
static struct buffer
incompressible(size_t length, size_t parts)
{
	struct buffer out = buffer_make(SIZE_MAX);
	uint32_t value = 1;

	buffer_append_string(&out,
	    "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (size_t i = 0; i < parts; i++) {
		buffer_append_string(&out, "--b\r\n\r\n");
		for (size_t j = 0; j < length / parts; j++) {
			value = value * 1664525 + 1013904223;
			buffer_u8(&out, (uint8_t)(value >> 24));
		}
		buffer_append_string(&out, "\r\n");
	}
	buffer_append_string(&out, "--b--\r\n");
	return out;
}

/* Besides the mail: the message, what a part was compressed to, and zlib. */
static void
sealing_is_bounded(void **state)
{
	static const size_t parts[] = {1, 100, 990, 3000};

	for (size_t i = 0; i < COUNT(parts); i++) {
		struct buffer mail = incompressible(4 * LIMIT, parts[i]);
		struct buffer sealed = buffer_make(SIZE_MAX);
		struct random_source random;
		struct message_seal seal = world_seal(&random);
		size_t before = heap_held();

		random_start(&random);
		heap_start();
		assert_int_equal(message_seal(&seal, buffer_span(&mail),
		    &sealed, NULL), 0);
		assert_in_range(heap_peak() - before, sealed.length,
		    5 * mail.length / 2 + BEYOND);
		random_end(&random);
		buffer_free(&sealed);
		buffer_free(&mail);
	}
}

/* Armor has its room at once: it is the largest thing that a sealer holds. */
static void
armor_is_bounded(void **state)
{
	uint8_t binary[1100] = {0};

	for (size_t length = 1000; length < sizeof(binary); length++) {
		struct buffer armored = buffer_make(SIZE_MAX);
		size_t before = heap_held();

		heap_start();
		armor_write(ARMOR_MESSAGE, span_of(binary, length), &armored);
		assert_in_range(heap_peak() - before, armored.length,
		    armored.length + 700);
		buffer_free(&armored);
	}
}

/* ---- signets ---- */

/* An organizational signet of as many fields as there may be, signed. */
static struct buffer
many_fields(size_t count)
{
	struct buffer out = buffer_make(SIGNET_MAX_LENGTH);
	uint8_t *signature;
	size_t signed_length;

	buffer_u16(&out, SIGNET_ORG);
	buffer_u24(&out, (uint32_t)(33 + 34 + 2 * count + 65));
	buffer_u8(&out, SIGNET_ORG_POK);
	buffer_append(&out, world.alpha->pok, CRYPTO_SIGN_PUBLIC);
	buffer_u8(&out, SIGNET_ORG_ENCRYPTION);
	buffer_append(&out, world.alpha->encryption, CRYPTO_POINT);
	for (size_t i = 0; i < count; i++)
		buffer_u16(&out, 21 << 8);
	signed_length = out.length - 5;
	buffer_u8(&out, SIGNET_FULL_SIGNATURE);
	signature = buffer_extend(&out, CRYPTO_SIGNATURE);
	crypto_ed25519_sign(world.keys[WORLD_ALPHA],
	    span_of(out.data + 5, signed_length), signature);
	return out;
}

static int
verify(struct span data)
{
	struct one_key {
		uint8_t keys[1][CRYPTO_SIGN_PUBLIC];
	} pok;
	const struct one_key *poks = &pok;
	struct org_signet *org = NULL;
	struct signet *signet;
	int err = signet_read(data, &signet, NULL);

	memcpy(pok.keys[0], world.alpha->pok, CRYPTO_SIGN_PUBLIC);
	if (err == 0 && (err = signet_verify_org(signet, poks->keys, 1, NULL,
	    &org, NULL)) != 0)
		signet_free(signet);
	org_signet_free(org);
	return err;
}

static void
signets_are_bounded(void **state)
{
	static const struct {
		const char *name;
		size_t fields;
		int err;
	} sizes[] = {
	    {"few fields", 3, 0},
	    {"as many fields as may be", SIGNET_MAX_FIELDS - 3, 0},
	    {"one more", SIGNET_MAX_FIELDS - 2, ERR_FORMAT},
	    {"fields without end", 4 << 20, ERR_FORMAT},
	};

	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct buffer binary = many_fields(sizes[i].fields);
		struct buffer armored = buffer_make(WORLD_LIMIT);
		size_t before;

		unit_case(sizes[i].name);
		armor_write(ARMOR_ORG_SIGNET, buffer_span(&binary), &armored);
		before = heap_held();
		heap_start();
		assert_int_equal(verify(buffer_span(&binary)), sizes[i].err);
		assert_int_equal(verify(buffer_span(&armored)), sizes[i].err);
		assert_int_equal(heap_held(), before);
		assert_in_range(heap_peak() - before, binary.length,
		    SIGNET_TIMES * binary.length + SIGNET_BEYOND);
		buffer_free(&binary);
		buffer_free(&armored);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(opening_is_bounded),
	    cmocka_unit_test(headers_do_not_inflate),
	    cmocka_unit_test(sealing_is_bounded),
	    cmocka_unit_test(armor_is_bounded),
	    cmocka_unit_test(signets_are_bounded),
	};

	return cmocka_run_group_tests(tests, world_start, world_end);
}
