/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"

/* The process has one log; this is the only file-level state of the library. */
static struct {
	char program[32];
	char path[256]; /* empty unless the target is a file */
	int level;
	int fd; /* -1: syslog */
} sink = {"dimegate", "", LOG_DEBUG, STDERR_FILENO};

static int
open_file(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

int
log_open(const char *program, const char *target, int level)
{
	int fd = -1;

	snprintf(sink.program, sizeof(sink.program), "%s", program);
	sink.level = level;
	if (strcmp(target, "stderr") == 0) {
		sink.fd = STDERR_FILENO;
		return 0;
	}
	if (strcmp(target, "syslog") == 0) {
		openlog(sink.program, LOG_PID | LOG_NDELAY, LOG_MAIL);
		sink.fd = -1;
		return 0;
	}
	if (strlen(target) >= sizeof(sink.path) || (fd = open_file(target)) < 0)
		return ERR_CREATE;
	snprintf(sink.path, sizeof(sink.path), "%s", target);
	sink.fd = fd;
	return 0;
}

void
log_reopen(void)
{
	int fd;

	if (sink.path[0] == '\0')
		return;
	fd = open_file(sink.path);
	if (fd < 0)
		return;
	/* In place, so that no thread ever sees a closed descriptor. */
	dup3(fd, sink.fd, O_CLOEXEC);
	close(fd);
}

int
log_level_by_name(const char *name)
{
	static const struct {
		const char *name;
		int level;
	} levels[] = {{"error", LOG_ERR}, {"warning", LOG_WARNING},
	    {"info", LOG_INFO}, {"debug", LOG_DEBUG}};

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (strcmp(levels[i].name, name) == 0)
			return levels[i].level;
	return -1;
}

static void
put(struct log_line *line, const char *text, size_t length)
{
	if (length > sizeof(line->text) - 1 - line->length)
		length = sizeof(line->text) - 1 - line->length;
	memcpy(line->text + line->length, text, length);
	line->length += (unsigned int)length;
	line->text[line->length] = '\0';
}

void
log_begin(struct log_line *line, int level, const char *event)
{
	line->level = level;
	line->length = 0;
	put(line, "event=", 6);
	put(line, event, strlen(event));
}

static bool
is_plain(const char *value)
{
	if (*value == '\0')
		return false;
	for (; *value != '\0'; value++)
		if (*value <= 0x20 || *value > 0x7e || *value == '"' ||
		    *value == '\\' || *value == '=')
			return false;
	return true;
}

static void
put_quoted(struct log_line *line, const char *value)
{
	char escape[5];

	put(line, "\"", 1);
	for (; *value != '\0'; value++) {
		unsigned char octet = (unsigned char)*value;

		if (octet < 0x20 || octet > 0x7e) {
			snprintf(escape, sizeof(escape), "\\x%02x", octet);
			put(line, escape, 4);
			continue;
		}
		if (octet == '"' || octet == '\\')
			put(line, "\\", 1);
		put(line, value, 1);
	}
	put(line, "\"", 1);
}

void
log_text(struct log_line *line, const char *key, const char *value)
{
	put(line, " ", 1);
	put(line, key, strlen(key));
	put(line, "=", 1);
	if (value == NULL)
		value = "-";
	if (is_plain(value))
		put(line, value, strlen(value));
	else
		put_quoted(line, value);
}

void
log_number(struct log_line *line, const char *key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	log_text(line, key, text);
}

static void
write_stamped(const struct log_line *line)
{
	char stamped[sizeof(line->text) + 96];
	struct timespec now;
	struct tm parts;
	int length;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &parts);
	length = snprintf(stamped, sizeof(stamped),
	    "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %s[%d]: %s\n",
	    parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
	    parts.tm_hour, parts.tm_min, parts.tm_sec, now.tv_nsec / 1000000,
	    sink.program, (int)getpid(), line->text);
	/* A log that cannot be written must not stop the mail. */
	while (write(sink.fd, stamped, (size_t)length) < 0 && errno == EINTR)
		;
}

bool
log_takes(int level)
{
	return level <= sink.level;
}

void
log_end(struct log_line *line)
{
	if (!log_takes(line->level))
		return;
	if (sink.fd < 0)
		syslog(line->level, "%s", line->text);
	else
		write_stamped(line);
}

void
log_note(int level, const char *event, const char *format, ...)
{
	struct log_line line;
	va_list arguments;
	char text[600];

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	log_begin(&line, level, event);
	log_text(&line, "text", text);
	log_end(&line);
}
