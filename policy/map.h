/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_MAP_H
#define DIME_POLICY_MAP_H

#include "dmtp/socketmap.h"
#include "policy/policyd.h"

/*
 * What Postfix's socketmap is told, and soon: its queue manager stands still
 * while it asks. NOTFOUND leaves a recipient to ordinary SMTP and is only ever
 * said on knowledge; what is not known, or not known yet, goes the way to
 * DIME-OUT, which decides with more time.
 */

enum {
	MAP_WAIT = 300,     /* milliseconds for a cold name while DNS answers */
	MAP_WAIT_BRIEF = 4, /* otherwise: what Redis may take */
	MAP_ALIVE = 5000,   /* DNS answers when it did within so long */
};

/* `text` gets a value or a reason; room for 512 octets. */
enum socketmap_status map_answer(struct policyd *policyd,
    const struct socketmap_query *query, char text[static 512]);

#endif
