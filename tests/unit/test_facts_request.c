/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "client/facts.h"

/* What is not given is read as nothing. */
static void
assert_same_text(const char *read, const char *given)
{
	assert_string_equal(read, given == NULL ? "" : given);
}

static void
assert_same_request(const struct facts_request *read,
    const struct facts_request *given)
{
	assert_int_equal(read->verb, given->verb);
	assert_string_equal(read->from, given->from);
	assert_string_equal(read->to, given->to);
	assert_string_equal(read->fingerprint, given->fingerprint);
	assert_int_equal(read->wait, given->wait);
	assert_same_text(read->sender, given->sender);
	assert_same_text(read->queue, given->queue);
	assert_same_text(read->outcome, given->outcome);
	assert_same_text(read->stage, given->stage);
	assert_same_text(read->org_fingerprint, given->org_fingerprint);
	assert_same_text(read->message, given->message);
	assert_same_text(read->counts, given->counts);
	assert_same_text(read->since, given->since);
}

static void
request_round_trip(void **state)
{
	const struct facts_request cases[] = {
	    {.verb = FACTS_DECIDE, .from = "alice@alpha.test",
	     .to = "bob@beta.test", .fingerprint = "", .wait = 25000},
	    {.verb = FACTS_INBOUND, .from = "", .to = "bob@beta.test",
	     .fingerprint = "", .wait = 0},
	    {.verb = FACTS_SIGNET, .from = "", .to = "beta.test",
	     .fingerprint = "AAAA", .wait = 1},
	    {.verb = FACTS_HOSTS, .from = "", .to = "beta.test",
	     .fingerprint = "", .wait = 3600000},
	    {.verb = FACTS_NOTE_NAKED, .from = "alpha.test",
	     .to = "j\xc3\xb6rg@beta.test", .fingerprint = "", .wait = 5},
	    {.verb = FACTS_FORGET, .from = "", .to = "beta.test",
	     .fingerprint = "", .wait = 5},
	    {.verb = FACTS_STATUS, .from = "", .to = "", .fingerprint = "",
	     .wait = 5},
	    {.verb = FACTS_EXPLAIN, .from = "<>", .to = "beta.test",
	     .fingerprint = "", .wait = 5},
	    {.verb = FACTS_MET, .from = "beta.test", .to = "alice@alpha.test",
	     .fingerprint = "", .wait = 5, .sender = "<>", .queue = "4x",
	     .outcome = "on_peer_down"},
	    {.verb = FACTS_HOSTS, .from = "", .to = "beta.test",
	     .fingerprint = "", .wait = 5, .stage = "mx"},
	    {.verb = FACTS_SIGNET, .from = "", .to = "bob@beta.test",
	     .fingerprint = "AAAA", .wait = 5, .org_fingerprint = "BBBB"},
	    {.verb = FACTS_ADDRESSES, .from = "", .to = "ocsp.test",
	     .fingerprint = "", .wait = 5},
	    {.verb = FACTS_STALE, .from = "", .to = "bob@beta.test",
	     .fingerprint = "AAAA", .wait = 5},
	    {.verb = FACTS_CLAIM, .from = "", .to = "bob@beta.test",
	     .fingerprint = "", .wait = 5, .message = "AAAA"},
	    {.verb = FACTS_DELIVERED, .from = "", .to = "bob@beta.test",
	     .fingerprint = "", .wait = 5, .message = "AAAA"},
	    {.verb = FACTS_RELEASE, .from = "", .to = "bob@beta.test",
	     .fingerprint = "", .wait = 5, .message = "AAAA"},
	    {.verb = FACTS_SPREAD, .from = "", .to = "", .fingerprint = "",
	     .wait = 5, .counts = "AAAA", .since = "BBBB"},
	};
	struct buffer text = buffer_make(FACTS_REQUEST_LIMIT);
	struct buffer storage = buffer_make(FACTS_REQUEST_LIMIT);
	struct facts_request read;

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].to);
		buffer_reset(&text);
		facts_request_write(&cases[i], &text);
		assert_int_equal(text.error, 0);
		assert_int_equal(facts_request_read(buffer_span(&text), &read,
		                     &storage, NULL), 0);
		assert_same_request(&read, &cases[i]);
	}
	buffer_free(&text);
	buffer_free(&storage);
}

