/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/replay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "crypto/base64.h"
#include "dime/armor.h"
#include "net/stream.h"

enum {
	PEERS = 8,
	SAYINGS = 32,
	LINE_LIMIT = 1000,
	LONG = 60000, /* a time that no test waits for */
};

struct peer_host {
	char name[DOMAIN_SIZE];
	struct unit_certificate certificate;
	struct tls_context *tls;
	int listener;
	pthread_t thread;
	pthread_mutex_t lock;
	bool ending, refusing;
	bool dual; /* begins in clear; STARTTLS leads to DMTP */
	struct stream *stream; /* of the session that is going on */
	struct replay_saying banner, sayings[SAYINGS];
	size_t saying_count;
	struct buffer heard; /* commands, each in quotes */
	int sessions;
};

struct replay_peers {
	size_t count;
	struct peer_host *hosts[PEERS];
};

static char directory[] = "/tmp/dimegate-unit-XXXXXX";
static EVP_PKEY *key;
static struct unit_certificate authority;

void
replay_peers_start(void)
{
	const struct unit_certificate_wish wish = {.name = "authority",
	    .days = 10, .authority = true};
	struct unit_certificate_wish with_key = wish;

	unit_directory(directory);
	with_key.key = key = unit_key(2048);
	unit_certificate_make(directory, &with_key, &authority);
}

void
replay_peers_end(void)
{
	unit_certificate_free(&authority);
	EVP_PKEY_free(key);
}

const struct unit_certificate *
replay_issuer(void)
{
	return &authority;
}

const char *
replay_directory(void)
{
	return directory;
}

const char *
replay_authority(void)
{
	return authority.certificate_path;
}

/* ---- a session ---- */

static const struct replay_saying *
find_saying(const struct peer_host *host, const char *command)
{
	static const struct replay_saying bye = {.command = "QUIT",
	    .closes = true};
	const struct replay_saying *found = NULL;

	if (strncasecmp(command, "QUIT", 4) == 0)
		return &bye;
	for (size_t i = 0; i < host->saying_count; i++) {
		const struct replay_saying *saying = &host->sayings[i];
		const size_t length = strlen(saying->command);

		if (strncasecmp(saying->command, command, length) == 0 &&
		    (found == NULL || length > strlen(found->command)))
			found = saying;
	}
	return found;
}

/* What is to be said, copied under the lock; false: the session ends. */
static bool
answer(struct peer_host *host, const char *command, struct buffer *out)
{
	const struct replay_saying *saying;
	bool goes_on = true;

	buffer_reset(out);
	pthread_mutex_lock(&host->lock);
	saying = command == NULL ? &host->banner : find_saying(host, command);
	if (command != NULL && strncasecmp(command, "QUIT", 4) != 0)
		buffer_printf(&host->heard, "\"%s\" ", command);
	if (saying == NULL) {
		buffer_append_string(out, "502 NOT SCRIPTED\n");
	} else {
		goes_on = !saying->closes;
		if (!saying->silent)
			buffer_append_span(out, buffer_span(&saying->text));
	}
	pthread_mutex_unlock(&host->lock);
	return goes_on;
}

/* From `text` on, until the session ends; or, in clear, until TLS is to begin,
 * which is true. */
static bool
converse(struct peer_host *host, struct stream *stream, struct buffer *text,
    bool goes_on, bool clear)
{
	const struct deadline deadline = deadline_in(LONG);
	char command[LINE_LIMIT] = "";
	struct span line;

	while (stream_write(stream, buffer_span(text), deadline) == 0 &&
	    goes_on) {
		if (clear && strncmp(command, "STARTTLS", 8) == 0 &&
		    text->length > 0 && text->data[0] == '2')
			return true;
		if (stream_read_line(stream, LINE_LIMIT, &line, deadline) !=
		        0 ||
		    !span_copy_string(line, command, sizeof(command)))
			break;
		goes_on = answer(host, command, text);
	}
	return false;
}

static void
hold_session(struct peer_host *host, struct stream *stream)
{
	struct buffer text = buffer_make(1 << 22);
	bool secured = !host->dual;
	bool goes_on = true;

	if (host->dual) {
		goes_on = answer(host, NULL, &text);
		secured = converse(host, stream, &text, goes_on, true);
	}
	if (secured && stream_start_tls_server(stream, host->tls,
	                   deadline_in(LONG), NULL) == 0) {
		buffer_reset(&text);
		if (host->dual)
			buffer_append_string(&text, "250 OK DMTP\n");
		else
			goes_on = answer(host, NULL, &text);
		converse(host, stream, &text, goes_on, false);
	}
	buffer_free(&text);
}

/* False when the host is to end. */
static bool
take_session(struct peer_host *host, struct stream *stream)
{
	bool takes;

	pthread_mutex_lock(&host->lock);
	takes = !host->ending && !host->refusing;
	host->stream = takes ? stream : NULL;
	host->sessions++;
	pthread_mutex_unlock(&host->lock);
	return takes;
}

