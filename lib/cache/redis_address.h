/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_CACHE_REDIS_ADDRESS_H
#define DIME_CACHE_REDIS_ADDRESS_H

#include "cache/cache.h"
#include "cache/wire.h"

/*
 * Where Redis is. A unix socket or an address is known at once. A host's name
 * is looked up, and sentinels are asked, by a thread of its own, since either
 * may take as long as it likes and a request may not. Any thread.
 */
struct redis_address;

enum { REDIS_ADDRESSES = 4 };

/* ERR_MEMORY, or ERR_CONFIG for a path that is too long or a sentinel's address
 * that is none. */
int redis_address_new(const struct cache_settings *settings,
    struct redis_address **out);

/* Does not wait for a lookup. */
void redis_address_free(struct redis_address *address);

/* Copies what is known and returns how many that is; *place is a number for it.
 * 0 starts a lookup. */
size_t redis_address_get(struct redis_address *address,
    struct redis_endpoint out[static REDIS_ADDRESSES], unsigned int *place);

/* The number of what is known now; sentinels are asked again from time to time.
 */
unsigned int redis_address_place(struct redis_address *address);

/* Redis failed there: sentinels are asked again; a host's name is looked up
 * again when it was not to be reached. */
void redis_address_doubt(struct redis_address *address, bool unreachable);

#endif
