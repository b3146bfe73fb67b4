/* SPDX-License-Identifier: BSD-2-Clause */
#include "dime/message_private.h"

static int
check_parties(const struct message_seal *seal, struct fault *fault)
{
	const struct message_parties *parties = &seal->parties;
	const char *author = parties->author->address;
	const char *recipient = parties->recipient->address;
	char normal[ADDRESS_SIZE];

	if (author[0] == '\0' || recipient[0] == '\0' ||
	    parties->origin->domain[0] == '\0' ||
	    parties->destination->domain[0] == '\0')
		return fault_set(fault, ERR_MISMATCH,
		    "sealing needs signets with their identifiers");
	if (!domain_is_within(address_domain(author), parties->origin->domain))
		return fault_set(fault, ERR_MISMATCH,
		    "author <%s> is not of the origin %s", author,
		    parties->origin->domain);
	if (!domain_is_within(address_domain(recipient),
	    parties->destination->domain))
		return fault_set(fault, ERR_MISMATCH,
		    "recipient <%s> is not of the destination %s", recipient,
		    parties->destination->domain);
	if (seal->recipient != NULL &&
	    (!address_normalize(span_string(seal->recipient), normal) ||
	    !envelope_address_fits(normal, recipient)))
		return fault_set(fault, ERR_MISMATCH,
		    "recipient's signet is that of <%s>", recipient);
	return 0;
}

/* A key that is not that of the signet, after a rotation say, would make mail
 * that every receiver refuses. */
static int
check_signers(const struct message_seal *seal, enum layout layout,
    struct fault *fault)
{
	const struct message_parties *parties = &seal->parties;

	if (memcmp(seal->author_signer.public_key, parties->author->signing,
	    CRYPTO_SIGN_PUBLIC) != 0)
		return fault_set(fault, ERR_MISMATCH,
		    "author's key is not that of the author's signet");
	if (layout == LAYOUT_LIBDIME && memcmp(seal->origin_signer.public_key,
	    parties->origin->pok, CRYPTO_SIGN_PUBLIC) != 0)
		return fault_set(fault, ERR_MISMATCH,
		    "origin's key is not the POK of the origin's signet, as "
		    "the libdime layout needs");
	if (!org_signet_lists(parties->origin, SIGNET_MAY_SIGN_MESSAGES,
	    seal->origin_signer.public_key))
		return fault_set(fault, ERR_MISMATCH,
		    "origin's key is neither the POK of the origin's signet "
		    "nor a SOK that may sign messages");
	return 0;
}

/* libdime reads envelopes of printable ASCII only. */
static int
check_ascii(const struct message_seal *seal, struct fault *fault)
{
	const char *addresses[] = {
	    seal->parties.author->address,
	    seal->parties.recipient->address,
	    seal->recipient != NULL ? seal->recipient : "",
	};

	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		if (!address_is_ascii(addresses[i]))
			return fault_set(fault, ERR_FORMAT,
			    "<%s> is not ASCII, as the libdime layout needs",
			    addresses[i]);
	return 0;
}

int
seal_check(const struct message_seal *seal, enum layout *layout,
    struct fault *fault)
{
	int err = parties_layout(&seal->parties, layout, fault);

	if (err == 0)
		err = check_parties(seal, fault);
	if (err == 0 && *layout == LAYOUT_LIBDIME)
		err = check_ascii(seal, fault);
	return err != 0 ? err : check_signers(seal, *layout, fault);
}
