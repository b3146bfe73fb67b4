/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/replay.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

enum { ENTRIES = 64, RECORDS = 32, HELD = 256, ALIASES = 8, CNAME = 5 };

/* What DNS says of one name and type. */
struct entry {
	char name[DOMAIN_SIZE + 16];
	enum dns_type type;
	enum dns_answer answer;
	bool silent;   /* no answer comes */
	bool unproven; /* below no trust anchor */
	int64_t ttl;
	char reason[100];
	char target[DOMAIN_SIZE + 16]; /* of a CNAME */
	size_t count;
	struct buffer records[RECORDS]; /* RDATA as on the wire */
};

struct question {
	char name[DOMAIN_SIZE + 16];
	enum dns_type type;
	dns_done *done;
	void *context;
};

struct replay_dns {
	pthread_mutex_t lock;
	enum replay_network network;
	struct entry entries[ENTRIES];
	size_t entry_count;
	struct question held[HELD]; /* that have no answer */
	size_t held_count;
	struct buffer asked;
};

static const struct {
	const char *name;
	int type;
} types[] = {
    {"A", DNS_TYPE_A},
    {"CNAME", CNAME},
    {"MX", DNS_TYPE_MX},
    {"TXT", DNS_TYPE_TXT},
    {"AAAA", DNS_TYPE_AAAA},
};

/* ---- answering ---- */

static bool
is_below(const char *name, const char *pattern)
{
	const size_t length = strlen(name), suffix = strlen(pattern) - 1;

	return strcmp(pattern, "*") == 0 ||
	    (strncmp(pattern, "*.", 2) == 0 && length > suffix &&
	        strcmp(name + length - suffix, pattern + 1) == 0);
}

static bool
is_listed(const struct replay_dns *dns, const char *name)
{
	for (size_t i = 0; i < dns->entry_count; i++)
		if (strcmp(dns->entries[i].name, name) == 0)
			return true;
	return false;
}

/* The entry of that name; for one that is not listed at all the longest
 * wildcard's. An alias stands for every type. */
static const struct entry *
find(const struct replay_dns *dns, const char *name, enum dns_type type)
{
	const bool listed = is_listed(dns, name);
	const struct entry *found = NULL;

	for (size_t i = 0; i < dns->entry_count; i++) {
		const struct entry *entry = &dns->entries[i];

		if (entry->type != type && (int)entry->type != CNAME)
			continue;
		if (strcmp(entry->name, name) == 0)
			return entry;
		if (!listed && is_below(name, entry->name) &&
		    (found == NULL ||
		        strlen(entry->name) > strlen(found->name)))
			found = entry;
	}
	return found;
}

/* An alias is no safer than what it stands in for, nor the reverse. */
static enum dns_answer
weaken(enum dns_answer answer)
{
	if (answer == DNS_PRESENT_SECURE)
		return DNS_PRESENT_INSECURE;
	return answer == DNS_ABSENT_PROVEN ? DNS_ABSENT_INSECURE : answer;
}

static struct dns_reply *
reply_of(const struct entry *entry, bool weak, bool unproven, int64_t ttl)
{
	struct span data[RECORDS];
	enum dns_answer answer = entry->answer;
	struct dns_reply *reply;

	if (weak || unproven)
		answer = weaken(answer);
	if (unproven && answer == DNS_ABSENT_INSECURE)
		answer = DNS_UNREACHABLE;
	for (size_t i = 0; i < entry->count; i++)
		data[i] = buffer_span(&entry->records[i]);
	reply = dns_reply_copy(answer, data, entry->count);
	if (reply == NULL)
		return NULL;
	reply->ttl = ttl < entry->ttl ? ttl : entry->ttl;
	reply->anchored = !unproven;
	snprintf(reply->reason, sizeof(reply->reason), "%s", entry->reason);
	return reply;
}

/* Under the lock. False: no answer comes. */
static bool
answer(const struct replay_dns *dns, const char *name, enum dns_type type,
    struct dns_reply **reply)
{
	static const struct entry absent = {.answer = DNS_ABSENT_PROVEN,
	    .ttl = 600};
	const struct entry *entry = NULL;
	bool weak = false, unproven = false;
	int64_t ttl = INT64_MAX;

	*reply = NULL;
	if (dns->network == REPLAY_DOWN)
		*reply = dns_reply_new(DNS_UNREACHABLE, "the network is down");
	if (dns->network != REPLAY_UP)
		return dns->network == REPLAY_DOWN;
	for (int i = 0; i < ALIASES; i++) {
		entry = find(dns, name, type);
		if (entry == NULL)
			entry = &absent;
		if (entry->silent)
			return false;
		unproven = unproven || entry->unproven;
		if ((int)entry->type != CNAME)
			break;
		weak = weak || entry->answer == DNS_PRESENT_INSECURE;
		ttl = entry->ttl < ttl ? entry->ttl : ttl;
		name = entry->target;
	}
	*reply = reply_of(entry, weak, unproven, ttl);
	return true;
}

