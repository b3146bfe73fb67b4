/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_REFUSAL_H
#define DIME_TESTS_UNIT_REFUSAL_H

#include "base/error.h"

/*
 * The right refusal: asserts that `err` is `wanted` and that the fault says so
 * in one line of printable text that holds the words of the format.
 */
void refusal_expect(int err, const struct fault *fault, int wanted,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
