/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/milter_site.h"
#include "tests/unit/unit_keys.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/secret.h"

struct milter_site site = {.directory = "/tmp/dimegate-unit-XXXXXX"};

struct mta mta;

/* ---- the site ---- */

const char *
site_path(const char *name)
{
	static char buffers[4][128];
	static size_t next;
	char *out = buffers[next++ % 4];

	snprintf(out, sizeof(buffers[0]), "%s/%s", site.directory, name);
	return out;
}

void
site_configure(const char *more)
{
	struct buffer text = buffer_make(4096);

	buffer_printf(&text, "hostname = \"mx.beta.test\"\n"
	    "domains = {\"alpha.test\", \"beta.test\"}\n"
	    "log_target = \"%s\"\nfetch_timeout = 2\n", site_path("log"));
	buffer_printf(&text, "facts_socket = \"%s\"\nmilter_socket = \"%s\"\n"
	    "keys_db = \"%s\"\n", site_path("facts"), site_path("milter"),
	    site_path("keys.db"));
	buffer_printf(&text, "state_db = \"%s\"\nmaster_key_file = \"%s\"\n"
	    "seal_key_file = \"%s\"\n%s", site_path("state.db"),
	    site_path("master.key"), site_path("seal.key"), more);
	assert_int_equal(file_write(site.config, buffer_span(&text), 0600, true,
	    NULL), 0);
	buffer_free(&text);
}

struct keys *
site_make_keys(const char *name)
{
	struct keys *keys = unit_keys_open(site.directory, name);
	struct fault fault = {0};

	if (keys_create_org(keys, "alpha.test", &fault) != 0 ||
	    keys_create_org(keys, "beta.test", &fault) != 0 ||
	    keys_create_user(keys, "alice@alpha.test", &fault) != 0 ||
	    keys_create_user(keys, "bob@beta.test", &fault) != 0)
		fail_msg("%s", fault.text);
	return keys;
}

int
count_logged(const char *text)
{
	struct buffer log = buffer_make(1 << 22);
	const char *at = NULL;
	int count = 0;

	if (file_read(site_path("log"), &log, NULL) == 0)
		at = strstr(buffer_string(&log), text);
	for (; at != NULL; at = strstr(at + 1, text))
		count++;
	buffer_free(&log);
	return count;
}

/* Whether the log has the text so often, within five seconds. */
bool
logged_times(const char *text, int times)
{
	const struct timespec moment = {0, 10 * 1000 * 1000};

	for (int i = 0; i < 500; i++) {
		if (count_logged(text) >= times)
			return true;
		nanosleep(&moment, NULL);
	}
	return false;
}

bool
logged(const char *text)
{
	return logged_times(text, 1);
}

void
site_reload(const char *more)
{
	int reloads = count_logged("event=reloaded");

	site_configure(more);
	assert_int_equal(kill(site.pid, SIGHUP), 0);
	assert_true(logged_times("event=reloaded", reloads + 1));
}

/* For ThreadSanitizer; nobody else reads it. */
static void
suppress_libmilter(void)
{
	const char *given = getenv("TSAN_OPTIONS");
	char options[1000];

	snprintf(options, sizeof(options), "%s suppressions=" TEST_SRCDIR
	    "/tests/unit/libmilter.tsan", given == NULL ? "" : given);
	setenv("TSAN_OPTIONS", options, 1);
}

