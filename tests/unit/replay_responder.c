/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/replay.h"

void
replay_responder_set(struct replay *replay, const struct replay_step *step)
{
	const char *what = replay_word(replay, step, 1);
	int mode;

	if (strcmp(what, "says") != 0) {
		if (replay->responder != NULL)
			replay_fail(replay, "one responder is all");
		replay->responder = responder_start(what, &replay->port,
		    replay_issuer(), replay_directory());
		return;
	}
	mode = responder_mode_by_name(replay_word(replay, step, 2));
	if (replay->responder == NULL || mode < 0)
		replay_fail(replay, "nothing that a responder can say");
	responder_set(replay->responder, (enum responder_mode)mode);
}

int
replay_responder_asked(struct replay *replay)
{
	if (replay->responder == NULL)
		replay_fail(replay, "there is no responder");
	return responder_asked(replay->responder);
}

void
replay_responder_end(struct replay *replay)
{
	responder_end(replay->responder);
	replay->responder = NULL;
}
