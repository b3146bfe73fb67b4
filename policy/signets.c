/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/flight.h"
#include "policy/signets.h"

enum {
	TASKS = 256,          /* threads that fetch at the same time */
	TASKS_PER_DOMAIN = 8, /* so that a dead domain cannot have all */
	TASK_STACK = 512 << 10,
	RECORD_TIME = 30000,  /* milliseconds for the record */
	FETCH_TIME = 300000,  /* likewise for all hosts, D12 */
	KEY_SIZE = ADDRESS_SIZE + SIGNET_FINGERPRINT_SIZE + 4,
};

struct signets {
	struct signets_settings settings;
	struct flights *flights;
	pthread_mutex_t lock; /* of the list of tasks */
	struct task *tasks;
	size_t task_count;
	_Atomic uint64_t fetched, failed, redis;
};

/* One flight, in a thread of its own: a DMTP session blocks. */
struct task {
	struct task *next;
	struct signets *signets;
	struct flight *flight;
	char name[ADDRESS_SIZE]; /* an address, or a domain */
	char fingerprint[SIGNET_FINGERPRINT_SIZE];
	char asked_domain[DOMAIN_SIZE];
	bool is_user;
	/* What is found out. */
	const struct domain_facts *domain;
	struct record *record;
	uint8_t digest[CRYPTO_SHA512]; /* of the record's text */
	struct org_signet *org;
	const struct signet_facts *org_facts, *user_facts;
};

/* ---- facts ---- */

void
signet_facts_release(const struct signet_facts *facts)
{
	if (facts != NULL)
		memory_release((struct memory_value *)(uintptr_t)&facts->value);
}

static void
destroy(struct memory_value *value)
{
	struct signet_facts *facts = (struct signet_facts *)value;

	signet_facts_release(facts->org);
	free(facts);
}

static struct signet_facts *
facts_new(const struct task *task, enum signet_answer answer, int err,
    const char *reason, struct span binary, int64_t expires)
{
	const size_t length = strlen(reason) + 1;
	const size_t octets =
	    sizeof(struct signet_facts) + length + binary.length;
	struct signet_facts *facts = calloc(1, octets);

	if (facts == NULL)
		return NULL;
	memory_value_start(&facts->value, octets, expires, destroy);
	facts->answer = answer;
	facts->err = err;
	facts->source = "network";
	facts->reason = memcpy(facts->tail, reason, length);
	if (binary.length > 0)
		memcpy(facts->tail + length, binary.data, binary.length);
	facts->binary = span_of(facts->tail + length, binary.length);
	memcpy(facts->record, task->digest, sizeof(facts->record));
	return facts;
}

static const struct signet_facts *
facts_of_org(const struct task *task, const struct org_signet *org,
    int64_t expires)
{
	struct signet_facts *facts = facts_new(task, SIGNET_HELD, 0, "",
	    signet_binary(org->signet), expires);

	if (facts != NULL)
		memcpy(facts->fingerprint, org->fingerprint,
		    sizeof(facts->fingerprint));
	return facts;
}

static const struct signet_facts *
facts_of_user(const struct task *task, const struct user_signet *user,
    int64_t expires)
{
	struct signet_facts *facts = facts_new(task, SIGNET_HELD, 0, "",
	    signet_binary(user->signet), expires);

	if (facts == NULL)
		return NULL;
	memcpy(facts->fingerprint, user->core, sizeof(facts->fingerprint));
	memcpy(facts->full, user->full, sizeof(facts->full));
	facts->org = (const struct signet_facts *)memory_hold(
	    (struct memory_value *)(uintptr_t)&task->org_facts->value);
	return facts;
}

static bool
has_fingerprint(const struct signet_facts *facts, const char *fingerprint)
{
	return *fingerprint == '\0' ||
	    strcmp(facts->fingerprint, fingerprint) == 0 ||
	    strcmp(facts->full, fingerprint) == 0;
}

/* ---- memory ---- */

static struct span
memory_key(const char *name, const char *fingerprint, char *out)
{
	int length = snprintf(out, KEY_SIZE, "s:%s%s%s", name,
	    *fingerprint == '\0' ? "" : " ", fingerprint);

	return span_of(out, (size_t)length);
}

/* No name holds a space. */
static struct span
name_in_key(struct span key)
{
	const uint8_t *space = memchr(key.data, ' ', key.length);

	return space == NULL
	    ? key
	    : span_slice(key, 0, (size_t)(space - key.data));
}

