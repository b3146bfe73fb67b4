/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/dmtpd_world.h"
#include "tests/unit/unit_keys.h"

#include "dime/signet_chain.h"
#include "dmtpd/transit.h"

/*
 * Goal: a dmtpd that runs knows at once what was rotated or disabled; mail that
 * was sealed before is taken for as long as signet_grace says, and then refused
 * so that its sender seals it anew; what it has sealed itself still leaves.
 *
 * The tests come one after the other: what is sealed for world.bob and
 * world.beta is for the signets that were there first.
 */

/* dmtpd's own. */
static struct keys *
own_keys(void)
{
	return unit_keys_open(world.directory, "");
}

static int
mail_and_rcpt(struct stream *s, const char *fingerprint)
{
	assert_int_equal(say_mail(s, "alpha.test",
	    world.alpha->signet->fingerprint), 250);
	return say_rcpt(s, "beta.test", fingerprint);
}

/* A transaction with the first signet of beta.test. */
static int
deliver(struct stream *s, const struct buffer *message)
{
	return transact(s, "alpha.test", buffer_span(message));
}

static void
assert_chain(const struct keys_user *last, size_t count)
{
	struct signet_chain chain;

	assert_int_equal(signet_chain_read(buffer_span(&listing), &chain,
	    NULL), 0);
	assert_int_equal(chain.count, count);
	assert_int_equal(signet_chain_verify(&chain, world.bob->signet->signet,
	    last->signet->signet, NULL), 0);
	signet_chain_free(&chain);
}

static void
a_rotated_user(void **state)
{
	struct keys *keys = own_keys();
	struct buffer message = sealed(world.beta, world.bob, "in flight");
	struct buffer late = sealed(world.beta, world.bob, "too late");
	const struct user_signet *old = world.bob->signet;
	struct keys_user *next;
	struct stream *s = dmtp_open();

	assert_int_equal(ask(s, "EHLO <mx.alpha.test>"), 250);
	assert_int_equal(ask(s, "SGNT FOR=<bob@beta.test>"), 280);
	assert_listed(old->signet);
	assert_int_equal(keys_rotate_user(keys, "bob@beta.test", NULL), 0);
	assert_int_equal(keys_find_user(keys, "bob@beta.test", &next, NULL),
	    0);
	assert_int_equal(ask(s, "SGNT FOR=<bob@beta.test>"), 280);
	assert_listed(next->signet->signet);
	assert_int_equal(ask(s, "SGNT FOR=<bob@beta.test> FINGERPRINT=[%s]",
	    old->core), 280);
	assert_listed(old->signet);
	assert_int_equal(ask(s, "VRFY FOR=<bob@beta.test> FINGERPRINT=[%s]",
	    old->core), 280);
	assert_listed(next->signet->signet);
	assert_int_equal(ask(s, "VRFY FOR=<bob@beta.test> FINGERPRINT=[%s]",
	    next->signet->core), 281);
	assert_int_equal(ask(s, "HIST FOR=<bob@beta.test>"), 290);
	assert_chain(next, 2);
	assert_int_equal(ask(s, "HIST FOR=<bob@beta.test> START=[%s] STOP=[%s]",
	    old->core, next->signet->core), 290);
	assert_chain(next, 2);
	assert_int_equal(ask(s, "HIST FOR=<bob@beta.test> START=[%s] STOP=[%s]",
	    next->signet->core, old->core), 576);
	assert_int_equal(deliver(s, &message), 254);
	assert_true(dmtpd_reload("signet_grace = 0\n"));
	assert_int_equal(deliver(s, &late), 586);
	assert_string_equal(heard, "INVALID RECIPIENT SIGNET");
	assert_true(dmtpd_reload(""));
	keys_user_free(next);
	keys_close(keys);
	buffer_free(&message);
	buffer_free(&late);
	stream_free(s);
}

static void
a_disabled_user(void **state)
{
	struct keys *keys = own_keys();
	struct buffer message = sealed(world.beta, world.bob, "disabled");
	const char *core = world.bob->signet->core;
	struct stream *s = dmtp_open();

	assert_int_equal(keys_disable_user(keys, "bob@beta.test", true, NULL),
	    0);
	assert_int_equal(ask(s, "EHLO <mx.alpha.test>"), 250);
	assert_int_equal(ask(s, "SGNT FOR=<bob@beta.test>"), 476);
	assert_string_equal(heard, "SIGNET TEMPORARILY UNAVAILABLE");
	assert_int_equal(ask(s, "SGNT FOR=<bob@beta.test> FINGERPRINT=[%s]",
	    core), 476);
	assert_int_equal(ask(s, "VRFY FOR=<bob@beta.test> FINGERPRINT=[%s]",
	    core), 476);
	assert_int_equal(ask(s, "HIST FOR=<bob@beta.test>"), 476);
	assert_int_equal(deliver(s, &message), 586);
	assert_int_equal(keys_disable_user(keys, "bob@beta.test", false, NULL),
	    0);
	assert_int_equal(ask(s, "SGNT FOR=<bob@beta.test>"), 280);
	assert_int_equal(deliver(s, &message), 254);
	keys_close(keys);
	buffer_free(&message);
	stream_free(s);
}

