/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

/*
 * The least that a TLS server with a thread a connection can be, to measure
 * dmtpd against: it greets and answers each line with "250 OK". Settings of TLS
 * and size of the stacks are dmtpd's.
 *
 * usage: tls_floor CERTIFICATE KEY PORT		(of 127.0.0.1)
 */

enum { STACK_SIZE = 256 * 1024, PIECE = 4096 };

static SSL_CTX *context;

static SSL_CTX *
make_context(const char *certificate, const char *key)
{
	SSL_CTX *made = SSL_CTX_new(TLS_server_method());

	if (made == NULL ||
	    SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_max_proto_version(made, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(made, "ECDHE-RSA-AES256-GCM-SHA384") !=
	        1 ||
	    SSL_CTX_use_certificate_file(made, certificate,
	        SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_use_PrivateKey_file(made, key, SSL_FILETYPE_PEM) != 1)
		return NULL;
	SSL_CTX_set_options(made, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
	    SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(made, SSL_MODE_RELEASE_BUFFERS);
	return made;
}

static void
converse(SSL *tls)
{
	static const char greeting[] = "220 <floor.test> DMTP\n";
	static const char answer[] = "250 OK\n";
	char octets[PIECE];
	int got = SSL_write(tls, greeting, sizeof(greeting) - 1);

	while (got > 0 && (got = SSL_read(tls, octets, sizeof(octets))) > 0)
		for (int i = 0; i < got; i++)
			if (octets[i] == '\n')
				SSL_write(tls, answer, sizeof(answer) - 1);
}

static void *
serve(void *argument)
{
	int fd = (int)(intptr_t)argument, on = 1;
	SSL *tls = SSL_new(context);

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (tls != NULL && SSL_set_fd(tls, fd) == 1 && SSL_accept(tls) == 1)
		converse(tls);
	SSL_free(tls);
	close(fd);
	return NULL;
}

static int
listen_at(const char *port)
{
	struct sockaddr_in place = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&place, sizeof(place)) != 0 ||
	    listen(fd, SOMAXCONN) != 0)
		return -1;
	return fd;
}

int
main(int count, char **arguments)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int listener, fd;

	if (count != 4) {
		fprintf(stderr, "usage: tls_floor CERTIFICATE KEY PORT\n");
		return 64;
	}
	signal(SIGPIPE, SIG_IGN);
	context = make_context(arguments[1], arguments[2]);
	if (context == NULL || (listener = listen_at(arguments[3])) < 0) {
		fprintf(stderr, "tls_floor: cannot start\n");
		return 1;
	}
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd >= 0 && pthread_create(&thread, &attributes, serve,
		        (void *)(intptr_t)fd) != 0)
			close(fd);
	}
}
