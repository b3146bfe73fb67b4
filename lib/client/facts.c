/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>

#include "client/facts_private.h"
#include "crypto/base64.h"

enum { WAIT_LIMIT = 3600 * 1000, KEY_LIMIT = 64 };

static const char *const verbs[FACTS_VERBS] = {
#define FACTS_VERB(number, name) [number] = name,
#include "client/facts.def"
#undef FACTS_VERB
};

static const struct {
	const char *key;
	size_t offset, limit;
} request_lines[] = {
#define REQUEST_LINE(key, member, limit)                                       \
	{key, offsetof(struct facts_request, member), limit},
#include "client/facts.def"
#undef REQUEST_LINE
};

enum answer_kind {
	KIND_ERROR,
	KIND_TEXT,
	KIND_NUMBER,
	KIND_FLAG,
	KIND_OCTETS,
	KIND_ACTION,
	KIND_POLICY,
	KIND_DNS,
	KIND_SIGNET,
};

struct answer_line {
	const char *key;
	enum answer_kind kind;
	size_t offset;
	size_t size; /* of the member: the room of a TEXT */
};

static const struct answer_line answer_lines[] = {
#define ANSWER_LINE(key, kind, member)                                         \
	{key, KIND_##kind, offsetof(struct facts_answer, member),              \
	    sizeof(((struct facts_answer *)NULL)->member)},
#include "client/facts.def"
#undef ANSWER_LINE
};

enum {
	REQUEST_LINES = sizeof(request_lines) / sizeof(request_lines[0]),
	ANSWER_LINES = sizeof(answer_lines) / sizeof(answer_lines[0]),
};

/* ---- lines ---- */

static bool
is_clean(struct span value)
{
	for (size_t i = 0; i < value.length; i++)
		if (value.data[i] < 0x20 || value.data[i] == 0x7f)
			return false;
	return true;
}

/* A value with a line end in it would become a line of its own. */
static void
write_line(struct buffer *out, const char *key, const char *value)
{
	struct span text = span_string(value);

	buffer_printf(out, "%s ", key);
	for (size_t i = 0; i < text.length; i++)
		buffer_u8(out,
		    is_clean(span_slice(text, i, 1)) ? text.data[i] : '?');
	buffer_u8(out, '\n');
}

/* Takes `key SP value` off the front; false at the end. */
static int
next_line(struct span *rest, struct span *key, struct span *value,
    struct fault *fault)
{
	struct span line;
	size_t at;

	span_next_line(rest, &line);
	for (at = 0; at < line.length && line.data[at] != ' '; at++)
		;
	if (at == 0 || at == line.length)
		return fault_set(fault, ERR_FORMAT,
		    "facts: a line is not `key value`");
	*key = span_slice(line, 0, at);
	*value = span_slice(line, at + 1, line.length);
	if (!is_clean(*value))
		return fault_set(fault, ERR_FORMAT,
		    "facts: %.*s: control characters", (int)key->length,
		    (const char *)key->data);
	return 0;
}

static int
bad_value(struct span key, struct fault *fault)
{
	return fault_set(fault, ERR_FORMAT, "facts: %.*s: bad value",
	    key.length > 40 ? 40 : (int)key.length, (const char *)key.data);
}

static int
bad_key(struct span key, const char *what, struct fault *fault)
{
	return fault_set(fault, ERR_FORMAT, "facts: %.*s: %s",
	    key.length > 40 ? 40 : (int)key.length, (const char *)key.data,
	    what);
}

/* ---- requests ---- */

void
facts_request_write(const struct facts_request *request, struct buffer *out)
{
	write_line(out, "verb", verbs[request->verb]);
	for (size_t i = 0; i < REQUEST_LINES; i++) {
		const char *value;

		memcpy(&value,
		    (const char *)request + request_lines[i].offset,
		    sizeof(value));
		if (value != NULL && *value != '\0')
			write_line(out, request_lines[i].key, value);
	}
	buffer_printf(out, "wait %lld\n", (long long)request->wait);
}

static bool
read_verb(struct span value, enum facts_verb *verb)
{
	for (size_t i = 0; i < FACTS_VERBS; i++) {
		if (span_equal_string(value, verbs[i])) {
			*verb = (enum facts_verb)i;
			return true;
		}
	}
	return false;
}

/* Where the values of one request went; pointers are set when `storage` has
 * stopped moving. */
struct request_reading {
	bool verb_seen, wait_seen;
	bool seen[REQUEST_LINES];
	size_t at[REQUEST_LINES];
};

