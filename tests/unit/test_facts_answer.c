/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "client/facts.h"

static void
fill(struct facts_answer *answer)
{
	uint8_t octets[5000];

	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * 7);
	facts_answer_init(answer);
	answer->err = ERR_UNCONFIRMED;
	snprintf(answer->reason, sizeof(answer->reason), "a \"reason\" = b");
	answer->action = POLICY_DARK;
	snprintf(answer->cell, sizeof(answer->cell), "mixed->strict");
	answer->facts = (struct policy_facts){.sender = RECORD_EXPERIMENTAL,
	    .dns = DNS_PRESENT_INSECURE, .receiver = RECORD_STRICT,
	    .pinned = true, .signet = SIGNET_HELD};
	answer->rule_number = 7;
	snprintf(answer->rule, sizeof(answer->rule),
	    "law: mode required, to .law.test");
	answer->by_rule = true;
	answer->shadow = true;
	snprintf(answer->outcome, sizeof(answer->outcome), "on_dns_error");
	snprintf(answer->direction, sizeof(answer->direction), "inbound");
	answer->age = 17;
	answer->user = (struct facts_origin){"redis", 18, 1900000002};
	answer->org = (struct facts_origin){"memory", 0, 1900000003};
	snprintf(answer->organization, sizeof(answer->organization),
	    "beta.test");
	answer->confirmed = true;
	answer->expires = 1900000000;
	answer->pinned_until = 1900000001;
	snprintf(answer->source, sizeof(answer->source), "memory");
	buffer_append_string(&answer->record, "pok=x\tpol=strict\n");
	buffer_append(&answer->org_signet, octets, sizeof(octets));
	buffer_append(&answer->user_signet, octets, 1);
	buffer_append_string(&answer->text, "a 1\nb 2\n");
	buffer_append(&answer->key, octets, 32);
	answer->host_count = 2;
	answer->hosts[0] = (struct facts_host){"mx1.beta.test", 26, false,
	    false, 2, {"192.0.2.1", "2001:db8::1"}};
	answer->hosts[1] = (struct facts_host){"mx2.beta.test", 587, true,
	    false, 1, {"192.0.2.2"}};
}

static void
assert_same_origin(const struct facts_origin *a, const struct facts_origin *b)
{
	assert_string_equal(a->source, b->source);
	assert_int_equal(a->age, b->age);
	assert_int_equal(a->expires, b->expires);
}

static void
assert_same(const struct facts_answer *a, const struct facts_answer *b)
{
	assert_int_equal(a->err, b->err);
	assert_string_equal(a->reason, b->reason);
	assert_int_equal(a->action, b->action);
	assert_string_equal(a->cell, b->cell);
	assert_int_equal(a->facts.sender, b->facts.sender);
	assert_int_equal(a->facts.dns, b->facts.dns);
	assert_int_equal(a->facts.receiver, b->facts.receiver);
	assert_int_equal(a->facts.pinned, b->facts.pinned);
	assert_int_equal(a->rule_number, b->rule_number);
	assert_string_equal(a->rule, b->rule);
	assert_int_equal(a->by_rule, b->by_rule);
	assert_int_equal(a->shadow, b->shadow);
	assert_string_equal(a->outcome, b->outcome);
	assert_string_equal(a->direction, b->direction);
	assert_int_equal(a->age, b->age);
	assert_same_origin(&a->user, &b->user);
	assert_same_origin(&a->org, &b->org);
	assert_int_equal(a->facts.signet, b->facts.signet);
	assert_string_equal(a->organization, b->organization);
	assert_int_equal(a->confirmed, b->confirmed);
	assert_int_equal(a->expires, b->expires);
	assert_int_equal(a->pinned_until, b->pinned_until);
	assert_string_equal(a->source, b->source);
	assert_true(span_equal(buffer_span(&a->record),
	    buffer_span(&b->record)));
	assert_true(span_equal(buffer_span(&a->org_signet),
	    buffer_span(&b->org_signet)));
	assert_true(span_equal(buffer_span(&a->user_signet),
	    buffer_span(&b->user_signet)));
	assert_true(span_equal(buffer_span(&a->text), buffer_span(&b->text)));
	assert_true(span_equal(buffer_span(&a->key), buffer_span(&b->key)));
	assert_int_equal(a->host_count, b->host_count);
	for (size_t i = 0; i < a->host_count; i++) {
		assert_string_equal(a->hosts[i].name, b->hosts[i].name);
		assert_int_equal(a->hosts[i].port, b->hosts[i].port);
		assert_int_equal(a->hosts[i].dual, b->hosts[i].dual);
		assert_int_equal(a->hosts[i].address_count,
		    b->hosts[i].address_count);
		for (size_t j = 0; j < a->hosts[i].address_count; j++)
			assert_string_equal(a->hosts[i].addresses[j],
			    b->hosts[i].addresses[j]);
	}
}

