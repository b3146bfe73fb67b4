/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_BASE_LOG_H
#define DIME_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

/*
 * One line an outcome: `event=NAME key=value ...`. A value with anything but
 * plain printing characters in it is quoted and escaped, so that no peer can
 * write a line, or a key, of his own. Never mail content, never secrets.
 *
 *	struct log_line line;
 *
 *	log_begin(&line, LOG_INFO, "sealed");
 *	log_text(&line, "queue", queue_id);
 *	log_number(&line, "size", size);
 *	log_end(&line);
 */

/* The levels of syslog(3), by the same numbers. */
#include <syslog.h>

struct log_line {
	int level;
	unsigned int length;
	char text[1000];
};

/*
 * Starts logging for the whole process as `program`. `target` is "syslog"
 * (facility mail), "stderr", or the path of a file that is opened for append.
 * Lines below `level` are dropped. Before this call lines go to stderr.
 * Returns 0 or ERR_CREATE.
 */
int log_open(const char *program, const char *target, int level);

/* Reopens a log file after rotation; nothing for the other targets. */
void log_reopen(void);

/* LOG_* number for "error", "warning", "info" or "debug"; -1 otherwise. */
int log_level_by_name(const char *name);

/* Whether lines of this level are written, for whoever has many. */
bool log_takes(int level);

void log_begin(struct log_line *line, int level, const char *event);
void log_text(struct log_line *line, const char *key, const char *value);
void log_number(struct log_line *line, const char *key, int64_t value);
void log_end(struct log_line *line);

/* A whole line `event=EVENT text="..."` for what has no further keys. */
void log_note(int level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
