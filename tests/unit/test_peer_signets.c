/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/peer_host.h"

#include "dime/armor.h"
#include "dmtp/reply.h"

static const uint8_t user_seed[CRYPTO_SEED] = {2};
static const uint8_t scalar[CRYPTO_SCALAR] = {3};

static struct buffer org_armor, user_armor;
static char org_fingerprint[SIGNET_FINGERPRINT_SIZE];
static char core_fingerprint[SIGNET_FINGERPRINT_SIZE];

static void
make_signets(void)
{
	uint8_t pok[CRYPTO_SIGN_PUBLIC], signing[CRYPTO_SIGN_PUBLIC];
	uint8_t point[CRYPTO_POINT];
	struct buffer org = buffer_make(10000), ssr = buffer_make(10000),
		      user = buffer_make(10000);
	struct signet *signet;

	crypto_ed25519_public(pok_seed, pok);
	crypto_ed25519_public(user_seed, signing);
	assert_int_equal(crypto_point_public(scalar, point), 0);
	assert_int_equal(signet_make_org(LAYOUT_STANDARD,
	    pok, signer_of_seed(pok_seed), NULL,
	    0, point, "beta.test", NULL, 0, &org, NULL), 0);
	assert_int_equal(signet_make_ssr(LAYOUT_STANDARD,
	    signing, signer_of_seed(user_seed),
	    point, NULL, &ssr, NULL), 0);
	assert_int_equal(signet_parse(buffer_span(&ssr), &signet, NULL), 0);
	assert_int_equal(signet_make_user(signet, NULL,
	    signer_of_seed(pok_seed), "bob@beta.test", NULL, 0, &user, NULL),
	    0);
	signet_free(signet);
	org_armor = buffer_make(10000);
	user_armor = buffer_make(10000);
	armor_write(ARMOR_ORG_SIGNET, buffer_span(&org), &org_armor);
	armor_write(ARMOR_USER_SIGNET, buffer_span(&user), &user_armor);
	assert_int_equal(signet_parse(buffer_span(&org), &signet, NULL), 0);
	assert_true(signet_org_fingerprint(signet, org_fingerprint));
	signet_free(signet);
	assert_int_equal(signet_parse(buffer_span(&user), &signet, NULL), 0);
	assert_true(signet_core_fingerprint(signet, core_fingerprint));
	signet_free(signet);
	buffer_free(&org);
	buffer_free(&ssr);
	buffer_free(&user);
}

/* Each of these is what the host says to SGNT. */
static struct buffer listing_org, listing_user, listing_cut, listing_mixed;

static void
make_listings(void)
{
	listing_org = listing_user = listing_cut = listing_mixed =
	    buffer_make(20000);
	reply_write_listing(REPLY_ORG_SIGNET, buffer_span(&org_armor),
	    &listing_org);
	reply_write_listing(REPLY_USER_SIGNET, buffer_span(&user_armor),
	    &listing_user);
	/* Ends with the END line (D7). */
	buffer_append(&listing_cut, listing_org.data,
	    listing_org.length - strlen("270 OK\n"));
	reply_write_listing(REPLY_ORG_SIGNET, buffer_span(&user_armor),
	    &listing_mixed);
}

struct fetch_case {
	const char *name, *wanted, *fingerprint, *says;
	int err;
	const char *complaint;
};

/* What the host hears of it. */
static void
expect_fetch(struct host *host, const struct fetch_case *test)
{
	struct buffer heard = buffer_make(1000);

	buffer_printf(&heard, "SGNT FOR=<%s>", test->wanted);
	if (test->fingerprint != NULL && *test->fingerprint)
		buffer_printf(&heard, " FINGERPRINT=[%s]", test->fingerprint);
	buffer_append_string(&heard, "\n");
	if (test->says != CLOSE && *test->says != '!')
		buffer_append_string(&heard, "QUIT\n");
	host_end(host, buffer_string(&heard));
	buffer_free(&heard);
}