static void
answer_round_trip(void **state)
{
	struct buffer text = buffer_make(1 << 20);
	struct facts_answer given, read;

	fill(&given);
	facts_answer_init(&read);
	facts_answer_write(&given, &text);
	assert_int_equal(facts_answer_read(buffer_span(&text), &read, NULL), 0);
	assert_same(&given, &read);
	facts_answer_free(&read);
	facts_answer_free(&given);
	buffer_free(&text);
}

/* What nothing was filled in of says "defer, nothing known", never "naked". */
static void
answer_fresh(void **state)
{
	struct buffer text = buffer_make(1 << 20);
	struct facts_answer given, read;

	facts_answer_init(&given);
	facts_answer_init(&read);
	facts_answer_write(&given, &text);
	assert_int_equal(facts_answer_read(buffer_span(&text), &read, NULL), 0);
	assert_same(&given, &read);
	assert_int_equal(read.action, POLICY_DEFER);
	assert_int_equal(read.facts.dns, DNS_UNREACHABLE);
	facts_answer_free(&read);
	facts_answer_free(&given);
	buffer_free(&text);
}

static void
every_name_round_trips(void **state)
{
	struct buffer text = buffer_make(1 << 20);
	struct facts_answer given, read;

	for (int i = 0; i < 8; i++) {
		facts_answer_init(&given);
		facts_answer_init(&read);
		given.action = (enum policy_action)(i % POLICY_ACTIONS);
		given.facts.dns = (enum dns_answer)(i % DNS_ANSWERS);
		given.facts.signet = (enum signet_answer)(i % SIGNET_ANSWERS);
		given.facts.sender = (enum record_policy)(i % 4);
		given.facts.receiver = (enum record_policy)((i + 1) % 4);
		given.err = i == 0 ? 0 : i == 1 ? ERR_INTERNAL : ERR_BOGUS;
		buffer_reset(&text);
		facts_answer_write(&given, &text);
		assert_int_equal(facts_answer_read(buffer_span(&text), &read,
		                     NULL), 0);
		assert_same(&given, &read);
		facts_answer_free(&read);
		facts_answer_free(&given);
	}
	buffer_free(&text);
}

static void
answer_refusals(void **state)
{
	static const struct {
		const char *name, *text;
	} cases[] = {
	    {"empty", ""},
	    {"no error", "action naked\n"},
	    {"unknown key", "error none\ncolour red\n"},
	    {"unknown error", "error ERR_NOTHING\n"},
	    {"unknown action", "error none\naction send\n"},
	    {"unknown policy", "error none\nsender lax\n"},
	    {"unknown answer", "error none\ndns absent\n"},
	    {"unknown signet", "error none\nsignet some\n"},
	    {"flag", "error none\npinned yes\n"},
	    {"number", "error none\nexpires -1\n"},
	    {"base64", "error none\nrecord a*b\n"},
	    {"twice", "error none\naction naked\naction dark\n"},
	    {"error twice", "error ERR_BOGUS\nerror none\n"},
	    {"address without host", "error none\naddress 192.0.2.1\n"},
	    {"host not a name", "error none\nhost MX.beta.test\n"},
	    {"address too long",
		"error none\nhost mx.beta.test\naddress "
		"1234567890123456789012345678901234567890123456"
		"\n"},
	    {"organization too long", "error none\norganization "
				      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				      "aaaaaaaaaaaaaaaaaaaaaaaa"
				      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				      "aaaaaaaaaaaaaaaaaaaaaaaa"
				      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				      "aaaaaaaaaaaaaaaaaaaaaaaa"
				      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				      "aaaaaaaaaaaaaaaaaaaaaaaa"
				      "\n"},
	};
	struct facts_answer read;
	struct fault fault;

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		facts_answer_init(&read);
		assert_int_equal(facts_answer_read(span_string(cases[i].text),
		                     &read, &fault), ERR_FORMAT);
		facts_answer_free(&read);
	}
}

