/* SPDX-License-Identifier: BSD-2-Clause */
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

#include "base/log.h"
#include "cache/redis.h"
#include "cache/redis_address.h"
#include "cache/sentinel.h"

enum {
	SENTINEL_TIME = 1000,   /* milliseconds for one of them */
	SENTINEL_AGAIN = 10000, /* likewise until they are asked anew */
	NAME_SIZE = NI_MAXHOST + 8,
};

/* A host's name or address, with a port. */
struct target {
	char *host;
	char port[8];
};

struct redis_address {
	pthread_mutex_t mutex;
	unsigned int references; /* the owner, and a lookup that runs */
	bool looking;
	int64_t looked; /* monotonic: when the last lookup began */
	size_t target_count; /* 0: nothing to look up */
	struct target *targets; /* Redis's host, or sentinels */
	char *master, *sentinel_password; /* NULL: no sentinels */
	unsigned int place;
	size_t known_count;
	struct redis_endpoint known[REDIS_ADDRESSES];
};

static void
release(struct redis_address *address)
{
	bool last;

	pthread_mutex_lock(&address->mutex);
	last = --address->references == 0;
	pthread_mutex_unlock(&address->mutex);
	if (!last)
		return;
	pthread_mutex_destroy(&address->mutex);
	for (size_t i = 0; i < address->target_count; i++)
		free(address->targets[i].host);
	free(address->targets);
	if (address->sentinel_password != NULL)
		explicit_bzero(address->sentinel_password,
		    strlen(address->sentinel_password));
	free(address->sentinel_password);
	free(address->master);
	free(address);
}

/* ---- looking up ---- */

/* Returns how many addresses a target has. */
static size_t
resolve(const struct target *target, int flags,
    struct redis_endpoint out[static REDIS_ADDRESSES])
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
	    .ai_flags = flags | AI_NUMERICSERV};
	struct addrinfo *list, *item;
	size_t count = 0;

	if (getaddrinfo(target->host, target->port, &hints, &list) != 0)
		return 0;
	for (item = list; item != NULL && count < REDIS_ADDRESSES;
	     item = item->ai_next) {
		out[count] =
		    (struct redis_endpoint){.length = item->ai_addrlen};
		memcpy(&out[count++].address, item->ai_addr, item->ai_addrlen);
	}
	freeaddrinfo(list);
	return count;
}

