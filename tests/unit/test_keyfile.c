/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/refusal.h"
#include "tests/unit/unit.h"

#include "dime/keyfile.h"

#define ORG "\x07\xa0"
#define USER "\x07\xdd"
#define TWELVE "abcdefghijkl"
#define KEY TWELVE TWELVE "12345678"
#define ZERO "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define BINARY(text) text, sizeof(text) - 1

static const struct binary_case {
	const char *name, *octets;
	size_t length;
	const char *complaint; /* NULL: good */
} binary_cases[] = {
    {"user", BINARY(USER "\0\0\x42\1" KEY "\2" KEY), NULL},
    {"organization", BINARY(ORG "\0\0\x42\1" KEY "\3" KEY), NULL},
    {"with a SOK", BINARY(ORG "\0\0\x64\1" KEY "\2\x05" KEY "\3" KEY),
     NULL},
    {"empty", BINARY(""), "past the end, at 0 octets"},
    {"other magic", BINARY("\x06\xf0\0\0\x42\1" KEY "\2" KEY), "magic"},
    {"length too small", BINARY(USER "\0\0\x41\1" KEY "\2" KEY),
     "says 65 octets of fields, 66 follow"},
    {"octet too many", BINARY(USER "\0\0\x43\1" KEY "\2" KEY "x"),
     "67 octets of fields do not fit the layout of 2013"},
    {"nothing in it", BINARY(ORG "\0\0\0"), "0 octets of fields"},
    {"user with field 3", BINARY(USER "\0\0\x42\1" KEY "\3" KEY),
     "field 3 at offset 38 where field 2 belongs"},
    {"user with a SOK",
     BINARY(USER "\0\0\x64\1" KEY "\2\x05" KEY "\3" KEY), "do not fit"},
    {"wrong order", BINARY(ORG "\0\0\x42\3" KEY "\1" KEY),
     "field 3 at offset 5 where field 1 belongs"},
    {"libdime user",
     BINARY(USER "\0\0\x45\1\x20" KEY "\2\0\x20" KEY), NULL},
    {"libdime organization",
     BINARY(ORG "\0\0\x45\1\x20" KEY "\3\0\x20" KEY), NULL},
    {"libdime with another length of the seed",
     BINARY(USER "\0\0\x45\1\x21" KEY "\2\0\x20" KEY),
     "field 1 at offset 5: 33 octets, not 32"},
    {"libdime with another length of the scalar",
     BINARY(ORG "\0\0\x45\1\x20" KEY "\3\1\x20" KEY),
     "field 3 at offset 39: 288 octets, not 32"},
    {"libdime user with field 3",
     BINARY(USER "\0\0\x45\1\x20" KEY "\3\0\x20" KEY),
     "field 3 at offset 39 where field 2 belongs"},
    {"libdime scalar 0",
     BINARY(ORG "\0\0\x45\1\x20" KEY "\3\0\x20" ZERO ZERO),
     "field 3 at offset 39: not a private key"},
    {"scalar 0", BINARY(ORG "\0\0\x42\1" KEY "\3" ZERO ZERO),
     "field 3 at offset 38: not a private key"},
};

static void
binary_table(void **state)
{
	for (size_t i = 0; i < COUNT(binary_cases); i++) {
		const struct binary_case *test = &binary_cases[i];
		struct fault fault = {0};
		struct keyfile *keys;
		int err = keyfile_read(span_of(test->octets,
		    test->length), &keys, &fault);

		unit_case(test->name);
		if (test->complaint != NULL) {
			assert_int_equal(err, ERR_FORMAT);
			assert_null(keys);
			assert_non_null(strstr(fault.text, test->complaint));
			continue;
		}
		assert_int_equal(err, 0);
		assert_int_equal(keys->layout, test->length == 74
		    ? LAYOUT_LIBDIME
		    : LAYOUT_STANDARD);
		assert_memory_equal(keys->seed, KEY, CRYPTO_SEED);
		assert_memory_equal(keys->scalar, KEY, CRYPTO_SCALAR);
		assert_int_equal(keys->sok_count, test->length == 105);
		keyfile_free(keys);
	}
}

