/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/refusal.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/base64.h"
#include "dime/record.h"

/* The public key of the seed of 32 octets 01, another one, a point of small
 * order, and 32 octets FF that are no canonical encoding. */
#define KEY "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w"
#define KEY_2 "gTl3Dqh9F19Wo1Rmw0x+zMuNipG07jeiXfYPW4/Js5Q"
#define SMALL_ORDER "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define NOT_CANONICAL "//////////////////////////////////////////8"
#define TLS                                                                    \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
	"AAAAAAAAAAAAAAAAAA"

/* What is in force, on one line. */
static void
describe(const struct record *record, struct buffer *out)
{
	buffer_printf(out, "pok*%zu tls*%zu %s %s %u", record->pok_count,
	    record->tls_count, record_policy_name(record->policy),
	    record_subdomain_name(record->subdomain), record->expiry);
	for (size_t i = 0; i < record->deliver_count; i++)
		buffer_printf(out, " dx:%s", record->deliver[i]);
	for (size_t i = 0; i < record->syndicate_count; i++)
		buffer_printf(out, " syn:%s", record->syndicates[i]);
}

static const struct reading_case {
	const char *name, *text;
	const char *meaning;   /* NULL: refused */
	const char *complaint; /* or the last warning */
	size_t warnings;
} reading_cases[] = {
    {"the least", "pok=" KEY, "pok*1 tls*0 mixed mixed 30", "", 0},
    {"long names", "primary=" KEY " tls=" TLS " version=1 expiry=7 "
     "syndicates=m.test deliver=d.test policy=strict "
     "subdomain=explicit", "pok*1 tls*1 strict explicit 7 dx:d.test "
     "syn:m.test", "", 0},
    {"short names, capitals",
     "POK=" KEY " Tls=" TLS " VER=1 Exp=36500 SYN=M.test DX=D.test. "
     "POL=Experimental SUB=STRICT",
     "pok*1 tls*1 experimental strict 36500 dx:d.test syn:m.test", "",
     0},
    {"every separator", ";pok=" KEY ";;\tpol=strict \r\n sub=mixed\n",
     "pok*1 tls*0 strict mixed 30", "", 0},
    {"loose", "pok=" KEY " sub=loose", "pok*1 tls*0 mixed mixed 30", "",
     0},
    {"relaxed", "pok=" KEY " sub=Relaxed",
     "pok*1 tls*0 mixed mixed 30", "", 0},
    {"what repeats", "pok=" KEY " pok=" KEY_2 " dx=a.test dx=b.test "
     "tls=" TLS " tls=" TLS " syn=c.test syn=d.test",
     "pok*2 tls*2 mixed mixed 30 dx:a.test dx:b.test syn:c.test "
     "syn:d.test", "", 0},

    /* Ignored. */
    {"the first wins", "pol=strict pol=mixed exp=1 exp=2 sub=strict "
     "sub=mixed ver=1 ver=2 pok=" KEY, "pok*1 tls*0 strict strict 1",
     "ver: given again: \"2\"", 4},
    {"the first valid one wins", "pol=legacy pol=strict exp=0 exp=9 "
     "sub=x sub=strict pok=" KEY, "pok*1 tls*0 strict strict 9",
     "sub: not explicit, mixed or strict: \"x\"", 3},
    {"unknown name", "sig=" KEY " ttl=5 pok=" KEY,
     "pok*1 tls*0 mixed mixed 30", "unknown: no field of version 1: "
     "\"ttl=5\"", 2},
    {"bare word", "pok dime1 pok=" KEY, "pok*1 tls*0 mixed mixed 30",
     "\"dime1\"", 2},
    {"nothing before the equal sign", "=x pok=" KEY,
     "pok*1 tls*0 mixed mixed 30", "\"=x\"", 1},
    {"expiry too long", "exp=36501 pok=" KEY,
     "pok*1 tls*0 mixed mixed 30", "exp: not 1 to 36500", 1},
    {"expiry not a number", "exp=-1 pok=" KEY,
     "pok*1 tls*0 mixed mixed 30", "exp: not 1 to 36500", 1},
    {"expiry beyond 64 bits", "exp=99999999999999999999999 pok=" KEY,
     "pok*1 tls*0 mixed mixed 30", "exp: not 1 to 36500", 1},
    {"host of one label", "dx=mail syn=a..b pok=" KEY,
     "pok*1 tls*0 mixed mixed 30", "syn: not a host name", 2},
    {"empty values", "dx= syn= pol= sub= exp= pok=" KEY,
     "pok*1 tls*0 mixed mixed 30", "exp: not 1", 5},

    /* Fatal. */
    {"empty", "", NULL, "pok: missing", 0},
    {"no key", "pol=strict", NULL, "pok: missing", 0},
    {"bare pok", "pok pol=strict", NULL, "pok: missing", 0},
    {"empty key", "pok= pok=" KEY, NULL, "pok: not 43", 0},
    {"padded key", "pok=" KEY "=", NULL, "pok: not 43", 0},
    {"short key", "pok=iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1",
     NULL, "pok: not 43", 0},
    {"other alphabet",
     "pok=iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1-", NULL,
     "pok: not 43", 0},
    {"unused bits",
     "pok=iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1x", NULL,
     "pok: not 43", 0},
    {"small order", "pok=" SMALL_ORDER, NULL,
     "pok: not a valid Ed25519", 0},
    {"not canonical", "pok=" NOT_CANONICAL, NULL,
     "pok: not a valid Ed25519", 0},
    {"one bad key of two", "pok=" KEY " pok=" SMALL_ORDER, NULL,
     "pok: not a valid Ed25519", 0},
    {"padded tls", "pok=" KEY " tls=" TLS "==", NULL, "tls: not 86", 0},
    {"empty tls", "pok=" KEY " tls=", NULL, "tls: not 86", 0},
    {"version 2", "ver=2 pok=" KEY, NULL, "ver: not 1", 0},
    {"version empty", "ver= pok=" KEY, NULL, "ver: not 1", 0},
    {"version 2 before 1", "ver=2 ver=1 pok=" KEY, NULL, "ver: not 1",
     0},
    {"IPv4", "pok=" KEY " dx=192.0.2.1", NULL, "dx: an IP address", 0},
    {"IPv4 with a dot", "pok=" KEY " dx=192.0.2.1.", NULL,
     "dx: an IP address", 0},
    {"IPv6", "pok=" KEY " syn=2001:db8::1", NULL, "syn: an IP", 0},
    {"address literal", "pok=" KEY " dx=[192.0.2.1]", NULL,
     "dx: an IP address", 0},
    {"control octet", "pok=" KEY " x=\x01", NULL,
     "octet 0x01 at offset 50", 0},
    {"8-bit octet", "x=\xc3\xa9 pok=" KEY, NULL,
     "octet 0xc3 at offset 2", 0},
    {"DEL", "x=\x7f pok=" KEY, NULL, "octet 0x7f", 0},
};

