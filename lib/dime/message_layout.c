/* SPDX-License-Identifier: BSD-2-Clause */
#include "dime/message_private.h"

int
parties_layout(const struct message_parties *parties, enum layout *layout,
    struct fault *fault)
{
	const struct signet *signets[MESSAGE_ACTORS] = {
	    [MESSAGE_AUTHOR] =
		parties->author == NULL ? NULL : parties->author->signet,
	    [MESSAGE_ORIGIN] =
		parties->origin == NULL ? NULL : parties->origin->signet,
	    [MESSAGE_DESTINATION] = parties->destination == NULL
		? NULL
		: parties->destination->signet,
	    [MESSAGE_RECIPIENT] =
		parties->recipient == NULL ? NULL : parties->recipient->signet,
	};
	int first = -1;

	*layout = LAYOUT_STANDARD;
	for (int i = 0; i < MESSAGE_ACTORS; i++) {
		if (signets[i] == NULL)
			continue;
		if (first >= 0 && signets[i]->layout != *layout)
			return fault_set(fault, ERR_MISMATCH,
			    "the %s's signet is in the %s layout, the %s's in "
			    "the %s layout",
			    message_actor_name((enum message_actor)first),
			    layout_name(*layout),
			    message_actor_name((enum message_actor)i),
			    layout_name(signets[i]->layout));
		if (first < 0) {
			first = i;
			*layout = signets[i]->layout;
		}
	}
	return 0;
}

const char *
message_org_fingerprint(const struct org_signet *org)
{
	return org->signet->layout == LAYOUT_LIBDIME ? org->core
	                                             : org->fingerprint;
}

void
tree_as_libdime(struct buffer *tree, size_t destination)
{
	size_t at = destination * CRYPTO_SHA512;
	size_t behind = tree->length - at - CRYPTO_SHA512;

	memmove(tree->data + at, tree->data + at + CRYPTO_SHA512, behind);
	memset(tree->data + at + behind, 0, CRYPTO_SHA512);
}
