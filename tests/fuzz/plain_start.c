/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include "crypto/crypto.h"

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	FUZZ_CHECK(crypto_start(NULL) == 0);
	return 0;
}
