/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/dmtpd_world.h"

static void
assert_shown(const char *name, const struct unit_certificate *expected)
{
	struct tls_peer peer;
	struct stream *s = dmtp_open_as(name, &peer);

	assert_true(span_equal(buffer_span(&peer.der),
	    buffer_span(&expected->der)));
	tls_peer_free(&peer);
	stream_free(s);
}

/* By SNI, and as before when a reload finds one that is not good. */
static void
certificates(void **state)
{
	static const char *const refused[] = {"event=reload", "refused",
	    "\\\"/nowhere/crt\\\" is not CERTIFICATE:KEY", NULL};
	static const char *const missing[] = {"event=reload", "refused",
	    "/nowhere/crt", "No such file", NULL};

	assert_shown("mx.alpha.test", &world.second);
	assert_shown("mx.beta.test", &world.certificate);
	assert_shown("other.test", &world.certificate);
	assert_false(dmtpd_reload("tls_certificates = {\"/nowhere/crt\"}\n"));
	wait_log(NULL, 0, refused);
	assert_false(dmtpd_reload(
	    "tls_certificates = {\"/nowhere/crt:/nowhere/key\"}\n"));
	wait_log(NULL, 0, missing);
	assert_shown("mx.alpha.test", &world.second);
	assert_true(dmtpd_reload(""));
	assert_shown("mx.alpha.test", &world.second);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(certificates),
	};

	return cmocka_run_group_tests(tests, dmtpd_world_start,
	    dmtpd_world_end);
}
