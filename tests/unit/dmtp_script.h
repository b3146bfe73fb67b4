/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_DMTP_SCRIPT_H
#define DIME_TESTS_UNIT_DMTP_SCRIPT_H

#include "tests/unit/transcript.h"

#include "dmtp/server.h"

/*
 * A DMTP session whose driver follows a script: it answers as if all went well,
 * or with the code that a domain like r576.test names. Events are letters with
 * their arguments.
 */

enum { SIZE_LIMIT = 1000 };

/* Two fingerprints: 86 characters, the last of them with no unused bit set. */
#define F43 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq"
#define F1 "[" F43 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopA]"
#define F2 "[" F43 "0123456789+/0123456789+/0123456789+/012345w]"

#define EHLO "EHLO <mx.alpha.test>\n"
#define MAIL "MAIL FROM=<alpha.test> FINGERPRINT=" F1 "\n"
#define RCPT "RCPT TO=<beta.test> FINGERPRINT=" F2 "\n"
#define LONG50 "12345678901234567890123456789012345678901234567890"
#define LONG500 LONG50 LONG50 LONG50 LONG50 LONG50 LONG50 LONG50 LONG50        \
	LONG50 LONG50

extern const struct transcript_engine dmtp_script;

/* Feeds a session of the test's own; false when it has ended. */
bool dmtp_script_feed(struct dmtp_server *server, struct span input,
    struct buffer *events);

#endif