static void
a_rotated_destination(void **state)
{
	struct keys *keys = own_keys();
	struct buffer message = sealed(world.beta, world.bob, "old beta");
	const char *old = world.beta->signet->fingerprint;
	struct keys_org *next;
	struct stream *s = dmtp_open();

	assert_int_equal(ask(s, "EHLO <mx.alpha.test>"), 250);
	assert_int_equal(keys_prepare_org(keys, "beta.test", NULL), 0);
	assert_int_equal(keys_find_org_prepared(keys, "beta.test", &next,
	    NULL), 0);
	assert_int_equal(ask(s, "SGNT FOR=<beta.test>"), 270);
	assert_listed(world.beta->signet->signet);
	assert_int_equal(mail_and_rcpt(s, next->signet->fingerprint), 576);
	assert_int_equal(keys_rotate_org(keys, "beta.test", NULL), 0);
	assert_int_equal(ask(s, "SGNT FOR=<beta.test>"), 270);
	assert_listed(next->signet->signet);
	assert_int_equal(ask(s, "VRFY FOR=<beta.test> FINGERPRINT=[%s]", old),
	    270);
	assert_listed(next->signet->signet);
	assert_int_equal(ask(s, "SGNT FOR=<beta.test> FINGERPRINT=[%s]", old),
	    270);
	assert_listed(world.beta->signet->signet);
	assert_int_equal(ask(s, "HIST FOR=<bob@beta.test>"), 290);
	assert_int_equal(mail_and_rcpt(s, next->signet->fingerprint), 250);
	assert_int_equal(deliver(s, &message), 254);
	assert_true(dmtpd_reload("signet_grace = 0\n"));
	assert_int_equal(mail_and_rcpt(s, old), 576);
	assert_string_equal(heard, "INVALID DESTINATION SIGNET");
	assert_int_equal(mail_and_rcpt(s, next->signet->fingerprint), 250);
	assert_true(dmtpd_reload(""));
	keys_org_free(next);
	keys_close(keys);
	buffer_free(&message);
	stream_free(s);
}

/* In our own queue at the rotation: no grace is needed for what is ours. */
static void
a_rotated_origin(void **state)
{
	const struct keys_org *destinations[] = {world.beta,
	    world.libdime_beta};
	const struct keys_user *recipients[] = {world.bob, world.libdime_bob};
	struct buffer erin = sealed(world.gamma, world.erin, "old alpha");
	struct keys *keys = own_keys();
	struct stream *s;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(keys_prepare_org(keys, "alpha.test", NULL),
		    0);
		assert_int_equal(keys_rotate_org(keys, "alpha.test", NULL), 0);
	}
	for (int layout = 0; layout < LAYOUTS; layout++) {
		struct buffer message = sealed(destinations[layout],
		    recipients[layout], "old alpha");

		policyd_has((enum layout)layout);
		s = lmtp_open();
		if (hand_in(s, "alice@alpha.test", "bob@beta.test",
			transit_head, buffer_span(&message)) != 250 ||
		    strstr(heard, "254 ACC") == NULL)
			fail_msg("%s", heard);
		stream_free(s);
		buffer_free(&message);
	}
	policyd_has(LAYOUT_STANDARD);
	/* What the newer keys made of it is no reason for anything. */
	s = lmtp_open();
	for (int i = 0; i < 2; i++)
		if (hand_in(s, "alice@alpha.test", "erin@gamma.test",
			transit_head, buffer_span(&erin)) != 451 ||
		    strstr(heard, "4.4.1 ") != heard)
			fail_msg("%s", heard);
	stream_free(s);
	buffer_free(&erin);
	keys_close(keys);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_rotated_user),
	    cmocka_unit_test(a_disabled_user),
	    cmocka_unit_test(a_rotated_destination),
	    cmocka_unit_test(a_rotated_origin),
	};

	return cmocka_run_group_tests(tests, dmtpd_world_start,
	    dmtpd_world_end);
}
