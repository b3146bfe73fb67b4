/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/error.h"

struct buffer
buffer_make(size_t limit)
{
	return (struct buffer){NULL, 0, 0, limit, 0};
}

static void
wipe_and_free(uint8_t *data, size_t length)
{
	if (data == NULL)
		return;
	explicit_bzero(data, length);
	free(data);
}

void
buffer_free(struct buffer *buffer)
{
	size_t limit = buffer->limit;

	wipe_and_free(buffer->data, buffer->capacity);
	*buffer = buffer_make(limit);
}

void
buffer_reset(struct buffer *buffer)
{
	buffer->length = 0;
	buffer->error = 0;
}

/* Not realloc(), which may leave a copy of secrets behind. */
static int
grow(struct buffer *buffer, size_t needed)
{
	size_t capacity = buffer->capacity < 128 ? 256 : buffer->capacity;
	uint8_t *data;

	/* Doubled, so that many small appends copy little; but not beyond what
	 * one large append needs, since all of it is wiped in the end. */
	if (capacity == buffer->capacity && capacity <= SIZE_MAX / 2)
		capacity *= 2;
	if (capacity < needed)
		capacity = needed;
	/* What the limit forbids takes no memory: it is wiped in the end. */
	if (capacity - 1 > buffer->limit)
		capacity = buffer->limit + 1;
	data = malloc(capacity);
	if (data == NULL)
		return ERR_MEMORY;
	if (buffer->length > 0)
		memcpy(data, buffer->data, buffer->length);
	wipe_and_free(buffer->data, buffer->capacity);
	buffer->data = data;
	buffer->capacity = capacity;
	return 0;
}

uint8_t *
buffer_extend(struct buffer *buffer, size_t length)
{
	uint8_t *start;

	if (buffer->error != 0)
		return NULL;
	if (length > buffer->limit - buffer->length) {
		buffer->error = ERR_TOO_LARGE;
		return NULL;
	}
	/* One more than asked for: buffer_string() wants its terminator. */
	if (length >= buffer->capacity - buffer->length) {
		buffer->error = grow(buffer, buffer->length + length + 1);
		if (buffer->error != 0)
			return NULL;
	}
	start = buffer->data + buffer->length;
	buffer->length += length;
	return start;
}

size_t
buffer_reserve(struct buffer *buffer, size_t length)
{
	size_t left = buffer->limit - buffer->length, room;

	if (buffer->error != 0)
		return 0;
	if (length > left)
		length = left;
	if (length >= buffer->capacity - buffer->length) {
		buffer->error = grow(buffer, buffer->length + length + 1);
		if (buffer->error != 0)
			return 0;
	}
	room = buffer->capacity - buffer->length - 1;
	return room < left ? room : left;
}

void
buffer_append(struct buffer *buffer, const void *data, size_t length)
{
	uint8_t *start;

	if (length == 0)
		return;
	start = buffer_extend(buffer, length);
	if (start != NULL)
		memcpy(start, data, length);
}

void
buffer_append_span(struct buffer *buffer, struct span span)
{
	buffer_append(buffer, span.data, span.length);
}

void
buffer_append_string(struct buffer *buffer, const char *text)
{
	buffer_append(buffer, text, strlen(text));
}

void
buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list arguments;
	uint8_t *start;
	char *text;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0) {
		buffer->error = ERR_MEMORY;
		return;
	}
	start = buffer_extend(buffer, (size_t)length);
	if (start != NULL)
		memcpy(start, text, (size_t)length);
	wipe_and_free((uint8_t *)text, (size_t)length);
}

static void
append_number(struct buffer *buffer, uint64_t value, size_t octets)
{
	uint8_t *start = buffer_extend(buffer, octets);

	if (start == NULL)
		return;
	for (size_t i = octets; i > 0; i--) {
		start[i - 1] = (uint8_t)value;
		value >>= 8;
	}
}

void
buffer_u8(struct buffer *buffer, uint8_t value)
{
	append_number(buffer, value, 1);
}

void
buffer_u16(struct buffer *buffer, uint16_t value)
{
	append_number(buffer, value, 2);
}

void
buffer_u24(struct buffer *buffer, uint32_t value)
{
	append_number(buffer, value, 3);
}

void
buffer_u32(struct buffer *buffer, uint32_t value)
{
	append_number(buffer, value, 4);
}

void
buffer_u64(struct buffer *buffer, uint64_t value)
{
	append_number(buffer, value, 8);
}

void
buffer_consume(struct buffer *buffer, size_t length)
{
	if (length > buffer->length)
		length = buffer->length;
	if (length == 0)
		return;
	buffer->length -= length;
	memmove(buffer->data, buffer->data + length, buffer->length);
}

struct span
buffer_span(const struct buffer *buffer)
{
	return span_of(buffer->data, buffer->length);
}

const char *
buffer_string(struct buffer *buffer)
{
	if (buffer->error == 0 && buffer->capacity == 0)
		buffer->error = grow(buffer, 1);
	if (buffer->error != 0)
		return NULL;
	buffer->data[buffer->length] = '\0';
	return (const char *)buffer->data;
}
