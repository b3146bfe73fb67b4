/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
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

int
wire_connect(const struct redis_endpoint *endpoint, struct deadline deadline,
    int *out, struct fault *fault)
{
	const int family = endpoint->address.ss_family;
	int on = 1, err = 0, fd;

	fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return system_fault(fault, "socket");
	if (family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (const struct sockaddr *)&endpoint->address,
	        endpoint->length) != 0)
		err = finish_connecting(fd, deadline, fault);
	if (err != 0)
		close(fd);
	else
		*out = fd;
	return err;
}

int
wire_send(int fd, struct span data, struct deadline deadline,
    struct fault *fault)
{
	while (data.length > 0) {
		ssize_t sent = send(fd, data.data, data.length, MSG_NOSIGNAL);
		int err;

		if (sent >= 0) {
			data = span_slice(data, (size_t)sent, data.length);
		} else if (errno == EAGAIN) {
			err = wait_for(fd, POLLOUT, deadline, fault);
			if (err != 0)
				return err;
		} else if (errno != EINTR) {
			return system_fault(fault, "send");
		}
	}
	return 0;
}

int
wire_receive(int fd, void *data, size_t size, struct deadline deadline,
    size_t *got, struct fault *fault)
{
	ssize_t received;
	int err;

	do {
		err = wait_for(fd, POLLIN, deadline, fault);
		if (err != 0)
			return err;
		received = recv(fd, data, size, 0);
	} while (received < 0 && (errno == EINTR || errno == EAGAIN));
	if (received < 0)
		return system_fault(fault, "receive");
	if (received == 0)
		return fault_set(fault, ERR_UNREACHABLE,
		    "Redis: connection closed");
	*got = (size_t)received;
	return 0;
}