static void *
serve(void *argument)
{
	struct peer_host *host = argument;
	bool ending = false;

	while (!ending) {
		const int fd = accept(host->listener, NULL, NULL);
		struct stream *stream = fd < 0 ? NULL : stream_of_fd(fd);

		if (stream != NULL && take_session(host, stream))
			hold_session(host, stream);
		pthread_mutex_lock(&host->lock);
		host->stream = NULL;
		ending = host->ending;
		pthread_mutex_unlock(&host->lock);
		stream_free(stream);
	}
	return NULL;
}

/* ---- hosts ---- */

static void
make_certificate(const struct replay *replay, struct peer_host *host,
    const char *kind)
{
	char names[DOMAIN_SIZE + 8], responder[64];
	struct unit_certificate_wish wish = {.name = host->name, .key = key,
	    .names = names, .days = 10, .issuer = &authority};

	snprintf(names, sizeof(names), "DNS:%s", host->name);
	snprintf(responder, sizeof(responder), "http://ocsp.test:%u/",
	    replay->port);
	if (strcmp(kind, "self-signed") == 0)
		wish.issuer = NULL;
	else if (strcmp(kind, "expired") == 0)
		wish.days = -1;
	else if (strcmp(kind, "ocsp") == 0)
		wish.ocsp = responder;
	else if (strncmp(kind, "for:", 4) == 0)
		snprintf(names, sizeof(names), "DNS:%s", kind + 4);
	else if (strcmp(kind, "valid") != 0)
		replay_fail(replay, "%s: no kind of certificate", kind);
	unit_certificate_make(directory, &wish, &host->certificate);
}

static void
listen_at(const struct replay *replay, struct peer_host *host,
    const char *address, unsigned int port)
{
	struct sockaddr_in place = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port)};
	const int yes = 1;

	if (strncmp(address, "127.", 4) != 0 ||
	    inet_pton(AF_INET, address, &place.sin_addr) != 1)
		replay_fail(replay, "%s: no loopback address", address);
	host->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(host->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(host->listener, (struct sockaddr *)&place, sizeof(place)) !=
	        0 ||
	    listen(host->listener, 20) != 0)
		replay_fail(replay, "%s, port %u: in use", address,
		    port);
}

static unsigned int
port_of(const struct replay *replay, const char *mode)
{
	if (strcmp(mode, "single") == 0)
		return replay->port;
	if (strcmp(mode, "dual") == 0)
		return replay->mx_port;
	if (strcmp(mode, "submission") == 0)
		return replay->submission_port;
	replay_fail(replay, "%s: no mode of a host", mode);
}

static void
add_host(struct replay *replay, const char *name, const char *address,
    const char *kind, const char *mode)
{
	struct replay_peers *peers = replay->peers;
	struct peer_host *host = calloc(1, sizeof(*host));

	assert_non_null(host);
	if (peers->count == PEERS)
		replay_fail(replay, "too many hosts");
	snprintf(host->name, sizeof(host->name), "%s", name);
	pthread_mutex_init(&host->lock, NULL);
	host->heard = buffer_make(1 << 20);
	host->banner.text = buffer_make(LINE_LIMIT);
	host->dual = strcmp(mode, "single") != 0;
	buffer_printf(&host->banner.text, "220 <%s> %s ready\n", name,
	    host->dual ? "ESMTP DMTP" : "DMTP");
	make_certificate(replay, host, kind);
	assert_int_equal(tls_server_new(&(const struct tls_identity){
	                     host->certificate.certificate_path,
	                     host->certificate.key_path}, 1, &host->tls,
	                     NULL), 0);
	listen_at(replay, host, address, port_of(replay, mode));
	assert_int_equal(pthread_create(&host->thread, NULL, serve, host), 0);
	peers->hosts[peers->count++] = host;
}

static struct peer_host *
find_host(const struct replay *replay, const char *name)
{
	for (size_t i = 0; i < replay->peers->count; i++)
		if (strcmp(replay->peers->hosts[i]->name, name) == 0)
			return replay->peers->hosts[i];
	replay_fail(replay, "%s: no such peer", name);
}

struct replay_peers *
replay_peers_new(void)
{
	struct replay_peers *peers = calloc(1, sizeof(*peers));

	assert_non_null(peers);
	return peers;
}

static void
stop_host(struct peer_host *host)
{
	if (host->listener < 0)
		return;
	pthread_mutex_lock(&host->lock);
	host->ending = true;
	if (host->stream != NULL)
		stream_abort(host->stream);
	pthread_mutex_unlock(&host->lock);
	shutdown(host->listener, SHUT_RDWR);
	pthread_join(host->thread, NULL);
	close(host->listener);
	host->listener = -1;
}

void
replay_peers_stop(struct replay_peers *peers)
{
	for (size_t i = 0; i < peers->count; i++)
		stop_host(peers->hosts[i]);
}

