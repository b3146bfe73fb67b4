/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"
#include "tests/bench/load.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

SSL_CTX *
load_context(void)
{
	SSL_CTX *made = SSL_CTX_new(TLS_client_method());

	assert_non_null(made);
	assert_int_equal(SSL_CTX_set_max_proto_version(made, TLS1_2_VERSION),
	    1);
	assert_int_equal(SSL_CTX_set_cipher_list(made,
	    "ECDHE-RSA-AES256-GCM-SHA384"), 1);
	SSL_CTX_set_options(made, SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(made, SSL_MODE_RELEASE_BUFFERS);
	return made;
}

static int
connect_from(const char *address, unsigned int port, size_t i)
{
	const uint32_t source = (127u << 24) + (1u << 16) + (uint32_t)i % 250 +
	    1 + ((uint32_t)i / 250 << 8);
	struct sockaddr_in from = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(source)};
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_addr.s_addr = inet_addr(address),
	    .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	assert_true(fd >= 0);
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0 &&
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

bool
load_open(struct load_client *client, SSL_CTX *context, const char *address,
    unsigned int port, size_t i)
{
	client->length = 0;
	client->tls = NULL;
	client->fd = connect_from(address, port, i);
	if (client->fd < 0)
		return false;
	client->tls = SSL_new(context);
	assert_non_null(client->tls);
	SSL_set_fd(client->tls, client->fd);
	if (SSL_connect(client->tls) == 1 && load_hear(client, 1, "220"))
		return true;
	load_close(client);
	return false;
}

bool
load_open_unix(struct load_client *client, const char *path)
{
	struct sockaddr_un place = {.sun_family = AF_UNIX};

	client->length = 0;
	client->tls = NULL;
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(client->fd >= 0);
	snprintf(place.sun_path, sizeof(place.sun_path), "%s", path);
	if (connect(client->fd, (struct sockaddr *)&place, sizeof(place)) ==
	        0 && load_hear(client, 1, "220"))
		return true;
	load_close(client);
	return false;
}

void
load_close(struct load_client *client)
{
	if (client->tls != NULL)
		SSL_shutdown(client->tls);
	SSL_free(client->tls);
	if (client->fd >= 0)
		close(client->fd);
	client->tls = NULL;
	client->fd = -1;
}

void
load_say(struct load_client *client, const char *text, size_t length)
{
	ssize_t said = client->tls != NULL
	    ? SSL_write(client->tls, text, (int)length)
	    : send(client->fd, text, length, MSG_NOSIGNAL);

	assert_int_equal(said, length);
}

/* Takes lines that are complete until the last of a reply, which has a space
 * behind its code: false when that has not come. */
static bool
take_reply(struct load_client *client, const char *code, bool *good)
{
	char *line = client->input, *end;
	size_t left = client->length;
	bool taken = false;

	while (!taken && (end = memchr(line, '\n', left)) != NULL) {
		taken = line[3] != '-';
		if (taken && strncmp(line, code, strlen(code)) != 0) {
			*good = false;
			fprintf(stderr, "not %s but: %.*s\n", code,
			    (int)(end - line), line);
		}
		left -= (size_t)(end + 1 - line);
		line = end + 1;
	}
	memmove(client->input, line, left);
	client->length = left;
	return taken;
}

static bool
receive(struct load_client *client)
{
	char *space = client->input + client->length;
	size_t room = sizeof(client->input) - client->length;
	ssize_t got = client->tls != NULL
	    ? SSL_read(client->tls, space, (int)room)
	    : recv(client->fd, space, room, 0);

	if (got <= 0)
		return false;
	client->length += (size_t)got;
	return true;
}

bool
load_hear(struct load_client *client, size_t replies, const char *code)
{
	bool good = true;

	while (replies > 0 && good)
		if (take_reply(client, code, &good))
			replies--;
		else if (!receive(client))
			return false;
	return good;
}
