/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"
#include "dime/signet_chain.h"
#include "policy/signets_private.h"

enum {
	FETCH_TIME = 60000, /* milliseconds for the chain */
	DAY = 86400,
};

/* ---- keys ---- */

static const uint8_t *
key_of(const struct signet *signet)
{
	return signet_key(signet_find(signet, SIGNET_USER_SIGNING)->value);
}

static bool
same_key(const struct signet *a, const struct signet *b)
{
	return memcmp(key_of(a), key_of(b), CRYPTO_SIGN_PUBLIC) == 0;
}

/* ---- chains ---- */

static int
fetch_chain(struct signets_task *task, const char *address, const char *start,
    const char *stop, struct signet_chain *chain, struct fault *fault)
{
	const struct fetch_source *source = &task->signets->settings.fetch;
	const struct fetch_wish wish = {
	    .organization = task->domain->organization,
	    .record = task->record,
	    .record_secure = task->domain->secure,
	    .held_org = task->org,
	    .org_fingerprint = "",
	    .user = address,
	    .user_fingerprint = "",
	    .held = "",
	    .history_start = start,
	    .history_stop = stop,
	};
	struct fetch_result result;
	int err;

	*chain = (struct signet_chain){NULL, 0};
	err = source->fetch(source->context, &wish, deadline_in(FETCH_TIME),
	    &result, fault);
	if (err == 0)
		err = signet_chain_read(buffer_span(&result.history), chain,
		    fault);
	fetch_result_free(&result);
	return err;
}

/*
 * Whether custody leads from one signet to another. HIST answers in the layout
 * that it is asked in; where the other end is of the other one, the link with
 * its key stands for it.
 */
static int
follow(struct signets_task *task, const char *address,
    const struct signet *from, const struct signet *to, struct fault *fault)
{
	char start[SIGNET_FINGERPRINT_SIZE], stop[SIGNET_FINGERPRINT_SIZE] = "";
	struct signet_chain chain, part;
	int err;

	signet_core_fingerprint(from, start);
	if (from->layout == to->layout)
		signet_core_fingerprint(to, stop);
	err = fetch_chain(task, address, start, stop, &chain, fault);
	if (err == 0) {
		part = (struct signet_chain){chain.links, 1};
		while (part.count < chain.count &&
		    !same_key(chain.links[part.count - 1], to))
			part.count++;
		if (!same_key(part.links[part.count - 1], to))
			err = fault_set(fault, ERR_CUSTODY,
			    "the chain does not lead to it");
		else
			err = signet_chain_verify(&part, from,
			    from->layout == to->layout
			        ? to
			        : part.links[part.count - 1],
			    fault);
	}
	signet_chain_free(&chain);
	return err;
}

/* What tells that there is no good chain, and not merely that it could not be
 * had for now. */
static bool
is_broken(int err)
{
	return err == ERR_CUSTODY || err == ERR_FORMAT ||
	    err == ERR_TOO_LARGE || err == ERR_NOT_ENABLED ||
	    err == ERR_UNKNOWN_ADDRESS || err == ERR_REFUSED;
}

/* ---- what is seen ---- */

/* What cannot be written is logged there, and is no reason to keep mail back:
 * the next sight is then measured by the one before, or is the first again. */
static void
note(struct signets_task *task, const struct user_signet *user)
{
	struct buffer core = buffer_make(SIGNET_MAX_LENGTH);

	if (!signets_task_is_dropped(task) &&
	    signet_split(user->signet, SIGNET_STATE_CORE, &core, NULL) == 0)
		state_set_known(task->signets->settings.state, user->address,
		    task->domain->organization, buffer_span(&core));
	buffer_free(&core);
}

/* What was seen last, for signet_free(); NULL when nothing was, or nothing that
 * can be read. What cannot be read is doubt: *err is then set. */
static struct signet *
recall(struct signets_task *task, const char *address, int64_t *seen, int *err)
{
	struct state_known known;
	struct signet *signet = NULL;
	bool found;

	*err = state_get_known(task->signets->settings.state, address, &found,
	    &known);
	if (*err == 0 && found)
		*err = signet_parse(buffer_span(&known.core), &signet, NULL);
	*seen = known.seen;
	buffer_free(&known.core);
	return signet;
}

/* The same key as before, if there was one. */
static void
see_again(struct signets_task *task, const struct user_signet *user,
    bool first, int64_t seen)
{
	if (first || clock_wall(task->signets->settings.clock) - seen >= DAY)
		note(task, user);
}

/* Alerts, and lets the site say what follows. */
static int
break_custody(struct signets_task *task, const struct user_signet *user,
    const struct signet *known, const struct fault *why, struct fault *fault)
{
	const struct site *site = sites_hold(task->signets->settings.sites);
	const bool hold = strcmp(site->config->on_broken_custody, "hold") == 0;
	char core[SIGNET_FINGERPRINT_SIZE];
	struct log_line line;

	sites_release(site);
	atomic_fetch_add(&task->signets->custody_broken, 1);
	signet_core_fingerprint(known, core);
	log_begin(&line, LOG_ERR, "custody-broken");
	log_text(&line, "address", user->address);
	log_text(&line, "known", core);
	log_text(&line, "now", user->core);
	log_text(&line, "action", hold ? "hold" : "accept");
	log_text(&line, "reason", why->text);
	log_end(&line);
	if (!hold) {
		note(task, user);
		return 0;
	}
	return fault_set(fault, ERR_CUSTODY,
	    "%s has another key than before, and no custody: %s",
	    user->address, why->text);
}

/* The key is another one than was seen last. An older one, which was asked for
 * by its fingerprint, may lead to the known one instead. */
static int
check_change(struct signets_task *task, const struct user_signet *user,
    const struct signet *known, struct fault *fault)
{
	struct fault why = {0}, other = {0};
	int err = follow(task, user->address, known, user->signet, &why);

	if (err == 0) {
		atomic_fetch_add(&task->signets->custody_followed, 1);
		note(task, user);
		return 0;
	}
	if (is_broken(err) && *task->fingerprint != '\0') {
		err = follow(task, user->address, user->signet, known, &other);
		if (err == 0)
			return 0;
	}
	if (is_broken(err))
		return break_custody(task, user, known, &why, fault);
	return fault_set(fault, err, "custody of %s: %s", user->address,
	    why.text);
}

bool
signets_custody_agrees(struct signets_task *task,
    const struct user_signet *user)
{
	int64_t seen;
	int err;
	struct signet *known = recall(task, user->address, &seen, &err);
	const bool agrees = err == 0 &&
	    (known == NULL || same_key(known, user->signet));

	if (agrees)
		see_again(task, user, known == NULL, seen);
	signet_free(known);
	return agrees;
}

int
signets_custody_check(struct signets_task *task,
    const struct user_signet *user, struct fault *fault)
{
	int64_t seen;
	int err;
	struct signet *known = recall(task, user->address, &seen, &err);

	if (err != 0)
		fault_set(fault, err, "%s: state.db: %s", user->address,
		    error_row(err)->text);
	else if (known == NULL || same_key(known, user->signet))
		see_again(task, user, known == NULL, seen);
	else
		err = check_change(task, user, known, fault);
	signet_free(known);
	return err;
}
