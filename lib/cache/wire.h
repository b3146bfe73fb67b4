/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_CACHE_WIRE_H
#define DIME_CACHE_WIRE_H

#include <sys/socket.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/span.h"

/*
 * Octets to and from Redis and its sentinels. A deadline bounds a whole
 * question however its answer trickles in. Errors: ERR_TIMEOUT,
 * ERR_UNREACHABLE.
 */

struct redis_endpoint {
	struct sockaddr_storage address;
	socklen_t length;
};

struct wire {
	int fd;   /* -1: none */
	int wait; /* milliseconds that the kernel waits when we receive */
};

/* *out is for wire_close(). The deadline is as far off as later ones will
 * be. */
int wire_connect(const struct redis_endpoint *endpoint,
    struct deadline deadline, struct wire *out, struct fault *fault);

/* One that was never opened, or is closed, is fine. */
void wire_close(struct wire *wire);

/* All of it, or an error. */
int wire_send(const struct wire *wire, struct span data,
    struct deadline deadline, struct fault *fault);

/* At least one octet, at most `size`; *got tells how many. */
int wire_receive(const struct wire *wire, void *data, size_t size,
    struct deadline deadline, size_t *got, struct fault *fault);

#endif