static void
note_question(struct replay_dns *dns, const char *name, enum dns_type type)
{
	if (type == DNS_TYPE_A || type == DNS_TYPE_AAAA || type == DNS_TYPE_MX)
		return;
	buffer_append_string(&dns->asked, name);
	if (type != DNS_TYPE_TXT)
		buffer_printf(&dns->asked, "/%d", (int)type);
	buffer_append_string(&dns->asked, " ");
}

static void
ask(void *context, const char *name, enum dns_type type, dns_done *done,
    void *done_context)
{
	struct replay_dns *dns = context;
	struct question *question;
	struct dns_reply *reply = NULL;
	bool answered;

	pthread_mutex_lock(&dns->lock);
	note_question(dns, name, type);
	answered = answer(dns, name, type, &reply);
	if (!answered && dns->held_count < HELD) {
		question = &dns->held[dns->held_count++];
		snprintf(question->name, sizeof(question->name), "%s", name);
		question->type = type;
		question->done = done;
		question->context = done_context;
		done = NULL;
	}
	pthread_mutex_unlock(&dns->lock);
	if (done != NULL)
		done(done_context, reply);
}

/* Those that were held and now have an answer get it; with `all` none stays. */
static void
release_held(struct replay_dns *dns, bool all)
{
	static struct question ready[HELD];
	static struct dns_reply *replies[HELD];
	size_t count = 0, kept = 0;

	pthread_mutex_lock(&dns->lock);
	for (size_t i = 0; i < dns->held_count; i++) {
		const struct question question = dns->held[i];

		replies[count] = NULL;
		if (all || answer(dns, question.name, question.type,
		               &replies[count]))
			ready[count++] = question;
		else
			dns->held[kept++] = question;
	}
	dns->held_count = kept;
	pthread_mutex_unlock(&dns->lock);
	for (size_t i = 0; i < count; i++)
		ready[i].done(ready[i].context, replies[i]);
}

static int64_t
last_answer(void *context)
{
	struct replay_dns *dns = context;

	return clock_monotonic(&clock_system) -
	    (dns->network == REPLAY_UP ? 0 : 60000);
}

static void
forget(void *context)
{
}

struct dns_source
replay_dns_source(struct replay_dns *dns)
{
	return (struct dns_source){dns, ask, last_answer, forget};
}

/* ---- the script ---- */

struct replay_dns *
replay_dns_new(void)
{
	struct replay_dns *dns = calloc(1, sizeof(*dns));

	assert_non_null(dns);
	pthread_mutex_init(&dns->lock, NULL);
	dns->asked = buffer_make(1 << 20);
	return dns;
}

static void
clear(struct entry *entry)
{
	for (size_t i = 0; i < entry->count; i++)
		buffer_free(&entry->records[i]);
	*entry = (struct entry){0};
}

void
replay_dns_free(struct replay_dns *dns)
{
	if (dns == NULL)
		return;
	release_held(dns, true);
	for (size_t i = 0; i < dns->entry_count; i++)
		clear(&dns->entries[i]);
	buffer_free(&dns->asked);
	pthread_mutex_destroy(&dns->lock);
	free(dns);
}

static enum dns_type
read_type(const struct replay *replay, const char *text)
{
	for (size_t i = 0; i < COUNT(types); i++)
		if (strcmp(types[i].name, text) == 0)
			return (enum dns_type)types[i].type;
	if (strncmp(text, "TYPE", 4) == 0)
		return (enum dns_type)replay_number(replay, text + 4);
	replay_fail(replay, "%s: no type of record", text);
}

/* The answers of R7 that DNS gives, and how they may fail to come. */
static void
read_answer(const struct replay *replay, const char *text, struct entry *entry)
{
	const int known = dns_answer_by_name(text);

	entry->ttl = 600;
	entry->silent = strcmp(text, "silent") == 0;
	entry->unproven = strcmp(text, "unproven") == 0;
	entry->answer = entry->unproven ? DNS_PRESENT_INSECURE
	                                : (enum dns_answer)known;
	if (known == DNS_BOGUS)
		strcpy(entry->reason, "signature expired");
	if (known == DNS_UNREACHABLE)
		strcpy(entry->reason, "no answer (response code 2)");
	if ((known < 0 && !entry->silent && !entry->unproven) ||
	    known == DNS_MALFORMED)
		replay_fail(replay, "%s: no answer of DNS", text);
}