static void
try_fetch(const struct fetch_case *test)
{
	struct host host = {.says = {BANNER, test->says, BYE}};
	struct peer *peer = host_open_good(&host);
	struct signet *signet;
	struct fault fault = {0};
	int err;

	err = peer_fetch_signet(peer, test->wanted, test->fingerprint,
	    deadline_in(LONG), &signet, &fault);
	assert_int_equal(err, test->err);
	assert_int_equal(err == 0, signet != NULL);
	if (err != 0) {
		assert_int_equal(fault.err, err);
		assert_non_null(strstr(fault.text, test->complaint));
		assert_non_null(strstr(fault.text, "dx.beta.test: "));
	}
	signet_free(signet);
	peer_close(peer);
	expect_fetch(&host, test);
}

static void
fetch_table(void **state)
{
	static const char other[] =
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	    "AAAAAAAAAAAAAAAAAAAAAA";
	const struct fetch_case cases[] = {
	    {"organization", "beta.test", NULL, buffer_string(&listing_org), 0,
	     NULL},
	    {"ends with END", "beta.test", "", buffer_string(&listing_cut), 0,
	     NULL},
	    {"by fingerprint", "beta.test", org_fingerprint,
	     buffer_string(&listing_org), 0, NULL},
	    {"user", "bob@beta.test", NULL, buffer_string(&listing_user), 0,
	     NULL},
	    {"user by core fingerprint", "bob@beta.test", core_fingerprint,
	     buffer_string(&listing_user), 0, NULL},
	    {"another fingerprint", "beta.test", other,
	     buffer_string(&listing_org), ERR_PROTOCOL, "another fingerprint"},
	    {"organization for a user", "bob@beta.test", NULL,
	     buffer_string(&listing_org), ERR_PROTOCOL, "SGNT: 270"},
	    {"user under the organization's code", "beta.test", NULL,
	     buffer_string(&listing_mixed), ERR_PROTOCOL,
	     "signet of kind 1789, not 1776"},
	    {"not enabled", "bob@beta.test", NULL,
	     "476 SIGNET TEMPORARILY UNAVAILABLE\n", ERR_NOT_ENABLED,
	     "dx.beta.test: SGNT: 476 SIGNET TEMPORARILY UNAVAILABLE"},
	    {"unknown", "bob@beta.test", NULL, "576 SIGNET UNAVAILABLE\n",
	     ERR_UNKNOWN_ADDRESS, "576"},
	    {"denied", "bob@beta.test", NULL, "450 ACCESS DENIED\n",
	     ERR_DEFERRED, "450"},
	    {"syntax", "bob@beta.test", NULL, "501 ARGUMENT SYNTAX ERROR\n",
	     ERR_DEFERRED, "501"},
	    {"OK without a listing", "beta.test", NULL, "270 OK\n",
	     ERR_PROTOCOL, "listing"},
	    {"listing of garbage", "beta.test", NULL,
	     "270-what is this\n270 OK\n", ERR_PROTOCOL, "listing"},
	    {"other success", "beta.test", NULL, "250 OK\n", ERR_PROTOCOL,
	     "SGNT: 250"},
	    {"no reply", "beta.test", NULL, "!\n", ERR_PROTOCOL,
	     "without a code"},
	    {"hangs up", "beta.test", NULL, CLOSE, ERR_UNREACHABLE, "waiting"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		try_fetch(&cases[i]);
	}
}

static void
verify_table(void **state)
{
	static const struct {
		const char *name, *says;
		int err;
	} cases[] = {
	    {"current", "281 USER SIGNET CURRENT\n", 0},
	    {"an organization's", "271 ORGANIZATIONAL SIGNET CURRENT\n",
	     ERR_PROTOCOL},
	    {"gone", "576 SIGNET UNAVAILABLE\n", ERR_UNKNOWN_ADDRESS},
	    {"disabled", "476 LATER\n", ERR_NOT_ENABLED},
	    {"not a core", "501 SYNTAX\n", ERR_DEFERRED},
	    {"no listing", "280 OK\n", ERR_PROTOCOL},
	    {"a listing of nothing", "280-\n280 OK\n", ERR_PROTOCOL},
	    {"a success that is none", "250 OK\n", ERR_PROTOCOL},
	    {"put off", "450 ACCESS DENIED\n", ERR_DEFERRED},
	};
	struct signet *signet;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct host host = {.says = {BANNER, cases[i].says, BYE}};
		struct peer *peer = host_open_good(&host);
		struct fault fault = {0};

		unit_case(cases[i].name);
		assert_int_equal(peer_verify_signet(peer, "bob@beta.test",
		    "AA", deadline_in(LONG), &signet, &fault), cases[i].err);
		assert_int_equal(fault.err, cases[i].err);
		assert_null(signet);
		peer_close(peer);
		host_end(&host,
		    "VRFY FOR=<bob@beta.test> FINGERPRINT=[AA]\nQUIT\n");
	}
}

