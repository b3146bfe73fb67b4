/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"
#include "tests/unit/unit_keys.h"

#include <stdio.h>

struct keys *
unit_keys_open(const char *directory, const char *prefix)
{
	char database[256], master[256], transport[256];
	const struct keys_settings settings = {database, master, transport,
	    true, &clock_system};
	struct fault fault = {0};
	struct keys *keys;

	snprintf(database, sizeof(database), "%s/%skeys.db", directory,
	    prefix);
	snprintf(master, sizeof(master), "%s/%smaster.key", directory, prefix);
	snprintf(transport, sizeof(transport), "%s/%stransport.key", directory,
	    prefix);
	if (keys_open(&settings, &keys, &fault) != 0)
		fail_msg("%s", fault.text);
	return keys;
}