static void
request_refusals(void **state)
{
	static const struct {
		const char *name, *text;
	} cases[] = {
	    {"empty", ""},
	    {"no verb", "from a@b.test\nto c@d.test\n"},
	    {"unknown verb", "verb delete\n"},
	    {"verb twice", "verb decide\nverb decide\n"},
	    {"key twice", "verb decide\nto a@b.test\nto c@d.test\n"},
	    {"wait twice", "verb decide\nwait 1\nwait 1\n"},
	    {"unknown key", "verb decide\ncolour red\n"},
	    {"no space", "verb\n"},
	    {"no key", " verb decide\n"},
	    {"empty line", "verb decide\n\nto a@b.test\n"},
	    {"wait not a number", "verb decide\nwait soon\n"},
	    {"wait negative", "verb decide\nwait -1\n"},
	    {"wait too long", "verb decide\nwait 3600001\n"},
	    {"wait overflows", "verb decide\nwait 99999999999999999999\n"},
	    {"control character", "verb decide\nto a\x01@b.test\n"},
	    {"tab", "verb decide\nto a\t@b.test\n"},
	    {"delete", "verb decide\nto a\x7f@b.test\n"},
	};
	struct buffer storage = buffer_make(FACTS_REQUEST_LIMIT);
	struct facts_request read;
	struct fault fault;

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		assert_int_equal(facts_request_read(
		                     span_string(cases[i].text), &read,
		                     &storage, &fault), ERR_FORMAT);
		assert_int_not_equal(fault.text[0], '\0');
	}
	assert_int_equal(facts_request_read(span_of("verb decide\nto a\0b\n",
	                                        19), &read, &storage, &fault),
	    ERR_FORMAT);
	buffer_free(&storage);
}

/* A name with a line end in it must not become a line of its own. */
static void
request_injection(void **state)
{
	const struct facts_request request = {.verb = FACTS_DECIDE,
	    .from = "alpha.test", .to = "bob@beta.test\nverb forget",
	    .fingerprint = "", .wait = 1};
	struct buffer text = buffer_make(FACTS_REQUEST_LIMIT);
	struct buffer storage = buffer_make(FACTS_REQUEST_LIMIT);
	struct facts_request read;

	facts_request_write(&request, &text);
	assert_int_equal(facts_request_read(buffer_span(&text), &read, &storage,
	                     NULL), 0);
	assert_int_equal(read.verb, FACTS_DECIDE);
	assert_string_equal(read.to, "bob@beta.test?verb forget");
	buffer_free(&text);
	buffer_free(&storage);
}

/* Each key has room for so many octets, and for no more. */
static void
request_long_values(void **state)
{
	static const struct {
		const char *key;
		size_t limit;
	} cases[] = {
	    {"to", 1000},
	    {"sender", 1000},
	    {"message", 86},
	    {"counts", FACTS_COUNTS_LIMIT},
	    {"since", 1000},
	};
	struct buffer storage = buffer_make(FACTS_REQUEST_LIMIT);
	struct facts_request read;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer text = buffer_make(FACTS_REQUEST_LIMIT);

		unit_case(cases[i].key);
		buffer_printf(&text, "verb decide\n%s ", cases[i].key);
		for (size_t j = 0; j < cases[i].limit + 1; j++)
			buffer_u8(&text, 'a');
		assert_int_equal(facts_request_read(buffer_span(&text), &read,
		                     &storage, NULL), ERR_FORMAT);
		text.length--;
		assert_int_equal(facts_request_read(buffer_span(&text), &read,
		                     &storage, NULL), 0);
		buffer_free(&text);
	}
	buffer_free(&storage);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(request_round_trip),
	    cmocka_unit_test(request_refusals),
	    cmocka_unit_test(request_injection),
	    cmocka_unit_test(request_long_values),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
