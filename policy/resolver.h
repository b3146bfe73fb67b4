/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_RESOLVER_H
#define DIME_POLICY_RESOLVER_H

#include "base/config.h"
#include "policy/dns.h"

/*
 * The validating resolver: one thread owns libunbound, which works
 * asynchronously behind it. The only file that calls libunbound.
 */
struct resolver;

/* Whether the settings make a resolver: forwarders, stubs and trust anchors. */
int resolver_check(const struct config *config, struct fault *fault);

/*
 * Starts the thread. `config` is read during the call only. ERR_CONFIG for
 * trust anchors, forwarders or stubs that cannot be used; ERR_MEMORY,
 * ERR_SYSTEM.
 */
int resolver_new(const struct config *config, struct resolver **out,
    struct fault *fault);

/* Answers what is open, and whatever comes later, as unreachable, at once. */
void resolver_stop(struct resolver *resolver);

/* Stops, ends the thread and frees. */
void resolver_free(struct resolver *resolver);

/* Good as long as the resolver. */
struct dns_source resolver_source(struct resolver *resolver);

/* Seconds after which a question counts as unreachable. Any thread. */
void resolver_set_timeout(struct resolver *resolver, int64_t seconds);

#endif
