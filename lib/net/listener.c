/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "net/listener.h"

static int
refuse(struct fault *fault, const char *where, const char *what)
{
	return fault_set(fault, ERR_CREATE, "%s: %s: %s", where, what,
	    strerror(errno));
}

/* ---- unix ---- */

_Static_assert(sizeof(((struct listener *)0)->path) ==
	sizeof(((struct sockaddr_un *)0)->sun_path),
    "a listener's path is as long as the system's");

/* Removes a socket that a process left behind: one that nobody answers. */
static int
remove_stale(const struct sockaddr_un *address, struct fault *fault)
{
	const char *path = address->sun_path;
	struct stat status;
	int probe, number;

	if (lstat(path, &status) != 0)
		return errno == ENOENT ? 0 : refuse(fault, path, "stat");
	if (!S_ISSOCK(status.st_mode))
		return fault_set(fault, ERR_CREATE,
		    "%s: exists and is not a socket", path);
	probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (probe < 0)
		return refuse(fault, path, "socket");
	number = connect(probe, (const struct sockaddr *)address,
		     sizeof(*address)) == 0
	    ? 0
	    : errno;
	close(probe);
	/* A full backlog (EAGAIN) is somebody, too. */
	if (number == 0 || number == EAGAIN)
		return fault_set(fault, ERR_CREATE,
		    "%s: another process answers there", path);
	errno = number;
	if (number != ECONNREFUSED)
		return refuse(fault, path, "cannot tell whether it is in use");
	if (unlink(path) != 0 && errno != ENOENT)
		return refuse(fault, path, "remove the stale socket");
	return 0;
}

static int
find_group(const char *name, gid_t *out, struct fault *fault)
{
	struct group entry, *found = NULL;
	char storage[16384];
	uint64_t number;

	if (span_number(span_string(name), UINT32_MAX - 1, &number)) {
		*out = (gid_t)number;
		return 0;
	}
	if (getgrnam_r(name, &entry, storage, sizeof(storage), &found) != 0 ||
	    found == NULL)
		return fault_set(fault, ERR_CREATE, "no group \"%s\"", name);
	*out = found->gr_gid;
	return 0;
}

/* Nobody can connect before listen(), so that the socket has its owner and mode
 * by the time it matters. */
static int
publish(int fd, const char *path, unsigned int mode, const char *group,
    struct listener *out, struct fault *fault)
{
	struct stat status;
	gid_t gid;
	int err;

	if (*group != '\0') {
		if ((err = find_group(group, &gid, fault)) != 0)
			return err;
		if (chown(path, (uid_t)-1, gid) != 0)
			return refuse(fault, path, "give to the group");
	}
	if (chmod(path, (mode_t)mode) != 0)
		return refuse(fault, path, "set the mode");
	if (lstat(path, &status) != 0)
		return refuse(fault, path, "stat");
	if (listen(fd, SOMAXCONN) != 0)
		return refuse(fault, path, "listen");
	out->device = status.st_dev;
	out->inode = status.st_ino;
	return 0;
}

int
listener_open_unix(const char *path, unsigned int mode, const char *group,
    struct listener *out, struct fault *fault)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, err;

	*out = (struct listener){.fd = -1};
	if (*path == '\0' || strlen(path) >= sizeof(address.sun_path))
		return fault_set(fault, ERR_CREATE,
		    "%s: the path of a unix socket has 1 to %zu octets", path,
		    sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, path);
	if ((err = remove_stale(&address, fault)) != 0)
		return err;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return refuse(fault, path, "socket");
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		err = refuse(fault, path, "bind");
		close(fd);
		return err;
	}
	if ((err = publish(fd, path, mode, group, out, fault)) != 0) {
		unlink(path);
		close(fd);
		return err;
	}
	out->fd = fd;
	strcpy(out->path, path);
	return 0;
}

void
listener_close(struct listener *listener)
{
	struct stat status;

	if (listener->fd < 0)
		return;
	/* A successor may have put its own socket there. */
	if (listener->path[0] != '\0' &&
	    lstat(listener->path, &status) == 0 &&
	    status.st_dev == listener->device &&
	    status.st_ino == listener->inode)
		unlink(listener->path);
	close(listener->fd);
	listener->fd = -1;
}

/* ---- TCP ---- */

/* 0 or the name of the call that failed, with errno. */
static const char *
open_tcp(const struct addrinfo *at, int *fd)
{
	int on = 1;

	*fd = socket(at->ai_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0)
		return "socket";
	setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* So that "0.0.0.0" and "::" stand side by side. */
	if (at->ai_family == AF_INET6 &&
	    setsockopt(*fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0)
		return "set IPv6 only";
	if (bind(*fd, at->ai_addr, at->ai_addrlen) != 0)
		return "bind";
	if (listen(*fd, SOMAXCONN) != 0)
		return "listen";
	return NULL;
}

int
listener_open_tcp(const char *address, unsigned int port, struct listener *out,
    bool *no_family, struct fault *fault)
{
	const struct addrinfo hints = {
	    .ai_family = AF_UNSPEC,
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
	};
	struct addrinfo *found;
	char service[16], where[80];
	const char *failed;
	int fd = -1, err = 0;

	*out = (struct listener){.fd = -1};
	*no_family = false;
	snprintf(service, sizeof(service), "%u", port);
	snprintf(where, sizeof(where), "address %s, port %u", address, port);
	if (getaddrinfo(address, service, &hints, &found) != 0)
		return fault_set(fault, ERR_CREATE,
		    "%s: not a numeric address", where);
	if ((failed = open_tcp(found, &fd)) != NULL) {
		*no_family = errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL;
		err = refuse(fault, where, failed);
		if (fd >= 0)
			close(fd);
	} else {
		out->fd = fd;
	}
	freeaddrinfo(found);
	return err;
}
