/* SPDX-License-Identifier: BSD-2-Clause */
#include "dime/signet.h"

/* Organizations have a core of their own, signed, in the libdime layout
 * only. */
static bool
has_core(const struct signet *signet)
{
	return signet->magic == SIGNET_USER ||
	    (signet->magic == SIGNET_ORG && signet->layout == LAYOUT_LIBDIME);
}

/* The type up to which the core goes. */
static uint8_t
core_end(const struct signet *signet)
{
	return signet->magic == SIGNET_ORG ? SIGNET_ORG_CORE_SIGNATURE
	                                   : SIGNET_USER_ORG_SIGNATURE;
}

/* The fingerprint of all fields below `type`. */
static bool
fingerprint(const struct signet *signet, bool reaches, uint8_t type,
    char out[static SIGNET_FINGERPRINT_SIZE])
{
	uint8_t digest[CRYPTO_SHA512];

	out[0] = '\0';
	if (!reaches)
		return false;
	crypto_sha512(signet_below(signet, type), digest);
	base64_encode(span_of(digest, sizeof(digest)), out);
	return true;
}

bool
signet_org_fingerprint(const struct signet *signet,
    char out[static SIGNET_FINGERPRINT_SIZE])
{
	return fingerprint(signet, signet->magic == SIGNET_ORG &&
	    signet->state >= SIGNET_STATE_FULL, SIGNET_IDENTIFIER, out);
}

bool
signet_core_fingerprint(const struct signet *signet,
    char out[static SIGNET_FINGERPRINT_SIZE])
{
	return fingerprint(signet, has_core(signet),
	    (uint8_t)(core_end(signet) + 1), out);
}

bool
signet_full_fingerprint(const struct signet *signet,
    char out[static SIGNET_FINGERPRINT_SIZE])
{
	return fingerprint(signet, signet->magic == SIGNET_USER &&
	    signet->state >= SIGNET_STATE_FULL, SIGNET_IDENTIFIER, out);
}

bool
signet_is_fingerprint(struct span text)
{
	uint8_t digest[CRYPTO_SHA512];

	return base64_decode_exact(text, digest, sizeof(digest));
}

int
signet_split(const struct signet *signet, enum signet_state state,
    struct buffer *out, struct fault *fault)
{
	struct span kept;

	if (signet->magic == SIGNET_SSR)
		return fault_set(fault, ERR_FORMAT,
		    "signet: a signing request cannot be split");
	if (state == SIGNET_STATE_CORE && !has_core(signet))
		return fault_set(fault, ERR_FORMAT,
		    "signet: only a user signet has a core");
	if (state != SIGNET_STATE_CORE && state != SIGNET_STATE_FULL)
		return fault_set(fault, ERR_FORMAT,
		    "signet: can be cut to core or full only");
	if (signet->state < state)
		return fault_set(fault, ERR_FORMAT,
		    "signet: is %s and cannot be cut to %s",
		    signet_state_name(signet->state), signet_state_name(state));
	kept = signet_below(signet, state == SIGNET_STATE_CORE
	    ? (uint8_t)(core_end(signet) + 1)
	    : SIGNET_IDENTIFIER);
	buffer_u16(out, (uint16_t)signet->magic);
	buffer_u24(out, (uint32_t)kept.length);
	buffer_append_span(out, kept);
	if (out->error != 0)
		return fault_set(fault, out->error, "signet: %s",
		    error_row(out->error)->text);
	return 0;
}
