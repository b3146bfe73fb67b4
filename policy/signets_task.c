/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "policy/signets_private.h"

enum {
	RECORD_TIME = 30000, /* milliseconds for the record */
	FETCH_TIME = 300000, /* likewise for all hosts, D12 */
};

/* ---- the peer ---- */

static int
keep_fetched(struct signets_task *task, struct fetch_result *result,
    struct fault *fault)
{
	const int64_t now = clock_wall(task->signets->settings.clock);
	struct user_signet *user;
	int err;

	if (result->org != NULL) {
		err = signets_take_org(task, result->org, fault);
		result->org = NULL;
		if (err != 0)
			return err;
		task->org_fetched = true;
		signet_facts_release(task->org_facts);
		task->org_facts = signets_facts_of_org(task, task->org,
		    now + SIGNETS_ORG_SECONDS);
		if (task->org_facts == NULL)
			return ERR_MEMORY;
		signets_memory_keep(task, task->domain->organization,
		    task->org_fingerprint, task->org_facts);
		signets_redis_put(task, "o", task->domain->organization,
		    task->org_fingerprint, task->org_facts);
	}
	if (result->user != NULL) {
		err = signets_take_user(task, result->user, &user, fault);
		result->user = NULL;
		if (err != 0)
			return err;
		if ((err = signets_custody_check(task, user, fault)) != 0) {
			user_signet_free(user);
			return err;
		}
		task->user_facts = signets_facts_of_user(task, user,
		    now + SIGNETS_USER_SECONDS);
		user_signet_free(user);
		if (task->user_facts == NULL)
			return ERR_MEMORY;
		signets_memory_keep(task, task->name, task->which,
		    task->user_facts);
		signets_redis_put(task, "u", task->name, task->which,
		    task->user_facts);
	}
	return 0;
}

/* What is asked for by VRFY: not for ever, since it tells of the core alone. */
static const char *
held_fingerprint(const struct signets_task *task)
{
	const int64_t now = clock_wall(task->signets->settings.clock);

	if (task->held == NULL || task->again ||
	    now - task->held->whole >= SIGNETS_WHOLE_SECONDS)
		return "";
	return task->held->fingerprint;
}

/* The peer says that the one that is held is as good as before: it is verified
 * again, under the record in force, as one that came. */
static int
take_current(struct signets_task *task, struct fetch_result *result,
    struct fault *fault)
{
	if (!result->current)
		return 0;
	task->current = true;
	atomic_fetch_add(&task->signets->refreshed, 1);
	return signet_parse(task->held->binary,
	    task->is_user ? &result->user : &result->org, fault);
}

/* Fetches what the tiers did not have. */
static int
fetch_missing(struct signets_task *task, struct fault *fault)
{
	const struct fetch_source *source = &task->signets->settings.fetch;
	const struct fetch_wish wish = {
	    .organization = task->domain->organization,
	    .record = task->record,
	    .record_secure = task->domain->secure,
	    .held_org = task->org,
	    .org = task->org_facts == NULL,
	    .org_fingerprint = task->org_fingerprint,
	    .user = task->is_user ? task->name : "",
	    .user_fingerprint = task->fingerprint,
	    .held = held_fingerprint(task),
	    .history_start = "",
	};
	struct fetch_result result = {0};
	bool confirmed;
	int err, kept;

	err = source->fetch(source->context, &wish, deadline_in(FETCH_TIME),
	    &result, fault);
	atomic_fetch_add(err == 0 ? &task->signets->fetched
	                          : &task->signets->failed, 1);
	if (err == 0)
		err = take_current(task, &result, fault);
	confirmed = task->domain->secure || result.confirmed;
	if (!confirmed && (result.org != NULL || result.current ||
	        err == ERR_NOT_ENABLED ||
	        err == ERR_UNKNOWN_ADDRESS)) {
		err = fault_set(fault, ERR_UNCONFIRMED,
		    "%s: neither DNSSEC nor a certificate confirms what its "
		    "host says", task->domain->organization);
	} else {
		kept = keep_fetched(task, &result,
		    err == 0 ? fault : NULL);
		if (err == 0)
			err = kept;
		/* No signet of its own organization: no word on users. */
		else if (task->is_user && task->org == NULL &&
		    (err == ERR_NOT_ENABLED || err == ERR_UNKNOWN_ADDRESS))
			err = fault_set(fault, ERR_UNCONFIRMED,
			    "%s: its host has no organizational signet",
			    task->domain->organization);
	}
	if (result.confirmed && task->org != NULL && !task->domain->secure)
		domains_confirm(task->signets->settings.domains, task->domain);
	fetch_result_free(&result);
	return err;
}

/* ---- a flight ---- */

