/* SPDX-License-Identifier: BSD-2-Clause */
#include "dime/message_private.h"

/* The four lines of chunk 4 and of chunk 5 (M13, M14). */
static const struct {
	const char *user;
	const char *org;
} labels[] = {
    [MESSAGE_ORIGIN_CHUNK] = {"Author", "Destination"},
    [MESSAGE_DESTINATION_CHUNK] = {"Recipient", "Origin"},
};

enum { ENVELOPE_LIMIT = 1024 };

void
envelope_write(uint8_t type, const struct message_envelope *envelope,
    struct buffer *out)
{
	buffer_printf(out,
	    "%s: <%s>\r\n%s-Signet: [%s]\r\n%s: <%s>\r\n%s-Signet: [%s]\r\n",
	    labels[type].user, envelope->address, labels[type].user,
	    envelope->address_fingerprint, labels[type].org, envelope->domain,
	    labels[type].org, envelope->domain_fingerprint);
}

/* Takes `<label><suffix>: <open>value<close>` CRLF off the front. */
static bool
take_line(struct span *rest, const char *label, const char *suffix,
    const char *brackets, struct span *value)
{
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

/* The rule of M13 and M14 that `text` breaks, or NULL. */
static const char *
parse(uint8_t type, struct span text, struct message_envelope *out)
{
	struct span user, user_print, org, org_print;

	if (!take_line(&text, labels[type].user, "", "<>", &user) ||
	    !take_line(&text, labels[type].user, "-Signet", "[]",
	    &user_print) ||
	    !take_line(&text, labels[type].org, "", "<>", &org) ||
	    !take_line(&text, labels[type].org, "-Signet", "[]", &org_print) ||
	    text.length > 0)
		return "not the four lines of an envelope";
	if (!address_normalize(user, out->address))
		return "first line holds no mail address";
	if (!domain_normalize(org, out->domain))
		return "third line holds no domain name";
	if (!signet_is_fingerprint(user_print) ||
	    !span_copy_string(user_print, out->address_fingerprint,
	    sizeof(out->address_fingerprint)) ||
	    !signet_is_fingerprint(org_print) ||
	    !span_copy_string(org_print, out->domain_fingerprint,
	    sizeof(out->domain_fingerprint)))
		return "a fingerprint is not 86 characters of base64";
	return NULL;
}

int
envelope_read(const struct access *access, uint8_t type,
    struct message_envelope *out)
{
	const struct message *message = access->message;
	struct fault *fault = access->fault;
	const struct message_chunk *chunk = chunk_find(message, type);
	struct buffer text = buffer_make(ENVELOPE_LIMIT);
	const char *rule;
	size_t at;
	int err;

	memset(out, 0, sizeof(*out));
	if (chunk == NULL)
		return fault_set(fault, ERR_FORMAT, "chunk %u is missing",
		    type);
	at = (size_t)(chunk - message->chunks);
	err = segment_read(access, &at, &text);
	if (err == 0) {
		rule = parse(type, buffer_span(&text), out);
		if (rule != NULL) {
			memset(out, 0, sizeof(*out));
			err = chunk_fault(message, chunk, fault, ERR_FORMAT,
			    rule);
		}
	} else if (err == ERR_TOO_LARGE) {
		err = chunk_fault(message, chunk, fault, ERR_FORMAT,
		    "not the four lines of an envelope");
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
envelope_compare(uint8_t type, const struct message_envelope *envelope,
    const struct user_signet *user, const struct org_signet *org,
    struct fault *fault)
{
	const char *what = NULL, *label = labels[type].user;

	if (user != NULL && !envelope_address_fits(envelope->address,
	    user->address))
		what = "";
	else if (user != NULL && strcmp(envelope->address_fingerprint,
	    user->core) != 0)
		what = "-Signet";
	if (what == NULL && org != NULL) {
		label = labels[type].org;
		if (strcmp(envelope->domain, org->domain) != 0)
			what = "";
		else if (strcmp(envelope->domain_fingerprint,
		    org->fingerprint) != 0)
			what = "-Signet";
	}
	if (what == NULL)
		return 0;
	return fault_set(fault, ERR_MISMATCH,
	    "chunk %u (%s): %s%s is not that of the signet", type,
	    message_chunk_name(type), label, what);
}
