/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_CRYPTO_SELFTEST_H
#define DIME_CRYPTO_SELFTEST_H

#include "base/error.h"

/* Every primitive of crypto.h against a known answer. Called by crypto_start().
 * ERR_INTERNAL names the one that failed. */
int selftest_run(struct fault *fault);

#endif
