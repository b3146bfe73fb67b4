/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/time.h>
#include <sys/un.h>

#include "net/internal.h"

static bool
is_ip(const struct sockaddr *address)
{
	return address->sa_family == AF_INET || address->sa_family == AF_INET6;
}

struct stream *
stream_of_socket(int fd, const struct sockaddr *peer, socklen_t length)
{
	struct stream *stream = calloc(1, sizeof(*stream));
	int on = 1;

	if (stream == NULL) {
		close(fd);
		return NULL;
	}
	stream->fd = fd;
	stream->input = buffer_make(SIZE_MAX);
	atomic_init(&stream->aborted, false);
	if (!is_ip(peer) ||
	    getnameinfo(peer, length, stream->peer, sizeof(stream->peer), NULL,
	        0, NI_NUMERICHOST) != 0)
		snprintf(stream->peer, sizeof(stream->peer), "unix");
	if (is_ip(peer))
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return stream;
}

struct stream *
stream_of_fd(int fd)
{
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	struct sockaddr *peer = (struct sockaddr *)&address;
	socklen_t length = sizeof(address);

	if (getpeername(fd, peer, &length) != 0)
		address.ss_family = AF_UNSPEC;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return stream_of_socket(fd, peer, length);
}

/* Without the zone of a link-local address, which means nothing elsewhere. */
static void
describe(const struct sockaddr_storage *address, struct stream_end *out)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
	const bool is_v4 = address->ss_family == AF_INET;
	const void *octets = is_v4 ? (const void *)&v4->sin_addr
				   : (const void *)&v6->sin6_addr;

	memset(out, 0, sizeof(*out));
	if (!is_v4 && address->ss_family != AF_INET6)
		return;
	inet_ntop(address->ss_family, octets, out->address,
	    sizeof(out->address));
	out->port = ntohs(is_v4 ? v4->sin_port : v6->sin6_port);
	out->family = address->ss_family;
}

void
stream_ends(const struct stream *stream, struct stream_end *peer,
    struct stream_end *own)
{
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	socklen_t length = sizeof(address);

	if (getpeername(stream->fd, (struct sockaddr *)&address, &length) != 0)
		address.ss_family = AF_UNSPEC;
	describe(&address, peer);
	length = sizeof(address);
	if (getsockname(stream->fd, (struct sockaddr *)&address, &length) != 0)
		address.ss_family = AF_UNSPEC;
	describe(&address, own);
}

static int
refuse(struct fault *fault, int number, const char *what)
{
	return fault_set(fault, stream_error_of_errno(number), "%s: %s", what,
	    strerror(number));
}

static int
adopt(int fd, const struct sockaddr *peer, socklen_t length,
    struct stream **out, struct fault *fault)
{
	*out = stream_of_socket(fd, peer, length);
	return *out != NULL ? 0 : fault_set(fault, ERR_MEMORY, "%s", "");
}

int
stream_connect_unix(const char *path, struct deadline deadline,
    struct stream **out, struct fault *fault)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct sockaddr *peer = (const struct sockaddr *)&address;
	int left = deadline_left(deadline), number, fd;
	struct timeval wait = {left / 1000, left % 1000 * 1000};

	*out = NULL;
	if (strlen(path) >= sizeof(address.sun_path))
		return fault_set(fault, ERR_CONFIG,
		    "%s: too long for a unix socket", path);
	if (left == 0)
		return fault_set(fault, ERR_TIMEOUT, "%s: timed out", path);
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return refuse(fault, errno, path);
	/* Connecting to a listener with a full backlog blocks; the only way to
	 * bound it is the send timeout. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (connect(fd, peer, sizeof(address)) != 0) {
		number = errno == EAGAIN || errno == EINTR ? ETIMEDOUT : errno;
		close(fd);
		return refuse(fault, number, path);
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return adopt(fd, peer, sizeof(address), out, fault);
}

/* Waits until a connection stands. 0 or an errno. */
static int
finish_connect(int fd, struct deadline deadline)
{
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	socklen_t length = sizeof(int);
	int number = 0, ready;

	do {
		int left = deadline_left(deadline);

		ready = left == 0 ? 0 : poll(&wait, 1, left);
	} while (ready < 0 && errno == EINTR);
	if (ready == 0)
		return ETIMEDOUT;
	if (ready < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &length) != 0)
		return errno;
	return number;
}

int
stream_connect(const struct sockaddr *address, socklen_t length,
    const struct sockaddr *source, socklen_t source_length,
    struct deadline deadline, struct stream **out, struct fault *fault)
{
	const char *what = "connect";
	int number = 0;
	int fd;

	*out = NULL;
	fd = socket(address->sa_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return refuse(fault, errno, "socket");
	if (source != NULL && bind(fd, source, source_length) != 0) {
		number = errno;
		what = "bind to the source address";
	} else if (connect(fd, address, length) != 0) {
		number = errno;
		if (number == EINPROGRESS || number == EINTR)
			number = finish_connect(fd, deadline);
	}
	if (number != 0) {
		close(fd);
		return refuse(fault, number, what);
	}
	return adopt(fd, address, length, out, fault);
}