static void
reading_table(void **state)
{
	for (size_t i = 0; i < COUNT(reading_cases); i++) {
		const struct reading_case *test = &reading_cases[i];
		struct record *record = malloc(sizeof(*record));
		struct fault fault = {0}, warning = {0};
		struct buffer meaning = buffer_make(4000);
		size_t warnings = 77;
		int err;

		unit_case(test->name);
		err = record_parse(span_string(test->text), record,
		    &warnings, &warning, &fault);
		if (test->meaning == NULL) {
			assert_int_equal(err, ERR_RECORD);
			assert_non_null(strstr(fault.text, test->complaint));
		} else {
			assert_int_equal(err, 0);
			describe(record, &meaning);
			assert_string_equal(buffer_string(&meaning),
			    test->meaning);
			assert_int_equal(warnings, test->warnings);
			assert_non_null(strstr(warning.text,
			    test->complaint));
			assert_int_equal(record_parse(
			    span_string(test->text), record, NULL, NULL,
			    NULL), 0);
		}
		buffer_free(&meaning);
		free(record);
	}
}

static void
nul_and_size(void **state)
{
	static struct record record;
	struct fault fault;
	struct buffer text = buffer_make(RECORD_TEXT_LIMIT + 100);

	assert_int_equal(record_parse(span_of("pok=" KEY "\0", 48), &record,
	    NULL, NULL, &fault), ERR_RECORD);
	buffer_append_string(&text, "pok=" KEY);
	while (text.length < RECORD_TEXT_LIMIT)
		buffer_u8(&text, ' ');
	assert_int_equal(record_parse(buffer_span(&text), &record, NULL, NULL,
	    &fault), 0);
	buffer_u8(&text, ' ');
	assert_int_equal(record_parse(buffer_span(&text), &record, NULL, NULL,
	    &fault), ERR_RECORD);
	assert_non_null(strstr(fault.text, "16385 octets"));
	buffer_reset(&text);
	for (int i = 0; i < RECORD_VALUES + 1; i++)
		buffer_printf(&text, "pok=" KEY " dx=d%d.test ", i);
	assert_int_equal(record_parse(buffer_span(&text), &record, NULL, NULL,
	    NULL), 0);
	assert_int_equal(record.pok_count, RECORD_VALUES);
	assert_int_equal(record.deliver_count, RECORD_VALUES);
	assert_string_equal(record.deliver[RECORD_VALUES - 1], "d31.test");
	buffer_free(&text);
}

