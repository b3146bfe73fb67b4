/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/allocator.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "policy/daemon.h"

static const char default_config[] = SYSCONFDIR "/dimegate/dimegate.conf";

static int
usage(FILE *file, int status)
{
	fprintf(file, "usage: dime-policyd [-n] [-c FILE]\n");
	return status;
}

static int
fail(int err, const struct fault *fault)
{
	fprintf(stderr, "dime-policyd: %s\n", fault_text(fault, err));
	return error_row(err)->exit_status;
}

static int
serve(const char *config_path)
{
	struct daemon daemon;
	struct fault fault;
	int err;

	err = daemon_start(&daemon, config_path, &fault);
	if (err == 0)
		daemon_run(&daemon);
	if (!daemon_free(&daemon)) {
		/* Nothing is lost with it: what was to be kept is kept. */
		log_note(LOG_NOTICE, "stopped",
		    "sessions with peers were still open");
		_exit(err == 0 ? EXIT_SUCCESS : fail(err, &fault));
	}
	return err == 0 ? EXIT_SUCCESS : fail(err, &fault);
}

int
main(int argc, char **argv)
{
	const char *config_path = default_config;
	bool check_only = false;
	struct fault fault;
	int option, err;

	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return usage(stdout, EXIT_SUCCESS);
	allocator_start();
	opterr = 0; /* the usage says it, in one line */
	while ((option = getopt(argc, argv, "c:n")) != -1) {
		if (option == 'c')
			config_path = optarg;
		else if (option == 'n')
			check_only = true;
		else
			return usage(stderr, EX_USAGE);
	}
	if (optind != argc)
		return usage(stderr, EX_USAGE);
	if ((err = crypto_start(&fault)) != 0)
		return fail(err, &fault);
	if (!check_only)
		return serve(config_path);
	err = daemon_check(config_path, &fault);
	return err == 0 ? EXIT_SUCCESS : fail(err, &fault);
}
