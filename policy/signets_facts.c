/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "policy/ahead.h"
#include "policy/signets_private.h"

/* Memory is shared with other kinds of facts: "s:" stands in front. */
enum { MEMORY_KEY_SIZE = SIGNETS_KEY_SIZE + 2 };

/* ---- facts ---- */

struct memory_value *
signets_facts_value(const struct signet_facts *facts)
{
	return (struct memory_value *)(uintptr_t)&facts->value;
}

void
signet_facts_release(const struct signet_facts *facts)
{
	if (facts != NULL)
		memory_release(signets_facts_value(facts));
}

static void
destroy(struct memory_value *value)
{
	struct signet_facts *facts = (struct signet_facts *)value;

	signet_facts_release(facts->org);
	free(facts);
}

struct signet_facts *signets_facts_new(const struct signets_task *task,
    enum signet_answer answer, int err, const char *reason, struct span binary,
    int64_t expires)
{
	const size_t length = strlen(reason) + 1;
	const size_t octets =
	    sizeof(struct signet_facts) + length + binary.length;
	struct signet_facts *facts = calloc(1, octets);

	if (facts == NULL)
		return NULL;
	memory_value_start(&facts->value, octets, expires, destroy);
	facts->since = clock_wall(task->signets->settings.clock);
	if (answer == SIGNET_HELD)
		facts->value.lifetime = expires - facts->since;
	facts->whole = task->held != NULL && task->current
	    ? task->held->whole
	    : facts->since;
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

const struct signet_facts *signets_facts_of_org(const struct signets_task *task,
    const struct org_signet *org, int64_t expires)
{
	struct signet_facts *facts = signets_facts_new(task, SIGNET_HELD, 0, "",
	    signet_binary(org->signet), expires);

	if (facts != NULL)
		memcpy(facts->fingerprint, org->fingerprint,
		    sizeof(facts->fingerprint));
	return facts;
}

const struct signet_facts *signets_facts_of_user(
    const struct signets_task *task, const struct user_signet *user,
    int64_t expires)
{
	struct signet_facts *facts = signets_facts_new(task, SIGNET_HELD, 0, "",
	    signet_binary(user->signet), expires);

	if (facts == NULL)
		return NULL;
	memcpy(facts->fingerprint, user->core, sizeof(facts->fingerprint));
	memcpy(facts->full, user->full, sizeof(facts->full));
	facts->org = (const struct signet_facts *)memory_hold(
	    signets_facts_value(task->org_facts));
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

struct span
signets_key(const char *name, const char *which,
    char out[static SIGNETS_KEY_SIZE])
{
	int length = snprintf(out, SIGNETS_KEY_SIZE, "%s%s%s", name,
	    *which == '\0' ? "" : " ", which);

	return span_of(out, (size_t)length);
}

void
signets_which(const char *fingerprint, const char *org,
    char out[static SIGNETS_WHICH_SIZE])
{
	snprintf(out, SIGNETS_WHICH_SIZE, "%s%s%s", fingerprint,
	    *org == '\0' ? "" : " ", org);
}

static struct span
memory_key(const char *name, const char *which,
    char out[static MEMORY_KEY_SIZE])
{
	out[0] = 's';
	out[1] = ':';
	return span_of(out,
	    signets_key(name, which, out + 2).length + 2);
}

/* No name holds a space. */
struct span
signets_key_name(struct span key)
{
	const uint8_t *space = memchr(key.data, ' ', key.length);

	return space == NULL
	    ? key
	    : span_slice(key, 0, (size_t)(space - key.data));
}

/* What a peer has said, a signet or a word on one, was confirmed under one
 * record and does not outlive it. */
static bool
is_under(const struct signet_facts *facts, const uint8_t *digest)
{
	return memcmp(facts->record, digest, sizeof(facts->record)) == 0;
}

/* What is asked for. */
struct wanted {
	const char *name, *fingerprint, *org;
	char which[SIGNETS_WHICH_SIZE];
};

static bool
is_wanted(const struct signet_facts *facts, const struct wanted *wanted)
{
	return has_fingerprint(facts, wanted->fingerprint) &&
	    (*wanted->org == '\0' ||
	        (facts->org != NULL &&
	            strcmp(facts->org->fingerprint, wanted->org) == 0));
}

static const struct signet_facts *
memory_find_one(struct signets *signets, const uint8_t *digest,
    const struct wanted *wanted, const char *stored_under)
{
	char key[MEMORY_KEY_SIZE];
	const struct signet_facts *facts =
	    (const struct signet_facts *)memory_get(signets->settings.memory,
	        memory_key(wanted->name, stored_under, key));

	if (facts == NULL)
		return NULL;
	if ((signet_answer_is_failure(facts->answer) ||
	        is_under(facts, digest)) &&
	    (facts->answer == SIGNET_HELD
	            ? is_wanted(facts, wanted)
	            : strcmp(stored_under, wanted->which) == 0))
		return facts;
	signet_facts_release(facts);
	return NULL;
}

const struct signet_facts *signets_memory_find(struct signets *signets,
    const uint8_t *digest, const char *name, const char *fingerprint,
    const char *org)
{
	struct wanted wanted = {name, fingerprint, org, ""};
	const struct signet_facts *facts;

	signets_which(fingerprint, org, wanted.which);
	facts = memory_find_one(signets, digest, &wanted, "");
	if (facts == NULL && *fingerprint != '\0')
		facts = memory_find_one(signets, digest, &wanted, fingerprint);
	if (facts == NULL && *org != '\0')
		facts = memory_find_one(signets, digest, &wanted,
		    wanted.which);
	return facts;
}

bool
signets_memory_is_current(struct span key, char name[static ADDRESS_SIZE])
{
	return key.length > 2 && key.data[0] == 's' &&
	    memchr(key.data, ' ', key.length) == NULL &&
	    span_copy_string(span_slice(key, 2, key.length), name,
	        ADDRESS_SIZE);
}

bool
signets_memory_has_other(struct signets *signets, const char *name,
    const char *fingerprint)
{
	char key[MEMORY_KEY_SIZE];
	const struct signet_facts *facts =
	    (const struct signet_facts *)memory_get(signets->settings.memory,
	        memory_key(name, "", key));
	const bool other = facts != NULL && facts->answer == SIGNET_HELD &&
	    !has_fingerprint(facts, fingerprint);

	signet_facts_release(facts);
	return other;
}

void
signets_memory_keep(const struct signets_task *task, const char *name,
    const char *which, const struct signet_facts *facts)
{
	char key[MEMORY_KEY_SIZE];

	pthread_mutex_lock(&task->signets->lock);
	if (!task->dropped)
		memory_put(task->signets->settings.memory,
		    memory_key(name, which, key),
		    signets_facts_value(facts));
	pthread_mutex_unlock(&task->signets->lock);
}

/* Keys of the name itself, and of the addresses at it if it is a domain. */
static bool
belongs_to(void *context, struct span key)
{
	const struct span wanted = span_string(context);
	const struct span name =
	    signets_key_name(span_slice(key, 2, key.length));
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
signets_memory_drop(struct signets *signets, const char *name)
{
	char copy[ADDRESS_SIZE];

	snprintf(copy, sizeof(copy), "%s", name);
	ahead_drop(signets->settings.memory);
	memory_drop_matching(signets->settings.memory, belongs_to, copy);
}
