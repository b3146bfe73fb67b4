/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/dmtpd_world.h"
#include "tests/unit/unit_tls.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "client/facts.h"
#include "dime/armor.h"
#include "dime/record.h"
#include "dmtp/netstring.h"
#include "keys/state.h"
#include "net/server.h"

struct dmtpd_world world;
char heard[1024];
struct buffer listing;

static struct unit_certificate certificate;
static struct server *server; /* of policyd and Postfix */
static pthread_t server_thread, log_thread;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t log_grew = PTHREAD_COND_INITIALIZER;
static struct buffer log_text_so_far;
static char rcpt_answer[256], message_answer[256];
static struct postfix_mail mail;

enum { PATIENCE = 20000 /* milliseconds, for a machine under load */ };

static const char *
path(const char *name)
{
	static char paths[4][160];
	static unsigned int next;
	char *out = paths[next++ % 4];

	snprintf(out, sizeof(paths[0]), "%s/%s", world.directory, name);
	return out;
}

/* ---- dime-policyd ---- */

/* The record of ours that publishes the organization's key and the certificate
 * that dmtpd shows. */
static void
append_record(const struct keys_org *org, struct buffer *out)
{
	struct record *record = calloc(1, sizeof(*record));

	assert_non_null(record);
	record->pok_count = 1;
	memcpy(record->poks[0], org->signet->pok, CRYPTO_SIGN_PUBLIC);
	record->tls_count = 1;
	assert_int_equal(org->signer.sign(org->signer.context,
	    buffer_span(&certificate.der), record->tls[0]), 0);
	record->version = 1;
	record->policy = RECORD_MIXED;
	record->subdomain = RECORD_SUB_MIXED;
	record->expiry = RECORD_EXPIRY_DEFAULT;
	record_write(record, out);
	free(record);
}

static void
answer_host(struct facts_answer *answer, const char *name,
    const char *address)
{
	struct facts_host *host = &answer->hosts[answer->host_count++];

	snprintf(host->name, sizeof(host->name), "%s", name);
	snprintf(host->addresses[0], sizeof(host->addresses[0]), "%s",
	    address);
	host->address_count = 1;
}

static void
answer_org(struct facts_answer *answer, const struct keys_org *org)
{
	answer->confirmed = true;
	answer->facts.dns = DNS_PRESENT_SECURE;
	snprintf(answer->organization, sizeof(answer->organization), "%s",
	    org->signet->domain);
	buffer_append_span(&answer->org_signet,
	    signet_binary(org->signet->signet));
	append_record(org, &answer->record);
}

static void
answer_facts(const struct facts_request *request, struct facts_answer *answer)
{
	const struct keys_org *org =
	    strcmp(request->to, "beta.test") == 0 ? world.beta
	    : strcmp(request->to, "gamma.test") == 0 ? world.gamma
	    : strcmp(request->to, "alpha.test") == 0 ||
	        strcmp(request->to, "www.alpha.test") == 0 ? world.alpha : NULL;

	if (org != NULL) {
		answer_org(answer, org);
		/* Nobody listens at gamma's, and first at none of beta's. */
		if (org != world.gamma)
			answer_host(answer, "dx.beta.test", "127.0.0.1");
		answer_host(answer, "dx.gamma.test", "127.0.0.99");
		if (*request->fingerprint != '\0' &&
		    strcmp(request->fingerprint, org->signet->fingerprint) != 0)
			answer->err = ERR_UNKNOWN_ADDRESS;
	} else if (strcmp(request->to, "absent.test") == 0) {
		answer->facts.dns = DNS_ABSENT_PROVEN;
	} else if (strcmp(request->to, "unconfirmed.test") == 0) {
		answer_org(answer, world.alpha);
		answer->confirmed = false;
	} else {
		answer->err = ERR_DNS;
		answer->facts.dns = DNS_UNREACHABLE;
	}
}

