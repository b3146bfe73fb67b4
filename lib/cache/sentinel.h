/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_CACHE_SENTINEL_H
#define DIME_CACHE_SENTINEL_H

#include <stdbool.h>

#include "cache/wire.h"

/*
 * A Redis Sentinel tells which of several Redis servers is the master. What it
 * says is as hostile as all else: it can send us to another Redis, which can do
 * no more than the first one (cache.h).
 */

enum sentinel_reply {
	SENTINEL_MASTER,
	SENTINEL_MORE,    /* not all there yet */
	SENTINEL_UNKNOWN, /* it knows no master of that name */
	SENTINEL_ODD,
};

/*
 * Reads the reply to SENTINEL get-master-addr-by-name, with `greeted` behind
 * that to AUTH. *out is set for SENTINEL_MASTER, to a numeric address: a name
 * would have to be looked up.
 */
enum sentinel_reply sentinel_read(struct span text, bool greeted,
    struct redis_endpoint *out);

/* Asks one. `password` may be "". ERR_REFUSED for a master that it does not
 * know; ERR_PROTOCOL, ERR_TIMEOUT, ERR_UNREACHABLE, ERR_MEMORY. */
int sentinel_ask(const struct redis_endpoint *sentinel, const char *password,
    const char *master, struct deadline deadline, struct redis_endpoint *out,
    struct fault *fault);

#endif