static void
too_many_hosts(void **state)
{
	struct buffer text = buffer_make(1 << 16);
	struct facts_answer read;

	buffer_append_string(&text, "error none\n");
	for (int i = 0; i < FACTS_HOSTS_MAX; i++)
		buffer_printf(&text, "host mx%d.beta.test\n", i);
	for (int i = 0; i < FACTS_ADDRESSES_MAX; i++)
		buffer_append_string(&text, "address 192.0.2.1\n");
	facts_answer_init(&read);
	assert_int_equal(facts_answer_read(buffer_span(&text), &read, NULL), 0);
	facts_answer_free(&read);
	buffer_append_string(&text, "address 192.0.2.1\n");
	facts_answer_init(&read);
	assert_int_equal(facts_answer_read(buffer_span(&text), &read, NULL),
	    ERR_FORMAT);
	facts_answer_free(&read);
	buffer_append_string(&text, "host mx.beta.test\n");
	facts_answer_init(&read);
	assert_int_equal(facts_answer_read(buffer_span(&text), &read, NULL),
	    ERR_FORMAT);
	facts_answer_free(&read);
	buffer_free(&text);
}

/* Whatever a broken policyd sends, reading it does no harm and never turns an
 * answer into "naked". */
static void
every_truncation_and_bit(void **state)
{
	struct buffer text = buffer_make(1 << 20);
	struct facts_answer given, read;

	facts_answer_init(&given);
	given.err = ERR_BOGUS;
	given.facts.dns = DNS_BOGUS;
	snprintf(given.reason, sizeof(given.reason), "reason");
	buffer_append_string(&given.record, "pok=x");
	given.host_count = 1;
	given.hosts[0] = (struct facts_host){"mx.beta.test", 25, true,
	    false, 1, {"192.0.2.1"}};
	facts_answer_write(&given, &text);
	for (size_t length = 0; length < text.length; length++) {
		facts_answer_init(&read);
		facts_answer_read(span_of(text.data, length), &read, NULL);
		assert_int_not_equal(read.action, POLICY_NAKED);
		facts_answer_free(&read);
	}
	for (size_t bit = 0; bit < text.length * 8; bit++) {
		text.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		facts_answer_init(&read);
		facts_answer_read(buffer_span(&text), &read, NULL);
		assert_int_not_equal(read.action, POLICY_NAKED);
		facts_answer_free(&read);
		text.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	facts_answer_free(&given);
	buffer_free(&text);
}

/* ---- the signets of an answer ---- */

static const uint8_t org_seed[CRYPTO_SEED] = {1};
static const uint8_t user_seed[CRYPTO_SEED] = {2};
static const uint8_t scalar[CRYPTO_SCALAR] = {3};

static void
make_answer(struct facts_answer *answer)
{
	uint8_t pok[CRYPTO_SIGN_PUBLIC], signing[CRYPTO_SIGN_PUBLIC];
	uint8_t point[CRYPTO_POINT];
	struct signer signer = signer_of_seed(org_seed);
	struct buffer request = buffer_make(1 << 16);
	struct record *record = calloc(1, sizeof(*record));
	struct signet *ssr;

	facts_answer_init(answer);
	crypto_ed25519_public(org_seed, pok);
	crypto_ed25519_public(user_seed, signing);
	assert_int_equal(crypto_point_public(scalar, point), 0);
	assert_int_equal(signet_make_org(LAYOUT_STANDARD,
	    pok, signer, NULL, 0, point,
	                     "beta.test", NULL, 0, &answer->org_signet, NULL),
	    0);
	assert_int_equal(signet_make_ssr(LAYOUT_STANDARD,
	    signing, signer_of_seed(user_seed),
	                     point, NULL, &request, NULL), 0);
	assert_int_equal(signet_parse(buffer_span(&request), &ssr, NULL), 0);
	assert_int_equal(signet_make_user(ssr, NULL, signer, "bob@beta.test",
	                     NULL, 0, &answer->user_signet, NULL), 0);
	signet_free(ssr);
	buffer_free(&request);
	record->pok_count = 1;
	memcpy(record->poks[0], pok, sizeof(pok));
	record->policy = RECORD_MIXED;
	record->subdomain = RECORD_SUB_MIXED;
	record->version = 1;
	record->expiry = RECORD_EXPIRY_DEFAULT;
	record_write(record, &answer->record);
	free(record);
	snprintf(answer->organization, sizeof(answer->organization),
	    "beta.test");
	answer->action = POLICY_DARK;
	answer->confirmed = true;
}

static void
verify_table(void **state)
{
	struct facts_answer answer;
	struct org_signet *org = NULL;
	struct user_signet *user = NULL;
	struct fault fault;

	make_answer(&answer);
	assert_int_equal(facts_verify(&answer, "bob@beta.test", &org, &user,
	                     &fault), 0);
	assert_string_equal(org->domain, "beta.test");
	assert_string_equal(user->address, "bob@beta.test");
	org_signet_free(org);
	user_signet_free(user);

	unit_case("a tag, and only the user");
	assert_int_equal(facts_verify(&answer, "bob+x@beta.test", NULL, &user,
	                     &fault), 0);
	user_signet_free(user);
	unit_case("only the organization");
	assert_int_equal(facts_verify(&answer, "beta.test", &org, NULL,
	                     &fault), 0);
	org_signet_free(org);

	unit_case("another address");
	assert_int_not_equal(facts_verify(&answer, "eve@beta.test", &org,
	                         &user, &fault), 0);
	assert_null(org);
	assert_null(user);
	unit_case("not confirmed");
	answer.confirmed = false;
	assert_int_equal(facts_verify(&answer, "bob@beta.test", &org, &user,
	                     &fault), ERR_UNCONFIRMED);
	answer.confirmed = true;
	unit_case("an error of its own");
	answer.err = ERR_BOGUS;
	assert_int_equal(facts_verify(&answer, "bob@beta.test", &org, &user,
	                     &fault), ERR_BOGUS);
	answer.err = 0;
	unit_case("another organization");
	snprintf(answer.organization, sizeof(answer.organization), "eve.test");
	assert_int_not_equal(facts_verify(&answer, "bob@beta.test", &org,
	                         &user, &fault), 0);
	snprintf(answer.organization, sizeof(answer.organization),
	    "beta.test");
	unit_case("one bit of the user's signet");
	answer.user_signet.data[40] ^= 1;
	assert_int_not_equal(facts_verify(&answer, "bob@beta.test", &org,
	                         &user, &fault), 0);
	assert_null(org);
	unit_case("no signet of the user");
	buffer_reset(&answer.user_signet);
	assert_int_equal(facts_verify(&answer, "bob@beta.test", &org, &user,
	                     &fault), ERR_UNCONFIRMED);
	facts_answer_free(&answer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answer_round_trip),
	    cmocka_unit_test(answer_fresh),
	    cmocka_unit_test(every_name_round_trips),
	    cmocka_unit_test(answer_refusals),
	    cmocka_unit_test(too_many_hosts),
	    cmocka_unit_test(every_truncation_and_bit),
	    cmocka_unit_test(verify_table),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
