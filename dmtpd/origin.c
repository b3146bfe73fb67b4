/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "client/facts.h"
#include "dmtpd/origin.h"

/* Seconds, where nothing else is said. */
enum {
	WAIT_MOST = 235 * 1000, /* milliseconds: 470 comes within 4 minutes */
	PROLONGED = 72 * 3600,
	KNOWN = 600, /* how long an origin that was had is no stranger */
	/* Asked at a time, of known ones and of others each: what strangers ask
	 * for must not use up what dime-policyd can fetch for our own mail, nor
	 * our memory. */
	QUESTIONS = 32,
	FRESH = 5 * 1000, /* milliseconds */
	USUAL = 4096,     /* octets of a signet */
};

/* Whether the domain is known to have no record, pin included. */
static bool
is_absent(const struct facts_answer *answer)
{
	return !answer->facts.pinned &&
	    (answer->facts.dns == DNS_ABSENT_PROVEN ||
	        answer->facts.dns == DNS_ABSENT_INSECURE);
}

static bool
is_cached(const char *source)
{
	return strcmp(source, "memory") == 0 || strcmp(source, "redis") == 0;
}

static int
ask(struct dmtpd *dmtpd, const struct origin_question *question,
    int64_t wait, struct org_signet **out, struct fault *fault)
{
	const struct facts_request request = {.verb = FACTS_SIGNET,
	    .from = "", .to = question->domain,
	    .fingerprint = question->fingerprint, .wait = wait};
	struct facts_answer answer;
	int err;

	facts_answer_init(&answer);
	err = facts_ask(dmtpd->facts, &request, &answer, fault);
	if (err != 0 || !is_cached(answer.source) ||
	    !is_cached(answer.org.source))
		*question->looked_up = true;
	if (err == 0 && is_absent(&answer))
		err = fault_set(fault, ERR_ORIGIN_INVALID,
		    "%s has no management record", question->domain);
	if (err == 0)
		err = facts_verify(&answer, question->domain, out, NULL, fault);
	facts_answer_free(&answer);
	if (err == 0 &&
	    strcmp((*out)->fingerprint, question->fingerprint) != 0) {
		org_signet_free(*out);
		*out = NULL;
		err = fault_set(fault, ERR_ORIGIN_WAIT,
		    "%s: dime-policyd has another signet", question->domain);
	}
	return err;
}

/* A failure that has lasted since it was first noted. State that cannot be read
 * counts as a short one. */
static bool
is_prolonged(struct dmtpd *dmtpd, const char *name)
{
	int64_t since;

	return state_failing_since(dmtpd->state, name, &since) == 0 &&
	    clock_wall(&clock_system) - since >= PROLONGED;
}

static enum reply
look_up(struct dmtpd *dmtpd, const struct origin_question *question,
    const char *name, int64_t wait, struct org_signet **out,
    struct fault *fault)
{
	int err = ask(dmtpd, question, wait, out, fault);

	if (err == 0) {
		state_succeeded(dmtpd->state, name);
		rates_remember(dmtpd->rates, RATE_KNOWN, span_string(name),
		    KNOWN);
		return REPLY_OK;
	}
	if (!error_row(err)->temporary)
		return REPLY_ORIGIN_INVALID;
	return is_prolonged(dmtpd, name) ? REPLY_ORIGIN_GONE
					 : REPLY_ORIGIN_WAIT;
}

/* Asks when it is this question's turn. */
static enum reply
look_up_in_turn(struct dmtpd *dmtpd, const struct origin_question *question,
    struct org_signet **out, struct fault *fault)
{
	const struct deadline deadline = deadline_in(
	    question->wait < WAIT_MOST ? question->wait : WAIT_MOST);
	struct share_holder turn = {.source = question->source};
	char name[DOMAIN_SIZE + SIGNET_FINGERPRINT_SIZE + 8];
	struct share *share;
	enum reply reply;
	bool known;

	snprintf(name, sizeof(name), "origin %s %s", question->domain,
	    question->fingerprint);
	known = rates_remembers(dmtpd->rates, RATE_KNOWN, span_string(name));
	share = &dmtpd->questions[known];
	if (*question->looked_up && !known) {
		fault_set(fault, ERR_ORIGIN_WAIT,
		    "another origin was looked up for this session already");
		return REPLY_ORIGIN_WAIT;
	}
	if (!share_wait(share, &turn, 1, QUESTIONS, deadline)) {
		fault_set(fault, ERR_ORIGIN_WAIT,
		    "too many origins are being looked up");
		return REPLY_ORIGIN_WAIT;
	}
	reply = look_up(dmtpd, question, name, deadline_left(deadline), out,
	    fault);
	share_hold(share, &turn, 0, QUESTIONS);
	return reply;
}

/* Messages come in rows; dime-policyd would answer from memory, too. */
static bool
is_at_hand(const struct origin *origin, const struct origin_question *question)
{
	return origin->signet != NULL && deadline_left(origin->fresh) > 0 &&
	    strcmp(origin->domain, question->domain) == 0 &&
	    strcmp(origin->signet->fingerprint, question->fingerprint) == 0;
}

enum reply
origin_find(struct dmtpd *dmtpd, const struct origin_question *question,
    struct origin *origin, struct fault *fault)
{
	enum reply reply;

	if (is_at_hand(origin, question))
		return REPLY_OK;
	origin_drop(origin);
	reply = look_up_in_turn(dmtpd, question, &origin->signet, fault);
	snprintf(origin->domain, sizeof(origin->domain), "%s",
	    question->domain);
	origin->fresh = deadline_in(FRESH);
	return reply;
}

void
origin_rest(struct origin *origin)
{
	if (origin->signet != NULL && origin->signet->signet->length > USUAL)
		origin_drop(origin);
}

void
origin_drop(struct origin *origin)
{
	org_signet_free(origin->signet);
	origin->signet = NULL;
}
