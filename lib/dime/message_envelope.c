/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "dime/message_private.h"

/* The four lines of chunk 4 and of chunk 5 (M13, M14). */
static const struct {
	const char *user;
	const char *org;
} labels[] = {
    [MESSAGE_ORIGIN_CHUNK] = {"Author", "Destination"},
    [MESSAGE_DESTINATION_CHUNK] = {"Recipient", "Origin"},
};

static const char signet_suffix[] = "-Signet";

enum { ENVELOPE_LIMIT = 1024, RULE_SIZE = 128 };

void
envelope_write(uint8_t type, const struct message_envelope *envelope,
    struct buffer *out)
{
	buffer_printf(out,
	    "%s: <%s>\r\n%s-Signet: [%s]\r\n%s: <%s>\r\n%s-Signet: [%s]\r\n",
	    labels[type].user, envelope->spelled, labels[type].user,
	    envelope->address_fingerprint, labels[type].org, envelope->domain,
	    labels[type].org, envelope->domain_fingerprint);
}

/* Takes `<label><suffix>: <open>value<close>` CRLF off the front. */
static bool
take_line(struct span *rest, const char *label, const char *suffix,
    struct span *value)
{
	const char *brackets = suffix[0] == '\0' ? "<>" : "[]";
	const char *parts[] = {label, suffix, ": "};
	const uint8_t *end;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct span part = span_string(parts[i]);

		if (!span_equal(span_slice(*rest, 0, part.length), part))
			return false;
		*rest = span_slice(*rest, part.length, SIZE_MAX);
	}
	if (rest->length == 0 || rest->data[0] != brackets[0])
		return false;
	end = memchr(rest->data, brackets[1], rest->length);
	if (end == NULL)
		return false;
	*value = span_of(rest->data + 1, (size_t)(end - rest->data) - 1);
	*rest = span_slice(*rest, value->length + 2, SIZE_MAX);
	if (!span_equal_string(span_slice(*rest, 0, 2), "\r\n"))
		return false;
	*rest = span_slice(*rest, 2, SIZE_MAX);
	return true;
}

/* Takes a fingerprint out of what stood between brackets. */
static bool
take_fingerprint(struct span value, char out[static SIGNET_FINGERPRINT_SIZE])
{
	return signet_is_fingerprint(value) &&
	    span_copy_string(value, out, SIGNET_FINGERPRINT_SIZE);
}

/* Reads the four lines; 0, or the number of the first that is bad, 5 for what
 * stands behind them. */
static int
parse(uint8_t type, struct span text, struct message_envelope *out)
{
	struct span value;

	if (!take_line(&text, labels[type].user, "", &value) ||
	    !address_spell(value, out->spelled))
		return 1;
	address_normalize(value, out->address);
	if (!take_line(&text, labels[type].user, signet_suffix, &value) ||
	    !take_fingerprint(value, out->address_fingerprint))
		return 2;
	if (!take_line(&text, labels[type].org, "", &value) ||
	    !domain_normalize(value, out->domain))
		return 3;
	if (!take_line(&text, labels[type].org, signet_suffix, &value) ||
	    !take_fingerprint(value, out->domain_fingerprint))
		return 4;
	return text.length > 0 ? 5 : 0;
}

/* Says which line is bad and what it should be. */
static int
line_fault(const struct access *access, const struct message_chunk *chunk,
    int line)
{
	const char *label = line <= 2 ? labels[chunk->type].user
	                              : labels[chunk->type].org;
	const char *value = line == 1 ? ": <address>" : ": <domain>";
	char rule[RULE_SIZE];

	if (line == 5)
		return chunk_fault(access->message, chunk, access->fault,
		    ERR_FORMAT, "something follows its four lines");
	if (line % 2 == 0)
		value = "-Signet: [fingerprint]";
	snprintf(rule, sizeof(rule), "line %d is not \"%s%s\" and CRLF", line,
	    label, value);
	return chunk_fault(access->message, chunk, access->fault, ERR_FORMAT,
	    rule);
}

int
envelope_read(const struct access *access, uint8_t type,
    struct message_envelope *out)
{
	const struct message *message = access->message;
	struct fault *fault = access->fault;
	const struct message_chunk *chunk = chunk_find(message, type);
	struct buffer text = buffer_make(ENVELOPE_LIMIT);
	size_t at;
	int err, line;

	memset(out, 0, sizeof(*out));
	if (chunk == NULL)
		return fault_set(fault, ERR_FORMAT, "chunk %u (%s) is missing",
		    type, message_chunk_name(type));
	at = (size_t)(chunk - message->chunks);
	err = segment_read(access, &at, &text);
	if (err == 0) {
		line = parse(type, buffer_span(&text), out);
		if (line != 0) {
			memset(out, 0, sizeof(*out));
			err = line_fault(access, chunk, line);
		}
	} else if (err == ERR_TOO_LARGE) {
		err = chunk_fault(message, chunk, fault, ERR_FORMAT,
		    "more than the four lines of an envelope can be");
	}
	buffer_free(&text);
	return err;
}

static int
read_unchecked(const struct message *message, uint8_t type,
    struct message_envelope *out, struct fault *fault)
{
	const struct access access = {
	    .message = message,
	    .actor = message_reader(message, type),
	    .fault = fault,
	    .layout_unknown = true,
	};

	return envelope_read(&access, type, out);
}

int
message_origin_envelope(const struct message *message,
    struct message_envelope *out, struct fault *fault)
{
	return read_unchecked(message, MESSAGE_ORIGIN_CHUNK, out, fault);
}

int
message_destination_envelope(const struct message *message,
    struct message_envelope *out, struct fault *fault)
{
	return read_unchecked(message, MESSAGE_DESTINATION_CHUNK, out, fault);
}

bool
envelope_address_fits(const char *address, const char *identifier)
{
	char plain[ADDRESS_SIZE];

	address_strip_tag(address, plain);
	return identifier[0] != '\0' && (strcmp(address, identifier) == 0 ||
	    strcmp(plain, identifier) == 0);
}

int
envelope_compare(const struct access *access, uint8_t type,
    const struct message_envelope *envelope, const struct user_signet *user,
    const struct org_signet *org)
{
	const char *what = NULL, *label = labels[type].user;
	char rule[RULE_SIZE];

	if (user != NULL && !envelope_address_fits(envelope->address,
	    user->address))
		what = "";
	else if (user != NULL && strcmp(envelope->address_fingerprint,
	    user->core) != 0)
		what = signet_suffix;
	if (what == NULL && org != NULL) {
		label = labels[type].org;
		if (strcmp(envelope->domain, org->domain) != 0)
			what = "";
		else if (strcmp(envelope->domain_fingerprint,
		    message_org_fingerprint(org)) != 0)
			what = signet_suffix;
	}
	if (what == NULL)
		return 0;
	snprintf(rule, sizeof(rule), "%s%s is not that of the signet", label,
	    what);
	return chunk_fault(access->message, chunk_find(access->message, type),
	    access->fault, ERR_MISMATCH, rule);
}
