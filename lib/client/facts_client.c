/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdlib.h>

#include "client/facts_private.h"

enum {
	IDLE = 16,      /* connections, at most */
	SHARE = 8,      /* one of so many that policyd serves at a time */
	IDLE_TIME = 60 * 1000, /* milliseconds */
};

/* Whoever asks shall seldom find that policyd has just closed. */
_Static_assert((int)IDLE_TIME <= FACTS_SILENCE / 2,
    "an idle connection is given up long before policyd closes it");

struct idle {
	struct stream *stream;
	int64_t until;
};

struct facts_client {
	char *path;
	size_t limit;
	const struct clock *clock;
	pthread_mutex_t lock; /* guards the rest */
	size_t count;
	struct idle idle[IDLE]; /* in the order of coming */
};

static int64_t
now(const struct facts_client *client)
{
	return clock_monotonic(client->clock);
}

int
facts_client_new(const char *socket_path, int64_t connection_limit,
    const struct clock *clock, struct facts_client **out)
{
	struct facts_client *client = calloc(1, sizeof(*client));
	const int64_t share = connection_limit / SHARE;

	*out = NULL;
	if (client == NULL || (client->path = strdup(socket_path)) == NULL) {
		free(client);
		return ERR_MEMORY;
	}
	client->clock = clock;
	client->limit = share < IDLE ? (size_t)share : IDLE;
	pthread_mutex_init(&client->lock, NULL);
	*out = client;
	return 0;
}

void
facts_client_free(struct facts_client *client)
{
	if (client == NULL)
		return;
	while (client->count > 0)
		stream_free(client->idle[--client->count].stream);
	pthread_mutex_destroy(&client->lock);
	free(client->path);
	free(client);
}

const char *
facts_client_path(const struct facts_client *client)
{
	return client->path;
}

/* The one that was used last: of several some then come to their end. */
static bool
pop(struct facts_client *client, struct idle *out)
{
	bool found;

	pthread_mutex_lock(&client->lock);
	found = client->count > 0;
	if (found)
		*out = client->idle[--client->count];
	pthread_mutex_unlock(&client->lock);
	return found;
}

/* An octet would belong to no question, and the end is the end. */
static bool
is_silent(struct stream *stream)
{
	uint8_t octet;
	size_t got;

	return stream_read(stream, &octet, 1, &got, deadline_in(0)) ==
	    ERR_TIMEOUT;
}

struct stream *
facts_client_take(struct facts_client *client)
{
	struct idle idle;

	while (pop(client, &idle)) {
		if (idle.until > now(client) && is_silent(idle.stream))
			return idle.stream;
		stream_free(idle.stream);
	}
	return NULL;
}

/* The oldest one, if it is over its time or in the way. */
static struct stream *
shift(struct facts_client *client)
{
	struct stream *oldest = client->idle[0].stream;

	if (client->count == 0 || (client->count < client->limit &&
	                              client->idle[0].until > now(client)))
		return NULL;
	client->count--;
	memmove(client->idle, client->idle + 1,
	    client->count * sizeof(client->idle[0]));
	return oldest;
}

void
facts_client_keep(struct facts_client *client, struct stream *stream)
{
	struct stream *surplus = stream;

	pthread_mutex_lock(&client->lock);
	if (client->limit > 0) {
		surplus = shift(client);
		client->idle[client->count++] =
		    (struct idle){stream, now(client) + IDLE_TIME};
	}
	pthread_mutex_unlock(&client->lock);
	stream_free(surplus);
}
