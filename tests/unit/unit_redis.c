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

static redisReply *
ask(struct unit_redis *redis, int type, const char *format, va_list arguments)
{
	redisReply *reply = redisvCommand(redis->raw, format, arguments);

	assert_non_null(reply);
	if (type == 0)
		assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
	else
		assert_int_equal(reply->type, type);
	return reply;
}

redisReply *
unit_redis_ask(struct unit_redis *redis, int type, const char *format, ...)
{
	redisReply *reply;
	va_list arguments;

	va_start(arguments, format);
	reply = ask(redis, type, format, arguments);
	va_end(arguments);
	return reply;
}

void
unit_redis_do(struct unit_redis *redis, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	freeReplyObject(ask(redis, 0, format, arguments));
	va_end(arguments);
}

char *
unit_redis_only_key(struct unit_redis *redis)
{
	redisReply *reply =
	    unit_redis_ask(redis, REDIS_REPLY_ARRAY, "KEYS dime:*");
	char *key;

	assert_int_equal(reply->elements, 1);
	key = strdup(reply->element[0]->str);
	freeReplyObject(reply);
	return key;
}
