/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "tests/unit/heap.h"

/* Those that are held, in no order; what another library allocated and we free
 * is not among them. */
enum { BLOCKS = 1 << 14 };
static struct {
	const void *data;
	size_t size;
} blocks[BLOCKS];
static size_t block_count, held, peak;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *data, size_t size);
void __real_free(void *data);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *data, size_t size);
void *__wrap_reallocarray(void *data, size_t count, size_t size);
void __wrap_free(void *data);

static void *
add(void *data, size_t size)
{
	if (data == NULL)
		return NULL;
	if (block_count == BLOCKS)
		abort();
	blocks[block_count].data = data;
	blocks[block_count++].size = size;
	held += size;
	if (held > peak)
		peak = held;
	return data;
}

/* The latest first: most live short. */
static void
take_off(const void *data)
{
	for (size_t i = block_count; i > 0; i--) {
		if (blocks[i - 1].data != data)
			continue;
		held -= blocks[i - 1].size;
		blocks[i - 1] = blocks[--block_count];
		return;
	}
}

void *
__wrap_malloc(size_t size)
{
	return add(__real_malloc(size), size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return add(__real_calloc(count, size), count * size);
}

/* Both are held while one is copied to the other. */
void *
__wrap_realloc(void *data, size_t size)
{
	void *grown = __real_realloc(data, size);

	if (grown == NULL)
		return NULL;
	if (held + size > peak)
		peak = held + size;
	take_off(data);
	return add(grown, size);
}

void *
__wrap_reallocarray(void *data, size_t count, size_t size)
{
	if (size > 0 && count > SIZE_MAX / size) {
		errno = ENOMEM;
		return NULL;
	}
	return __wrap_realloc(data, count * size);
}

void
__wrap_free(void *data)
{
	if (data != NULL)
		take_off(data);
	__real_free(data);
}

void
heap_start(void)
{
	peak = held;
}

size_t
heap_peak(void)
{
	return peak;
}

size_t
heap_held(void)
{
	return held;
}
