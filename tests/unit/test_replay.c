/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/replay.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"

static struct unit_redis redis;
static char directory[] = "/tmp/dimegate-unit-XXXXXX";

void
replay_fail(const struct replay *replay, const char *format, ...)
{
	va_list arguments;
	char text[4000];

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	fail_msg("%s:%d: %s", replay->path, replay->line, text);
	abort(); /* fail_msg() does not return, and does not say so */
}

/* ---- one file ---- */

static const char *
name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static int
set_up(void **state)
{
	struct replay *replay = calloc(1, sizeof(*replay));

	assert_non_null(replay);
	replay->path = *state;
	*state = replay;
	snprintf(replay->directory, sizeof(replay->directory), "%s/%s",
	    directory, name_of(replay->path));
	assert_int_equal(mkdir(replay->directory, 0700), 0);
	snprintf(replay->log, sizeof(replay->log), "%s/log",
	    replay->directory);
	assert_int_equal(log_open("replay", replay->log, LOG_DEBUG), 0);
	/* Free on the first loopback address; nobody uses the others. */
	replay->port = unit_port();
	do {
		replay->mx_port = unit_port();
		replay->submission_port = unit_port();
	} while (replay->mx_port == replay->port ||
	    replay->submission_port == replay->port ||
	    replay->submission_port == replay->mx_port);
	replay->config = buffer_make(1 << 16);
	buffer_printf(&replay->config,
	    "ca_file = \"%s\"\npeer_port = %u\npeer_mx_port = %u\n"
	    "peer_submission_port = %u\nallow_private_addresses = true\n",
	    replay_authority(), replay->port, replay->mx_port,
	    replay->submission_port);
	replay->dns = replay_dns_new();
	replay->peers = replay_peers_new();
	replay->redis = redis.directory[0] == '\0' ? NULL : &redis;
	return 0;
}

static int
tear_down(void **state)
{
	struct replay *replay = *state;

	replay_peers_stop(replay->peers);
	replay_responder_end(replay);
	replay_dns_network(replay->dns, REPLAY_DOWN);
	if (replay->redis != NULL)
		unit_redis_stop(replay->redis);
	for (size_t i = 0; i < replay->node_count; i++)
		replay_node_stop(&replay->nodes[i]);
	replay_peers_free(replay->peers);
	replay_dns_free(replay->dns);
	buffer_free(&replay->config);
	log_open("replay", "stderr", LOG_ERR);
	free(replay);
	return 0;
}

static void
play(void **state)
{
	struct replay *replay = *state;
	struct buffer text = buffer_make(1 << 20);
	static struct replay_step step;
	struct fault fault;
	struct span rest;

	if (file_read(replay->path, &text, &fault) != 0)
		fail_msg("%s", fault.text);
	rest = buffer_span(&text);
	while (replay_read_step(replay, &rest, &step)) {
		replay_do(replay, &step);
		replay_step_free(&step);
	}
	buffer_free(&text);
}

/* ---- all of them ---- */

static int
start_group(void **state)
{
	if (unit_start(state) != 0)
		return -1;
	unit_directory(directory);
	replay_peers_start();
	if (unit_redis_exists())
		unit_redis_prepare(&redis);
	return 0;
}

static int
end_group(void **state)
{
	replay_peers_end();
	return unit_end(state);
}

/* With names of files only those, otherwise all there are. */
int
main(int argc, char **argv)
{
	glob_t found = {0};
	struct CMUnitTest *tests;
	char **paths = argv + 1;
	size_t count = (size_t)argc - 1;
	int failed;

	if (argc == 1) {
		if (glob(TEST_SRCDIR "/tests/replay/*.rpl", 0, NULL, &found) !=
		    0) {
			fprintf(stderr, "test_replay: no replays\n");
			return 1;
		}
		paths = found.gl_pathv;
		count = found.gl_pathc;
	}
	tests = calloc(count, sizeof(*tests));
	if (tests == NULL)
		return 1;
	for (size_t i = 0; i < count; i++)
		tests[i] = (struct CMUnitTest){name_of(paths[i]), play, set_up,
		    tear_down, paths[i]};
	failed = _cmocka_run_group_tests("replay", tests, count, start_group,
	    end_group);
	free(tests);
	globfree(&found);
	return failed;
}