void
replay_peers_free(struct replay_peers *peers)
{
	if (peers == NULL)
		return;
	replay_peers_stop(peers);
	for (size_t i = 0; i < peers->count; i++) {
		struct peer_host *host = peers->hosts[i];

		for (size_t j = 0; j < host->saying_count; j++)
			buffer_free(&host->sayings[j].text);
		buffer_free(&host->banner.text);
		buffer_free(&host->heard);
		tls_free(host->tls);
		unit_certificate_free(&host->certificate);
		pthread_mutex_destroy(&host->lock);
		free(host);
	}
	free(peers);
}

/* ---- what they say ---- */

static void
set_saying(const struct replay *replay, struct peer_host *host,
    const char *command, const struct replay_saying *saying)
{
	size_t i = 0;

	while (i < host->saying_count &&
	    strcmp(host->sayings[i].command, command) != 0)
		i++;
	if (i == SAYINGS)
		replay_fail(replay, "%s: says too much", host->name);
	if (i == host->saying_count)
		host->saying_count++;
	else
		buffer_free(&host->sayings[i].text);
	host->sayings[i] = *saying;
	snprintf(host->sayings[i].command, sizeof(host->sayings[i].command),
	    "%s", command);
}

/* `serves NAME...`: signets of domains and addresses, by the first keys. */
static void
serve_names(const struct replay *replay, const struct replay_step *step,
    struct peer_host *host)
{
	for (size_t i = 3; i < step->count; i++) {
		const char *name = replay_word(replay, step, i);
		const bool is_user = strchr(name, '@') != NULL;
		struct replay_saying saying = {.text = buffer_make(1 << 20)};
		char command[300];

		snprintf(command, sizeof(command), "SGNT FOR=<%s>", name);
		replay_listing(is_user ? world_user_signet(name, 1, 2, 0)
		                      : world_org_signet(name, 1),
		    is_user ? 280 : 270, &saying.text);
		buffer_append_string(&saying.text,
		    is_user ? "280 OK\n" : "270 OK\n");
		pthread_mutex_lock(&host->lock);
		set_saying(replay, host, command, &saying);
		pthread_mutex_unlock(&host->lock);
	}
}

void
replay_peers_set(struct replay *replay, const struct replay_step *step)
{
	const char *name = replay_word(replay, step, 1);
	const char *what = replay_word(replay, step, 2);
	struct replay_saying saying = {0};
	struct peer_host *host;

	if (strncmp(what, "127.", 4) == 0) {
		add_host(replay, name, what,
		    step->count > 3 ? replay_word(replay, step, 3) : "valid",
		    step->count > 4 ? replay_word(replay, step, 4) : "single");
		return;
	}
	host = find_host(replay, name);
	if (strcmp(what, "serves") == 0) {
		serve_names(replay, step, host);
		return;
	}
	if (strcmp(what, "banner") == 0)
		replay_saying_read(replay, step, 3, &saying);
	else if (strcmp(what, "says") == 0)
		replay_saying_read(replay, step, 4, &saying);
	else if (strcmp(what, "down") != 0 && strcmp(what, "up") != 0)
		replay_fail(replay, "%s: nothing that a peer can do", what);
	pthread_mutex_lock(&host->lock);
	if (strcmp(what, "banner") == 0) {
		buffer_free(&host->banner.text);
		host->banner = saying;
	} else if (strcmp(what, "says") == 0) {
		set_saying(replay, host, replay_word(replay, step, 3),
		    &saying);
	} else {
		host->refusing = strcmp(what, "down") == 0;
	}
	pthread_mutex_unlock(&host->lock);
}

/* ---- what came of it ---- */

void
replay_peers_heard(struct replay *replay, const char *name, struct buffer *out)
{
	struct peer_host *host = find_host(replay, name);

	pthread_mutex_lock(&host->lock);
	buffer_append_span(out, buffer_span(&host->heard));
	buffer_reset(&host->heard);
	pthread_mutex_unlock(&host->lock);
}

int
replay_peers_sessions(struct replay *replay, const char *name)
{
	struct peer_host *host = find_host(replay, name);
	int sessions;

	pthread_mutex_lock(&host->lock);
	sessions = host->sessions;
	host->sessions = 0;
	pthread_mutex_unlock(&host->lock);
	return sessions;
}

void
replay_peers_sign(struct replay *replay, const char *name, uint8_t number,
    struct buffer *out)
{
	const struct peer_host *host = find_host(replay, name);
	const struct world_seed seed = world_seed(number);
	uint8_t signature[CRYPTO_SIGNATURE];
	char text[BASE64_LENGTH(CRYPTO_SIGNATURE) + 1];

	crypto_ed25519_sign(seed.octets, buffer_span(&host->certificate.der),
	    signature);
	base64_encode(span_of(signature, sizeof(signature)), text);
	buffer_append_string(out, text);
}
