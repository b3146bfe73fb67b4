/* SPDX-License-Identifier: BSD-2-Clause */
#include <malloc.h>

#include "base/allocator.h"

enum {
	LARGE = 128 * 1024, /* octets: glibc's own values at the start */
	PAUSE = 10 * 1000,
};

void
allocator_start(void)
{
#ifdef __GLIBC__
	/* One that is set stays as it is. */
	mallopt(M_MMAP_THRESHOLD, LARGE);
	mallopt(M_TRIM_THRESHOLD, LARGE);
#endif
}

void
allocator_give_back(struct deadline *next)
{
	if (deadline_left(*next) > 0)
		return;
	*next = deadline_in(PAUSE);
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}
