/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTP_ARGUMENT_H
#define DIME_DMTP_ARGUMENT_H

#include "base/address.h"

/*
 * The arguments of DMTP commands. What a command takes is written once, in
 * command.def, in the little grammar that is explained there; this reads a
 * command line by it.
 */

enum { ARGUMENTS_MAX = 3 };

struct dmtp_argument {
	bool given;
	char text[ADDRESS_SIZE]; /* names in normal form, others as sent */
	uint64_t number;
};

/*
 * Reads `text`, all that follows the verb, into the places of the grammar.
 * False when it is anything else, down to a second space.
 */
bool dmtp_arguments_read(const char *grammar, struct span text,
    struct dmtp_argument arguments[static ARGUMENTS_MAX]);

#endif