static const struct signet_facts *
memory_find_one(struct signets *signets, const uint8_t *digest,
    const char *name, const char *stored_under, const char *fingerprint)
{
	char key[KEY_SIZE];
	const struct signet_facts *facts =
	    (const struct signet_facts *)memory_get(signets->settings.memory,
	        memory_key(name, stored_under, key));

	if (facts == NULL)
		return NULL;
	if (facts->answer == SIGNET_HELD
	        ? memcmp(facts->record, digest, sizeof(facts->record)) == 0 &&
	            has_fingerprint(facts, fingerprint)
	        : strcmp(stored_under, fingerprint) == 0)
		return facts;
	signet_facts_release(facts);
	return NULL;
}

/* The one kept under its fingerprint, or the current one if that has it. */
static const struct signet_facts *
memory_find(struct signets *signets, const uint8_t *digest, const char *name,
    const char *fingerprint)
{
	const struct signet_facts *facts =
	    memory_find_one(signets, digest, name, "", fingerprint);

	if (facts == NULL && *fingerprint != '\0')
		facts = memory_find_one(signets, digest, name, fingerprint,
		    fingerprint);
	return facts;
}

static void
memory_keep(const struct task *task, const char *name,
    const char *fingerprint, const struct signet_facts *facts)
{
	char key[KEY_SIZE];

	memory_put(task->signets->settings.memory,
	    memory_key(name, fingerprint, key),
	    (struct memory_value *)(uintptr_t)&facts->value);
}

/* ---- verifying ---- */

/* Takes over `signet` in any case. */
static int
take_org(struct task *task, struct signet *signet, struct fault *fault)
{
	const char *fingerprint = task->is_user ? "" : task->fingerprint;
	struct org_signet *org;
	int err;

	err = signet_verify_org(signet,
	    (const uint8_t(*)[CRYPTO_SIGN_PUBLIC])task->record->poks,
	    task->record->pok_count, task->domain->organization, &org, fault);
	if (err != 0) {
		signet_free(signet);
		return err;
	}
	if (*fingerprint != '\0' && strcmp(org->fingerprint, fingerprint) != 0) {
		org_signet_free(org);
		return fault_set(fault, ERR_MISMATCH,
		    "%s: the signet is not the one with the fingerprint "
		    "asked for", task->domain->organization);
	}
	org_signet_free(task->org);
	task->org = org;
	return 0;
}

/* Likewise; *out is for user_signet_free(). */
static int
take_user(const struct task *task, struct signet *signet,
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

static struct span
redis_name(const char *name, const char *fingerprint, char *out)
{
	const struct span key = memory_key(name, fingerprint, out);

	return span_slice(key, 2, key.length);
}

static struct signet *
redis_get(struct task *task, const char *kind, const char *name,
    const char *fingerprint, int64_t *expires)
{
	struct buffer payload = buffer_make(SIGNET_MAX_LENGTH);
	struct signet *signet = NULL;
	char key[KEY_SIZE];

	if (task->signets->settings.cache != NULL &&
	    cache_get(task->signets->settings.cache, kind,
	        redis_name(name, fingerprint, key), &payload, expires))
		signet_parse(buffer_span(&payload), &signet, NULL);
	buffer_free(&payload);
	return signet;
}

static void
redis_put(struct task *task, const char *kind, const char *name,
    const char *fingerprint, const struct signet_facts *facts)
{
	char key[KEY_SIZE];

	if (task->signets->settings.cache != NULL)
		cache_put(task->signets->settings.cache, kind,
		    redis_name(name, fingerprint, key), facts->binary,
		    facts->value.expires);
}

static int64_t
at_most(const struct task *task, int64_t expires, int64_t seconds)
{
	const int64_t most =
	    clock_wall(task->signets->settings.clock) + seconds;

	return expires < most ? expires : most;
}

static void
org_from_redis(struct task *task, const char *fingerprint)
{
	struct signet *signet;
	int64_t expires;

	signet = redis_get(task, "o", task->domain->organization, fingerprint,
	    &expires);
	if (signet == NULL || take_org(task, signet, NULL) != 0)
		return;
	task->org_facts = facts_of_org(task, task->org,
	    at_most(task, expires, SIGNETS_ORG_SECONDS));
	if (task->org_facts == NULL)
		return;
	((struct signet_facts *)(uintptr_t)task->org_facts)->source = "redis";
	memory_keep(task, task->domain->organization, fingerprint,
	    task->org_facts);
	atomic_fetch_add(&task->signets->redis, 1);
}

static void
user_from_redis(struct task *task, const char *fingerprint)
{
	struct user_signet *user;
	struct signet *signet;
	int64_t expires;

	signet = redis_get(task, "u", task->name, fingerprint, &expires);
	if (signet == NULL || take_user(task, signet, &user, NULL) != 0)
		return;
	task->user_facts = facts_of_user(task, user,
	    at_most(task, expires, SIGNETS_USER_SECONDS));
	user_signet_free(user);
	if (task->user_facts == NULL)
		return;
	((struct signet_facts *)(uintptr_t)task->user_facts)->source = "redis";
	memory_keep(task, task->name, fingerprint, task->user_facts);
	atomic_fetch_add(&task->signets->redis, 1);
}

/* What memory or Redis have of the organization's signet, verified. */
static void
org_from_tiers(struct task *task)
{
	const char *fingerprint = task->is_user ? "" : task->fingerprint;
	struct signet *signet;

	task->org_facts = memory_find(task->signets, task->digest,
	    task->domain->organization, fingerprint);
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
	        take_org(task, signet, NULL) != 0)) {
		signet_facts_release(task->org_facts);
		task->org_facts = NULL;
	}
}

