/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "policy/signets_private.h"
#include "policy/suffix.h"

enum {
	TASKS = 256,          /* threads that fetch at the same time */
	/* So that a dead domain cannot have all, nor one whose subdomains
	 * nobody has counted. */
	TASKS_PER_DOMAIN = 8,
	TASK_STACK = 512 << 10,
};

/* ---- a flight ---- */

static void
task_free(struct signets_task *task)
{
	domain_release(task->domain);
	free(task->record);
	org_signet_free(task->org);
	signet_facts_release(task->org_facts);
	signet_facts_release(task->user_facts);
	signet_facts_release(task->held);
	free(task);
}

static void
task_leave(struct signets_task *task)
{
	struct signets *signets = task->signets;
	struct signets_task **at;

	pthread_mutex_lock(&signets->lock);
	for (at = &signets->tasks; *at != task; at = &(*at)->next)
		;
	*at = task->next;
	signets->task_count--;
	pthread_mutex_unlock(&signets->lock);
}

static void *
run(void *argument)
{
	struct signets_task *task = argument;
	struct flight *flight = task->flight;
	struct memory_value *value = signets_task_work(task);

	task_leave(task);
	task_free(task);
	/* Last: when nothing is in the air, all of this may be freed. */
	flight_land(flight, value);
	return NULL;
}

/* False when too many are at it, for this domain or in all. */
static bool
task_enter(struct signets_task *task)
{
	struct signets *signets = task->signets;
	/* Nobody waits for a refresh: half is left to those who do. */
	const size_t share = task->refresh ? 2 : 1;
	size_t same = 0;
	bool enter;

	pthread_mutex_lock(&signets->lock);
	for (const struct signets_task *other = signets->tasks; other != NULL;
	     other = other->next)
		same += strcmp(other->organization, task->organization) == 0;
	enter = signets->task_count < TASKS / share &&
	    same < TASKS_PER_DOMAIN / share;
	if (enter) {
		task->next = signets->tasks;
		signets->tasks = task;
		signets->task_count++;
	}
	pthread_mutex_unlock(&signets->lock);
	return enter;
}

/* Before the tiers are, so that what is in the air does not come back. */
static void
drop_tasks(struct signets *signets, const char *name)
{
	pthread_mutex_lock(&signets->lock);
	for (struct signets_task *task = signets->tasks; task != NULL;
	     task = task->next)
		task->dropped |= strcmp(task->name, name) == 0 ||
		    domain_is_within(task->asked_domain, name);
	pthread_mutex_unlock(&signets->lock);
}

bool
signets_task_is_dropped(const struct signets_task *task)
{
	bool dropped;

	pthread_mutex_lock(&task->signets->lock);
	dropped = task->dropped;
	pthread_mutex_unlock(&task->signets->lock);
	return dropped;
}

static bool
start_thread(struct signets_task *task)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int result;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, TASK_STACK);
	result = pthread_create(&thread, &attributes, run, task);
	pthread_attr_destroy(&attributes);
	return result == 0;
}

/* Which signet: the second part of the flight's key. */
static void
read_which(struct signets_task *task, struct span which)
{
	const char *space;

	span_copy_string(which, task->which, sizeof(task->which));
	task->refresh = strcmp(task->which, SIGNETS_REFRESH) == 0;
	if (task->refresh)
		task->which[0] = '\0';
	space = strchr(task->which, ' ');
	span_copy_string(span_slice(which, 0, task->refresh ? 0
	        : space == NULL ? which.length
	                        : (size_t)(space - task->which)),
	    task->fingerprint, sizeof(task->fingerprint));
	snprintf(task->org_fingerprint, sizeof(task->org_fingerprint), "%s",
	    !task->is_user      ? task->fingerprint
	        : space == NULL ? ""
	                        : space + 1);
}

static struct signets_task *
task_new(struct signets *signets, struct flight *flight)
{
	const struct span key = flight_key(flight);
	struct signets_task *task = calloc(1, sizeof(*task));
	const struct span name = signets_key_name(key);

	if (task == NULL)
		return NULL;
	span_copy_string(name, task->name, sizeof(task->name));
	task->is_user = strchr(task->name, '@') != NULL;
	read_which(task, span_slice(key, name.length + 1, key.length));
	span_copy_string(span_string(task->is_user ? address_domain(task->name)
	                                           : task->name),
	    task->asked_domain, sizeof(task->asked_domain));
	task->organization = suffixes_organization(
	    signets->settings.suffixes, task->asked_domain);
	task->signets = signets;
	task->flight = flight;
	return task;
}

