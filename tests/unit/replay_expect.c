/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/replay.h"

#include <stdio.h>

enum { VALUE_SIZE = 2000 };

/* `key=value` or `key~part`, taken apart. */
struct expected {
	char key[64];
	bool part;
	const char *value;
};

static struct expected
read_expected(const struct replay *replay, const struct replay_word *word)
{
	const char *text = (const char *)word->text.data;
	const size_t length = strcspn(text, "=~");
	struct expected expected = {.part = text[length] == '~'};

	if (text[length] == '\0' || length >= sizeof(expected.key))
		replay_fail(replay, "%s: not key=value or key~part", text);
	memcpy(expected.key, text, length);
	expected.value = text + length + 1;
	return expected;
}

/* The value of `key` in lines `key value`; "" where there is none. */
static void
find_value(struct span lines, const char *key, char out[static VALUE_SIZE])
{
	const size_t length = strlen(key);
	struct span line;

	out[0] = '\0';
	while (span_next_line(&lines, &line))
		if (line.length > length && line.data[length] == ' ' &&
		    memcmp(line.data, key, length) == 0) {
			snprintf(out, VALUE_SIZE, "%.*s",
			    (int)(line.length - length - 1),
			    (const char *)line.data + length + 1);
			return;
		}
}

/* `+TIME`: so long from now; `*`: anything. */
static bool
agrees(struct replay *replay, const struct expected *expected,
    const char *value)
{
	char time[32];

	if (strcmp(expected->value, "*") == 0)
		return *value != '\0';
	if (expected->part)
		return strstr(value, expected->value) != NULL;
	if (expected->value[0] != '+')
		return strcmp(value, expected->value) == 0;
	snprintf(time, sizeof(time), "%lld",
	    (long long)(world_now(replay_here(replay)->world) +
	        replay_seconds(replay, expected->value + 1)));
	return strcmp(value, time) == 0;
}

void
replay_expect_lines(struct replay *replay, const struct replay_step *step,
    struct span lines)
{
	for (size_t i = 0; i < step->expected_count; i++) {
		const struct expected expected =
		    read_expected(replay, &step->expected[i]);
		char value[VALUE_SIZE];

		find_value(lines, expected.key, value);
		if (!agrees(replay, &expected, value))
			replay_fail(replay,
			    "%s is \"%s\", not \"%s\" in:\n%.*s",
			    expected.key, value, expected.value,
			    (int)lines.length, (const char *)lines.data);
	}
}

void
replay_expect_answer(struct replay *replay, const struct replay_step *step,
    const struct facts_answer *answer)
{
	struct buffer lines = buffer_make(FACTS_ANSWER_LIMIT);

	facts_answer_write(answer, &lines);
	replay_expect_lines(replay, step, buffer_span(&lines));
	buffer_free(&lines);
}

void
replay_expect_words(struct replay *replay, const struct replay_step *step,
    struct span text)
{
	struct buffer wanted = buffer_make(1 << 20);
	struct span got = span_trim(text);

	for (size_t i = 0; i < step->expected_count; i++)
		buffer_printf(&wanted,
		    step->expected[i].quoted ? "%s\"%s\"" : "%s%s",
		    i == 0 ? "" : " ",
		    (const char *)step->expected[i].text.data);
	if (!span_equal(got, buffer_span(&wanted)))
		replay_fail(replay, "is\n%.*s\nnot\n%s", (int)got.length,
		    (const char *)got.data, buffer_string(&wanted));
	buffer_free(&wanted);
}

/* ---- the log ---- */

static bool
line_has_all(const struct replay *replay, const struct replay_step *step,
    const char *line)
{
	char event[100];

	snprintf(event, sizeof(event), "event=%s ",
	    replay_word(replay, step, 1));
	if (strstr(line, event) == NULL)
		return false;
	for (size_t i = 0; i < step->expected_count; i++)
		if (strstr(line, (const char *)step->expected[i].text.data) ==
		    NULL)
			return false;
	return true;
}

void
replay_expect_logged(struct replay *replay, const struct replay_step *step,
    bool absent)
{
	FILE *log = fopen(replay->log, "r");
	bool found = false;
	char line[2000];

	assert_non_null(log);
	assert_int_equal(fseek(log, replay->log_seen, SEEK_SET), 0);
	while (fgets(line, sizeof(line), log) != NULL)
		found = found || line_has_all(replay, step, line);
	replay->log_seen = ftell(log);
	fclose(log);
	if (found == absent)
		replay_fail(replay, "the log has %s such line",
		    absent ? "a" : "no");
}
