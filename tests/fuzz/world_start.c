/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include "tests/unit/message_world.h"

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	void *state = NULL;

	FUZZ_CHECK(world_start(&state) == 0);
	return 0;
}
