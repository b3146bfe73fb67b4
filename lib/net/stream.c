/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/internal.h"

enum {
	/* Octets to ask for when reading lines; a buffer wants one more. */
	PIECE = 4095,
	DROPPED = 4 << 20, /* octets that are taken after the end, at most */
};

int
stream_error_of_errno(int number)
{
	switch (number) {
	case EPIPE:
	case ECONNRESET:
	case ECONNREFUSED:
	case ECONNABORTED:
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EHOSTDOWN:
	case ENOTCONN:
	case ENOENT:
		return ERR_UNREACHABLE;
	case ETIMEDOUT:
		return ERR_TIMEOUT;
	case ENOMEM:
	case ENOBUFS:
		return ERR_MEMORY;
	default:
		return ERR_SYSTEM;
	}
}

void
stream_free(struct stream *stream)
{
	if (stream == NULL)
		return;
	tls_end(stream);
	buffer_free(&stream->input);
	close(stream->fd);
	free(stream);
}

void
stream_abort(struct stream *stream)
{
	atomic_store(&stream->aborted, true);
	shutdown(stream->fd, SHUT_RDWR);
}

void
stream_end_input(struct stream *stream)
{
	shutdown(stream->fd, SHUT_RD);
}

const char *
stream_peer(const struct stream *stream)
{
	return stream->peer;
}

size_t
stream_buffered(const struct stream *stream)
{
	return stream->input.length - stream->consumed;
}

int
stream_wait(struct stream *stream, short events, struct deadline deadline)
{
	struct pollfd wait = {.fd = stream->fd, .events = events};

	for (;;) {
		int left = deadline_left(deadline);
		int ready = left == 0 ? 0 : poll(&wait, 1, left);

		if (atomic_load(&stream->aborted))
			return ERR_UNREACHABLE;
		if (ready > 0)
			return 0;
		if (left == 0)
			return ERR_TIMEOUT;
		if (ready < 0 && errno != EINTR)
			return ERR_SYSTEM;
	}
}

int
stream_wait_two(const struct stream_interest interests[static 2],
    struct deadline deadline)
{
	struct pollfd waits[2];
	int left = deadline_left(deadline), ready;

	for (size_t i = 0; i < 2; i++) {
		const struct stream_interest *each = &interests[i];

		/* poll(2) tells of a hang-up even whoever asks for nothing. */
		waits[i].fd = each->reads || each->writes ? each->stream->fd
							  : -1;
		waits[i].events = (short)((each->reads ? POLLIN : 0) |
		    (each->writes ? POLLOUT : 0));
	}
	ready = poll(waits, 2, left);
	if (atomic_load(&interests[0].stream->aborted) ||
	    atomic_load(&interests[1].stream->aborted))
		return ERR_UNREACHABLE;
	if (ready < 0 && errno != EINTR)
		return ERR_SYSTEM;
	return ready == 0 ? ERR_TIMEOUT : 0;
}

static int
plain_result(ssize_t result, short wanted, size_t *moved, short *events)
{
	if (result >= 0) {
		*moved = (size_t)result;
		return 0;
	}
	if (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK) {
		*events = wanted;
		return STREAM_AGAIN;
	}
	return stream_error_of_errno(errno);
}

static int
read_some(struct stream *stream, void *data, size_t size, size_t *moved,
    short *events)
{
	if (atomic_load(&stream->aborted))
		return ERR_UNREACHABLE;
	if (stream->tls != NULL)
		return tls_read(stream, data, size, moved, events);
	return plain_result(recv(stream->fd, data, size, 0), POLLIN, moved,
	    events);
}

static int
write_some(struct stream *stream, const void *data, size_t size, size_t *moved,
    short *events)
{
	if (atomic_load(&stream->aborted))
		return ERR_UNREACHABLE;
	if (stream->tls != NULL)
		return tls_write(stream, data, size, moved, events);
	return plain_result(send(stream->fd, data, size, MSG_NOSIGNAL),
	    POLLOUT, moved, events);
}

/* Drops what is used up; all of the memory when nothing is left, so that an
 * idle connection has none. */
static void
tidy_input(struct stream *stream)
{
	buffer_consume(&stream->input, stream->consumed);
	stream->consumed = 0;
	if (stream->input.length == 0)
		buffer_free(&stream->input);
}

/* Appends what comes next to the input. ERR_UNREACHABLE at the end. */
static int
fill(struct stream *stream, struct deadline deadline)
{
	short events;
	size_t moved;
	int err;

	tidy_input(stream);
	for (;;) {
		uint8_t *space = buffer_extend(&stream->input, PIECE);

		if (space == NULL)
			return stream->input.error;
		err = read_some(stream, space, PIECE, &moved, &events);
		stream->input.length -= err == 0 ? PIECE - moved : PIECE;
		if (err == 0 && moved == 0)
			err = ERR_UNREACHABLE;
		if (err != STREAM_AGAIN)
			return err;
		tidy_input(stream);
		if ((err = stream_wait(stream, events, deadline)) != 0)
			return err;
	}
}

