/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_CACHE_WIRE_H
#define DIME_CACHE_WIRE_H

#include <sys/socket.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/span.h"

/*
 * Octets to and from Redis and its sentinels. A deadline bounds a whole question
 * however its answer trickles in. Errors: ERR_TIMEOUT, ERR_UNREACHABLE.
 */

struct redis_endpoint {
	struct sockaddr_storage address;
	socklen_t length;
};

/* *out is for close(). */
int wire_connect(const struct redis_endpoint *endpoint,
    struct deadline deadline, int *out, struct fault *fault);

int wire_send(int fd, struct span data, struct deadline deadline,
    struct fault *fault);

/* At least one octet, at most `size`; *got tells how many. */
int wire_receive(int fd, void *data, size_t size, struct deadline deadline,
    size_t *got, struct fault *fault);

#endif
