/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdlib.h>

#include <openssl/err.h>

#include "net/tls_kept.h"

enum {
	KEPT = 128,
	KEPT_TIME = 10 * 60 * 1000, /* what a master secret may live on */
	STAPLED_LIMIT = 1 << 20,
};

struct entry {
	char *name;
	SSL_SESSION *session; /* NULL: free */
	struct buffer stapled;
	struct deadline until;
};

struct tls_kept {
	pthread_mutex_t lock;
	struct entry entries[KEPT];
};

struct tls_kept *
tls_kept_new(void)
{
	struct tls_kept *kept = calloc(1, sizeof(*kept));

	if (kept != NULL)
		pthread_mutex_init(&kept->lock, NULL);
	return kept;
}

static void
entry_free(struct entry *entry)
{
	SSL_SESSION_free(entry->session);
	buffer_free(&entry->stapled);
	free(entry->name);
	*entry = (struct entry){.session = NULL};
}

void
tls_kept_free(struct tls_kept *kept)
{
	if (kept == NULL)
		return;
	for (size_t i = 0; i < KEPT; i++)
		entry_free(&kept->entries[i]);
	pthread_mutex_destroy(&kept->lock);
	free(kept);
}

/* A free place, or that of the session whose time is over first. */
static struct entry *
choose(struct tls_kept *kept)
{
	struct entry *chosen = &kept->entries[0];

	for (size_t i = 0; i < KEPT && chosen->session != NULL; i++) {
		struct entry *entry = &kept->entries[i];

		if (entry->session == NULL ||
		    entry->until.at < chosen->until.at)
			chosen = entry;
	}
	return chosen;
}

void
tls_kept_put(struct tls_kept *kept, const char *name, SSL_SESSION *session,
    struct span stapled)
{
	struct entry made = {.name = strdup(name), .session = session,
	    .stapled = buffer_make(STAPLED_LIMIT),
	    .until = deadline_in(KEPT_TIME)};
	struct entry *place, old;

	buffer_append_span(&made.stapled, stapled);
	if (made.name == NULL || made.stapled.error != 0) {
		entry_free(&made);
		return;
	}
	pthread_mutex_lock(&kept->lock);
	place = choose(kept);
	old = *place;
	*place = made;
	pthread_mutex_unlock(&kept->lock);
	entry_free(&old);
}

SSL_SESSION *
tls_kept_take(struct tls_kept *kept, const char *name, struct buffer *stapled)
{
	struct entry found = {.session = NULL};
	SSL_SESSION *session;

	pthread_mutex_lock(&kept->lock);
	for (size_t i = 0; i < KEPT && found.session == NULL; i++) {
		struct entry *entry = &kept->entries[i];

		if (entry->session == NULL)
			continue;
		if (deadline_left(entry->until) == 0) {
			entry_free(entry);
		} else if (strcmp(entry->name, name) == 0) {
			found = *entry;
			*entry = (struct entry){.session = NULL};
		}
	}
	pthread_mutex_unlock(&kept->lock);
	session = found.session;
	found.session = NULL;
	buffer_append_span(stapled, buffer_span(&found.stapled));
	entry_free(&found);
	return session;
}
