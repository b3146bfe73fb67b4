/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_BENCH_FIGURE_H
#define DIME_TESTS_BENCH_FIGURE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Times, what processes use, and how figures are printed. */

/* Microseconds of the monotonic clock. */
double bench_now(void);

/* Sorts. */
double bench_median(double *values, size_t count);

/* Prints a figure, what it is to be, and whether it is. */
void bench_print(const char *what, double value, const char *unit,
    const char *bound, bool good);

/* Microseconds of processor time that a process has used, all of its threads
 * together; a tick of the system's (usually 10 ms) is as fine as it gets. */
double bench_processor(pid_t pid);

/* Likewise of a process and all that it has started, as far as these have not
 * started others. */
double bench_family_processor(pid_t pid);

/* Octets of its memory that are in core. */
double bench_resident(pid_t pid);

#endif