static void
write_answer(struct stream *stream, const struct facts_answer *answer)
{
	struct buffer text = buffer_make(FACTS_ANSWER_LIMIT);
	struct buffer out = buffer_make(FACTS_ANSWER_LIMIT + 16);

	facts_answer_write(answer, &text);
	netstring_write(buffer_span(&text), &out);
	stream_write(stream, buffer_span(&out), deadline_in(PATIENCE));
	buffer_free(&text);
	buffer_free(&out);
}

static void
serve_facts(struct stream *stream, void *context)
{
	struct buffer storage = buffer_make(FACTS_REQUEST_LIMIT);
	struct netstring_reader reader;
	struct facts_request request;
	struct facts_answer answer;
	uint8_t octets[4096];
	bool complete = false;
	size_t got = 1;

	facts_answer_init(&answer);
	netstring_start(&reader, FACTS_REQUEST_LIMIT);
	while (!complete && got > 0 && stream_read(stream, octets,
	    sizeof(octets), &got, deadline_in(PATIENCE)) == 0) {
		struct span input = span_of(octets, got);

		if (netstring_feed(&reader, &input, &complete) != 0)
			break;
	}
	if (complete && facts_request_read(netstring_content(&reader),
	    &request, &storage, NULL) == 0) {
		answer_facts(&request, &answer);
		write_answer(stream, &answer);
	}
	netstring_free(&reader);
	facts_answer_free(&answer);
	buffer_free(&storage);
}

/* ---- Postfix ---- */

void
postfix_answers(const char *rcpt, const char *message)
{
	pthread_mutex_lock(&lock);
	snprintf(rcpt_answer, sizeof(rcpt_answer), "%s", rcpt);
	snprintf(message_answer, sizeof(message_answer), "%s", message);
	pthread_mutex_unlock(&lock);
}

struct postfix_mail *
postfix_mail(void)
{
	return &mail;
}

static bool
reply(struct stream *stream, const char *text)
{
	char line[300];

	if (*text == '\0')
		return false;
	snprintf(line, sizeof(line), "%s\r\n", text);
	return stream_write(stream, span_string(line),
	    deadline_in(PATIENCE)) == 0;
}

static bool
reply_scripted(struct stream *stream, const char *script)
{
	char text[256];

	pthread_mutex_lock(&lock);
	snprintf(text, sizeof(text), "%s", script);
	pthread_mutex_unlock(&lock);
	return reply(stream, text);
}

/* Between the angle brackets. */
static void
take_path(struct span line, char out[static ADDRESS_SIZE])
{
	const uint8_t *open = memchr(line.data, '<', line.length);

	span_copy_string(span_of(open + 1,
	    (size_t)(line.data + line.length - open) - 2), out, ADDRESS_SIZE);
}

static bool
take_message(struct stream *stream)
{
	struct span line;

	if (!reply(stream, "354 go on"))
		return false;
	buffer_reset(&mail.message);
	while (stream_read_line(stream, 1000, &line,
	    deadline_in(PATIENCE)) == 0) {
		if (span_equal_string(line, ".")) {
			pthread_mutex_lock(&lock);
			mail.count += message_answer[0] == '2';
			pthread_mutex_unlock(&lock);
			return reply_scripted(stream, message_answer);
		}
		buffer_append_span(&mail.message, line);
		buffer_append_string(&mail.message, "\r\n");
	}
	return false;
}

static void
serve_postfix(struct stream *stream, void *context)
{
	bool good = reply(stream, "220 mail.beta.test ESMTP");
	struct span line;

	while (good && stream_read_line(stream, 1000, &line,
	    deadline_in(PATIENCE)) == 0) {
		struct span verb = span_slice(line, 0, 4);

		if (span_equal_string(verb, "QUIT"))
			break;
		if (span_equal_string(verb, "DATA")) {
			good = take_message(stream);
		} else if (span_equal_string(verb, "RCPT")) {
			take_path(line, mail.recipient);
			good = reply_scripted(stream, rcpt_answer);
		} else {
			if (span_equal_string(verb, "MAIL"))
				take_path(line, mail.sender);
			good = reply(stream, "250 2.0.0 Ok");
		}
	}
}

