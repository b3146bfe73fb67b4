/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/replay.h"

#include "crypto/base64.h"

enum { WORD_LIMIT = 1 << 16 };

/* ---- numbers ---- */

int64_t
replay_number(const struct replay *replay, const char *text)
{
	uint64_t number;

	if (!span_number(span_string(text), 1000000000000, &number))
		replay_fail(replay, "\"%s\" is not a number", text);
	return (int64_t)number;
}

int64_t
replay_seconds(const struct replay *replay, const char *text)
{
	static const struct {
		char unit;
		int seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	struct span digits = span_string(text);
	uint64_t number;
	int factor = 1;

	for (size_t i = 0; i < COUNT(units); i++) {
		if (digits.length > 1 &&
		    digits.data[digits.length - 1] == units[i].unit) {
			digits.length--;
			factor = units[i].seconds;
			break;
		}
	}
	if (!span_number(digits, 1000000000000, &number))
		replay_fail(replay, "\"%s\" is not a time", text);
	return (int64_t)number * factor;
}

/* ---- words ---- */

/* `HOST [NUMBER]` */
static void
sign(struct replay *replay, char *host, struct buffer *out)
{
	char *number = strchr(host, ' ');

	if (number != NULL)
		*number++ = '\0';
	replay_peers_sign(replay, host,
	    number == NULL ? 1 : (uint8_t)replay_number(replay, number), out);
}

/* `pok [NUMBER]` or `tls HOST [NUMBER]`. */
static void
substitute(struct replay *replay, struct span name, struct buffer *out)
{
	char text[300], base64[BASE64_LENGTH(CRYPTO_SIGN_PUBLIC) + 1];
	uint8_t key[CRYPTO_SIGN_PUBLIC];
	struct world_seed seed = world_seed(1);

	if (!span_copy_string(name, text, sizeof(text)))
		replay_fail(replay, "too long between %%{ and }");
	if (strncmp(text, "tls ", 4) == 0) {
		sign(replay, text + 4, out);
		return;
	}
	if (strncmp(text, "pok ", 4) == 0)
		seed = world_seed((uint8_t)replay_number(replay, text + 4));
	else if (strcmp(text, "pok") != 0)
		replay_fail(replay, "%%{%s}: no such value", text);
	crypto_ed25519_public(seed.octets, key);
	base64_encode(span_of(key, sizeof(key)), base64);
	buffer_append_string(out, base64);
}

/* \DDD as in zone files, or the octet itself. */
static void
read_escape(struct replay *replay, struct span *rest, struct buffer *out)
{
	uint64_t number;

	if (rest->length == 0)
		replay_fail(replay, "nothing behind a backslash");
	if (span_number(span_slice(*rest, 0, 3), UINT8_MAX, &number) &&
	    rest->length >= 3) {
		buffer_u8(out, (uint8_t)number);
		*rest = span_slice(*rest, 3, rest->length);
		return;
	}
	buffer_u8(out, rest->data[0]);
	*rest = span_slice(*rest, 1, rest->length);
}

/* Behind the opening quote; takes the closing one. */
static void
read_quoted(struct replay *replay, struct span *rest, struct buffer *out)
{
	for (;;) {
		uint8_t octet;
		const uint8_t *end;

		if (rest->length == 0)
			replay_fail(replay, "a quote is not closed");
		octet = rest->data[0];
		*rest = span_slice(*rest, 1, rest->length);
		if (octet == '"')
			return;
		if (octet == '\\') {
			read_escape(replay, rest, out);
		} else if (octet == '%' && rest->length > 0 &&
		    rest->data[0] == '{') {
			end = memchr(rest->data, '}', rest->length);
			if (end == NULL)
				replay_fail(replay, "%%{ is not closed");
			substitute(replay, span_of(rest->data + 1,
			    (size_t)(end - rest->data) - 1), out);
			*rest = span_slice(*rest,
			    (size_t)(end - rest->data) + 1, rest->length);
		} else {
			buffer_u8(out, octet);
		}
	}
}

static bool
is_space(uint8_t octet)
{
	return octet == ' ' || octet == '\t';
}

/* A word may have a quoted part at its end: key~"some text". */
static bool
read_word(struct replay *replay, struct span *rest, struct replay_word *word)
{
	*rest = span_trim(*rest);
	if (rest->length == 0 || rest->data[0] == '#')
		return false;
	*word = (struct replay_word){.text = buffer_make(WORD_LIMIT)};
	while (rest->length > 0 && !is_space(rest->data[0])) {
		const uint8_t octet = rest->data[0];

		*rest = span_slice(*rest, 1, rest->length);
		if (octet != '"') {
			buffer_u8(&word->text, octet);
			continue;
		}
		word->quoted = true;
		read_quoted(replay, rest, &word->text);
		break;
	}
	if (buffer_string(&word->text) == NULL)
		replay_fail(replay, "a word is too long");
	return true;
}

/* `*N` behind a quoted word repeats it. */
static bool
repeats(const struct replay *replay, const struct replay_step *step,
    const struct replay_word *word, size_t *times)
{
	if (word->quoted || word->text.data[0] != '*' ||
	    word->text.length < 2 || step->count == 0 ||
	    !step->words[step->count - 1].quoted)
		return false;
	*times = (size_t)replay_number(replay,
	    (const char *)word->text.data + 1) - 1;
	return true;
}

static void
add_word(const struct replay *replay, struct replay_word *word,
    struct replay_word *words, size_t *count)
{
	if (*count == REPLAY_WORDS)
		replay_fail(replay, "too many words");
	words[(*count)++] = *word;
}

static void
repeat_last(const struct replay *replay, struct replay_step *step, size_t times)
{
	const struct span text =
	    buffer_span(&step->words[step->count - 1].text);

	while (times-- > 0) {
		struct replay_word copy = {.text = buffer_make(WORD_LIMIT),
		    .quoted = true};

		buffer_append_span(&copy.text, text);
		assert_non_null(buffer_string(&copy.text));
		add_word(replay, &copy, step->words, &step->count);
	}
}

static void
read_words(struct replay *replay, struct span line, struct replay_step *step,
    bool *expecting)
{
	struct replay_word word;
	size_t times;

	while (read_word(replay, &line, &word)) {
		if (*expecting) {
			add_word(replay, &word, step->expected,
			    &step->expected_count);
		} else if (!word.quoted &&
		    span_equal_string(buffer_span(&word.text), "=>")) {
			*expecting = true;
			buffer_free(&word.text);
		} else if (repeats(replay, step, &word, &times)) {
			repeat_last(replay, step, times);
			buffer_free(&word.text);
		} else {
			add_word(replay, &word, step->words, &step->count);
		}
	}
}

/* ---- steps ---- */

static bool
is_continued(struct span rest)
{
	return rest.length > 0 && is_space(rest.data[0]);
}

bool
replay_read_step(struct replay *replay, struct span *rest,
    struct replay_step *step)
{
	bool expecting = false;
	struct span line;

	memset(step, 0, sizeof(*step));
	while (step->count == 0 && span_next_line(rest, &line)) {
		step->line = ++replay->line;
		read_words(replay, line, step, &expecting);
		while (is_continued(*rest) && span_next_line(rest, &line)) {
			replay->line++;
			read_words(replay, line, step, &expecting);
		}
	}
	return step->count > 0;
}

static void
free_words(struct replay_word *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buffer_free(&words[i].text);
}

void
replay_step_free(struct replay_step *step)
{
	free_words(step->words, step->count);
	free_words(step->expected, step->expected_count);
}

const char *
replay_word(const struct replay *replay, const struct replay_step *step,
    size_t index)
{
	if (index >= step->count)
		replay_fail(replay, "something is missing behind \"%s\"",
		    (const char *)step->words[0].text.data);
	return (const char *)step->words[index].text.data;
}
