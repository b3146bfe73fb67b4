/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_FUZZ_FUZZ_H
#define DIME_TESTS_FUZZ_FUZZ_H

#include <stdlib.h>

#include "base/buffer.h"
#include "base/error.h"

/*
 * One harness a file. It is linked either with libFuzzer, which looks for
 * inputs, or with replay.c, which goes through those that are kept.
 */

enum { FUZZ_LIMIT = 1 << 20 };

/* What must hold whatever the input is; ends the program otherwise. */
#define FUZZ_CHECK(condition) ((condition) ? (void)0 : abort())

/* What libFuzzer calls: once; and for every input, always returning 0. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
