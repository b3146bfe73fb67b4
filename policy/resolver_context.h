/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_RESOLVER_CONTEXT_H
#define DIME_POLICY_RESOLVER_CONTEXT_H

#include <unbound.h>

#include "base/config.h"
#include "policy/anchor.h"

/* libunbound's context, set up as this program wants it; for resolver.c alone.
 */

/* The site's settings, copied, since a context is renewed at times. */
struct resolver_servers {
	struct config_list forward, stub;
};

/* ERR_MEMORY. What there is goes to resolver_servers_free() in any case. */
int resolver_servers_copy(const struct config *config,
    struct resolver_servers *servers);
void resolver_servers_free(struct resolver_servers *servers);

/* A context that trusts `anchors`, for ub_ctx_delete(). ERR_CONFIG names the
 * setting; ERR_SYSTEM, ERR_MEMORY. */
int resolver_context_new(const struct anchors *anchors,
    const struct resolver_servers *servers, struct ub_ctx **out,
    struct fault *fault);

#endif
