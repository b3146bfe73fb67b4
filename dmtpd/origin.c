/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "client/facts.h"
#include "dmtpd/origin.h"

enum { PROLONGED = 72 * 3600 /* seconds */ };

/* Whether the domain is known to have no record, pin included. */
static bool
is_absent(const struct facts_answer *answer)
{
	return !answer->facts.pinned &&
	    (answer->facts.dns == DNS_ABSENT_PROVEN ||
	        answer->facts.dns == DNS_ABSENT_INSECURE);
}

static int
ask(struct dmtpd *dmtpd, int64_t wait, const char *domain,
    const char *fingerprint, struct org_signet **out, struct fault *fault)
{
	const struct facts_request request = {.verb = FACTS_SIGNET,
	    .from = "", .to = domain, .fingerprint = fingerprint,
	    .wait = wait};
	struct facts_answer answer;
	int err;

	facts_answer_init(&answer);
	err = facts_ask(dmtpd->config->facts_socket, &request, &answer, fault);
	if (err == 0 && is_absent(&answer))
		err = fault_set(fault, ERR_ORIGIN_INVALID,
		    "%s has no management record", domain);
	if (err == 0)
		err = facts_verify(&answer, domain, out, NULL, fault);
	facts_answer_free(&answer);
	if (err == 0 && strcmp((*out)->fingerprint, fingerprint) != 0) {
		org_signet_free(*out);
		*out = NULL;
		err = fault_set(fault, ERR_ORIGIN_WAIT,
		    "%s: dime-policyd has another signet", domain);
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

enum reply
origin_find(struct dmtpd *dmtpd, int64_t wait, const char *domain,
    const char *fingerprint, struct org_signet **out, struct fault *fault)
{
	char name[DOMAIN_SIZE + SIGNET_FINGERPRINT_SIZE + 8];
	int err;

	*out = NULL;
	snprintf(name, sizeof(name), "origin %s %s", domain, fingerprint);
	err = ask(dmtpd, wait, domain, fingerprint, out, fault);
	if (err == 0) {
		state_succeeded(dmtpd->state, name);
		return REPLY_OK;
	}
	if (!error_row(err)->temporary)
		return REPLY_ORIGIN_INVALID;
	return is_prolonged(dmtpd, name) ? REPLY_ORIGIN_GONE
					 : REPLY_ORIGIN_WAIT;
}
