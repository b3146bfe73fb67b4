/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/milter_site.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void
a_server_that_would_not_be_exact_is_refused(void **state)
{
	assert_int_equal(mta_open(&mta, site.socket, "DIME-OUT",
	    MTA_ALL_STEPS & ~MTA_LEADING_SPACE), 0);
	mta_close(&mta);
	assert_int_equal(mta_open(&mta, site.socket, "smtpd", MTA_ALL_STEPS),
	    'y');
	assert_int_equal(strncmp(mta.reply, "451 4.3.5 ", 10), 0);
	mta_close(&mta);
	assert_true(logged("milter_macro_daemon_name must be"));
}

static void
several_messages_on_a_connection(void **state)
{
	struct mta_mail mail = letter("M1", RECEIVED("M1") "\r\n" BODY);

	assert_int_equal(mta_open(&mta, site.socket, "DIME-OUT",
	    MTA_LEADING_SPACE), 'c');
	assert_int_equal(mta.steps, MTA_LEADING_SPACE);
	mta_close(&mta);
	assert_int_equal(mta_open(&mta, site.socket, "DIME-OUT",
	    MTA_ALL_STEPS), 'c');
	for (int i = 0; i < 3; i++) {
		assert_int_equal(mta_send(&mta, &mail), 'a');
		assert_true(mta.body_replaced);
		mail.recipients[1] = "<carol@beta.test>";
		assert_int_equal(mta_send(&mta, &mail), 'y');
		assert_false(mta.body_replaced);
		mail.recipients[1] = NULL;
	}
	mta_close(&mta);
}

/* One connection's worth of sealing; returns NULL when all went well.
 * Assertions belong to the first thread, so that trouble is only reported
 * here. */
static void *
seal_some(void *argument)
{
	struct mta_mail mail = letter("C1", RECEIVED("C1") "\r\n" BODY);
	struct mta *own = calloc(1, sizeof(*own));
	void *failed = NULL;

	if (mta_open(own, site.socket, "DIME-OUT", MTA_ALL_STEPS) != 'c')
		failed = argument;
	for (int i = 0; i < 5 && failed == NULL; i++)
		if (mta_send(own, &mail) != 'a' || !own->body_replaced)
			failed = argument;
	mta_close(own);
	free(own);
	return failed;
}

static void
many_connections_at_once(void **state)
{
	pthread_t threads[8];
	void *failed;

	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, seal_some,
		    &mta), 0);
	for (size_t i = 0; i < COUNT(threads); i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
}

static void
a_reload_takes_effect_or_leaves_all_as_it_was(void **state)
{
	struct mta_mail mail = {.queue_id = "L", .sender = "<dave@gamma.test>",
	    .recipients = {"<bob@beta.test>"}};

	fake_policyd_answer(&site.policyd, POLICY_REFUSE, 0, "why");
	expect("DIME-MX", &mail, 'y', "550 5.7.1 why");
	site_reload("local_domains = {\"gamma.test\"}\n");
	expect("DIME-MX", &mail, 'c', "");
	site_configure("colour = \"red\"\n");
	assert_int_equal(kill(site.pid, SIGHUP), 0);
	assert_true(logged("event=reload-failed"));
	expect("DIME-MX", &mail, 'c', "");
}

/* libmilter spins when there is none for one more connection. */
static void
it_takes_the_descriptors_that_it_may_have(void **state)
{
	struct rlimit limit;

	assert_int_equal(prlimit(site.pid, RLIMIT_NOFILE, NULL, &limit), 0);
	assert_int_equal(limit.rlim_cur, limit.rlim_max);
}

static int
run(const char *option, const char *config)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (freopen("/dev/null", "w", stderr) != NULL)
			execl(TEST_BUILDDIR "/milter/dime-milter",
			    "dime-milter", option, "-c", config, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
bad_starts(void **state)
{
	site_configure("");
	assert_int_equal(run("-n", site.config), 0);
	assert_int_equal(run("-c", site.config), 64);
	assert_int_equal(run("-x", site.config), 64);
	assert_int_equal(run("-n", "/nowhere/conf"), 66);
	site_configure("seal_key_file = \"\"\n");
	assert_int_equal(run("-n", site.config), 78);
	/* The running one keeps its socket. */
	site_configure("");
	assert_int_equal(run("-cx", site.config), 73);
	assert_int_equal(mta_open(&mta, site.socket, "DIME-OUT",
	    MTA_ALL_STEPS), 'c');
	mta_close(&mta);
}

/* The last one. */
static void
it_ends_in_good_order(void **state)
{
	int status;

	assert_int_equal(kill(site.pid, SIGTERM), 0);
	assert_int_equal(waitpid(site.pid, &status, 0), site.pid);
	site.pid = 0;
	assert_int_equal(status, 0);
	assert_true(logged("event=stopped"));
}

#define TEST(name) cmocka_unit_test_setup(name, site_answer_dark)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_server_that_would_not_be_exact_is_refused),
	    TEST(several_messages_on_a_connection),
	    TEST(many_connections_at_once),
	    TEST(a_reload_takes_effect_or_leaves_all_as_it_was),
	    TEST(it_takes_the_descriptors_that_it_may_have),
	    TEST(bad_starts),
	    TEST(it_ends_in_good_order),
	};

	return cmocka_run_group_tests(tests, site_start, site_end);
}
