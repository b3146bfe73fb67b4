/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/dmtpd_world.h"

#include <stdio.h>

#include "base/cursor.h"
#include "dime/message.h"
#include "dmtpd/tally.h"

/* What dmtpd does with what other nodes of its site have done. */

/* ---- messages ---- */

/* A message to bob that no test has sent yet. */
struct letter {
	struct buffer text;
	char id[SIGNET_FINGERPRINT_SIZE];
	char identity[SIGNET_FINGERPRINT_SIZE]; /* what nodes call it */
};

static struct letter
new_letter(void)
{
	static int number;
	struct letter letter;
	struct message *message;
	char words[40];

	snprintf(words, sizeof(words), "letter %d", number++);
	letter.text = sealed(world.beta, world.bob, words);
	assert_int_equal(message_read(buffer_span(&letter.text), 1 << 20,
	    &message, NULL), 0);
	message_identifier(message, letter.id);
	message_signed_identifier(message, letter.identity);
	message_free(message);
	return letter;
}

static int
send_letter(const struct letter *letter)
{
	struct stream *s = dmtp_open();
	int code;

	assert_int_equal(ask(s, "EHLO <mx.alpha.test>"), 250);
	code = transact(s, "alpha.test", buffer_span(&letter->text));
	stream_free(s);
	return code;
}

static void
assert_told(const struct letter *letter, const char *first, const char *second)
{
	char wanted[400];
	size_t length;

	snprintf(wanted, sizeof(wanted), "%s %s bob@beta.test\n", first,
	    letter->identity);
	length = strlen(wanted);
	if (second != NULL)
		snprintf(wanted + length, sizeof(wanted) - length,
		    "%s %s bob@beta.test\n", second, letter->identity);
	assert_string_equal(site_messages(), wanted);
}

/* Nothing but another node's word keeps a message from being delivered. */
static void
claims(void **state)
{
	static const struct {
		const char *name;
		int err;
		int code;
		const char *text; /* of the reply, before an identifier */
	} cases[] = {
	    {"nobody has it", 0, 254, "ACCEPTED="},
	    {"delivered", ERR_EXISTS, 255, "DUPLICATE="},
	    {"being delivered", ERR_BUSY, 450, "ACCESS DENIED"},
	    {"it does not understand", ERR_USAGE, 254, "ACCEPTED="},
	    {"no Redis", ERR_UNREACHABLE, 254, "ACCEPTED="},
	    {"another trouble", ERR_MEMORY, 254, "ACCEPTED="},
	    {"no answer", SITE_HANGS_UP, 254, "ACCEPTED="},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const unsigned int before = postfix_mail()->count;
		struct letter letter = new_letter();
		const bool accepted = cases[i].code == 254;
		char wanted[128];

		unit_case(cases[i].name);
		site_claims(cases[i].err);
		assert_int_equal(send_letter(&letter), cases[i].code);
		snprintf(wanted, sizeof(wanted), "%s%s", cases[i].text,
		    cases[i].code == 450 ? "" : letter.id);
		assert_string_equal(heard, wanted);
		assert_int_equal(postfix_mail()->count, before + accepted);
		assert_told(&letter, "claim", accepted ? "delivered" : NULL);
		/* What was delivered here is known here. */
		if (accepted) {
			assert_int_equal(send_letter(&letter), 255);
			assert_string_equal(site_messages(), "");
		}
		buffer_free(&letter.text);
	}
	site_claims(0);
}

static void
what_postfix_refuses_is_given_back(void **state)
{
	struct letter letter = new_letter();

	site_claims(0);
	postfix_answers("250 2.1.5 Ok", "451 4.3.0 no");
	assert_int_equal(send_letter(&letter), 451);
	assert_told(&letter, "claim", "release");
	postfix_answers("250 2.1.5 Ok", "");
	assert_int_equal(send_letter(&letter), 451);
	assert_told(&letter, "claim", "release");
	postfix_answers("250 2.1.5 Ok", "250 2.0.0 Ok: queued as 4Wx1Yz");
	assert_int_equal(send_letter(&letter), 254);
	assert_told(&letter, "claim", "delivered");
	buffer_free(&letter.text);
}

/* ---- rates ---- */

/* What other nodes call the key. */
static uint64_t
hash_of(enum rate rate, const char *key)
{
	const uint8_t kind = (uint8_t)rate;
	uint8_t mac[CRYPTO_MAC];

	crypto_mac(site_secret, span_of(&kind, 1), mac);
	return crypto_short_hash(mac, span_string(key));
}

struct sum {
	enum rate rate;
	uint32_t count, wanted;
};

static bool
add_up(void *context, struct span text)
{
	struct sum *sum = context;
	struct cursor cursor = cursor_start(text);

	cursor_take(&cursor, TALLY_HEAD);
	while (cursor.rest.length > 0) {
		const uint8_t rate = cursor_u8(&cursor);
		uint32_t count;

		cursor_u64(&cursor);
		count = cursor_u32(&cursor);
		if (rate == (uint8_t)sum->rate && !cursor.failed)
			sum->count += count;
	}
	return sum->count >= sum->wanted;
}

static void
counts_are_told(void **state)
{
	struct sum sum = {RATE_SIGNETS, 0, 3};
	struct stream *s;

	assert_true(dmtpd_reload("source_signet_limit = 1000\n"));
	s = dmtp_open();
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask(s, "SGNT FOR=<beta.test>"), 270);
	stream_free(s);
	site_wait_counts(add_up, &sum);
	assert_int_equal(sum.count, 3);
}

/* Another node has just had ten messages of alpha.test's. */
static void
tell_of_ten(uint64_t number)
{
	struct buffer text = buffer_make(1000);

	buffer_u32(&text, TALLY_HEAD + TALLY_COUNT);
	buffer_append_string(&text, "another-node's..");
	buffer_u64(&text, number);
	buffer_u64(&text, (uint64_t)clock_wall(&clock_system));
	buffer_u8(&text, RATE_ORIGIN);
	buffer_u64(&text, hash_of(RATE_ORIGIN, "alpha.test"));
	buffer_u32(&text, 10);
	site_counts(buffer_span(&text));
	buffer_free(&text);
}

static int
say_mail_alone(void)
{
	struct stream *s = dmtp_open();
	int code;

	assert_int_equal(ask(s, "EHLO <mx.alpha.test>"), 250);
	code = say_mail(s, "alpha.test", world.alpha->signet->fingerprint);
	stream_free(s);
	return code;
}

/* What is told is heard when it is heard, and by then it may be too old to
 * matter: it is told again and again. */
static void
counts_of_others_count(void **state)
{
	const struct deadline deadline = deadline_in(WORLD_PATIENCE);
	int code = 0;

	assert_true(dmtpd_reload("origin_message_limit = 10\n"));
	for (uint64_t number = 1; code != 450 && deadline_left(deadline) > 0;
	     number++) {
		tell_of_ten(number);
		code = say_mail_alone();
	}
	assert_int_equal(code, 450);
	assert_true(dmtpd_reload(""));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(claims),
	    cmocka_unit_test(what_postfix_refuses_is_given_back),
	    cmocka_unit_test(counts_are_told),
	    cmocka_unit_test(counts_of_others_count),
	};

	return cmocka_run_group_tests(tests, dmtpd_world_start,
	    dmtpd_world_end);
}
