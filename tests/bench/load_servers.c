/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"
#include "tests/unit/unit_tls.h"
#include "tests/bench/load.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "keys/keys.h"

static char directory[64];

static const char *
path_of(const char *name)
{
	static char paths[8][120];
	static unsigned int next;
	char *out = paths[next++ % 8];

	snprintf(out, sizeof(paths[0]), "%s/%s", directory, name);
	return out;
}

static void
make_keys(void)
{
	const struct keys_settings settings = {path_of("keys.db"),
	    path_of("master.key"), path_of("transport.key"), true,
	    &clock_system};
	char address[40];
	struct keys *keys;

	assert_int_equal(keys_open(&settings, &keys, NULL), 0);
	assert_int_equal(keys_create_org(keys, "beta.test", NULL), 0);
	for (int i = 0; i < LOAD_USERS; i++) {
		snprintf(address, sizeof(address), "u%d@beta.test", i);
		assert_int_equal(keys_create_user(keys, address, NULL), 0);
	}
	keys_close(keys);
}

static void
write_configuration(const struct load_servers *servers,
    const struct unit_certificate *certificate)
{
	struct buffer text = buffer_make(10000);

	buffer_printf(&text, "hostname = \"mx.beta.test\"\n"
	    "domains = {\"beta.test\"}\nlog_level = \"warning\"\n"
	    "log_target = \"%s\"\nlisten = {\"127.0.0.1\"}\n"
	    "listen_port = %u\nca_file = \"\"\n", path_of("log"),
	    servers->dmtpd_port);
	buffer_printf(&text, "tls_certificate = \"%s\"\ntls_key = \"%s\"\n"
	    "keys_db = \"%s\"\nstate_db = \"%s\"\n",
	    certificate->certificate_path, certificate->key_path,
	    path_of("keys.db"), path_of("state.db"));
	buffer_printf(&text, "transport_key_file = \"%s\"\n"
	    "facts_socket = \"%s\"\nlmtp_socket = \"%s\"\n",
	    path_of("transport.key"), path_of("facts"), path_of("lmtp"));
	buffer_append_string(&text, "connection_limit = 20000\n"
	    "source_signet_limit = 0\n");
	assert_int_equal(file_write(path_of("conf"), buffer_span(&text), 0600,
	    true, NULL), 0);
	buffer_free(&text);
}

/* Runs a program with up to three arguments, the unused ones NULL. */
static pid_t
start(const char *program, const char *first, const char *second,
    const char *third)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(program, program, first, second, third, (char *)NULL);
		_exit(127);
	}
	return pid;
}

static void
await(pid_t pid, unsigned int port)
{
	SSL_CTX *context = load_context();
	struct load_client client;
	bool answers = false;

	for (int i = 0; i < 1000 && !answers; i++) {
		assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
		answers = load_open(&client, context, LOOPBACK, port, 0);
		if (!answers)
			poll(NULL, 0, 10);
	}
	assert_true(answers);
	load_close(&client);
	SSL_CTX_free(context);
}

/* Both servers and their clients have as many descriptors as there may be. */
static void
raise_limit(void)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

void
load_servers_start(const char *dmtpd, const char *floor,
    struct load_servers *out)
{
	struct unit_certificate_wish wish = {.name = "mx",
	    .names = "DNS:mx.beta.test", .days = 30,
	    .key = unit_key(LOAD_KEY_BITS)};
	struct unit_certificate certificate;
	char port[20];

	snprintf(directory, sizeof(directory), "/tmp/dimegate-bench-XXXXXX");
	unit_directory(directory);
	unit_certificate_make(directory, &wish, &certificate);
	EVP_PKEY_free(wish.key);
	make_keys();
	raise_limit();
	out->dmtpd_port = unit_port();
	out->floor_port = unit_port();
	write_configuration(out, &certificate);
	out->dmtpd = start(dmtpd, "-c", path_of("conf"), NULL);
	await(out->dmtpd, out->dmtpd_port);
	snprintf(port, sizeof(port), "%u", out->floor_port);
	out->floor = start(floor, certificate.certificate_path,
	    certificate.key_path, port);
	await(out->floor, out->floor_port);
	unit_certificate_free(&certificate);
}

void
load_servers_end(struct load_servers *servers)
{
	kill(servers->dmtpd, SIGKILL);
	kill(servers->floor, SIGKILL);
	waitpid(servers->dmtpd, NULL, 0);
	waitpid(servers->floor, NULL, 0);
}
