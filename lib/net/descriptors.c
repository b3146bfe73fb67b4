/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <sys/resource.h>

#include "net/descriptors.h"

void
descriptors_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

bool
descriptors_suffice(size_t count, size_t *most)
{
	struct rlimit limit;

	*most = SIZE_MAX;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_cur != RLIM_INFINITY)
		*most = (size_t)limit.rlim_cur;
	return count <= *most;
}
