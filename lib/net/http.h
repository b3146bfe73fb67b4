/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_NET_HTTP_H
#define DIME_NET_HTTP_H

#include "base/address.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"

/*
 * One HTTP POST, in clear, to a host whose addresses the caller has found: no
 * name is resolved here, no proxy is used and no redirection followed. This
 * file is the only one that calls libcurl.
 */

/* Once, before other threads start, as often as http_end() at the end. */
int http_start(void);
void http_end(void);

struct http_place {
	char host[DOMAIN_SIZE];
	unsigned int port;
};

/*
 * Where a URL leads. ERR_FORMAT when its scheme is not http, when it has a user
 * or its host is not a domain in normal form: numbers, in whatever spelling,
 * are none.
 */
int http_read_url(const char *url, struct http_place *out,
    struct fault *fault);

struct http_post {
	const char *url; /* that http_read_url() takes */
	const char *request_type, *answer_type; /* of the contents */
	struct span body;
	/* Numeric, `address_count` of them in `address_size` octets each: the
	 * only ones that are connected to. */
	const char *addresses;
	size_t address_size, address_count;
};

/*
 * Sends it and appends the contents of the answer to `out`, whose limit bounds
 * them. ERR_UNREACHABLE, ERR_TIMEOUT; ERR_TOO_LARGE over the limit;
 * ERR_PROTOCOL for anything but 200 with that type.
 */
int http_send(const struct http_post *post, struct deadline deadline,
    struct buffer *out, struct fault *fault);

#endif
