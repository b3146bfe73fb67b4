/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_NET_LISTENER_H
#define DIME_NET_LISTENER_H

#include "net/server.h"

/* A listening socket; between server.c and listener.c only. */
struct listener {
	int fd;
	server_handler *handler;
	void *context;
	char path[108]; /* of a unix socket, else "" */
	uint64_t device, inode; /* of what stands at `path` */
};

/* See server_listen_unix() and server_listen_tcp(). *no_family becomes true
 * when the machine does not have the address's family at all. */
int listener_open_unix(const char *path, unsigned int mode, const char *group,
    struct listener *out, struct fault *fault);
int listener_open_tcp(const char *address, unsigned int port,
    struct listener *out, bool *no_family, struct fault *fault);

/* Closes; a unix socket that is still ours is removed. */
void listener_close(struct listener *listener);

#endif
