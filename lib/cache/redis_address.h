/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_CACHE_REDIS_ADDRESS_H
#define DIME_CACHE_REDIS_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/*
 * Where Redis is. A unix socket or an address is known at once; a host's name is
 * looked up by a thread of its own, since the C library's resolver may take as
 * long as it likes and a request may not. Any thread.
 */
struct redis_address;

enum { REDIS_ADDRESSES = 4 };

struct redis_endpoint {
	struct sockaddr_storage address;
	socklen_t length;
};

/* `socket` is a path, or "" for `host` and `port`. ERR_MEMORY, or ERR_CONFIG for a
 * path that is too long. */
int redis_address_new(const char *socket, const char *host, unsigned int port,
    struct redis_address **out);

/* Does not wait for a lookup. */
void redis_address_free(struct redis_address *address);

/* Copies what is known and returns how many that is. 0 starts a lookup. */
size_t redis_address_get(struct redis_address *address,
    struct redis_endpoint out[static REDIS_ADDRESSES]);

/* None of them answered: looks the name up again. */
void redis_address_refresh(struct redis_address *address);

#endif
