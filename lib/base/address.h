/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_BASE_ADDRESS_H
#define DIME_BASE_ADDRESS_H

#include "base/span.h"

/*
 * Domains and mail addresses as DIME writes them: lower case, the domain in
 * A-labels, the local part a dot-atom of at most 64 octets that may hold UTF-8,
 * no quoting, no address literal. Everything that reads such a name from
 * outside goes through these two functions, so that names can be compared as
 * octets ever after.
 */

enum {
	DOMAIN_SIZE = 254,          /* with the terminator */
	LOCAL_PART_SIZE = 65,       /* likewise */
	ADDRESS_SIZE = LOCAL_PART_SIZE + DOMAIN_SIZE,
};

/*
 * Writes `text` as a domain name in that form. U-labels become A-labels, a
 * final dot goes. False, and out the empty string, for anything that is not a
 * host name of at least two labels ("localhost" and "[192.0.2.1]" are not).
 */
bool domain_normalize(struct span text, char out[static DOMAIN_SIZE]);

/* Whether `text` is in that form already, octet for octet. */
bool domain_is_normal(struct span text);

/* Whether `text` is an IP address, or one in brackets as mail has it (RFC 5321,
 * 4.1.3), where there might be a domain. */
bool domain_is_ip_address(struct span text);

/* Whether `domain` is `parent` or a name below it. Both in normal form. */
bool domain_is_within(const char *domain, const char *parent);

/* Writes `text` (no angle brackets) as an address in that form, else false. */
bool address_normalize(struct span text, char out[static ADDRESS_SIZE]);

/* The same, with the local part spelled as it is given: lower case is what
 * addresses are compared in, not what bounces of a foreign system may be sent
 * to. */
bool address_spell(struct span text, char out[static ADDRESS_SIZE]);

/* Whether `text` is in that form already, octet for octet. */
bool address_is_normal(struct span text);

/* What follows the '@' of an address in normal form. */
const char *address_domain(const char *address);

/*
 * Writes the address without its `+tag` ("a+b@d" -> "a@d"; one without a tag
 * as it is). The local part before the '+' is never empty: "+b@d" stays.
 */
void address_strip_tag(const char *address, char out[static ADDRESS_SIZE]);

/* True when every octet of the address is ASCII, so that DMTP can carry it. */
bool address_is_ascii(const char *address);

#endif