static void *
run_server(void *argument)
{
	server_run(server, 1000);
	return NULL;
}

static void
start_server(void)
{
	static const struct server_limits limits = {0};

	postfix_answers("250 2.1.5 Ok", "250 2.0.0 Ok: queued as 4Wx1Yz");
	mail.message = buffer_make(16 << 20);
	assert_int_equal(server_new(&limits, NULL, NULL, NULL, &server), 0);
	assert_int_equal(server_listen_unix(server, path("facts"), 0600, "",
	    serve_facts, NULL, NULL), 0);
	assert_int_equal(server_listen_unix(server, path("dimein"), 0600, "",
	    serve_postfix, NULL, NULL), 0);
	assert_int_equal(pthread_create(&server_thread, NULL, run_server,
	    NULL), 0);
}

/* ---- keys ---- */

static struct keys *
open_keys(const char *directory)
{
	char names[3][200];
	struct keys_settings settings = {names[0], names[1], names[2], true,
	    &clock_system};
	struct fault fault = {0};
	struct keys *keys;

	snprintf(names[0], sizeof(names[0]), "%s/keys.db", directory);
	snprintf(names[1], sizeof(names[1]), "%s/master.key", directory);
	snprintf(names[2], sizeof(names[2]), "%s/transport.key", directory);
	if (keys_open(&settings, &keys, &fault) != 0)
		fail_msg("%s", fault.text);
	return keys;
}

static void
copy_file(const char *from, const char *to)
{
	struct buffer content = buffer_make(64 << 20);

	assert_int_equal(file_read(from, &content, NULL), 0);
	assert_int_equal(file_write(to, buffer_span(&content), 0600, true,
	    NULL), 0);
	buffer_free(&content);
}

/* dmtpd's store, and the one that seals: a copy, in which then more is made. */
static void
make_keys(void)
{
	static const char *const files[] = {"keys.db", "master.key",
	    "transport.key"};
	char copy[160], to[200];
	struct keys *keys = open_keys(world.directory);

	snprintf(copy, sizeof(copy), "%s/sealing-XXXXXX", world.directory);
	assert_non_null(mkdtemp(copy));
	assert_int_equal(keys_create_org(keys, "alpha.test", NULL), 0);
	assert_int_equal(keys_create_org(keys, "beta.test", NULL), 0);
	assert_int_equal(keys_create_user(keys, "alice@alpha.test", NULL), 0);
	assert_int_equal(keys_create_user(keys, "bob@beta.test", NULL), 0);
	keys_close(keys);
	for (size_t i = 0; i < COUNT(files); i++) {
		snprintf(to, sizeof(to), "%s/%s", copy, files[i]);
		copy_file(path(files[i]), to);
	}
	keys = open_keys(world.directory);
	assert_int_equal(keys_create_user(keys, "dave@beta.test", NULL), 0);
	keys_close(keys);
	world.sealing = open_keys(copy);
	keys = world.sealing;
	assert_int_equal(keys_create_org(keys, "gamma.test", NULL), 0);
	assert_int_equal(keys_create_user(keys, "carol@beta.test", NULL), 0);
	assert_int_equal(keys_create_user(keys, "dave@beta.test", NULL), 0);
	assert_int_equal(keys_create_user(keys, "erin@gamma.test", NULL), 0);
}

