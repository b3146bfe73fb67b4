/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "crypto/crypto.h"
#include "dimectl/dimectl.h"
#include "dimectl/verbs.h"

enum { OUTPUT_LIMIT = 1 << 30 };

static const struct {
	const char *noun;
	const char *action; /* NULL: the noun stands alone */
	int (*run)(struct dimectl *ctl, int count, char **words);
	const char *synopsis;
} verbs[] = {
#define VERB(noun, action, run, synopsis) {noun, action, run, synopsis},
#include "dimectl/verbs.def"
#undef VERB
	{NULL, NULL, NULL, NULL},
};

static void
print_usage(FILE *file)
{
	fprintf(file, "usage: dimectl [-c FILE] VERB ...\n");
	for (size_t i = 0; verbs[i].noun != NULL; i++)
		fprintf(file, "  dimectl %s %s\n", verbs[i].noun,
		    verbs[i].synopsis);
}

/* Finds the verb and runs it with the words that follow its name. */
static int
dispatch(struct dimectl *ctl, int count, char **words)
{
	bool noun_known = false;

	if (count == 1 && strcmp(words[0], "-c") == 0)
		return fault_set(&ctl->fault, ERR_USAGE, "-c: needs a file");
	if (count == 0)
		return fault_set(&ctl->fault, ERR_USAGE,
		    "no verb given; try dimectl --help");
	for (size_t i = 0; verbs[i].noun != NULL; i++) {
		if (strcmp(verbs[i].noun, words[0]) != 0)
			continue;
		noun_known = true;
		if (verbs[i].action == NULL)
			return verbs[i].run(ctl, count - 1, words + 1);
		if (count > 1 && strcmp(verbs[i].action, words[1]) == 0)
			return verbs[i].run(ctl, count - 2, words + 2);
	}
	if (noun_known && count == 1)
		return fault_set(&ctl->fault, ERR_USAGE,
		    "%s: what to do is missing; try dimectl --help", words[0]);
	return fault_set(&ctl->fault, ERR_USAGE,
	    "%s: unknown verb; try dimectl --help",
	    noun_known ? words[1] : words[0]);
}

static int
write_output(struct dimectl *ctl)
{
	if (ctl->output.error != 0)
		return fault_set(&ctl->fault, ctl->output.error, "output: %s",
		    error_row(ctl->output.error)->text);
	if (ctl->output.length > 0 && (fwrite(ctl->output.data, 1,
	    ctl->output.length, stdout) != ctl->output.length ||
	    fflush(stdout) != 0))
		return fault_set(&ctl->fault, ERR_CREATE,
		    "standard output: %s", strerror(errno));
	return 0;
}

int
main(int argc, char **argv)
{
	struct dimectl ctl = {.config_path = SYSCONFDIR
	    "/dimegate/dimegate.conf", .output = buffer_make(OUTPUT_LIMIT)};
	int at = 1, err, status;

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		print_usage(stdout);
		return EXIT_SUCCESS;
	}
	if (argc > 2 && strcmp(argv[1], "-c") == 0) {
		ctl.config_path = argv[2];
		at = 3;
	}
	log_open("dimectl", "stderr", LOG_ERR);
	err = crypto_start(&ctl.fault);
	if (err == 0)
		err = dispatch(&ctl, argc - at, argv + at);
	if (err == 0 || ctl.show_partial) {
		int output_err = write_output(&ctl);

		if (err == 0)
			err = output_err;
	}
	if (err != 0)
		fprintf(stderr, "dimectl: %s\n", fault_text(&ctl.fault, err));
	status = err == 0 ? EXIT_SUCCESS : error_row(err)->exit_status;
	buffer_free(&ctl.output);
	return status;
}
