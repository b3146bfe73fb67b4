/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_HEAP_H
#define DIME_TESTS_UNIT_HEAP_H

#include <stddef.h>

/*
 * Counts what our own code takes from the heap. A program that links heap.c is
 * linked with HEAP_WRAP, by which the calls of all its objects and archives
 * come here first; shared libraries (zlib's window, libsodium's pages) are not
 * counted. One thread.
 */

/* Forgets the highest mark. */
void heap_start(void);

/* The most that was held at once since heap_start(), in octets as they were
 * asked for. */
size_t heap_peak(void);

/* What is held now. */
size_t heap_held(void);

#endif