static int
read_request_line(struct span key, struct span value,
    struct facts_request *request, struct request_reading *reading,
    struct buffer *storage, struct fault *fault)
{
	uint64_t wait;

	if (span_equal_string(key, "verb")) {
		if (reading->verb_seen || !read_verb(value, &request->verb))
			return bad_value(key, fault);
		reading->verb_seen = true;
		return 0;
	}
	if (span_equal_string(key, "wait")) {
		if (reading->wait_seen ||
		    !span_number(value, WAIT_LIMIT, &wait))
			return bad_value(key, fault);
		reading->wait_seen = true;
		request->wait = (int64_t)wait;
		return 0;
	}
	for (size_t i = 0; i < REQUEST_LINES; i++) {
		if (!span_equal_string(key, request_lines[i].key))
			continue;
		if (reading->seen[i] || value.length > request_lines[i].limit)
			return bad_value(key, fault);
		reading->seen[i] = true;
		reading->at[i] = storage->length;
		buffer_append_span(storage, value);
		buffer_u8(storage, '\0');
		return storage->error;
	}
	return bad_key(key, "not known in a request", fault);
}

int
facts_request_read(struct span text, struct facts_request *request,
    struct buffer *storage, struct fault *fault)
{
	struct request_reading reading = {0};
	struct span key, value;
	int err = 0;

	*request = (struct facts_request){.verb = FACTS_VERBS};
	buffer_reset(storage);
	while (err == 0 && text.length > 0) {
		err = next_line(&text, &key, &value, fault);
		if (err == 0)
			err = read_request_line(key, value, request, &reading,
			    storage, fault);
	}
	if (err == 0 && !reading.verb_seen)
		err = fault_set(fault, ERR_FORMAT, "facts: no verb");
	for (size_t i = 0; err == 0 && i < REQUEST_LINES; i++) {
		const char *string = "";

		if (reading.seen[i])
			string = (const char *)storage->data + reading.at[i];
		memcpy((char *)request + request_lines[i].offset, &string,
		    sizeof(string));
	}
	return err;
}

/* ---- answers ---- */

void
facts_answer_init(struct facts_answer *answer)
{
	*answer = (struct facts_answer){
	    .action = POLICY_DEFER,
	    .facts = {.dns = DNS_UNREACHABLE},
	    .record = buffer_make(RECORD_TEXT_LIMIT),
	    .org_signet = buffer_make(SIGNET_MAX_LENGTH),
	    .user_signet = buffer_make(SIGNET_MAX_LENGTH),
	    .text = buffer_make(1 << 20),
	    .key = buffer_make(KEY_LIMIT),
	};
}

void
facts_answer_free(struct facts_answer *answer)
{
	buffer_free(&answer->record);
	buffer_free(&answer->org_signet);
	buffer_free(&answer->user_signet);
	buffer_free(&answer->text);
	buffer_free(&answer->key);
}

/* Members of an enumerated type, all of which are as wide as an int. */
static int
get_number(const void *member)
{
	int number;

	memcpy(&number, member, sizeof(number));
	return number;
}

static const char *
name_of(enum answer_kind kind, const void *member)
{
	int number = get_number(member);

	switch (kind) {
	case KIND_ERROR:
		return number == 0 ? "none" : error_row(number)->name;
	case KIND_ACTION:
		return policy_action_name((enum policy_action)number);
	case KIND_POLICY:
		return record_policy_name((enum record_policy)number);
	case KIND_DNS:
		return dns_answer_name((enum dns_answer)number);
	case KIND_SIGNET:
		return signet_answer_name((enum signet_answer)number);
	case KIND_TEXT:
	case KIND_NUMBER:
	case KIND_FLAG:
	case KIND_OCTETS:
		break;
	}
	return "";
}

static void
write_octets(struct buffer *out, const char *key, const struct buffer *octets)
{
	struct span rest = buffer_span(octets);
	char text[BASE64_LENGTH(3 * 256) + 1];

	if (rest.length == 0)
		return;
	buffer_printf(out, "%s ", key);
	while (rest.length > 0) {
		struct span piece = span_slice(rest, 0, (size_t)3 * 256);

		base64_encode(piece, text);
		buffer_append_string(out, text);
		rest = span_slice(rest, piece.length, rest.length);
	}
	buffer_u8(out, '\n');
}

static void
write_answer_line(const struct answer_line *line, const void *member,
    struct buffer *out)
{
	int64_t number;
	bool flag;

