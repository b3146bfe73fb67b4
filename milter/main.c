/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/allocator.h"
#include "base/log.h"
#include "crypto/secret.h"
#include "milter/milter.h"
#include "net/descriptors.h"
#include "net/stream.h"

enum {
	HOUSEKEEPING = 3600, /* seconds */
	STACK_SIZE = 1 << 20, /* octets */
};

/* Posted by SIGHUP and by the end of libmilter. */
static sem_t wake;

struct running {
	pthread_t thread;
	int result;
	_Atomic bool ended;
};

static void
on_hangup(int number)
{
	int saved = errno;

	sem_post(&wake);
	errno = saved;
}

/* ---- start ---- */

static int
open_stores(struct milter *milter, struct fault *fault)
{
	const struct config *config = milter->site.current->config;
	struct keys_settings settings = {.database = config->keys_db,
	    .master_key_file = config->master_key_file,
	    .transport_key_file = "", .clock = &clock_system};
	int err;

	if (config->master_key_file[0] == '\0' ||
	    config->seal_key_file[0] == '\0')
		return fault_set(fault, ERR_CONFIG, "%s: master_key_file and "
		    "seal_key_file must be set", milter->site.path);
	if ((err = secret_read_key(config->seal_key_file, true,
		&milter->seal_key, fault)) != 0 ||
	    (err = keys_open(&settings, &milter->keys, fault)) != 0)
		return err;
	return state_open(config->state_db, 0660, &clock_system,
	    &milter->state, fault);
}

/* Not after libmilter ran: threads that it left behind may still use them. */
static void
close_stores(struct milter *milter)
{
	state_close(milter->state);
	keys_close(milter->keys);
	secret_free(milter->seal_key);
}

/* libmilter would take the socket of a running dime-milter away from it. */
static int
check_unused(const char *path, struct fault *fault)
{
	struct stream *stream;

	if (stream_connect_unix(path, deadline_in(1000), &stream, NULL) != 0)
		return 0;
	stream_free(stream);
	return fault_set(fault, ERR_CREATE,
	    "%s: another dime-milter answers there", path);
}

static int
set_group(const char *path, const char *name, struct fault *fault)
{
	struct group *group;

	if (name[0] == '\0')
		return 0;
	group = getgrnam(name);
	if (group == NULL)
		return fault_set(fault, ERR_CONFIG,
		    "socket_group: no group '%s'", name);
	if (chown(path, (uid_t)-1, group->gr_gid) != 0)
		return fault_set(fault, ERR_CREATE, "%s: chown: %s", path,
		    strerror(errno));
	return 0;
}

static int
open_socket(struct milter *milter, struct fault *fault)
{
	const struct config *config = milter->site.current->config;
	const char *path = config->milter_socket;
	char connection[256];
	mode_t mask;
	int err, opened;

	if ((size_t)snprintf(connection, sizeof(connection), "unix:%s", path)
	    >= sizeof(connection))
		return fault_set(fault, ERR_CONFIG, "milter_socket: too long");
	if ((err = check_unused(path, fault)) != 0)
		return err;
	if (!session_register(milter) ||
	    smfi_setconn(connection) != MI_SUCCESS)
		return fault_set(fault, ERR_INTERNAL, "libmilter");
	/* Never wider than it will be, not even for a moment. */
	mask = umask(~(mode_t)config->socket_mode & 0777);
	opened = smfi_opensocket(true);
	umask(mask);
	if (opened != MI_SUCCESS)
		return fault_set(fault, ERR_CREATE, "%s: cannot listen: %s",
		    path, strerror(errno));
	if ((err = set_group(path, config->socket_group, fault)) != 0)
		return err;
	if (chmod(path, (mode_t)config->socket_mode) != 0)
		return fault_set(fault, ERR_CREATE, "%s: chmod: %s", path,
		    strerror(errno));
	return 0;
}

static int
start_asking(struct milter *milter, struct fault *fault)
{
	const struct config *config = milter->site.current->config;
	const int err = facts_client_new(config->facts_socket,
	    config->connection_limit, &clock_system, &milter->facts);

	return err == 0 ? 0 : fault_set(fault, err, "out of memory");
}

/* ---- running ---- */

static void *
run_libmilter(void *argument)
{
	struct running *running = argument;

	running->result = smfi_main();
	running->ended = true;
	sem_post(&wake);
	return NULL;
}

/* libmilter starts and ends a thread for about every message. glibc keeps the
 * stacks of ended ones for the next as long as all are below 40 MiB, which five
 * of the usual size are not. */
