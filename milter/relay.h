/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_MILTER_RELAY_H
#define DIME_MILTER_RELAY_H

#include <stdbool.h>

#include "base/address.h"

/*
 * Bounces to senders that are no users. A domain signs in the name of relay@
 * what no user of its is known to have sent; the envelope sender of such mail
 * may have no signet: that of a mailing list, of a daemon, one that SRS made. A
 * bounce to it is sealed for relay@, with the address as its tag.
 */

/* "relay+LOCAL@DOMAIN" for an address as address_spell() writes it. False when
 * that would be too long, or is what the address is already. */
bool relay_wrap(const char *address, char out[static ADDRESS_SIZE]);

/*
 * The address of SRS in the tag of relay@, which the domain's own forwarder
 * made and will judge by the hash in it. False for any other: with a tag,
 * nobody reaches what he would not reach without.
 */
bool relay_unwrap(const char *address, char out[static ADDRESS_SIZE]);

#endif
