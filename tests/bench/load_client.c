/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"
#include "tests/bench/load.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
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
connect_from(unsigned int port, size_t i)
{
	const uint32_t source = (127u << 24) + (1u << 16) + (uint32_t)i % 250 +
	    1 + ((uint32_t)i / 250 << 8);
	struct sockaddr_in from = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(source)};
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
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
load_open(struct load_client *client, SSL_CTX *context, unsigned int port,
    size_t i)
{
	client->length = 0;
	client->tls = NULL;
	client->fd = connect_from(port, i);
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
	assert_int_equal(SSL_write(client->tls, text, (int)length), length);
}

/* Takes the lines that are complete; counts replies, which end with a line that
 * has a space behind its code, and those that begin otherwise than they should. */
static void
take_lines(struct load_client *client, const char *code, size_t *replies,
    size_t *others)
{
	char *line = client->input, *end;
	size_t left = client->length;

	while ((end = memchr(line, '\n', left)) != NULL) {
		if (line[3] != '-') {
			++*replies;
			*others += memcmp(line, code, 3) != 0;
		}
		left -= (size_t)(end + 1 - line);
		line = end + 1;
	}
	memmove(client->input, line, left);
	client->length = left;
}

bool
load_hear(struct load_client *client, size_t replies, const char *code)
{
	size_t heard = 0, others = 0;

	while (heard < replies) {
		int got = SSL_read(client->tls, client->input + client->length,
		    (int)(sizeof(client->input) - client->length));

		if (got <= 0)
			return false;
		client->length += (size_t)got;
		take_lines(client, code, &heard, &others);
	}
	return others == 0;
}