static void
set_stacks(void)
{
	pthread_attr_t attributes;

	if (pthread_attr_init(&attributes) != 0)
		return;
	if (pthread_attr_setstacksize(&attributes, STACK_SIZE) == 0)
		pthread_setattr_default_np(&attributes);
	pthread_attr_destroy(&attributes);
}

/*
 * libmilter waits for SIGHUP in a thread of its own, and ends when it gets
 * one. This thread, the process's first, alone leaves the signal unblocked:
 * the kernel then gives it to nobody else. SIGTERM and SIGINT stay
 * libmilter's.
 */
static int
start_running(struct running *running, struct fault *fault)
{
	struct sigaction action = {.sa_handler = on_hangup,
	    .sa_flags = SA_RESTART};
	sigset_t all, hangup;
	int failed;

	sigemptyset(&all);
	sigaddset(&all, SIGHUP);
	sigaddset(&all, SIGTERM);
	sigaddset(&all, SIGINT);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	sem_init(&wake, 0, 0);
	set_stacks();
	failed = pthread_create(&running->thread, NULL, run_libmilter,
	    running);
	if (failed != 0)
		return fault_set(fault, ERR_SYSTEM, "pthread_create: %s",
		    strerror(failed));
	sigaction(SIGHUP, &action, NULL);
	sigemptyset(&hangup);
	sigaddset(&hangup, SIGHUP);
	pthread_sigmask(SIG_UNBLOCK, &hangup, NULL);
	return 0;
}

static void
reload(struct milter *milter)
{
	struct fault fault = {0};
	int err = site_reload(&milter->site, &fault);

	log_reopen();
	if (err != 0)
		log_note(LOG_ERR, "reload-failed", "%s; the old configuration "
		    "stays in force", fault_text(&fault, err));
	else
		log_note(LOG_NOTICE, "reloaded", "%s", milter->site.path);
}

static int
wait_for_end(struct milter *milter, struct running *running)
{
	struct timespec until;

	while (!running->ended) {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += HOUSEKEEPING;
		if (sem_clockwait(&wake, CLOCK_MONOTONIC, &until) == 0) {
			if (!running->ended)
				reload(milter);
		} else if (errno == ETIMEDOUT)
			state_expire(milter->state);
	}
	pthread_join(running->thread, NULL);
	return running->result == MI_SUCCESS ? 0 : ERR_SYSTEM;
}

static int
serve(struct milter *milter, bool check_only, bool *ran, struct fault *fault)
{
	struct running running = {0};
	int err;

	if ((err = config_open_log(milter->site.current->config,
	         "dime-milter", fault)) != 0 ||
	    (err = open_stores(milter, fault)) != 0 || check_only ||
	    (err = start_asking(milter, fault)) != 0 ||
	    (err = open_socket(milter, fault)) != 0 ||
	    (err = start_running(&running, fault)) != 0)
		return err;
	*ran = true;
	log_note(LOG_NOTICE, "ready", "%s",
	    milter->site.current->config->milter_socket);
	err = wait_for_end(milter, &running);
	log_note(LOG_NOTICE, "stopped", "%s", err == 0 ? "on request" :
	    "libmilter failed");
	return err == 0 ? 0 : fault_set(fault, err, "libmilter failed");
}

static int
usage(void)
{
	fprintf(stderr, "usage: dime-milter [-n] [-c FILE]\n");
	return error_row(ERR_USAGE)->exit_status;
}

int
main(int argc, char **argv)
{
	static struct milter milter;
	const char *path = SYSCONFDIR "/dimegate/dimegate.conf";
	bool check_only = false, ran = false;
	struct fault fault = {0};
	int option, err;

	allocator_start();
	opterr = 0; /* the usage says it, in one line */
	while ((option = getopt(argc, argv, "c:n")) != -1) {
		if (option == 'c')
			path = optarg;
		else if (option == 'n')
			check_only = true;
		else
			return usage();
	}
	if (optind != argc)
		return usage();
	/* Without one for a new connection, libmilter asks again and again. */
	descriptors_raise();
	crowd_start(&milter.crowd, CROWD_PATIENCE);
	if ((err = crypto_start(&fault)) == 0 &&
	    (err = site_open(&milter.site, path, &fault)) == 0)
		err = serve(&milter, check_only, &ran, &fault);
	if (err != 0)
		fprintf(stderr, "dime-milter: %s\n", fault_text(&fault, err));
	if (!ran) {
		facts_client_free(milter.facts);
		close_stores(&milter);
		site_close(&milter.site);
		crowd_end(&milter.crowd);
	}
	return err == 0 ? 0 : error_row(err)->exit_status;
}
