/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_BENCH_CACHES_H
#define DIME_TESTS_BENCH_CACHES_H

#include "tests/unit/unit_redis.h"

#include "base/buffer.h"
#include "tests/bench/figure.h"

/* What the parts of bench_caches share. */

enum { BENCH_NAMES = 200000, BENCH_NAME_SIZE = 32 };

/* Number `i` of the cached names; one in two has a record. */
void bench_name(size_t i, char out[static BENCH_NAME_SIZE]);
bool bench_has_record(size_t i);

/* The value that policyd keeps of it in Redis (doc/cache.md, section 3). */
void bench_payload(size_t i, struct buffer *out);

/* The site's cache key. */
extern const uint8_t bench_key[32];

/* The real dime-policyd with all names in Redis, which it asks; `policyd` is
 * its path. */
void bench_policyd(const char *policyd, struct unit_redis *redis);

#endif