static void
armored_and_back(void **state)
{
	for (size_t soks = 0; soks <= 3; soks++) {
		struct keyfile *keys = keyfile_new(soks == 0 ? KEYFILE_USER
		                                             : KEYFILE_ORG,
		    soks);
		struct buffer text = buffer_make(4000);
		struct keyfile *back;

		assert_non_null(keys);
		for (size_t i = 0; i < soks; i++) {
			keys->soks[i].permissions = (uint8_t)(i + 1);
			memset(keys->soks[i].seed, (int)i, CRYPTO_SEED);
		}
		keyfile_write(keys, &text);
		assert_non_null(strstr(buffer_string(&text), soks == 0
		    ? "-----BEGIN USER KEYS-----\n"
		    : "-----BEGIN ORGANIZATIONAL KEYS-----\n"));
		assert_int_equal(keyfile_read(buffer_span(&text), &back, NULL),
		    0);
		assert_int_equal(back->magic, keys->magic);
		assert_int_equal(back->sok_count, soks);
		assert_memory_equal(back->seed, keys->seed, CRYPTO_SEED);
		assert_memory_equal(back->scalar, keys->scalar, CRYPTO_SCALAR);
		assert_memory_equal(back->soks, keys->soks,
		    soks * sizeof(*keys->soks));
		keyfile_free(back);
		keyfile_free(keys);
		buffer_free(&text);
	}
	keyfile_free(NULL);
	assert_null(keyfile_new(KEYFILE_ORG, KEYFILE_MAX_SOKS + 1));
}

static void
label_must_fit(void **state)
{
	struct keyfile *keys = keyfile_new(KEYFILE_USER, 0), *back;
	struct buffer text = buffer_make(4000), other = buffer_make(4000);
	struct fault fault = {0};
	struct span rest, line;

	keyfile_write(keys, &text);
	for (rest = buffer_span(&text); span_next_line(&rest, &line);)
		if (line.data[0] == '-')
			buffer_printf(&other,
			    "-----%s ORGANIZATIONAL KEYS-----\n",
			    line.data[5] == 'B' ? "BEGIN" : "END");
		else
			buffer_printf(&other, "%.*s\n", (int)line.length,
			    (const char *)line.data);
	assert_int_equal(keyfile_read(buffer_span(&other), &back, &fault),
	    ERR_FORMAT);
	assert_non_null(strstr(fault.text, "magic number 2013"));
	buffer_free(&text);
	buffer_free(&other);
	keyfile_free(keys);
}

/* An organization's with one SOK: where its fields are. */
static const char whole[] = ORG "\0\0\x64\1" KEY "\2\x05" KEY "\3" KEY;
enum { HEADER = 5, LENGTH = sizeof(whole) - 1, WITHOUT_SOK = 66, LIBDIME = 69 };

static int
read_keys(struct span data, struct fault *fault)
{
	struct keyfile *keys;
	int err;

	*fault = (struct fault){0};
	err = keyfile_read(data, &keys, fault);
	assert_true((err == 0) == (keys != NULL));
	keyfile_free(keys);
	return err;
}

static void
every_truncation_is_refused(void **state)
{
	for (size_t length = 0; length < LENGTH; length++) {
		struct fault fault;
		uint8_t cut[LENGTH];

		memcpy(cut, whole, length);
		if (length < HEADER) {
			refusal_expect(read_keys(span_of(cut, length), &fault),
			    &fault, ERR_FORMAT, "key file: header at offset 0: "
			    "runs past the end, at %zu octets", length);
			continue;
		}
		refusal_expect(read_keys(span_of(cut, length), &fault), &fault,
		    ERR_FORMAT, "key file: header at offset 2: says 100 octets "
		    "of fields, %zu follow", length - HEADER);
		cut[4] = (uint8_t)(length - HEADER);
		if (length == HEADER + WITHOUT_SOK)
			refusal_expect(read_keys(span_of(cut, length), &fault),
			    &fault, ERR_FORMAT, "key file: field 2 at offset "
			    "38 where field 3 belongs");
		else if (length != HEADER + LIBDIME)
			refusal_expect(read_keys(span_of(cut, length), &fault),
			    &fault, ERR_FORMAT, "key file: header at offset 2: "
			    "%zu octets of fields do not fit the layout of "
			    "1952", length - HEADER);
		else
			refusal_expect(read_keys(span_of(cut, length), &fault),
			    &fault, ERR_FORMAT, "key file: field ");
	}
}