static void
find_keys(void)
{
	struct keys *keys = world.sealing;

	assert_int_equal(keys_find_org(keys, "alpha.test", &world.alpha, NULL),
	    0);
	assert_int_equal(keys_find_org(keys, "beta.test", &world.beta, NULL),
	    0);
	assert_int_equal(keys_find_org(keys, "gamma.test", &world.gamma, NULL),
	    0);
	assert_int_equal(keys_find_user(keys, "alice@alpha.test", &world.alice,
	    NULL), 0);
	assert_int_equal(keys_find_user(keys, "bob@beta.test", &world.bob,
	    NULL), 0);
	assert_int_equal(keys_find_user(keys, "carol@beta.test", &world.carol,
	    NULL), 0);
	assert_int_equal(keys_find_user(keys, "dave@beta.test", &world.dave,
	    NULL), 0);
	assert_int_equal(keys_find_user(keys, "erin@gamma.test", &world.erin,
	    NULL), 0);
}

/* ---- dmtpd ---- */

static unsigned int
free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address,
	    &length), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static void
write_config(void)
{
	struct buffer text = buffer_make(8192);

	world.port = free_port();
	snprintf(world.config, sizeof(world.config), "%s", path("conf"));
	buffer_printf(&text, "hostname = \"mx.beta.test\"\n"
	    "domains = {\"alpha.test\", \"beta.test\"}\n"
	    "log_target = \"stderr\"\nlog_level = \"debug\"\n"
	    "message_size_limit = %d\ndata_memory_limit = %d\n",
	    WORLD_MESSAGE_LIMIT, WORLD_MEMORY_LIMIT);
	buffer_printf(&text, "listen = {\"127.0.0.1\"}\nlisten_port = %u\n"
	    "peer_port = %u\nca_file = \"\"\nfetch_timeout = 5\n", world.port,
	    world.port);
	buffer_printf(&text, "tls_certificate = \"%s\"\ntls_key = \"%s\"\n",
	    certificate.certificate_path, certificate.key_path);
	buffer_printf(&text, "facts_socket = \"%s\"\n", path("facts"));
	buffer_printf(&text, "lmtp_socket = \"%s\"\n", path("lmtp"));
	buffer_printf(&text, "inject_socket = \"%s\"\n", path("dimein"));
	buffer_printf(&text, "keys_db = \"%s\"\n", path("keys.db"));
	buffer_printf(&text, "state_db = \"%s\"\n", path("state.db"));
	buffer_printf(&text, "transport_key_file = \"%s\"\n",
	    path("transport.key"));
	assert_int_equal(file_write(world.config, buffer_span(&text), 0600,
	    true, NULL), 0);
	buffer_free(&text);
}

static void *
read_log(void *argument)
{
	int fd = *(int *)argument;
	char octets[1024];
	ssize_t got;

	while ((got = read(fd, octets, sizeof(octets))) > 0) {
		pthread_mutex_lock(&lock);
		buffer_append(&log_text_so_far, octets, (size_t)got);
		pthread_cond_broadcast(&log_grew);
		pthread_mutex_unlock(&lock);
	}
	close(fd);
	return NULL;
}

static bool
line_holds(struct span line, const char *const *what)
{
	for (; *what != NULL; what++)
		if (memmem(line.data, line.length, *what,
		    strlen(*what)) == NULL)
			return false;
	return true;
}

static bool
find_log(char *out, size_t size, const char *const *what)
{
	struct span rest = buffer_span(&log_text_so_far), line;

	while (span_next_line(&rest, &line)) {
		if (!line_holds(line, what))
			continue;
		if (out != NULL)
			span_copy_string(line, out, size);
		return true;
	}
	return false;
}

void
wait_log(char *line, size_t size, const char *const *what)
{
	struct timespec until;
	bool found;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE / 1000;
	pthread_mutex_lock(&lock);
	while (!(found = find_log(line, size, what)) &&
	    pthread_cond_timedwait(&log_grew, &lock, &until) == 0)
		;
	if (!found)
		print_message("%s\n", buffer_string(&log_text_so_far));
	pthread_mutex_unlock(&lock);
	assert_true(found);
}