/* Every refusal and every warning says where. */
static void
offsets_are_named(void **state)
{
	static const struct {
		const char *text, *complaint; /* NULL: a warning */
		const char *warning;
	} cases[] = {
	    {"ver=1 pok=AAAA", "record: offset 6: pok: not 43", NULL},
	    {"pok=" KEY ";\ttls=x", "record: offset 49: tls: not 86", NULL},
	    {" ;ver=3", "record: offset 2: ver: not 1", NULL},
	    {"pok=" KEY " dx=::1", "record: offset 48: dx: an IP", NULL},
	    {"x=\t\x07", "record: octet 0x07 at offset 3: control", NULL},
	    {"pok=" KEY "  pol=no", NULL, "pol: not experimental, mixed or "
	     "strict: \"no\" at offset 49"},
	    {"exp= pok=" KEY, NULL, "exp: not 1 to 36500 days: \"\" at offset "
	     "0"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fault fault = {0}, warning = {0};
		struct record record;
		int err = record_parse(span_string(cases[i].text), &record,
		    NULL, &warning, &fault);

		unit_case(cases[i].text);
		if (cases[i].complaint != NULL) {
			refusal_expect(err, &fault, ERR_RECORD, "%s",
			    cases[i].complaint);
			continue;
		}
		assert_int_equal(err, 0);
		refusal_expect(ERR_RECORD, &warning, ERR_RECORD, "%s",
		    cases[i].warning);
	}
}

static void
choosing_table(void **state)
{
	static const struct {
		const char *name, *texts[3];
		int err;
	} cases[] = {
	    {"nothing", {NULL}, ERR_NO_FILE},
	    {"others only", {"v=spf1 -all", "pok sig=" KEY}, ERR_NO_FILE},
	    {"one among others", {"v=spf1 -all", "pok=" KEY, "x"}, 0},
	    {"long name", {"PRIMARY=" KEY}, 0},
	    {"two", {"pok=" KEY, "x", "pok=" KEY}, ERR_RECORD},
	    {"two, one of them malformed", {"pok=" KEY, "pok=x"}, ERR_RECORD},
	    {"malformed", {"pok=" KEY " ver=3"}, ERR_RECORD},
	    {"malformed by a control octet", {"pok=" KEY " \x02"}, ERR_RECORD},
	};
	static struct record record;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct span texts[3];
		size_t count = 0;

		unit_case(cases[i].name);
		while (count < 3 && cases[i].texts[count] != NULL) {
			texts[count] = span_string(cases[i].texts[count]);
			count++;
		}
		assert_int_equal(record_choose(texts, count, &record, NULL),
		    cases[i].err);
	}
}

static void
written_form(void **state)
{
	static struct record record, back;
	struct buffer text = buffer_make(20000);
	const char *plain = "ver=1 pok=" KEY " tls=" TLS " pol=strict "
	    "sub=explicit exp=9 dx=a.test dx=b.test syn=c.test";

	assert_int_equal(record_parse(span_string(plain), &record, NULL, NULL,
	    NULL), 0);
	record_write(&record, &text);
	assert_string_equal(buffer_string(&text), plain);
	buffer_reset(&text);
	record_write_strings(&record, &text);
	assert_string_equal(buffer_string(&text), "\"ver=1 pok=" KEY " tls="
	    TLS " pol=strict sub=explicit exp=9 dx=a.test dx=b.test "
	    "syn=c.test\"");
	assert_int_equal(record_parse(span_string("pok=" KEY), &record, NULL,
	    NULL, NULL), 0);
	buffer_reset(&text);
	record_write(&record, &text);
	assert_string_equal(buffer_string(&text), "ver=1 pok=" KEY
	    " pol=mixed");
	assert_int_equal(record_parse(buffer_span(&text), &back, NULL, NULL,
	    NULL), 0);
	assert_memory_equal(&record, &back, sizeof(back));
	buffer_free(&text);
}

/* Takes the next quoted string of a zone-file line off *rest. */
static bool
next_string(struct span *rest, struct span *string)
{
	const uint8_t *end;

	if (rest->length == 0)
		return false;
	assert_int_equal(rest->data[0], '"');
	end = memchr(rest->data + 1, '"', rest->length - 1);
	assert_non_null(end);
	*string = span_of(rest->data + 1, (size_t)(end - rest->data) - 1);
	*rest = span_slice(*rest, string->length + 2, SIZE_MAX);
	if (rest->length > 0) {
		assert_int_equal(rest->data[0], ' ');
		*rest = span_slice(*rest, 1, SIZE_MAX);
	}
	return true;
}

