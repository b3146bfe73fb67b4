/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "cache/wire.h"

static int
wait_for(int fd, short events, struct deadline deadline, struct fault *fault)
{
	struct pollfd poller = {fd, events, 0};
	int left, ready;

	do {
		left = deadline_left(deadline);
		ready = left == 0 ? 0 : poll(&poller, 1, left);
	} while (ready < 0 && errno == EINTR);
	if (ready > 0)
		return 0;
	return fault_set(fault, ERR_TIMEOUT, "Redis: no answer in time");
}

static int
system_fault(struct fault *fault, const char *what)
{
	return fault_set(fault, ERR_UNREACHABLE, "Redis: %s: %s", what,
	    strerror(errno));
}

/* Whether a connection under way came about. */
static int
finish_connecting(int fd, struct deadline deadline, struct fault *fault)
{
	socklen_t length = sizeof(int);
	int error = 0, err;

	if (errno != EINPROGRESS)
		return system_fault(fault, "connect");
	if ((err = wait_for(fd, POLLOUT, deadline, fault)) != 0)
		return err;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0 ||
	    error == 0)
		return 0;
	errno = error;
	return system_fault(fault, "connect");
}

/* From now on the kernel waits when we receive, for so long at most: that saves
 * a call of poll() for each answer. */
static int
let_wait(const struct wire *wire, struct fault *fault)
{
	const struct timeval time = {wire->wait / 1000,
	    wire->wait % 1000 * 1000};

	if (setsockopt(wire->fd, SOL_SOCKET, SO_RCVTIMEO, &time,
	        sizeof(time)) != 0 || fcntl(wire->fd, F_SETFL, 0) != 0)
		return system_fault(fault, "socket");
	return 0;
}

int
wire_connect(const struct redis_endpoint *endpoint, struct deadline deadline,
    struct wire *out, struct fault *fault)
{
	const int family = endpoint->address.ss_family;
	struct wire wire = {.wait = deadline_left(deadline)};
	int on = 1, err = 0;

	*out = (struct wire){.fd = -1};
	wire.fd =
	    socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (wire.fd < 0)
		return system_fault(fault, "socket");
	if (family != AF_UNIX)
		setsockopt(wire.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(wire.fd, (const struct sockaddr *)&endpoint->address,
	        endpoint->length) != 0)
		err = finish_connecting(wire.fd, deadline, fault);
	if (err == 0)
		err = let_wait(&wire, fault);
	if (err != 0)
		wire_close(&wire);
	else
		*out = wire;
	return err;
}

void
wire_close(struct wire *wire)
{
	if (wire->fd >= 0)
		close(wire->fd);
	wire->fd = -1;
}

int
wire_send(const struct wire *wire, struct span data, struct deadline deadline,
    struct fault *fault)
{
	while (data.length > 0) {
		ssize_t sent = send(wire->fd, data.data, data.length,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		int err;

		if (sent >= 0) {
			data = span_slice(data, (size_t)sent, data.length);
		} else if (errno == EAGAIN) {
			err = wait_for(wire->fd, POLLOUT, deadline, fault);
			if (err != 0)
				return err;
		} else if (errno != EINTR) {
			return system_fault(fault, "send");
		}
	}
	return 0;
}

/* One try. The kernel waits when it would not wait for longer than we may; that
 * is at the start of an answer. */
static ssize_t
receive_some(const struct wire *wire, void *data, size_t size,
    struct deadline deadline)
{
	struct fault fault;

	if (deadline_left(deadline) + 1 >= wire->wait && wire->wait > 0)
		return recv(wire->fd, data, size, 0);
	if (wait_for(wire->fd, POLLIN, deadline, &fault) == 0)
		return recv(wire->fd, data, size, MSG_DONTWAIT);
	errno = EAGAIN;
	return -1;
}

int
wire_receive(const struct wire *wire, void *data, size_t size,
    struct deadline deadline, size_t *got, struct fault *fault)
{
	ssize_t received;

	do {
		received = receive_some(wire, data, size, deadline);
	} while (received < 0 && (errno == EINTR || errno == EAGAIN) &&
	    deadline_left(deadline) > 0);
	if (received < 0 && (errno == EINTR || errno == EAGAIN))
		return fault_set(fault, ERR_TIMEOUT,
		    "Redis: no answer in time");
	if (received < 0)
		return system_fault(fault, "receive");
	if (received == 0)
		return fault_set(fault, ERR_UNREACHABLE,
		    "Redis: connection closed");
	*got = (size_t)received;
	return 0;
}