/* What an error says of the signet: a rule of the site may act on the peer's
 * faults, and not on ours. */
static enum signet_answer
answer_of_error(const struct signets_task *task, int err)
{
	if (task->record == NULL)
		return SIGNET_FAILED;
	switch (err) {
	case ERR_NOT_ENABLED:
		return SIGNET_NOT_ENABLED;
	case ERR_UNKNOWN_ADDRESS:
		return SIGNET_UNKNOWN;
	case ERR_CUSTODY:
		return SIGNET_CHANGED;
	case ERR_SIGNATURE:
	case ERR_MISMATCH:
	case ERR_FORMAT:
	case ERR_CORRUPT:
	case ERR_TOO_LARGE:
	case ERR_UNCONFIRMED:
		return SIGNET_BAD;
	case ERR_UNREACHABLE:
	case ERR_TIMEOUT:
	case ERR_CERTIFICATE:
	case ERR_PROTOCOL:
	case ERR_ACCESS_DENIED:
	case ERR_DEFERRED:
	case ERR_REFUSED:
		return SIGNET_DOWN;
	default:
		return SIGNET_FAILED;
	}
}

/* What it came to, held once for the flight. */
struct memory_value *signets_task_conclude(
    struct signets_task *task, int err, const struct fault *fault)
{
	const int64_t now = clock_wall(task->signets->settings.clock);
	const struct signet_facts *facts =
	    task->is_user ? task->user_facts : task->org_facts;
	const enum signet_answer answer = answer_of_error(task, err);
	int64_t seconds = SIGNETS_FAILURE_SECONDS;

	if (err == 0 && facts != NULL)
		return memory_hold(
		    signets_facts_value(facts));
	if (answer == SIGNET_NOT_ENABLED)
		seconds = SIGNETS_NOT_ENABLED_SECONDS;
	else if (answer == SIGNET_UNKNOWN)
		seconds = SIGNETS_UNKNOWN_SECONDS;
	facts = signets_facts_new(task, answer, err, fault_text(fault, err),
	    (struct span){NULL, 0}, now + seconds);
	if (facts == NULL)
		return NULL;
	/* What is held outlives a refresh that failed. */
	if (err != ERR_BUSY &&
	    !(task->held != NULL && signet_answer_is_failure(answer)))
		signets_memory_keep(task, task->name, task->which, facts);
	return signets_facts_value(facts);
}

/* What the tiers have is not the answer, but what the answer is measured by. */
static void
hold_for_refresh(struct signets_task *task)
{
	const struct signet_facts **facts =
	    task->is_user ? &task->user_facts : &task->org_facts;

	task->held = *facts;
	*facts = NULL;
}

/* The record in force, and what can be had without asking the peer. */
static int
prepare(struct signets_task *task, struct fault *fault)
{
	bool hit;
	int err;

	err = domains_find(task->signets->settings.domains, task->asked_domain,
	    deadline_in(RECORD_TIME), &task->domain, &hit);
	if (err != 0)
		return fault_set(fault, err, "%s: %s", task->asked_domain,
		    error_row(err)->text);
	if (task->domain->record.length == 0)
		return fault_set(fault,
		    task->domain->err != 0 ? task->domain->err
		                           : ERR_UNCONFIRMED,
		    "%s: no record in force", task->asked_domain);
	task->record = malloc(sizeof(*task->record));
	if (task->record == NULL)
		return fault_set(fault, ERR_MEMORY, "out of memory");
	crypto_sha512(task->domain->record, task->digest);
	err = record_parse(task->domain->record, task->record, NULL, NULL,
	    fault);
	if (err != 0)
		return err;
	signets_org_from_tiers(task);
	if (task->is_user && task->org_facts != NULL)
		signets_user_from_tiers(task);
	if (task->refresh)
		hold_for_refresh(task);
	return 0;
}

/* A user's signet that the kept one of the organization does not hold for: that
 * may have changed since, unless it is the one that was asked for. Both are
 * asked for, once. */
static int
fetch_again(struct signets_task *task, struct fault *fault)
{
	signet_facts_release(task->org_facts);
	task->org_facts = NULL;
	org_signet_free(task->org);
	task->org = NULL;
	task->current = false;
	task->again = true;
	return fetch_missing(task, fault);
}

struct memory_value *
signets_task_work(struct signets_task *task)
{
	struct fault fault = {0};
	int err;

	err = prepare(task, &fault);
	if (err == 0 &&
	    (task->is_user ? task->user_facts : task->org_facts) == NULL)
		err = fetch_missing(task, &fault);
	if (err == ERR_SIGNATURE && task->is_user && !task->org_fetched &&
	    *task->org_fingerprint == '\0')
		err = fetch_again(task, &fault);
	return signets_task_conclude(task, err, &fault);
}