static bool
is_address(const char *text, int type, struct buffer *data)
{
	uint8_t octets[16];
	const int family = type == DNS_TYPE_A ? AF_INET : AF_INET6;

	if (inet_pton(family, text, octets) != 1)
		return false;
	buffer_append(data, octets, type == DNS_TYPE_A ? 4 : 16);
	return true;
}

/* A name as on the wire, uncompressed. */
static void
write_name(const char *name, struct buffer *data)
{
	while (*name != '\0') {
		const size_t length = strcspn(name, ".");

		buffer_u8(data, (uint8_t)length);
		buffer_append(data, name, length);
		name += length + (name[length] == '.');
	}
	buffer_u8(data, 0);
}

/* The words from `first` on: the strings of one TXT, or an address, or a
 * preference and a name. */
static void
read_data(const struct replay *replay, const struct replay_step *step,
    size_t first, enum dns_type type, struct buffer *data)
{
	*data = buffer_make(1 << 16);
	if (type == DNS_TYPE_MX) {
		buffer_u16(data, (uint16_t)replay_number(replay,
		    replay_word(replay, step, first)));
		write_name(replay_word(replay, step, first + 1), data);
	} else if (type == DNS_TYPE_A || type == DNS_TYPE_AAAA) {
		if (!is_address(replay_word(replay, step, first), (int)type,
		        data))
			replay_fail(replay, "not an address");
	} else {
		for (size_t i = first; i < step->count; i++) {
			const struct span text =
			    buffer_span(&step->words[i].text);

			if (text.length > UINT8_MAX)
				replay_fail(replay, "a string of %zu octets",
				    text.length);
			buffer_u8(data, (uint8_t)text.length);
			buffer_append_span(data, text);
		}
	}
	assert_int_equal(data->error, 0);
}

static bool
is_time(const struct replay_word *word)
{
	const char *text = (const char *)word->text.data;
	const size_t digits = strspn(text, "0123456789");

	return !word->quoted && digits > 0 &&
	    text[digits + strspn(text + digits, "smhd")] == '\0';
}

static void
read_entry(const struct replay *replay, const struct replay_step *step,
    struct entry *entry)
{
	size_t at = 4;

	snprintf(entry->name, sizeof(entry->name), "%s",
	    replay_word(replay, step, 1));
	entry->type = read_type(replay, replay_word(replay, step, 2));
	read_answer(replay, replay_word(replay, step, 3), entry);
	if (step->count > at && is_time(&step->words[at]))
		entry->ttl =
		    replay_seconds(replay, replay_word(replay, step, at++));
	if (step->count == at)
		return;
	if ((int)entry->type == CNAME)
		snprintf(entry->target, sizeof(entry->target), "%s",
		    replay_word(replay, step, at));
	else
		read_data(replay, step, at, entry->type,
		    &entry->records[entry->count++]);
}

static struct entry *
entry_for(struct replay *replay, const struct entry *wanted)
{
	struct replay_dns *dns = replay->dns;

	for (size_t i = 0; i < dns->entry_count; i++)
		if (strcmp(dns->entries[i].name, wanted->name) == 0 &&
		    dns->entries[i].type == wanted->type)
			return &dns->entries[i];
	if (dns->entry_count == ENTRIES)
		replay_fail(replay, "too many names");
	return &dns->entries[dns->entry_count++];
}

void
replay_dns_set(struct replay *replay, const struct replay_step *step, bool add)
{
	struct entry entry = {0}, *at;

	read_entry(replay, step, &entry);
	pthread_mutex_lock(&replay->dns->lock);
	at = entry_for(replay, &entry);
	if (!add || at->count == 0) {
		clear(at);
		*at = entry;
	} else if (at->count < RECORDS && entry.count == 1) {
		at->records[at->count++] = entry.records[0];
	}
	pthread_mutex_unlock(&replay->dns->lock);
	release_held(replay->dns, false);
}

void
replay_dns_network(struct replay_dns *dns, enum replay_network network)
{
	pthread_mutex_lock(&dns->lock);
	dns->network = network;
	pthread_mutex_unlock(&dns->lock);
	release_held(dns, false);
}

bool
replay_dns_is_waiting(struct replay_dns *dns)
{
	bool waiting;

	pthread_mutex_lock(&dns->lock);
	waiting = dns->held_count > 0;
	pthread_mutex_unlock(&dns->lock);
	return waiting;
}

void
replay_dns_asked(struct replay_dns *dns, struct buffer *out)
{
	pthread_mutex_lock(&dns->lock);
	buffer_append_span(out, buffer_span(&dns->asked));
	buffer_reset(&dns->asked);
	pthread_mutex_unlock(&dns->lock);
}
