/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/ahead.h"
#include "policy/signets_private.h"

/* ---- verifying ---- */

int signets_take_org(
    struct signets_task *task, struct signet *signet, struct fault *fault)
{
	const char *fingerprint = task->org_fingerprint;
	struct org_signet *org;
	int err;

	err = signet_verify_org(signet,
	    (const uint8_t(*)[CRYPTO_SIGN_PUBLIC])task->record->poks,
	    task->record->pok_count, task->domain->organization, &org, fault);
	if (err != 0) {
		signet_free(signet);
		return err;
	}
	if (*fingerprint != '\0' &&
	    strcmp(org->fingerprint, fingerprint) != 0) {
		org_signet_free(org);
		return fault_set(fault, ERR_MISMATCH,
		    "%s: the signet is not the one with the fingerprint "
		    "asked for", task->domain->organization);
	}
	org_signet_free(task->org);
	task->org = org;
	return 0;
}

int
signets_take_user(const struct signets_task *task, struct signet *signet,
    struct user_signet **out, struct fault *fault)
{
	int err;

	err = signet_verify_user(signet, task->org, task->name, out, fault);
	if (err != 0) {
		signet_free(signet);
		return err;
	}
	if ((*out)->address[0] == '\0')
		err = fault_set(fault, ERR_FORMAT,
		    "%s: the signet bears no address", task->name);
	else if (*task->fingerprint != '\0' &&
	    strcmp((*out)->core, task->fingerprint) != 0 &&
	    strcmp((*out)->full, task->fingerprint) != 0)
		err = fault_set(fault, ERR_MISMATCH,
		    "%s: the signet is not the one with the fingerprint "
		    "asked for", task->name);
	if (err != 0) {
		user_signet_free(*out);
		*out = NULL;
	}
	return err;
}

/* ---- Redis ---- */

static struct signet *
redis_get(struct signets_task *task, const char *kind, const char *name,
    const char *which, int64_t *expires)
{
	struct buffer payload = buffer_make(SIGNET_MAX_LENGTH);
	struct signet *signet = NULL;
	char key[SIGNETS_KEY_SIZE];

	if (ahead_get(task->signets->settings.memory,
	        task->signets->settings.cache, kind,
	        signets_key(name, which, key), &payload, expires))
		signet_parse(buffer_span(&payload), &signet, NULL);
	buffer_free(&payload);
	return signet;
}

void
signets_redis_put(struct signets_task *task, const char *kind, const char *name,
    const char *which, const struct signet_facts *facts)
{
	struct cache *cache = task->signets->settings.cache;
	char text[SIGNETS_KEY_SIZE];
	const struct span key = signets_key(name, which, text);

	if (cache == NULL || signets_task_is_dropped(task))
		return;
	cache_put(cache, kind, key, facts->binary, facts->value.expires);
	/* Whoever dropped it while it was on its way may have come first. */
	if (signets_task_is_dropped(task))
		cache_delete(cache, kind, key);
}

static int64_t
at_most(const struct signets_task *task, int64_t expires, int64_t seconds)
{
	const int64_t most =
	    clock_wall(task->signets->settings.clock) + seconds;

	return expires < most ? expires : most;
}

/* Nobody else has seen these facts yet. */
static void
mark_redis(const struct signet_facts *facts)
{
	((struct signet_facts *)(uintptr_t)facts)->source = "redis";
}

static void
org_from_redis(struct signets_task *task, const char *fingerprint)
{
	struct signet *signet;
	int64_t expires;

	signet = redis_get(task, "o", task->domain->organization, fingerprint,
	    &expires);
	if (signet == NULL || signets_take_org(task, signet, NULL) != 0)
		return;
	task->org_facts = signets_facts_of_org(task, task->org,
	    at_most(task, expires, SIGNETS_ORG_SECONDS));
	if (task->org_facts == NULL)
		return;
	mark_redis(task->org_facts);
	signets_memory_keep(task, task->domain->organization, fingerprint,
	    task->org_facts);
	atomic_fetch_add(&task->signets->redis, 1);
}

static void
user_from_redis(struct signets_task *task, const char *which)
{
	struct user_signet *user;
	struct signet *signet;
	int64_t expires;

	signet = redis_get(task, "u", task->name, which, &expires);
	if (signet == NULL || signets_take_user(task, signet, &user, NULL) != 0)
		return;
	/* Another node trusts it; this one has seen another key, and asks the
	 * peer itself. */
	if (!signets_custody_agrees(task, user)) {
		user_signet_free(user);
		return;
	}
	task->user_facts = signets_facts_of_user(task, user,
	    at_most(task, expires, SIGNETS_USER_SECONDS));
	user_signet_free(user);
	if (task->user_facts == NULL)
		return;
	mark_redis(task->user_facts);
	signets_memory_keep(task, task->name, which, task->user_facts);
	atomic_fetch_add(&task->signets->redis, 1);
}

void
signets_org_from_tiers(struct signets_task *task)
{
	const char *fingerprint = task->org_fingerprint;
	struct signet *signet;

	task->org_facts = signets_memory_find(task->signets, task->digest,
	    task->domain->organization, fingerprint, "");
	if (task->org_facts != NULL && task->org_facts->answer != SIGNET_HELD) {
		signet_facts_release(task->org_facts);
		task->org_facts = NULL;
	}
	if (task->org_facts == NULL) {
		org_from_redis(task, "");
		if (task->org_facts == NULL && *fingerprint != '\0')
			org_from_redis(task, fingerprint);
		return;
	}
	/* A user's signet is verified with the organization's keys. */
	if (task->is_user &&
	    (signet_parse(task->org_facts->binary, &signet, NULL) != 0 ||
	        signets_take_org(task, signet, NULL) != 0)) {
		signet_facts_release(task->org_facts);
		task->org_facts = NULL;
	}
}

void
signets_user_from_tiers(struct signets_task *task)
{
	task->user_facts = signets_memory_find(task->signets, task->digest,
	    task->name, task->fingerprint, task->org_fingerprint);
	if (task->user_facts != NULL &&
	    task->user_facts->answer != SIGNET_HELD) {
		signet_facts_release(task->user_facts);
		task->user_facts = NULL;
	}
	/* The current one is only as good as the organization's current one. */
	if (task->user_facts == NULL && *task->org_fingerprint == '\0')
		user_from_redis(task, "");
	if (task->user_facts == NULL && *task->which != '\0')
		user_from_redis(task, task->which);
}