bool
log_holds(const char *text)
{
	const char *const what[] = {text, NULL};
	bool found;

	pthread_mutex_lock(&lock);
	found = find_log(NULL, 0, what);
	pthread_mutex_unlock(&lock);
	return found;
}

static void
start_dmtpd(void)
{
	static const char *const ready[] = {"event=ready", NULL};
	static int log_pipe[2];

	assert_int_equal(pipe(log_pipe), 0);
	world.process = fork();
	assert_true(world.process >= 0);
	if (world.process == 0) {
		dup2(log_pipe[1], STDERR_FILENO);
		close(log_pipe[0]);
		close(log_pipe[1]);
		execl("dmtpd/dmtpd", "dmtpd", "-c", world.config,
		    (char *)NULL);
		_exit(127);
	}
	close(log_pipe[1]);
	log_text_so_far = buffer_make(16 << 20);
	assert_int_equal(pthread_create(&log_thread, NULL, read_log,
	    &log_pipe[0]), 0);
	wait_log(NULL, 0, ready);
}

int
dmtpd_world_start(void **state)
{
	struct unit_certificate_wish wish = {.name = "dmtp",
	    .names = "DNS:other.test", .days = 30};

	if (unit_start(state) != 0)
		return -1;
	strcpy(world.directory, "/tmp/dimegate-dmtpd-XXXXXX");
	unit_directory(world.directory);
	wish.key = unit_key(2048);
	unit_certificate_make(world.directory, &wish, &certificate);
	EVP_PKEY_free(wish.key);
	listing = buffer_make(64 << 20);
	make_keys();
	find_keys();
	write_config();
	start_dmtpd();
	start_server();
	assert_int_equal(tls_client_new("", &world.tls, NULL), 0);
	assert_int_equal(state_open(path("state.db"), 0600, &clock_system,
	    &world.state, NULL), 0);
	return 0;
}

int
dmtpd_world_end(void **state)
{
	int status = -1;

	if (world.process > 0) {
		kill(world.process, SIGTERM);
		waitpid(world.process, &status, 0);
		pthread_join(log_thread, NULL);
	}
	if (status != 0)
		print_message("%s\n", buffer_string(&log_text_so_far));
	server_stop(server);
	pthread_join(server_thread, NULL);
	server_free(server);
	tls_free(world.tls);
	state_close(world.state);
	keys_org_free(world.alpha);
	keys_org_free(world.beta);
	keys_org_free(world.gamma);
	keys_user_free(world.alice);
	keys_user_free(world.bob);
	keys_user_free(world.carol);
	keys_user_free(world.dave);
	keys_user_free(world.erin);
	keys_close(world.sealing);
	unit_certificate_free(&certificate);
	buffer_free(&mail.message);
	buffer_free(&listing);
	buffer_free(&log_text_so_far);
	unit_end(state);
	/* A dmtpd that did not end well, or leaked, fails the group. */
	return status == 0 ? 0 : -1;
}

/* ---- conversations ---- */

struct stream *
dmtp_open(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons((uint16_t)world.port)};
	struct tls_peer peer;
	struct stream *stream;

	assert_int_equal(stream_connect((struct sockaddr *)&address,
	    sizeof(address), NULL, 0, deadline_in(PATIENCE), &stream, NULL), 0);
	assert_int_equal(stream_start_tls_client(stream, world.tls,
	    "mx.beta.test", &peer, deadline_in(PATIENCE), NULL), 0);
	buffer_free(&peer.der);
	assert_int_equal(hear(stream), 220);
	return stream;
}

struct stream *
lmtp_open(void)
{
	struct stream *stream;

	assert_int_equal(stream_connect_unix(path("lmtp"),
	    deadline_in(PATIENCE), &stream, NULL), 0);
	assert_int_equal(hear(stream), 220);
	assert_int_equal(ask(stream, "LHLO mail.alpha.test"), 250);
	return stream;
}