	switch (line->kind) {
	case KIND_TEXT:
		if (*(const char *)member != '\0')
			write_line(out, line->key, member);
		break;
	case KIND_NUMBER:
		memcpy(&number, member, sizeof(number));
		if (number > 0)
			buffer_printf(out, "%s %lld\n", line->key,
			    (long long)number);
		break;
	case KIND_FLAG:
		memcpy(&flag, member, sizeof(flag));
		buffer_printf(out, "%s %d\n", line->key, flag);
		break;
	case KIND_OCTETS:
		write_octets(out, line->key, member);
		break;
	case KIND_ERROR:
	case KIND_ACTION:
	case KIND_POLICY:
	case KIND_DNS:
	case KIND_SIGNET:
		write_line(out, line->key, name_of(line->kind, member));
		break;
	}
}

void
facts_answer_write(const struct facts_answer *answer, struct buffer *out)
{
	for (size_t i = 0; i < ANSWER_LINES; i++)
		write_answer_line(&answer_lines[i],
		    (const char *)answer + answer_lines[i].offset, out);
	facts_hosts_write(answer, out);
}

static bool
read_error(struct span value, int *err)
{
	char name[40];

	if (span_equal_string(value, "none")) {
		*err = 0;
		return true;
	}
	if (!span_copy_string(value, name, sizeof(name)))
		return false;
	*err = error_by_name(name);
	return *err != ERR_INTERNAL || strcmp(name, "ERR_INTERNAL") == 0;
}

/* Writes the number that `value` names to *number; false for no such name. */
static bool
read_name(enum answer_kind kind, struct span value, int *number)
{
	char name[40];

	if (kind == KIND_ERROR)
		return read_error(value, number);
	if (!span_copy_string(value, name, sizeof(name)))
		return false;
	if (kind == KIND_ACTION)
		*number = policy_action_by_name(name);
	else if (kind == KIND_POLICY)
		*number = record_policy_by_name(value);
	else if (kind == KIND_DNS)
		*number = dns_answer_by_name(name);
	else
		*number = signet_answer_by_name(name);
	return *number >= 0;
}

static bool
read_answer_value(const struct answer_line *line, struct span value,
    void *member)
{
	uint64_t unsigned_number;
	int64_t number;
	bool flag;
	int name;

	switch (line->kind) {
	case KIND_TEXT:
		return span_copy_string(value, member, line->size);
	case KIND_NUMBER:
		if (!span_number(value, INT64_MAX, &unsigned_number))
			return false;
		number = (int64_t)unsigned_number;
		memcpy(member, &number, sizeof(number));
		return true;
	case KIND_FLAG:
		flag = span_equal_string(value, "1");
		memcpy(member, &flag, sizeof(flag));
		return flag || span_equal_string(value, "0");
	case KIND_OCTETS:
		return base64_decode(value, member) == 0;
	case KIND_ERROR:
	case KIND_ACTION:
	case KIND_POLICY:
	case KIND_DNS:
	case KIND_SIGNET:
		if (!read_name(line->kind, value, &name))
			return false;
		memcpy(member, &name, sizeof(name));
		return true;
	}
	return false;
}

static int
read_answer_line(struct span key, struct span value,
    struct facts_answer *answer, bool *seen, struct fault *fault)
{
	bool good;

	if (facts_hosts_read(key, value, answer, &good))
		return good ? 0 : bad_value(key, fault);
	for (size_t i = 0; i < ANSWER_LINES; i++) {
		const struct answer_line *line = &answer_lines[i];

		if (!span_equal_string(key, line->key))
			continue;
		if (seen[i])
			return bad_key(key, "given twice", fault);
		seen[i] = true;
		return read_answer_value(line, value,
		           (char *)answer + line->offset)
		    ? 0
		    : bad_value(key, fault);
	}
	return bad_key(key, "not known in an answer", fault);
}

int
facts_answer_read(struct span text, struct facts_answer *answer,
    struct fault *fault)
{
	bool seen[ANSWER_LINES] = {false};
	struct span key, value;
	int err = 0;

	while (err == 0 && text.length > 0) {
		err = next_line(&text, &key, &value, fault);
		if (err == 0)
			err = read_answer_line(key, value, answer, seen, fault);
	}
	/* The first line of the table is `error`: an answer that lacks it says
	 * nothing. */
	if (err == 0 && !seen[0])
		err = fault_set(fault, ERR_FORMAT, "facts: an empty answer");
	return err;
}