/* ---- the peer ---- */

static int
keep_fetched(struct task *task, struct fetch_result *result,
    struct fault *fault)
{
	const int64_t now = clock_wall(task->signets->settings.clock);
	struct user_signet *user;
	int err;

	if (result->org != NULL) {
		const char *fingerprint =
		    task->is_user ? "" : task->fingerprint;

		err = take_org(task, result->org, fault);
		result->org = NULL;
		if (err != 0)
			return err;
		signet_facts_release(task->org_facts);
		task->org_facts = facts_of_org(task, task->org,
		    now + SIGNETS_ORG_SECONDS);
		if (task->org_facts == NULL)
			return ERR_MEMORY;
		memory_keep(task, task->domain->organization, fingerprint,
		    task->org_facts);
		redis_put(task, "o", task->domain->organization, fingerprint,
		    task->org_facts);
	}
	if (result->user != NULL) {
		err = take_user(task, result->user, &user, fault);
		result->user = NULL;
		if (err != 0)
			return err;
		task->user_facts = facts_of_user(task, user,
		    now + SIGNETS_USER_SECONDS);
		user_signet_free(user);
		if (task->user_facts == NULL)
			return ERR_MEMORY;
		memory_keep(task, task->name, task->fingerprint,
		    task->user_facts);
		redis_put(task, "u", task->name, task->fingerprint,
		    task->user_facts);
	}
	return 0;
}

