/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dmtpd/backoff.h"

enum {
	ENTRIES = 1024,
	NAME_SIZE = 320,
	FIRST = 5000, /* milliseconds */
	MOST = 60000,
	TRIAL = 60000, /* that one delivery may take to find out */
};

struct entry {
	char host[NAME_SIZE]; /* "": free */
	int64_t until;
	int64_t pause;
	bool trial; /* one delivery is finding out */
	int err;    /* of the last failure */
};

struct backoff {
	const struct clock *clock;
	pthread_mutex_t lock;
	struct entry entries[ENTRIES];
};

struct backoff *
backoff_new(const struct clock *clock)
{
	struct backoff *backoff = calloc(1, sizeof(*backoff));

	if (backoff == NULL)
		return NULL;
	backoff->clock = clock;
	pthread_mutex_init(&backoff->lock, NULL);
	return backoff;
}

void
backoff_free(struct backoff *backoff)
{
	if (backoff == NULL)
		return;
	pthread_mutex_destroy(&backoff->lock);
	free(backoff);
}

static struct entry *
find(struct backoff *backoff, const char *host)
{
	for (size_t i = 0; i < ENTRIES; i++)
		if (strncmp(backoff->entries[i].host, host, NAME_SIZE - 1) == 0)
			return &backoff->entries[i];
	return NULL;
}

/* A free place, or that of the host whose time is over first. */
static struct entry *
make(struct backoff *backoff, const char *host)
{
	struct entry *chosen = &backoff->entries[0];

	for (size_t i = 0; i < ENTRIES && chosen->host[0] != '\0'; i++) {
		struct entry *entry = &backoff->entries[i];

		if (entry->host[0] == '\0' || entry->until < chosen->until)
			chosen = entry;
	}
	*chosen = (struct entry){.pause = 0};
	snprintf(chosen->host, NAME_SIZE, "%s", host);
	return chosen;
}

bool
backoff_may_try(struct backoff *backoff, const char *host, int *err)
{
	int64_t now = clock_monotonic(backoff->clock);
	struct entry *entry;
	bool may;

	pthread_mutex_lock(&backoff->lock);
	entry = find(backoff, host);
	may = entry == NULL || entry->until <= now;
	*err = may ? 0 : entry->err;
	if (may && entry != NULL) {
		entry->until = now + TRIAL;
		entry->trial = true;
	}
	pthread_mutex_unlock(&backoff->lock);
	return may;
}

void
backoff_failed(struct backoff *backoff, const char *host, int err)
{
	int64_t now = clock_monotonic(backoff->clock);
	struct entry *entry;

	pthread_mutex_lock(&backoff->lock);
	entry = find(backoff, host);
	if (entry == NULL)
		entry = make(backoff, host);
	entry->err = err;
	/* Those that were under way when it failed first count as one. */
	if (entry->trial || entry->until <= now) {
		entry->pause = entry->pause == 0 ? FIRST : entry->pause * 2;
		if (entry->pause > MOST)
			entry->pause = MOST;
		entry->until = now + entry->pause;
		entry->trial = false;
	}
	pthread_mutex_unlock(&backoff->lock);
}

void
backoff_succeeded(struct backoff *backoff, const char *host)
{
	struct entry *entry;

	pthread_mutex_lock(&backoff->lock);
	entry = find(backoff, host);
	if (entry != NULL)
		entry->host[0] = '\0';
	pthread_mutex_unlock(&backoff->lock);
}
