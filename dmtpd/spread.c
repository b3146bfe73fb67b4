/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/cursor.h"
#include "base/periodic.h"
#include "client/facts.h"
#include "crypto/base64.h"
#include "dmtpd/spread.h"
#include "dmtpd/tally.h"

enum {
	SECOND = 1000, /* milliseconds */
	PERIOD = SECOND,
	/* With nobody to tell: no Redis, no dime-policyd. */
	PAUSE = 5 * SECOND,
	WAIT = SECOND,
	/* In a round, at most: so many keys can strangers make us tell of. */
	TALLIES = 4,
};

struct spreader {
	struct dmtpd *dmtpd;
	struct tally tally;
	struct periodic *periodic;
};

static struct tally_limits
limits_of(struct dmtpd *dmtpd)
{
	const struct live_settings live = dmtpd_live(dmtpd);

	return (struct tally_limits){{
	    [RATE_SIGNETS] = live.source_signet_limit,
	    [RATE_MAIL] = live.source_mail_limit,
	    [RATE_ORIGIN] = live.origin_message_limit,
	}};
}

/* What came back: the nodes' secret, and their tallies, oldest first. */
static void
hear(struct spreader *spreader, const struct facts_answer *answer)
{
	const struct tally_limits limits = limits_of(spreader->dmtpd);
	struct cursor cursor = cursor_start(buffer_span(&answer->text));

	if (answer->key.length != CRYPTO_MAC_KEY)
		return;
	rates_share(spreader->dmtpd->rates, answer->key.data);
	while (cursor.rest.length > 0) {
		const struct span text =
		    cursor_take(&cursor, cursor_u32(&cursor));

		if (cursor.failed)
			return;
		tally_read(&spreader->tally, text, &limits,
		    spreader->dmtpd->rates);
	}
}

/* Whether there was somebody to tell. */
static bool
tell(struct spreader *spreader, struct span counts)
{
	char text[BASE64_LENGTH(TALLY_SIZE) + 1];
	char since[BASE64_LENGTH(TALLY_MARK) + 1];
	const struct facts_request request = {.verb = FACTS_SPREAD, .from = "",
	    .to = "", .fingerprint = "", .wait = WAIT, .counts = text,
	    .since = since};
	struct facts_answer answer;
	bool told;

	base64_encode(counts, text);
	base64_encode(span_of(spreader->tally.mark,
	    spreader->tally.mark_length), since);
	facts_answer_init(&answer);
	told = facts_ask(spreader->dmtpd->facts, &request, &answer, NULL) ==
	        0 &&
	    answer.err == 0;
	if (told)
		hear(spreader, &answer);
	facts_answer_free(&answer);
	return told;
}

/* What could not be told is lost: by the time that it can be it is no more
 * true. */
static bool
spread(struct spreader *spreader)
{
	struct buffer counts = buffer_make(TALLY_SIZE);
	size_t count = TALLY_COUNTS;
	bool told = true;

	for (size_t i = 0; i < TALLIES && count == TALLY_COUNTS && told; i++) {
		buffer_reset(&counts);
		count = tally_write(&spreader->tally, spreader->dmtpd->rates,
		    &counts);
		told = counts.error == 0 &&
		    tell(spreader, buffer_span(&counts));
	}
	buffer_free(&counts);
	return told;
}

static int64_t
round_of(void *context)
{
	return spread(context) ? PERIOD : PAUSE;
}

int
spreader_new(struct dmtpd *dmtpd, struct spreader **out)
{
	struct spreader *spreader = calloc(1, sizeof(*spreader));
	int err;

	*out = NULL;
	if (spreader == NULL)
		return ERR_MEMORY;
	spreader->dmtpd = dmtpd;
	tally_start(&spreader->tally, &clock_system);
	err = periodic_new(round_of, spreader, &spreader->periodic);
	if (err != 0)
		free(spreader);
	else
		*out = spreader;
	return err;
}

void
spreader_free(struct spreader *spreader)
{
	if (spreader == NULL)
		return;
	periodic_free(spreader->periodic);
	free(spreader);
}