void
say_span(struct stream *stream, struct span text)
{
	assert_int_equal(stream_write(stream, text, deadline_in(PATIENCE)), 0);
}

void
say(struct stream *stream, const char *text)
{
	say_span(stream, span_string(text));
}

int
hear(struct stream *stream)
{
	struct span line;
	uint64_t code;

	buffer_reset(&listing);
	for (;;) {
		int err = stream_read_line(stream, 1000, &line,
		    deadline_in(PATIENCE));

		if (err != 0)
			fail_msg("no reply: %s", error_row(err)->name);
		assert_true(span_number(span_slice(line, 0, 3), 599, &code));
		assert_true(line.length >= 4);
		if (line.data[3] != '-')
			break;
		buffer_append_span(&listing, span_slice(line, 4, line.length));
		buffer_u8(&listing, '\n');
	}
	assert_true(span_copy_string(span_slice(line, 4, line.length), heard,
	    sizeof(heard)));
	return (int)code;
}

int
ask(struct stream *stream, const char *format, ...)
{
	struct buffer line = buffer_make(4096);
	va_list arguments;
	char text[2048];

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	buffer_append_string(&line, text);
	buffer_append_string(&line, "\r\n");
	say_span(stream, buffer_span(&line));
	buffer_free(&line);
	return hear(stream);
}

/* ---- messages ---- */

static struct buffer
seal(const struct keys_org *destination, const struct keys_user *recipient,
    const char *words)
{
	struct buffer mime = buffer_make(WORLD_MESSAGE_LIMIT * 8);
	struct buffer binary = buffer_make(WORLD_MESSAGE_LIMIT * 8);
	struct random_source random;
	struct message_seal wish = {
	    .parties = {world.alice->signet, world.alpha->signet,
	        destination->signet, recipient->signet},
	    .author_signer = world.alice->signer,
	    .origin_signer = world.alpha->signer,
	    .random = &random,
	};
	struct fault fault = {0};

	buffer_printf(&mime, "From: alice@alpha.test\r\nSubject: %.40s\r\n\r\n",
	    words);
	buffer_append_string(&mime, words);
	random_start(&random);
	if (message_seal(&wish, buffer_span(&mime), &binary, &fault) != 0)
		fail_msg("%s", fault.text);
	random_end(&random);
	buffer_free(&mime);
	return binary;
}

static struct buffer
armored(struct buffer *binary)
{
	struct buffer out = buffer_make(WORLD_MESSAGE_LIMIT * 16);

	armor_write(ARMOR_MESSAGE, buffer_span(binary), &out);
	assert_int_equal(out.error, 0);
	buffer_free(binary);
	return out;
}

struct buffer
sealed(const struct keys_org *destination, const struct keys_user *recipient,
    const char *words)
{
	struct buffer binary = seal(destination, recipient, words);

	return armored(&binary);
}

/* 255 is the last chunk: 64 octets and four slots. */
enum { LAST_PAYLOAD = 64 + 4 * 64, LAST_CHUNK = 4 + LAST_PAYLOAD };

struct buffer
sealed_badly(const struct keys_org *destination,
    const struct keys_user *recipient, const char *words)
{
	struct buffer binary = seal(destination, recipient, words);

	binary.data[binary.length - LAST_PAYLOAD] ^= 1;
	return armored(&binary);
}

struct buffer
sealed_unsigned(const struct keys_org *destination,
    const struct keys_user *recipient, const char *words)
{
	enum { MAGIC = 2, HEADER = 6 };
	struct buffer binary = seal(destination, recipient, words);
	size_t size;

	assert_int_equal(binary.data[binary.length - LAST_CHUNK], 255);
	binary.length -= LAST_CHUNK;
	size = binary.length - HEADER;
	for (size_t i = 0; i < 4; i++)
		binary.data[MAGIC + i] = (uint8_t)(size >> (24 - 8 * i));
	return armored(&binary);
}
