/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"
#include "tests/unit/unit_impostor.h"

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Milliseconds between two octets of an answer that trickles. */
enum { BETWEEN = 20 };

static bool
say(struct impostor *impostor, int fd)
{
	const char *at = atomic_load(&impostor->answer);
	const size_t step = impostor->trickle ? 1 : strlen(at);

	for (; *at != '\0'; at += step) {
		if (send(fd, at, step, MSG_NOSIGNAL) < 0)
			return false;
		if (impostor->trickle)
			poll(NULL, 0, BETWEEN);
	}
	return true;
}

static void
answer(struct impostor *impostor, int fd)
{
	char block[4096];

	if (recv(fd, block, sizeof(block), 0) <= 0)
		return;
	impostor->connections++;
	while (say(impostor, fd) && impostor->endless && !impostor->stop)
		;
	while (!impostor->hang_up && recv(fd, block, sizeof(block), 0) > 0)
		;
}

static void *
impersonate(void *argument)
{
	struct impostor *impostor = argument;
	int fd;

	while (!impostor->stop) {
		fd = accept(impostor->listener, NULL, NULL);
		if (fd < 0)
			continue;
		if (!impostor->stop)
			answer(impostor, fd);
		close(fd);
	}
	return NULL;
}

static void
start(struct impostor *impostor)
{
	assert_int_equal(pthread_create(&impostor->thread, NULL, impersonate,
	    impostor), 0);
}

void
impostor_start_unix(struct impostor *impostor, const char *path)
{
	struct sockaddr_un place = {.sun_family = AF_UNIX};

	unlink(path);
	snprintf(place.sun_path, sizeof(place.sun_path), "%s", path);
	impostor->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(impostor->listener, (struct sockaddr *)&place,
	    sizeof(place)), 0);
	assert_int_equal(listen(impostor->listener, 5), 0);
	start(impostor);
}

unsigned int
impostor_start_tcp(struct impostor *impostor)
{
	unsigned int port;

	impostor->listener = unit_listen(&port);
	start(impostor);
	return port;
}

void
impostor_end(struct impostor *impostor)
{
	impostor->stop = true;
	shutdown(impostor->listener, SHUT_RDWR);
	pthread_join(impostor->thread, NULL);
	close(impostor->listener);
}