static void
every_type_is_checked(void **state)
{
	static const struct {
		size_t offset;
		unsigned int type;
	} fields[] = {{5, 1}, {38, 2}, {72, 3}};

	for (size_t i = 0; i < COUNT(fields) * 256; i++) {
		unsigned int type = i % 256, right = fields[i / 256].type;
		size_t offset = fields[i / 256].offset;
		uint8_t changed[LENGTH];
		struct fault fault;

		memcpy(changed, whole, LENGTH);
		changed[offset] = (uint8_t)type;
		if (type == right)
			assert_int_equal(read_keys(span_of(changed, LENGTH),
			    &fault), 0);
		else
			refusal_expect(read_keys(span_of(changed, LENGTH),
			    &fault), &fault, ERR_FORMAT, "key file: field %u "
			    "at offset %zu where field %u belongs", type,
			    offset, right);
	}
}

/* 0, the group order, and all ones. */
static void
scalars_that_are_none_are_refused(void **state)
{
	static const char *const scalars[] = {
	    ZERO ZERO,
	    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe"
	    "\xba\xae\xdc\xe6\xaf\x48\xa0\x3b\xbf\xd2\x5e\x8c\xd0\x36\x41\x41",
	    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
	};

	for (size_t i = 0; i < COUNT(scalars); i++) {
		uint8_t changed[LENGTH];
		struct fault fault;

		memcpy(changed, whole, LENGTH - CRYPTO_SCALAR);
		memcpy(changed + LENGTH - CRYPTO_SCALAR, scalars[i],
		    CRYPTO_SCALAR);
		refusal_expect(read_keys(span_of(changed, LENGTH), &fault),
		    &fault, ERR_FORMAT, "key file: field 3 at offset 72: not a "
		    "private key of secp256k1");
	}
}

/* Armor that was changed at one place is refused with what is wrong, or gives
 * the same keys. Where the checksum line stops being one, its characters are
 * data, and the length inside does not fit. */
static void
expect_changed(struct span text, const struct keyfile *keys)
{
	struct fault fault = {0};
	struct keyfile *changed;
	int err = keyfile_read(text, &changed, &fault);

	if (err != 0) {
		refusal_expect(err, &fault, ERR_FORMAT, "%s",
		    strncmp(fault.text, "armor: ", 7) == 0 ? "armor: "
							   : "key file: ");
		return;
	}
	assert_memory_equal(changed->seed, keys->seed, CRYPTO_SEED);
	assert_memory_equal(changed->scalar, keys->scalar, CRYPTO_SCALAR);
	keyfile_free(changed);
}

static void
changed_armor_is_refused(void **state)
{
	struct buffer text = buffer_make(1000), longer = buffer_make(1001);
	struct keyfile *keys = keyfile_new(KEYFILE_USER, 0);

	keyfile_write(keys, &text);
	for (size_t at = 0; at < text.length; at++) {
		struct span before = span_slice(buffer_span(&text), 0, at);
		struct span behind = span_slice(buffer_span(&text), at,
		    SIZE_MAX);

		expect_changed(before, keys);
		for (int i = 1; i < 256; i++) {
			text.data[at] ^= (uint8_t)i;
			expect_changed(buffer_span(&text), keys);
			text.data[at] ^= (uint8_t)i;
		}
		/* Missing, and twice. */
		buffer_reset(&longer);
		buffer_append_span(&longer, before);
		buffer_append_span(&longer, span_slice(behind, 1, SIZE_MAX));
		expect_changed(buffer_span(&longer), keys);
		buffer_reset(&longer);
		buffer_append_span(&longer, before);
		buffer_u8(&longer, behind.data[0]);
		buffer_append_span(&longer, behind);
		expect_changed(buffer_span(&longer), keys);
	}
	buffer_free(&text);
	buffer_free(&longer);
	keyfile_free(keys);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(binary_table),
	    cmocka_unit_test(armored_and_back),
	    cmocka_unit_test(label_must_fit),
	    cmocka_unit_test(every_truncation_is_refused),
	    cmocka_unit_test(every_type_is_checked),
	    cmocka_unit_test(changed_armor_is_refused),
	    cmocka_unit_test(scalars_that_are_none_are_refused),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
