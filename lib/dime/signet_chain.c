/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/cursor.h"
#include "dime/armor.h"
#include "dime/signet_chain.h"

enum { HEADER_LENGTH = 5 };

/* ---- read ---- */

/* Takes what is to be the next signet. A binary one is as long as its header
 * says, or as there is. */
static struct span
take_signet(struct span *rest)
{
	struct cursor cursor = cursor_start(*rest);
	struct span signet;

	if (armor_is_armored(*rest))
		return armor_take(rest);
	cursor_u16(&cursor);
	signet = span_slice(*rest, 0,
	    HEADER_LENGTH + (size_t)cursor_u24(&cursor));
	*rest = span_slice(*rest, signet.length, SIZE_MAX);
	return signet;
}

static int
append_link(struct signet_chain *chain, struct signet *signet,
    struct fault *fault)
{
	struct signet **grown = realloc(chain->links,
	    (chain->count + 1) * sizeof(*grown));

	if (grown == NULL)
		return fault_set(fault, ERR_MEMORY, "signet: out of memory");
	chain->links = grown;
	chain->links[chain->count++] = signet;
	return 0;
}

static int
read_link(struct span *rest, struct signet_chain *chain, struct fault *fault)
{
	struct signet *signet;
	int err;

	if (chain->count == SIGNET_CHAIN_LIMIT)
		return fault_set(fault, ERR_FORMAT,
		    "more than %d signets", SIGNET_CHAIN_LIMIT);
	if ((err = signet_read(take_signet(rest), &signet, fault)) != 0)
		return err;
	if (signet->magic != SIGNET_USER)
		err = fault_set(fault, ERR_FORMAT, "is %s, not %s",
		    signet_kind_words(signet->magic),
		    signet_kind_words(SIGNET_USER));
	else
		err = append_link(chain, signet, fault);
	if (err != 0)
		signet_free(signet);
	return err;
}

int
signet_chain_read(struct span data, struct signet_chain *chain,
    struct fault *fault)
{
	int err;

	*chain = (struct signet_chain){NULL, 0};
	do {
		err = read_link(&data, chain, fault);
		if (err != 0 && chain->count > 0)
			fault_wrap(fault, "signet %zu", chain->count + 1);
	} while (err == 0 && data.length > 0);
	return err;
}

void
signet_chain_free(struct signet_chain *chain)
{
	for (size_t i = 0; i < chain->count; i++)
		signet_free(chain->links[i]);
	free(chain->links);
	*chain = (struct signet_chain){NULL, 0};
}

/* ---- verify ---- */

static bool
same_core(const struct signet *a, const struct signet *b)
{
	char core[SIGNET_FINGERPRINT_SIZE], other[SIGNET_FINGERPRINT_SIZE];

	return a->magic == SIGNET_USER && b->magic == SIGNET_USER &&
	    signet_core_fingerprint(a, core) &&
	    signet_core_fingerprint(b, other) && strcmp(core, other) == 0;
}

/* Whatever the fault at that link, the chain is what is broken. */
static int
broken_at(const struct signet_chain *chain, size_t at, struct fault *fault)
{
	fault_wrap(fault, "chain: signet %zu of %zu", at + 1, chain->count);
	if (fault != NULL)
		fault->err = ERR_CUSTODY;
	return ERR_CUSTODY;
}

int
signet_chain_verify(const struct signet_chain *chain,
    const struct signet *known, const struct signet *current,
    struct fault *fault)
{
	const struct signet *last = chain->links[chain->count - 1];

	if (known != NULL && !same_core(chain->links[0], known)) {
		fault_set(fault, ERR_CUSTODY, "is not the one that is known");
		return broken_at(chain, 0, fault);
	}
	for (size_t i = 0; i < chain->count; i++)
		if (signet_verify_own(chain->links[i], fault) != 0 ||
		    (i > 0 && signet_verify_custody(chain->links[i],
		    chain->links[i - 1], fault) != 0))
			return broken_at(chain, i, fault);
	if (same_core(last, current))
		return 0;
	return signet_verify_custody(current, last, fault);
}