static void
log_place(const struct redis_endpoint *place)
{
	char host[NI_MAXHOST] = "", port[8] = "", text[NAME_SIZE];
	struct log_line line;

	getnameinfo((const struct sockaddr *)&place->address, place->length,
	    host, sizeof(host), port, sizeof(port),
	    NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(text, sizeof(text), "%s@%s", host, port);
	log_begin(&line, LOG_NOTICE, "cache-master");
	log_text(&line, "address", text);
	log_end(&line);
}

/* Replaces what was known; the number changes when that did. */
static void
learn(struct redis_address *address,
    const struct redis_endpoint found[static REDIS_ADDRESSES], size_t count)
{
	const size_t octets = count * sizeof(*found);
	bool same;

	pthread_mutex_lock(&address->mutex);
	same = count == address->known_count &&
	    memcmp(found, address->known, octets) == 0;
	if (!same) {
		memcpy(address->known, found, octets);
		address->known_count = count;
		address->place++;
	}
	pthread_mutex_unlock(&address->mutex);
	if (!same && address->master != NULL)
		log_place(&found[0]);
}

/* The first sentinel that knows is believed. */
static size_t
ask_sentinels(const struct redis_address *address,
    struct redis_endpoint out[static REDIS_ADDRESSES], struct fault *fault)
{
	struct redis_endpoint sentinels[REDIS_ADDRESSES];

	for (size_t i = 0; i < address->target_count; i++) {
		const size_t count =
		    resolve(&address->targets[i], 0, sentinels);

		for (size_t j = 0; j < count; j++)
			if (sentinel_ask(&sentinels[j],
			        address->sentinel_password, address->master,
			        deadline_in(SENTINEL_TIME), &out[0],
			        fault) == 0)
				return 1;
	}
	return 0;
}

static void
look_up(struct redis_address *address)
{
	struct redis_endpoint found[REDIS_ADDRESSES];
	struct fault fault = {0};
	size_t count;

	memset(found, 0, sizeof(found));
	count = address->master == NULL
	    ? resolve(&address->targets[0], 0, found)
	    : ask_sentinels(address, found, &fault);
	if (count > 0)
		learn(address, found, count);
	else if (address->master != NULL)
		log_note(LOG_WARNING, "cache-sentinel",
		    "none of them names a master: %s",
		    fault_text(&fault, ERR_UNREACHABLE));
}

static void *
lookup_thread(void *argument)
{
	struct redis_address *address = argument;

	look_up(address);
	pthread_mutex_lock(&address->mutex);
	address->looking = false;
	pthread_mutex_unlock(&address->mutex);
	release(address);
	return NULL;
}

/* Under the mutex, or the thread might end before it is counted. */
static void
start_lookup(struct redis_address *address)
{
	pthread_t thread;

	if (address->target_count == 0 || address->looking ||
	    pthread_create(&thread, NULL, lookup_thread, address) != 0)
		return;
	pthread_detach(thread);
	address->looking = true;
	address->looked = clock_monotonic(&clock_system);
	address->references++;
}

/* ---- making ---- */

static int
set_socket(struct redis_address *address, const char *path)
{
	struct sockaddr_un *place =
	    (struct sockaddr_un *)(void *)&address->known[0].address;

	if (strlen(path) >= sizeof(place->sun_path))
		return ERR_CONFIG;
	place->sun_family = AF_UNIX;
	memcpy(place->sun_path, path, strlen(path) + 1);
	address->known[0].length = sizeof(*place);
	address->known_count = 1;
	return 0;
}

static int
add_target(struct redis_address *address, struct span host, unsigned int port)
{
	struct target *target = &address->targets[address->target_count];

	target->host = strndup((const char *)host.data, host.length);
	if (target->host == NULL)
		return ERR_MEMORY;
	snprintf(target->port, sizeof(target->port), "%u", port);
	address->target_count++;
	return 0;
}

static int
set_host(struct redis_address *address, const char *host, unsigned int port)
{
	int err = add_target(address, span_string(host), port);

	if (err != 0)
		return err;
	address->known_count = resolve(&address->targets[0], AI_NUMERICHOST,
	    address->known);
	if (address->known_count == 0) {
		start_lookup(address);
		return 0;
	}
	free(address->targets[0].host);
	address->target_count = 0;
	return 0;
}

/* `HOST` or `HOST@PORT`. */
static int
add_sentinel(struct redis_address *address, const char *text)
{
	const char *at = strchr(text, '@');
	const size_t length = at == NULL ? strlen(text) : (size_t)(at - text);
	uint64_t port = CACHE_SENTINEL_PORT;

	if (length == 0 ||
	    (at != NULL &&
	        (!span_number(span_string(at + 1), UINT16_MAX, &port) ||
	            port == 0)))
		return ERR_CONFIG;
	return add_target(address, span_of(text, length), (unsigned int)port);
}

static int
set_sentinels(struct redis_address *address,
    const struct cache_settings *settings)
{
	int err = 0;

	address->master = strdup(cache_text(settings->master));
	address->sentinel_password =
	    strdup(cache_text(settings->sentinel_password));
	if (address->master == NULL || address->sentinel_password == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < settings->sentinel_count && err == 0; i++)
		err = add_sentinel(address, settings->sentinels[i]);
	if (err == 0)
		start_lookup(address);
	return err;
}

int
redis_address_new(const struct cache_settings *settings,
    struct redis_address **out)
{
	struct redis_address *address = calloc(1, sizeof(*address));
	const size_t targets =
	    settings->sentinel_count == 0 ? 1 : settings->sentinel_count;
	int err;

	*out = NULL;
	if (address == NULL)
		return ERR_MEMORY;
	pthread_mutex_init(&address->mutex, NULL);
	address->references = 1;
	address->targets = calloc(targets, sizeof(*address->targets));
	pthread_mutex_lock(&address->mutex);
	if (address->targets == NULL)
		err = ERR_MEMORY;
	else if (settings->sentinel_count > 0)
		err = set_sentinels(address, settings);
	else if (*cache_text(settings->socket) != '\0')
		err = set_socket(address, settings->socket);
	else
		err = set_host(address, cache_text(settings->host),
		    settings->port);
	pthread_mutex_unlock(&address->mutex);
	if (err != 0)
		release(address);
	else
		*out = address;
	return err;
}

void
redis_address_free(struct redis_address *address)
{
	if (address != NULL)
		release(address);
}

/* ---- asking ---- */

size_t
redis_address_get(struct redis_address *address,
    struct redis_endpoint out[static REDIS_ADDRESSES], unsigned int *place)
{
	size_t count;

	pthread_mutex_lock(&address->mutex);
	count = address->known_count;
	*place = address->place;
	memcpy(out, address->known, count * sizeof(*out));
	if (count == 0)
		start_lookup(address);
	pthread_mutex_unlock(&address->mutex);
	return count;
}

unsigned int
redis_address_place(struct redis_address *address)
{
	unsigned int place;

	pthread_mutex_lock(&address->mutex);
	if (address->master != NULL &&
	    clock_monotonic(&clock_system) - address->looked > SENTINEL_AGAIN)
		start_lookup(address);
	place = address->place;
	pthread_mutex_unlock(&address->mutex);
	return place;
}

void
redis_address_doubt(struct redis_address *address, bool unreachable)
{
	pthread_mutex_lock(&address->mutex);
	if (address->master != NULL || unreachable)
		start_lookup(address);
	pthread_mutex_unlock(&address->mutex);
}
