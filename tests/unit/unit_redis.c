/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"
#include "tests/unit/unit_redis.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

bool
unit_redis_exists(void)
{
	return system("redis-server --version >/dev/null 2>&1") == 0;
}

void
unit_redis_prepare(struct unit_redis *redis)
{
	*redis = (struct unit_redis){
	    .directory = "/tmp/dimegate-unit-XXXXXX"};
	unit_directory(redis->directory);
	snprintf(redis->socket, sizeof(redis->socket), "%s/redis",
	    redis->directory);
	redis->port = unit_port();
}

static void
run_server(const struct unit_redis *redis, const char *password)
{
	char port[12];
	int null = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(null, STDOUT_FILENO);
	snprintf(port, sizeof(port), "%u", redis->port);
	execlp("redis-server", "redis-server", "--port", port, "--bind",
	    "127.0.0.1", "--unixsocket", redis->socket, "--save", "",
	    "--appendonly", "no", "--dir", redis->directory, "--requirepass",
	    password, (char *)NULL);
	_exit(127);
}

void
unit_redis_start(struct unit_redis *redis, const char *password)
{
	int status;

	redis->pid = fork();
	assert_true(redis->pid >= 0);
	if (redis->pid == 0)
		run_server(redis, password);
	for (int i = 0; i < 3000 && redis->raw == NULL; i++) {
		redis->raw = redisConnectUnix(redis->socket);
		if (redis->raw != NULL && redis->raw->err == 0)
			break;
		redisFree(redis->raw);
		redis->raw = NULL;
		assert_int_equal(waitpid(redis->pid, &status, WNOHANG), 0);
		poll(NULL, 0, 10);
	}
	assert_non_null(redis->raw);
	if (*password != '\0')
		freeReplyObject(redisCommand(redis->raw, "AUTH %s", password));
}

void
unit_redis_stop(struct unit_redis *redis)
{
	if (redis->raw != NULL)
		redisFree(redis->raw);
	redis->raw = NULL;
	if (redis->pid <= 0)
		return;
	kill(redis->pid, SIGKILL);
	waitpid(redis->pid, NULL, 0);
	redis->pid = 0;
	unlink(redis->socket);
}
