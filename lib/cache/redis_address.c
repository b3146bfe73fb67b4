/* SPDX-License-Identifier: BSD-2-Clause */
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/error.h"
#include "cache/redis_address.h"

struct redis_address {
	pthread_mutex_t mutex;
	unsigned int references; /* the owner, and a lookup that runs */
	bool looking;
	char *host; /* NULL: nothing to look up */
	char port[8];
	struct redis_endpoint known[REDIS_ADDRESSES];
	size_t known_count;
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
	free(address->host);
	free(address);
}

/* Finds out without holding the mutex, then replaces what was known. */
static bool
look_up(struct redis_address *address, int flags)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
	    .ai_flags = flags | AI_NUMERICSERV};
	struct addrinfo *list, *item;
	size_t count = 0;

	if (getaddrinfo(address->host, address->port, &hints, &list) != 0)
		return false;
	pthread_mutex_lock(&address->mutex);
	for (item = list; item != NULL && count < REDIS_ADDRESSES;
	     item = item->ai_next) {
		memcpy(&address->known[count].address, item->ai_addr,
		    item->ai_addrlen);
		address->known[count++].length = item->ai_addrlen;
	}
	address->known_count = count;
	pthread_mutex_unlock(&address->mutex);
	freeaddrinfo(list);
	return true;
}

static void *
lookup_thread(void *argument)
{
	struct redis_address *address = argument;

	look_up(address, 0);
	pthread_mutex_lock(&address->mutex);
	address->looking = false;
	pthread_mutex_unlock(&address->mutex);
	release(address);
	return NULL;
}

void
redis_address_refresh(struct redis_address *address)
{
	pthread_t thread;

	pthread_mutex_lock(&address->mutex);
	if (address->host != NULL && !address->looking &&
	    pthread_create(&thread, NULL, lookup_thread, address) == 0) {
		pthread_detach(thread);
		address->looking = true;
		address->references++;
	}
	pthread_mutex_unlock(&address->mutex);
}

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
set_host(struct redis_address *address, const char *host, unsigned int port)
{
	address->host = strdup(host);
	if (address->host == NULL)
		return ERR_MEMORY;
	snprintf(address->port, sizeof(address->port), "%u", port);
	if (!look_up(address, AI_NUMERICHOST)) {
		redis_address_refresh(address);
		return 0;
	}
	free(address->host);
	address->host = NULL;
	return 0;
}

int
redis_address_new(const char *socket, const char *host, unsigned int port,
    struct redis_address **out)
{
	struct redis_address *address = calloc(1, sizeof(*address));
	int err;

	*out = NULL;
	if (address == NULL)
		return ERR_MEMORY;
	pthread_mutex_init(&address->mutex, NULL);
	address->references = 1;
	err = *socket != '\0' ? set_socket(address, socket)
	                      : set_host(address, host, port);
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

size_t
redis_address_get(struct redis_address *address,
    struct redis_endpoint out[static REDIS_ADDRESSES])
{
	size_t count;

	pthread_mutex_lock(&address->mutex);
	count = address->known_count;
	memcpy(out, address->known, count * sizeof(*out));
	pthread_mutex_unlock(&address->mutex);
	if (count == 0)
		redis_address_refresh(address);
	return count;
}