/* As the usual init system would start it, with few to begin with. */
static void
limit_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > 64) {
		limit.rlim_cur = 64;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void
start_milter(void)
{
	suppress_libmilter();
	unlink(site_path("log"));
	site.pid = fork();
	if (site.pid == 0) {
		limit_descriptors();
		execl(TEST_BUILDDIR "/milter/dime-milter", "dime-milter", "-c",
		    site.config, (char *)NULL);
		_exit(127);
	}
	assert_true(site.pid > 0);
	assert_true(logged("event=ready"));
}

int
site_start(void **state)
{
	if (unit_start(state) != 0)
		return -1;
	unit_directory(site.directory);
	snprintf(site.config, sizeof(site.config), "%s", site_path("conf"));
	snprintf(site.socket, sizeof(site.socket), "%s", site_path("milter"));
	site.keys = site_make_keys("");
	assert_int_equal(secret_create_key(site_path("seal.key"), 0600, NULL),
	    0);
	site_configure("");
	fake_policyd_start(&site.policyd, site_path("facts"), site.keys);
	start_milter();
	return 0;
}

/* ThreadSanitizer finds races in how libmilter ends right behind a connection,
 * which cannot be told from others by their stacks. */
static void
stop_milter(void)
{
#ifdef __SANITIZE_THREAD__
	const int signal = SIGKILL, expected = SIGKILL;
#else
	const int signal = SIGTERM, expected = 0;
#endif
	int status;

	kill(site.pid, signal);
	waitpid(site.pid, &status, 0);
	unit_expect_end("dime-milter", status == expected ? 0 : status);
}

int
site_end(void **state)
{
	if (site.pid > 0)
		stop_milter();
	fake_policyd_stop(&site.policyd);
	keys_close(site.keys);
	return unit_end(state);
}

int
site_answer_dark(void **state)
{
	fake_policyd_answer(&site.policyd, POLICY_DARK, 0, "");
	return 0;
}

/* ---- messages ---- */

struct mta_mail
letter(const char *queue_id, const char *text)
{
	return (struct mta_mail){.queue_id = queue_id,
	    .sender = "<alice@alpha.test>",
	    .recipients = {"<bob@beta.test>"},
	    .text = span_string(text)};
}

char
send_mail(const char *daemon_name, const struct mta_mail *mail)
{
	assert_int_equal(mta_open(&mta, site.socket, daemon_name,
	    MTA_ALL_STEPS), 'c');
	assert_true(mta.steps & MTA_LEADING_SPACE);
	return mta_send(&mta, mail);
}

void
expect(const char *daemon_name, const struct mta_mail *mail, char verdict,
    const char *reply)
{
	unit_case(reply);
	assert_int_equal(send_mail(daemon_name, mail), verdict);
	if (strncmp(mta.reply, reply, strlen(reply)) != 0)
		fail_msg("'%s' is not '%s'", mta.reply, reply);
	mta_close(&mta);
}

void
note(const char *queue_id, const char *sender, const char *body)
{
	char text[2000];
	struct mta_mail mail;

	snprintf(text, sizeof(text), "Subject: x\r\n\r\n%s", body);
	mail = letter(queue_id, text);
	mail.sender = sender;
	mail.login = "alice";
	expect("DIME-SUBMIT", &mail, 'a', "");
	assert_false(mta.body_replaced);
}

void
seal(const struct mta_mail *mail, struct buffer *armor)
{
	static const char head[] = "MIME-Version: 1.0\r\n"
	    "Content-Type: application/vnd.dime-message\r\n\r\n"
	    "-----BEGIN ENCRYPTED MESSAGE-----\r\n";
	struct buffer text = buffer_make(1 << 22);

	assert_int_equal(send_mail("DIME-OUT", mail), 'a');
	mta_text(&mta, &text);
	assert_non_null(buffer_string(&text));
	assert_memory_equal(text.data, head, strlen(head));
	/* With the blank: base64 spells any word by chance. */
	assert_null(strstr(buffer_string(&text), " plan"));
	assert_string_equal(mta.sender_arguments, "RET=HDRS");
	buffer_append_span(armor, buffer_span(&mta.body));
	buffer_free(&text);
	mta_close(&mta);
}

struct message *
read_as(struct keys *keys, const char *recipient, const struct buffer *armor)
{
	struct message *message;
	struct keys_user *user;

	assert_int_equal(message_read(buffer_span(armor), 1 << 20, &message,
	    NULL), 0);
	assert_int_equal(keys_find_user(keys, recipient, &user, NULL), 0);
	assert_int_equal(message_unlock(message, MESSAGE_RECIPIENT,
	    user->agreer, NULL), 0);
	keys_user_free(user);
	return message;
}

void
assert_author(const struct buffer *armor, const char *author)
{
	struct message *message = read_as(site.keys, "bob@beta.test", armor);
	struct message_envelope envelope;

	assert_int_equal(message_origin_envelope(message, &envelope, NULL),
	    0);
	assert_string_equal(envelope.address, author);
	assert_string_equal(envelope.domain, "beta.test");
	message_free(message);
}

struct mta_mail
arriving(struct buffer *text, struct span armor)
{
	buffer_reset(text);
	buffer_append_string(text, "MIME-Version: 1.0\r\n"
	    "Content-Type: application/vnd.dime-message\r\n\r\n");
	buffer_append_span(text, armor);
	return (struct mta_mail){.queue_id = "IN1",
	    .sender = "<mailer-daemon@alpha.test>",
	    .recipients = {"<bob@beta.test>"}, .text = buffer_span(text)};
}