/* Fetches what the tiers did not have. */
static int
fetch_missing(struct task *task, struct fault *fault)
{
	const struct fetch_source *source = &task->signets->settings.fetch;
	const struct fetch_wish wish = {
	    .organization = task->domain->organization,
	    .record = task->record,
	    .record_secure = task->domain->secure,
	    .org = task->org_facts == NULL,
	    .org_fingerprint = task->is_user ? "" : task->fingerprint,
	    .user = task->is_user ? task->name : "",
	    .user_fingerprint = task->fingerprint,
	};
	struct fetch_result result = {0};
	bool confirmed;
	int err, kept;

	err = source->fetch(source->context, &wish, deadline_in(FETCH_TIME),
	    &result, fault);
	atomic_fetch_add(err == 0 ? &task->signets->fetched
	                          : &task->signets->failed, 1);
	confirmed = task->domain->secure || result.confirmed;
	if (!confirmed && (result.org != NULL || err == ERR_NOT_ENABLED ||
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
	signet_free(result.org);
	signet_free(result.user);
	return err;
}

/* ---- a flight ---- */

/* What it came to, held once for the flight. */
static struct memory_value *
conclude(struct task *task, int err, const struct fault *fault)
{
	const int64_t now = clock_wall(task->signets->settings.clock);
	const struct signet_facts *facts =
	    task->is_user ? task->user_facts : task->org_facts;
	enum signet_answer answer = SIGNET_FAILED;
	int64_t seconds = SIGNETS_FAILURE_SECONDS;

	if (err == 0 && facts != NULL)
		return memory_hold(
		    (struct memory_value *)(uintptr_t)&facts->value);
	if (err == ERR_NOT_ENABLED) {
		answer = SIGNET_NOT_ENABLED;
		seconds = SIGNETS_NOT_ENABLED_SECONDS;
	} else if (err == ERR_UNKNOWN_ADDRESS) {
		answer = SIGNET_UNKNOWN;
		seconds = SIGNETS_UNKNOWN_SECONDS;
	}
	facts = facts_new(task, answer, err, fault_text(fault, err),
	    (struct span){NULL, 0}, now + seconds);
	if (facts == NULL)
		return NULL;
	if (err != ERR_BUSY)
		memory_keep(task, task->name, task->fingerprint, facts);
	return (struct memory_value *)(uintptr_t)&facts->value;
}

/* The record in force, and what can be had without asking the peer. */
static int
prepare(struct task *task, struct fault *fault)
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
	org_from_tiers(task);
	if (!task->is_user || task->org_facts == NULL)
		return 0;
	task->user_facts = memory_find(task->signets, task->digest, task->name,
	    task->fingerprint);
	if (task->user_facts != NULL &&
	    task->user_facts->answer != SIGNET_HELD) {
		signet_facts_release(task->user_facts);
		task->user_facts = NULL;
	}
	if (task->user_facts == NULL)
		user_from_redis(task, "");
	if (task->user_facts == NULL && *task->fingerprint != '\0')
		user_from_redis(task, task->fingerprint);
	return 0;
}

static void
task_free(struct task *task)
{
	domain_release(task->domain);
	free(task->record);
	org_signet_free(task->org);
	signet_facts_release(task->org_facts);
	signet_facts_release(task->user_facts);
	free(task);
}

static void
task_leave(struct task *task)
{
	struct signets *signets = task->signets;
	struct task **at;

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
	struct task *task = argument;
	struct flight *flight = task->flight;
	struct fault fault = {0};
	struct memory_value *value;
	int err;

	err = prepare(task, &fault);
	if (err == 0 &&
	    (task->is_user ? task->user_facts : task->org_facts) == NULL)
		err = fetch_missing(task, &fault);
	value = conclude(task, err, &fault);
	task_leave(task);
	task_free(task);
	/* Last: when nothing is in the air, all of this may be freed. */
	flight_land(flight, value);
	return NULL;
}

/* False when too many are at it, for this domain or in all. */
static bool
task_enter(struct task *task)
{
	struct signets *signets = task->signets;
	size_t same = 0;
	bool enter;

	pthread_mutex_lock(&signets->lock);
	for (const struct task *other = signets->tasks; other != NULL;
	     other = other->next)
		same += strcmp(other->asked_domain, task->asked_domain) == 0;
	enter = signets->task_count < TASKS && same < TASKS_PER_DOMAIN;
	if (enter) {
		task->next = signets->tasks;
		signets->tasks = task;
		signets->task_count++;
	}
	pthread_mutex_unlock(&signets->lock);
	return enter;
}

static bool
start_thread(struct task *task)
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

/* The key of a flight is the name, and behind a space the fingerprint. */
static struct task *
task_new(struct signets *signets, struct flight *flight)
{
	const struct span key = flight_key(flight);
	struct task *task = calloc(1, sizeof(*task));
	const struct span name = name_in_key(key);

	if (task == NULL)
		return NULL;
	span_copy_string(name, task->name, sizeof(task->name));
	span_copy_string(span_slice(key, name.length + 1, key.length),
	    task->fingerprint, sizeof(task->fingerprint));
	task->is_user = strchr(task->name, '@') != NULL;
	span_copy_string(span_string(task->is_user ? address_domain(task->name)
	                                           : task->name),
	    task->asked_domain, sizeof(task->asked_domain));
	task->signets = signets;
	task->flight = flight;
	return task;
}

static void
start(void *context, struct flight *flight)
{
	struct task *task = task_new(context, flight);
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
	value = conclude(task, ERR_BUSY, &busy);
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

int
signets_find(struct signets *signets, const struct domain_facts *domain,
    const char *name, const char *fingerprint, struct deadline deadline,
    const struct signet_facts **out, bool *hit)
{
	struct memory_value *value = NULL;
	uint8_t digest[CRYPTO_SHA512];
	char key[KEY_SIZE];
	int err = 0;

	crypto_sha512(domain->record, digest);
	*out = memory_find(signets, digest, name, fingerprint);
	*hit = *out != NULL;
	if (*out == NULL) {
		err = flights_join(signets->flights,
		    redis_name(name, fingerprint, key), deadline, &value);
		*out = (const struct signet_facts *)value;
	}
	return err;
}

/* Keys of the name itself, and of the addresses at it if it is a domain. */
static bool
belongs_to(void *context, struct span key)
{
	const struct span wanted = span_string(context);
	const struct span name =
	    name_in_key(span_slice(key, 2, key.length));
	const uint8_t *at = memchr(name.data, '@', name.length);

	if (key.data[0] != 's')
		return false;
	if (span_equal(name, wanted))
		return true;
	return at != NULL &&
	    span_equal(wanted,
	        span_slice(name, (size_t)(at - name.data) + 1, name.length));
}

void
signets_forget(struct signets *signets, const char *name)
{
	char copy[ADDRESS_SIZE];

	if (signets->settings.cache != NULL)
		cache_delete(signets->settings.cache,
		    strchr(name, '@') == NULL ? "o" : "u", span_string(name));
	snprintf(copy, sizeof(copy), "%s", name);
	memory_drop_matching(signets->settings.memory, belongs_to, copy);
}

void
signets_count(struct signets *signets, struct signets_counters *out)
{
	out->fetched = atomic_load(&signets->fetched);
	out->failed = atomic_load(&signets->failed);
	out->redis = atomic_load(&signets->redis);
}