static void
start(void *context, struct flight *flight)
{
	struct signets_task *task = task_new(context, flight);
	const struct fault busy = {ERR_BUSY,
	    "too many signets are being fetched"};
	struct memory_value *value;

	if (task == NULL) {
		flight_land(flight, NULL);
		return;
	}
	if (task_enter(task)) {
		if (start_thread(task))
			return;
		task_leave(task);
	}
	value = signets_task_conclude(task, ERR_BUSY, &busy);
	task_free(task);
	flight_land(flight, value);
}

/* ---- callers ---- */

int
signets_new(const struct signets_settings *settings, struct signets **out)
{
	struct signets *signets = calloc(1, sizeof(*signets));
	int err;

	*out = NULL;
	if (signets == NULL)
		return ERR_MEMORY;
	signets->settings = *settings;
	pthread_mutex_init(&signets->lock, NULL);
	err = flights_new(TASKS * 4, start, signets, &signets->flights);
	if (err != 0)
		free(signets);
	else
		*out = signets;
	return err;
}

void
signets_stop(struct signets *signets)
{
	flights_stop(signets->flights);
}

bool
signets_drain(struct signets *signets, struct deadline deadline)
{
	return flights_drain(signets->flights, deadline);
}

void
signets_free(struct signets *signets)
{
	if (signets == NULL)
		return;
	flights_free(signets->flights);
	pthread_mutex_destroy(&signets->lock);
	free(signets);
}

void
signets_refresh(struct signets *signets, struct span memory_key)
{
	struct memory_value *value = NULL;
	char name[ADDRESS_SIZE], key[SIGNETS_KEY_SIZE];

	if (!signets_memory_is_current(memory_key, name))
		return;
	/* Nobody waits. */
	flights_join(signets->flights, signets_key(name, SIGNETS_REFRESH, key),
	    deadline_in(0), &value);
	memory_release(value);
}

int
signets_find(struct signets *signets, const struct domain_facts *domain,
    const char *name, const char *fingerprint, const char *org,
    struct deadline deadline, const struct signet_facts **out, bool *hit)
{
	struct memory_value *value = NULL;
	uint8_t digest[CRYPTO_SHA512];
	char key[SIGNETS_KEY_SIZE], which[SIGNETS_WHICH_SIZE];
	int err = 0;

	crypto_sha512(domain->record, digest);
	*out = signets_memory_find(signets, digest, name, fingerprint, org);
	*hit = *out != NULL;
	if (*out == NULL) {
		signets_which(fingerprint, org, which);
		err = flights_join(signets->flights,
		    signets_key(name, which, key), deadline, &value);
		*out = (const struct signet_facts *)value;
	}
	return err;
}

const struct signet_facts *
signets_held(struct signets *signets, const struct domain_facts *domain,
    const char *name)
{
	uint8_t digest[CRYPTO_SHA512];

	crypto_sha512(domain->record, digest);
	return signets_memory_find(signets, digest, name, "", "");
}

void
signets_forget(struct signets *signets, const char *name)
{
	drop_tasks(signets, name);
	if (signets->settings.cache != NULL)
		cache_delete(signets->settings.cache,
		    strchr(name, '@') == NULL ? "o" : "u", span_string(name));
	signets_memory_drop(signets, name);
}

void
signets_drop(struct signets *signets, const char *name)
{
	drop_tasks(signets, name);
	signets_memory_drop(signets, name);
}

void
signets_stale(struct signets *signets, const char *name,
    const char *fingerprint)
{
	if (!signets_memory_has_other(signets, name, fingerprint))
		signets_forget(signets, name);
}

void
signets_count(struct signets *signets, struct signets_counters *out)
{
	out->fetched = atomic_load(&signets->fetched);
	out->failed = atomic_load(&signets->failed);
	out->redis = atomic_load(&signets->redis);
	out->refreshed = atomic_load(&signets->refreshed);
	out->custody_followed = atomic_load(&signets->custody_followed);
	out->custody_broken = atomic_load(&signets->custody_broken);
}
