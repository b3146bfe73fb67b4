/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_UNIT_KEYS_H
#define DIME_TESTS_UNIT_UNIT_KEYS_H

#include "keys/keys.h"

/* Opens the key store of these files in the directory, which are made if they
 * are not there: keys.db, master.key and transport.key, each behind the prefix.
 * It must be possible; for keys_close(). */
struct keys *unit_keys_open(const char *directory, const char *prefix);

#endif
