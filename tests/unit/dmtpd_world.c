/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/dmtpd_world.h"
#include "tests/unit/unit_keys.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

struct dmtpd_world world;

static pthread_t log_thread;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t log_grew = PTHREAD_COND_INITIALIZER;
static struct buffer log_so_far;

const char *
world_path(const char *name)
{
	static char paths[4][160];
	static unsigned int next;
	char *out = paths[next++ % 4];

	snprintf(out, sizeof(paths[0]), "%s/%s", world.directory, name);
	return out;
}

/* ---- keys ---- */

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
	struct keys *keys = unit_keys_open(world.directory, "");

	snprintf(copy, sizeof(copy), "%s/sealing-XXXXXX", world.directory);
	assert_non_null(mkdtemp(copy));
	assert_int_equal(keys_create_org(keys, "alpha.test", NULL), 0);
	assert_int_equal(keys_create_org(keys, "beta.test", NULL), 0);
	assert_int_equal(keys_create_user(keys, "alice@alpha.test", NULL), 0);
	assert_int_equal(keys_create_user(keys, "bob@beta.test", NULL), 0);
	keys_close(keys);
	for (size_t i = 0; i < COUNT(files); i++) {
		snprintf(to, sizeof(to), "%s/%s", copy, files[i]);
		copy_file(world_path(files[i]), to);
	}
	keys = unit_keys_open(world.directory, "");
	assert_int_equal(keys_create_user(keys, "dave@beta.test", NULL), 0);
	keys_close(keys);
	world.sealing = unit_keys_open(copy, "");
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
	assert_int_equal(keys_find_org_in(keys, LAYOUT_LIBDIME, "alpha.test",
	    &world.libdime_alpha, NULL), 0);
	assert_int_equal(keys_find_org_in(keys, LAYOUT_LIBDIME, "beta.test",
	    &world.libdime_beta, NULL), 0);
	assert_int_equal(keys_find_user_in(keys, LAYOUT_LIBDIME,
	    "alice@alpha.test", &world.libdime_alice, NULL), 0);
	assert_int_equal(keys_find_user_in(keys, LAYOUT_LIBDIME,
	    "bob@beta.test", &world.libdime_bob, NULL), 0);
}

/* ---- dmtpd ---- */

static void
write_config(const char *more)
{
	struct buffer text = buffer_make(8192);

	snprintf(world.config, sizeof(world.config), "%s", world_path("conf"));
	buffer_printf(&text, "hostname = \"mx.beta.test\"\n"
	    "domains = {\"alpha.test\", \"beta.test\"}\n"
	    "log_target = \"stderr\"\nlog_level = \"debug\"\n"
	    "message_size_limit = %d\ndata_memory_limit = %d\n",
	    WORLD_MESSAGE_LIMIT, WORLD_MEMORY_LIMIT);
	buffer_printf(&text, "listen = {\"127.0.0.1\"}\nlisten_port = %u\n"
	    "peer_port = %u\nca_file = \"\"\nfetch_timeout = 5\n", world.port,
	    world.port);
	buffer_printf(&text, "dual_protocol = {"
	    "\"127.0.0.1@%u=127.0.0.1@%u\", \"127.0.0.1@%u=127.0.0.1@1\"}\n",
	    world.front_port, world.mta_port, world.dead_port);
	buffer_printf(&text, "tls_certificate = \"%s\"\ntls_key = \"%s\"\n",
	    world.certificate.certificate_path, world.certificate.key_path);
	buffer_append_string(&text, "source_signet_limit = 0\n"
	    "source_mail_limit = 0\norigin_message_limit = 0\n");
	buffer_printf(&text, "tls_certificates = {\"%s:%s\"}\n",
	    world.second.certificate_path, world.second.key_path);
	buffer_printf(&text, "facts_socket = \"%s\"\n", world_path("facts"));
	buffer_printf(&text, "lmtp_socket = \"%s\"\n", world_path("lmtp"));
	buffer_printf(&text, "inject_socket = \"%s\"\n", world_path("dimein"));
	buffer_printf(&text, "smtp_fallback_socket = \"%s\"\n",
	    world_path("dimein"));
	buffer_printf(&text, "reseal_socket = \"%s\"\n",
	    world.reseals ? world_path("dimereseal") : "");
	buffer_printf(&text, "keys_db = \"%s\"\n", world_path("keys.db"));
	buffer_printf(&text, "state_db = \"%s\"\n", world_path("state.db"));
	buffer_printf(&text, "transport_key_file = \"%s\"\n",
	    world_path("transport.key"));
	buffer_append_string(&text, more);
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
		buffer_append(&log_so_far, octets, (size_t)got);
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
find_log(size_t from, char *out, size_t size, const char *const *what)
{
	struct span rest = span_slice(buffer_span(&log_so_far), from,
	    log_so_far.length);
	struct span line;

	while (span_next_line(&rest, &line)) {
		if (!line_holds(line, what))
			continue;
		if (out != NULL)
			span_copy_string(line, out, size);
		return true;
	}
	return false;
}

static void
wait_log_from(size_t from, char *line, size_t size, const char *const *what)
{
	struct timespec until;
	bool found;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WORLD_PATIENCE / 1000;
	pthread_mutex_lock(&lock);
	while (!(found = find_log(from, line, size, what)) &&
	    pthread_cond_timedwait(&log_grew, &lock, &until) == 0)
		;
	if (!found)
		print_message("%s\n", buffer_string(&log_so_far));
	pthread_mutex_unlock(&lock);
	assert_true(found);
}

void
wait_log(char *line, size_t size, const char *const *what)
{
	wait_log_from(0, line, size, what);
}

bool
log_holds(const char *text)
{
	const char *const what[] = {text, NULL};
	bool found;

	pthread_mutex_lock(&lock);
	found = find_log(0, NULL, 0, what);
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
	log_so_far = buffer_make(16 << 20);
	assert_int_equal(pthread_create(&log_thread, NULL, read_log,
	    &log_pipe[0]), 0);
	wait_log(NULL, 0, ready);
}

bool
dmtpd_reload(const char *more)
{
	static const char *const what[] = {"event=reload", NULL};
	char line[1000];
	size_t before;

	write_config(more);
	pthread_mutex_lock(&lock);
	before = log_so_far.length;
	pthread_mutex_unlock(&lock);
	kill(world.process, SIGHUP);
	wait_log_from(before, line, sizeof(line), what);
	return strstr(line, "refused") == NULL;
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
	unit_certificate_make(world.directory, &wish, &world.certificate);
	wish.name = "second";
	wish.names = "DNS:mx.alpha.test";
	unit_certificate_make(world.directory, &wish, &world.second);
	wish.name = "mta";
	unit_certificate_make(world.directory, &wish, &world.mta_certificate);
	EVP_PKEY_free(wish.key);
	listing = buffer_make(64 << 20);
	make_keys();
	find_keys();
	world.port = unit_port();
	world.front_port = unit_port();
	world.mta_port = unit_port();
	world.dead_port = unit_port();
	write_config("");
	start_dmtpd();
	neighbours_start();
	assert_int_equal(tls_client_new("", &world.tls, NULL), 0);
	assert_int_equal(state_open(world_path("state.db"), 0600, &clock_system,
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
		print_message("%s\n", buffer_string(&log_so_far));
	neighbours_end();
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
	unit_certificate_free(&world.certificate);
	unit_certificate_free(&world.second);
	unit_certificate_free(&world.mta_certificate);
	buffer_free(&listing);
	buffer_free(&log_so_far);
	unit_end(state);
	unit_expect_end("dmtpd", status);
	return 0;
}