/* Host names of every length move the places where strings end. */
static void
strings_keep_their_rules(void **state)
{
	static struct record record, back;

	for (int length = 1; length <= 63; length++) {
		struct buffer text = buffer_make(20000);
		struct buffer joined = buffer_make(20000);
		struct span rest, string;
		size_t last = 0;

		buffer_append_string(&text, "pok=" KEY);
		for (int i = 0; i < 12; i++)
			buffer_printf(&text, " tls=" TLS " dx=%0*d.test",
			    length, 1);
		assert_int_equal(record_parse(buffer_span(&text), &record, NULL,
		    NULL, NULL), 0);
		buffer_reset(&text);
		record_write_strings(&record, &text);
		assert_int_equal(text.error, 0);
		rest = buffer_span(&text);
		while (next_string(&rest, &string)) {
			assert_true(string.length <= 255);
			last = string.data[string.length - 1];
			assert_true(rest.length == 0 ? last != ' '
			                             : last == ' ');
			/* A field begins every string. */
			assert_true(joined.length == 0 ||
			    memchr("dtsepv", string.data[0], 6) != NULL);
			buffer_append_span(&joined, string);
		}
		assert_int_equal(record_parse(buffer_span(&joined), &back, NULL,
		    NULL, NULL), 0);
		assert_memory_equal(&record, &back, sizeof(back));
		buffer_free(&text);
		buffer_free(&joined);
	}
}

static void
longest_host_name(void **state)
{
	static struct record record;
	struct buffer text = buffer_make(2000);

	for (int length = 58; length <= 62; length++) {
		buffer_reset(&text);
		/* 63 + 1 + 63 + 1 + 63 + 1 + length octets. */
		buffer_printf(&text, "pok=" KEY " dx=%063d.%063d.%063d.%0*d",
		    1, 1, 1, length - 1, 1);
		buffer_u8(&text, 'a');
		assert_int_equal(record_parse(buffer_span(&text), &record, NULL,
		    NULL, NULL), 0);
		assert_int_equal(record.deliver_count, length <= 61);
		buffer_reset(&text);
		record_write_strings(&record, &text);
		assert_int_equal(text.error,
		    length == 60 || length == 61 ? ERR_TOO_LARGE : 0);
	}
	buffer_free(&text);
}

static void
tls_table(void **state)
{
	static const uint8_t der[] = "a certificate", other[] = "another";
	static const struct {
		const char *name;
		int signer;
		bool hashed, matches;
	} cases[] = {
	    {"by the key, over the DER", 1, false, true},
	    {"by the key, over its SHA-512", 1, true, true},
	    {"by the second key", 2, false, true},
	    {"by a SOK, over the DER", 3, false, true},
	    {"by a SOK, over its SHA-512", 3, true, true},
	    {"by a SOK with other permissions too", 4, false, true},
	    {"by a SOK without the permission", 5, false, false},
	    {"by a stranger", 6, false, false},
	};
	static struct record record;
	struct signet_sok soks[] = {
	    {.permissions = SIGNET_MAY_SIGN_TLS},
	    {.permissions = SIGNET_MAY_SIGN_USERS | SIGNET_MAY_SIGN_TLS},
	    {.permissions = SIGNET_MAY_SIGN_USERS | SIGNET_MAY_SIGN_MESSAGES |
	            SIGNET_MAY_SIGN_SOFTWARE},
	};
	struct org_signet org = {.soks = soks, .sok_count = COUNT(soks)};
	struct org_signet foreign = org;
	uint8_t seed[CRYPTO_SEED], hash[CRYPTO_SHA512];

	record.pok_count = 2;
	record.tls_count = 2;
	for (uint8_t i = 1; i <= 5; i++) {
		memset(seed, i, sizeof(seed));
		crypto_ed25519_public(seed, i >= 3 ? soks[i - 3].key
		                                   : record.poks[i - 1]);
	}
	memcpy(org.pok, record.poks[1], sizeof(org.pok));
	memset(seed, 6, sizeof(seed));
	crypto_ed25519_public(seed, foreign.pok);
	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		memset(seed, cases[i].signer, sizeof(seed));
		crypto_sha512(span_of(der, sizeof(der)), hash);
		crypto_ed25519_sign(seed, cases[i].hashed
		    ? span_of(hash, sizeof(hash))
		    : span_of(der, sizeof(der)), record.tls[1]);
		assert_int_equal(record_tls_matches(&record, &org,
		    span_of(der, sizeof(der))), cases[i].matches);
		assert_false(record_tls_matches(&record, &org,
		    span_of(other, sizeof(other))));
		/* Without a signet of this very organization, POKs alone. */
		assert_int_equal(record_tls_matches(&record, NULL,
		    span_of(der, sizeof(der))), cases[i].signer <= 2);
		assert_int_equal(record_tls_matches(&record, &foreign,
		    span_of(der, sizeof(der))), cases[i].signer <= 2);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reading_table),
	    cmocka_unit_test(nul_and_size),
	    cmocka_unit_test(offsets_are_named),
	    cmocka_unit_test(choosing_table),
	    cmocka_unit_test(written_form),
	    cmocka_unit_test(strings_keep_their_rules),
	    cmocka_unit_test(longest_host_name),
	    cmocka_unit_test(tls_table),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