/* The current one comes in place of the one that was asked about. */
static void
verify_brings_another(void **state)
{
	struct host host = {.says = {BANNER,
	    buffer_string(&listing_user), BYE}};
	struct peer *peer = host_open_good(&host);
	struct fault fault = {0};
	struct signet *signet;

	assert_int_equal(peer_verify_signet(peer, "bob@beta.test", "AA",
	    deadline_in(LONG), &signet, &fault), 0);
	assert_non_null(signet);
	assert_int_equal(signet->magic, SIGNET_USER);
	signet_free(signet);
	peer_close(peer);
	host_end(&host, NULL);
}

static void
history_table(void **state)
{
	static const struct {
		const char *name, *start, *stop, *says;
		int err;
		const char *listing, *heard;
	} cases[] = {
	    {"up to one", "AA", "BB", "290-a\n290-b\n290 OK\n", 0, "a\nb\n",
	     "HIST FOR=<bob@beta.test> START=[AA] STOP=[BB]\nQUIT\n"},
	    {"up to the current one", "AA", "", "290-a\n290 OK\n", 0, "a\n",
	     "HIST FOR=<bob@beta.test> START=[AA]\nQUIT\n"},
	    {"not his", "AA", "", "576 SIGNET UNAVAILABLE\n",
	     ERR_UNKNOWN_ADDRESS, "", NULL},
	    {"not enabled", "AA", "", "476 LATER\n", ERR_NOT_ENABLED, "",
	     NULL},
	    {"never", "AA", "", "502 COMMAND DISABLED\n", ERR_REFUSED, "",
	     NULL},
	    {"not now", "AA", "", "451 LATER\n", ERR_DEFERRED, "", NULL},
	    {"nothing changed", "AA", "", "291 USER SIGNET CURRENT\n",
	     ERR_PROTOCOL, "", NULL},
	    {"another listing", "AA", "", "280-a\n280 OK\n", ERR_PROTOCOL, "",
	     NULL},
	    {"empty", "AA", "", "290 OK\n", 0, "", NULL},
	    {"closing", "AA", "", "290-a\n421 BYE\n", ERR_DEFERRED, "", NULL},
	    {"8-bit", "AA", "", "290-\x80\n", ERR_PROTOCOL, "", NULL},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct host host = {.says = {BANNER, cases[i].says, BYE}};
		struct peer *peer = host_open_good(&host);
		struct buffer listing = buffer_make(1000);
		struct fault fault = {0};

		unit_case(cases[i].name);
		assert_int_equal(peer_fetch_history(peer, "bob@beta.test",
		    cases[i].start, cases[i].stop, deadline_in(LONG),
		    &listing, &fault), cases[i].err);
		assert_int_equal(fault.err, cases[i].err);
		assert_true(span_equal_string(buffer_span(&listing),
		    cases[i].listing));
		peer_close(peer);
		host_end(&host, cases[i].heard);
		buffer_free(&listing);
	}
}

