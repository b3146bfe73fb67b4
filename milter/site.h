/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_MILTER_SITE_H
#define DIME_MILTER_SITE_H

#include <pthread.h>

#include "base/address.h"
#include "base/config.h"

/* The configuration in force, counted by those who use it: a reload puts a new
 * one into the holder, and connections end with the one they began with. */
struct site {
	struct config *config;
	char hostname[DOMAIN_SIZE]; /* also our authserv-id (RFC 8601) */
	unsigned int users;         /* under the holder's lock */
};

struct site_holder {
	const char *path;
	pthread_mutex_t lock;
	struct site *current;
};

/* Reads the file at `path` for the first time. */
int site_open(struct site_holder *holder, const char *path,
    struct fault *fault);

/* Reads it again. On error the old configuration stays in force. */
int site_reload(struct site_holder *holder, struct fault *fault);

void site_close(struct site_holder *holder);

/* The configuration in force, which stays for the caller until site_put(), over
 * reloads. */
struct site *site_get(struct site_holder *holder);
void site_put(struct site_holder *holder, struct site *site);

/* Whether naked mail is let in whatever policy says of it. */
bool site_is_shadow(const struct site *site);

/* Whether we serve the domain over DIME. */
bool site_serves(const struct site *site, const char *domain);

/* Whether the domain is delivered here at all. */
bool site_is_local(const struct site *site, const char *domain);

/* The domain that acts for mail whose envelope sender is not ours; NULL when no
 * domain is configured. */
const char *site_forward_domain(const struct site *site);

#endif