int
stream_read(struct stream *stream, void *data, size_t size, size_t *got,
    struct deadline deadline)
{
	short events;
	int err;

	*got = 0;
	if (stream_buffered(stream) > 0) {
		struct span part = span_slice(buffer_span(&stream->input),
		    stream->consumed, size);

		memcpy(data, part.data, part.length);
		stream->consumed += part.length;
		stream->scanned = 0;
		*got = part.length;
		return 0;
	}
	tidy_input(stream);
	while ((err = read_some(stream, data, size, got, &events)) ==
	    STREAM_AGAIN)
		if ((err = stream_wait(stream, events, deadline)) != 0)
			break;
	return err;
}

/* What comes in TLS after our goodbye is not looked at any more. */
static void
drop_input(struct stream *stream, struct deadline deadline)
{
	uint8_t dropped[PIECE];
	size_t total = 0, moved = 0;
	short events;
	int err;

	do {
		err = plain_result(recv(stream->fd, dropped, sizeof(dropped),
		    0), POLLIN, &moved, &events);
		if (err == STREAM_AGAIN)
			err = stream_wait(stream, events, deadline);
		else if (err == 0 && moved == 0)
			return;
		else if (err == 0)
			total += moved;
	} while (err == 0 && total < DROPPED && deadline_left(deadline) > 0);
}

void
stream_finish(struct stream *stream, struct deadline deadline)
{
	short events;
	int err = 0;

	while (stream->tls != NULL &&
	    (err = tls_say_end(stream, &events)) == STREAM_AGAIN &&
	    (err = stream_wait(stream, events, deadline)) == 0)
		;
	if (err == 0 && shutdown(stream->fd, SHUT_WR) == 0)
		drop_input(stream, deadline);
}

int
stream_write(struct stream *stream, struct span data, struct deadline deadline)
{
	short events;
	size_t moved;
	int err;

	while (data.length > 0) {
		err = write_some(stream, data.data, data.length, &moved,
		    &events);
		if (err == STREAM_AGAIN)
			err = stream_wait(stream, events, deadline);
		else if (err == 0)
			data = span_slice(data, moved, data.length);
		if (err != 0)
			return err;
		/* Nor is a peer waited for that takes an octet at a time. */
		if (data.length > 0 && deadline_left(deadline) == 0)
			return ERR_TIMEOUT;
	}
	return 0;
}

int
stream_write_some(struct stream *stream, struct span data, size_t *moved)
{
	short events;
	int err;

	*moved = 0;
	if (data.length == 0)
		return 0;
	err = write_some(stream, data.data, data.length, moved, &events);
	return err == STREAM_AGAIN ? 0 : err;
}

void
stream_end_output(struct stream *stream)
{
	shutdown(stream->fd, SHUT_WR);
}

/* Where the first line of the input ends, its LF included; 0: not there yet. */
static size_t
find_line(struct stream *stream)
{
	size_t length = stream_buffered(stream);
	const uint8_t *start, *end;

	if (length == stream->scanned)
		return 0;
	start = stream->input.data + stream->consumed;
	end = memchr(start + stream->scanned, '\n', length - stream->scanned);
	stream->scanned = end == NULL ? length : 0;
	return end == NULL ? 0 : (size_t)(end - start) + 1;
}

int
stream_read_line(struct stream *stream, size_t limit, struct span *line,
    struct deadline deadline)
{
	bool too_long;
	size_t length;
	int err;

	*line = (struct span){NULL, 0};
	while ((length = find_line(stream)) == 0) {
		if (stream_buffered(stream) >= limit) {
			stream->skipping = true;
			stream->consumed = stream->input.length;
			stream->scanned = 0;
		}
		if ((err = fill(stream, deadline)) != 0)
			return err;
		/* A line that comes an octet at a time is not waited for. */
		if (deadline_left(deadline) == 0 && find_line(stream) == 0)
			return ERR_TIMEOUT;
	}
	*line = span_slice(buffer_span(&stream->input), stream->consumed,
	    length);
	stream->consumed += length;
	too_long = stream->skipping;
	stream->skipping = false;
	if (too_long || length > limit) {
		*line = (struct span){NULL, 0};
		return ERR_TOO_LARGE;
	}
	line->length--;
	if (line->length > 0 && line->data[line->length - 1] == '\r')
		line->length--;
	return 0;
}