static void
fetching_twice(void **state)
{
	struct host host = {.says = {BANNER, buffer_string(&listing_cut),
	    buffer_string(&listing_user), BYE}};
	struct peer *peer = host_open_good(&host);
	struct signet *signet;

	assert_int_equal(peer_fetch_signet(peer, "beta.test", NULL,
	    deadline_in(LONG), &signet, NULL), 0);
	signet_free(signet);
	assert_int_equal(peer_fetch_signet(peer, "bob@beta.test", NULL,
	    deadline_in(LONG), &signet, NULL), 0);
	signet_free(signet);
	/* An address that SGNT cannot carry counts as 476 (S16). */
	assert_int_equal(peer_fetch_signet(peer, "j\xc3\xb6rg@beta.test", NULL,
	    deadline_in(LONG), &signet, NULL), ERR_NOT_ENABLED);
	peer_close(peer);
	host_end(&host, "SGNT FOR=<beta.test>\nSGNT FOR=<bob@beta.test>\n"
	    "QUIT\n");
}

static void
fetching_ends_at_the_deadline(void **state)
{
	struct host host = {.says = {BANNER, "270-abc\n", NULL}};
	struct peer *peer = host_open_good(&host);
	struct fault fault = {0};
	struct signet *signet;

	assert_int_equal(peer_fetch_signet(peer, "beta.test", NULL,
	    deadline_in(50), &signet, &fault), ERR_TIMEOUT);
	assert_non_null(strstr(fault.text, "timed out"));
	peer_close(peer);
	host_end(&host, "SGNT FOR=<beta.test>\n");
}

/* A listing of `octets` octets, which is no signet. */
static struct buffer
make_long_listing(size_t octets)
{
	struct buffer lines = buffer_make(4 * octets);
	struct buffer listing = buffer_make(4 * octets);

	while (lines.length < octets)
		buffer_append_string(&lines, "of things that nobody wants\n");
	reply_write_listing(REPLY_ORG_SIGNET, buffer_span(&lines), &listing);
	buffer_free(&lines);
	return listing;
}

static void
listings_have_room_together(void **state)
{
	static const struct {
		const char *name;
		size_t octets, held;
		int err;
	} cases[] = {
	    {"short, all is taken", PEER_LISTING_OWN / 2, PEER_LISTINGS_MOST,
	     ERR_PROTOCOL},
	    {"long, all is taken", 2 * PEER_LISTING_OWN, PEER_LISTINGS_MOST,
	     ERR_BUSY},
	    {"long, too little is left", 2 * PEER_LISTING_OWN,
	     PEER_LISTINGS_MOST - PEER_LISTING_OWN + 1, ERR_BUSY},
	    {"long, enough is left", 2 * PEER_LISTING_OWN,
	     PEER_LISTINGS_MOST - PEER_LISTING_OWN - 100, ERR_PROTOCOL},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer listing = make_long_listing(cases[i].octets);
		struct host host = {
		    .says = {BANNER, buffer_string(&listing), BYE}};
		struct peer *peer = host_open_good(&host);
		struct fault fault = {0};
		struct signet *signet;

		print_message("case: %s\n", cases[i].name);
		room.held = cases[i].held;
		assert_int_equal(peer_fetch_signet(peer, "beta.test", NULL,
		    deadline_in(LONG), &signet, &fault), cases[i].err);
		assert_non_null(strstr(fault.text,
		    cases[i].err == ERR_BUSY ? "no room" : "listing"));
		/* Nothing stays counted. */
		assert_int_equal(room.held, cases[i].held);
		room.held = 0;
		peer_close(peer);
		host_end(&host, NULL);
		buffer_free(&listing);
	}
}

static int
start(void **state)
{
	if (host_group_start(state) != 0)
		return -1;
	make_signets();
	make_listings();
	return 0;
}

static int
end(void **state)
{
	struct buffer *buffers[] = {&org_armor, &user_armor, &listing_org,
	    &listing_user, &listing_cut, &listing_mixed};

	for (size_t i = 0; i < COUNT(buffers); i++)
		buffer_free(buffers[i]);
	return host_group_end(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fetch_table),
	    cmocka_unit_test(verify_table),
	    cmocka_unit_test(verify_brings_another),
	    cmocka_unit_test(history_table),
	    cmocka_unit_test(fetching_twice),
	    cmocka_unit_test(fetching_ends_at_the_deadline),
	    cmocka_unit_test(listings_have_room_together),
	};

	return cmocka_run_group_tests(tests, start, end);
}
