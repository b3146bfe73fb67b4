/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/dmtpd_world.h"

static void
signets(void **state)
{
	const struct user_signet *bob = world.bob->signet;
	const struct org_signet *beta = world.beta->signet;
	struct stream *s = dmtp_open();

	assert_string_equal(heard, "<mx.beta.test> DMTP");
	assert_int_equal(ask(s, "SGNT FOR=<beta.test>"), 270);
	assert_string_equal(heard, "OK");
	assert_listed(beta->signet);
	assert_int_equal(ask(s, "SGNT FOR=<beta.test> FINGERPRINT=[%s]",
	    beta->fingerprint), 270);
	assert_listed(beta->signet);
	assert_int_equal(ask(s, "SGNT FOR=<Bob@Beta.Test>"), 280);
	assert_listed(bob->signet);
	assert_int_equal(ask(s, "SGNT FOR=<bob+tag@beta.test>"), 280);
	assert_listed(bob->signet);
	assert_int_equal(ask(s, "SGNT FOR=<bob@beta.test> FINGERPRINT=[%s]",
	    bob->core), 280);
	assert_listed(bob->signet);
	assert_int_equal(ask(s, "SGNT FOR=<bob@beta.test> FINGERPRINT=[%s]",
	    bob->full), 280);
	assert_listed(bob->signet);
	assert_int_equal(ask(s, "SGNT FOR=<alpha.test> FINGERPRINT=[%s]",
	    beta->fingerprint), 576);
	assert_string_equal(heard, "SIGNET UNAVAILABLE");
	assert_int_equal(ask(s, "SGNT FOR=<bob@beta.test> FINGERPRINT=[%s]",
	    world.dave->signet->core), 576);
	assert_int_equal(ask(s, "SGNT FOR=<nobody@beta.test>"), 576);
	assert_int_equal(ask(s, "SGNT FOR=<nowhere.test>"), 576);
	assert_int_equal(ask(s, "SGNT FOR=<bob@nowhere.test>"), 576);
	assert_int_equal(ask(s, "QUIT"), 221);
	stream_free(s);
}

static void
verification(void **state)
{
	const struct user_signet *bob = world.bob->signet;
	const struct org_signet *beta = world.beta->signet;
	struct stream *s = dmtp_open();

	assert_int_equal(ask(s, "VRFY FOR=<beta.test> FINGERPRINT=[%s]",
	    beta->fingerprint), 271);
	assert_int_equal(ask(s, "VRFY FOR=<beta.test> FINGERPRINT=[%s]",
	    world.alpha->signet->fingerprint), 270);
	assert_listed(beta->signet);
	assert_int_equal(ask(s, "VRFY FOR=<bob@beta.test> FINGERPRINT=[%s]",
	    bob->core), 281);
	assert_int_equal(ask(s, "VRFY FOR=<bob@beta.test> FINGERPRINT=[%s]",
	    beta->fingerprint), 280);
	assert_listed(bob->signet);
	assert_int_equal(ask(s, "VRFY FOR=<bob@beta.test> FINGERPRINT=[%s]",
	    bob->full), 501);
	assert_int_equal(ask(s, "VRFY FOR=<nobody@beta.test> FINGERPRINT=[%s]",
	    bob->core), 576);
	assert_int_equal(ask(s, "VRFY FOR=<nowhere.test> FINGERPRINT=[%s]",
	    bob->core), 576);
	stream_free(s);
}

static void
history(void **state)
{
	const struct user_signet *bob = world.bob->signet;
	struct buffer core = buffer_make(65536);
	struct signet *signet;
	struct stream *s = dmtp_open();

	assert_int_equal(signet_split(bob->signet, SIGNET_STATE_CORE, &core,
	    NULL), 0);
	assert_int_equal(ask(s, "HIST FOR=<bob@beta.test>"), 290);
	assert_int_equal(signet_read(buffer_span(&listing), &signet, NULL), 0);
	assert_true(span_equal(signet_binary(signet), buffer_span(&core)));
	signet_free(signet);
	buffer_free(&core);
	assert_int_equal(ask(s, "HIST FOR=<bob@beta.test> START=[%s] STOP=[%s]",
	    bob->core, bob->core), 290);
	assert_int_equal(ask(s, "HIST FOR=<bob@beta.test> START=[%s]",
	    bob->full), 576);
	assert_int_equal(ask(s, "HIST FOR=<bob@beta.test> STOP=[%s]",
	    world.dave->signet->core), 576);
	assert_int_equal(ask(s, "HIST FOR=<nobody@beta.test>"), 576);
	stream_free(s);
}

/* A signet in the libdime layout is had by whoever knows its fingerprint, and
 * he is told of the current one in that layout. */
static void
libdime_signets(void **state)
{
	const struct user_signet *bob = world.libdime_bob->signet;
	const struct org_signet *beta = world.libdime_beta->signet;
	struct stream *s = dmtp_open();

	assert_int_equal(ask(s, "SGNT FOR=<beta.test> FINGERPRINT=[%s]",
	    beta->fingerprint), 270);
	assert_listed(beta->signet);
	/* The core is what messages say, not DMTP. */
	assert_int_equal(ask(s, "SGNT FOR=<beta.test> FINGERPRINT=[%s]",
	    beta->core), 576);
	assert_int_equal(ask(s, "SGNT FOR=<bob@beta.test> FINGERPRINT=[%s]",
	    bob->core), 280);
	assert_listed(bob->signet);
	assert_int_equal(ask(s, "SGNT FOR=<bob@beta.test> FINGERPRINT=[%s]",
	    bob->full), 280);
	assert_listed(bob->signet);
	assert_int_equal(ask(s, "VRFY FOR=<beta.test> FINGERPRINT=[%s]",
	    beta->fingerprint), 271);
	assert_int_equal(ask(s, "VRFY FOR=<bob@beta.test> FINGERPRINT=[%s]",
	    bob->core), 281);
	assert_int_equal(ask(s, "VRFY FOR=<bob@beta.test> FINGERPRINT=[%s]",
	    bob->full), 501);
	assert_int_equal(ask(s, "HIST FOR=<bob@beta.test> START=[%s]",
	    bob->core), 290);
	stream_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(signets),
	    cmocka_unit_test(verification),
	    cmocka_unit_test(libdime_signets),
	    cmocka_unit_test(history),
	};

	return cmocka_run_group_tests(tests, dmtpd_world_start,
	    dmtpd_world_end);
}
