/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/cursor.h"
#include "crypto/verified.h"
#include "dime/armor.h"
#include "dime/signet.h"

enum { HEADER_LENGTH = 5, FIRST_INFORMATIONAL = 16, ALTERNATE_LEAST = 2 };

/* What signet is read, and how. */
struct form {
	enum layout layout;
	enum signet_magic magic;
};

static const struct signet_field_row *
row_of(struct form form, uint8_t type)
{
	return signet_field_row(form.layout, form.magic, type);
}

static const char *
name_of(struct form form)
{
	return form.layout == LAYOUT_LIBDIME ? "signet in the libdime layout"
	                                     : "signet";
}

/* A fault in one field: its number, its label where it has one, where it
 * starts, and the rule. */
static int
field_fault(struct fault *fault, struct form form, uint8_t type,
    size_t offset, const char *rule)
{
	const struct signet_field_row *row = row_of(form, type);

	return fault_set(fault, ERR_FORMAT, "%s: field %u%s%s%s at offset "
	    "%zu: %s", name_of(form), type, row == NULL ? "" : " (",
	    row == NULL ? "" : row->label, row == NULL ? "" : ")", offset,
	    rule);
}

/* *known says whether it is the header of a signet, be its length right or
 * not. */
static int
read_header(struct span binary, enum signet_magic *magic, bool *known,
    struct fault *fault)
{
	struct cursor cursor = cursor_start(binary);
	unsigned int number = cursor_u16(&cursor);
	uint32_t length = cursor_u24(&cursor);

	*magic = (enum signet_magic)number;
	*known = !cursor.failed && (number == SIGNET_SSR ||
	    number == SIGNET_ORG || number == SIGNET_USER);
	if (cursor.failed)
		return fault_set(fault, ERR_FORMAT,
		    "signet: header at offset 0: runs past the end, at %zu "
		    "octets", binary.length);
	if (!*known)
		return fault_set(fault, ERR_FORMAT,
		    "signet: header at offset 0: magic number %u is none of "
		    "1215, 1776, 1789", number);
	if (length != cursor.rest.length)
		return fault_set(fault, ERR_FORMAT,
		    "signet: header at offset 2: says %u octets of fields, "
		    "%zu follow", length, cursor.rest.length);
	return 0;
}

static uint32_t
take_length(struct cursor *cursor, int octets)
{
	switch (octets) {
	case 1:
		return cursor_u8(cursor);
	case 2:
		return cursor_u16(cursor);
	default:
		return cursor_u24(cursor);
	}
}

/* Takes the next field off the cursor, layout only. */
static int
take_field(struct cursor *cursor, struct form form,
    struct signet_field *field, struct fault *fault)
{
	const uint8_t *start = cursor->rest.data;
	size_t offset = cursor->offset, length;
	const struct signet_field_row *row;
	int octets;

	*field = (struct signet_field){.type = cursor_u8(cursor)};
	row = row_of(form, field->type);
	octets = row != NULL ? row->length_octets
	                     : signet_unknown_length(form.layout, field->type);
	if (octets < 0)
		return field_fault(fault, form, field->type, offset,
		    "the type is reserved");
	if (field->type == SIGNET_UNDEFINED)
		field->name = cursor_take(cursor, cursor_u8(cursor));
	length = octets == 0 ? row->fixed : take_length(cursor, octets);
	if (!cursor->failed && row != NULL && row->fixed != 0 &&
	    length != row->fixed)
		return field_fault(fault, form, field->type, offset,
		    "has another length than this field always has");
	field->value = cursor_take(cursor, length);
	if (cursor->failed)
		return field_fault(fault, form, field->type, offset,
		    "runs past the end of the signet, which may be "
		    "malicious");
	field->whole = span_of(start, cursor->offset - offset);
	return 0;
}

/* Fields ascend; a type that a row calls unique stands once. A type that no row
 * knows may be a later one that repeats. */
static int
check_order(struct form form, int last, uint8_t type, size_t offset,
    struct fault *fault)
{
	const struct signet_field_row *row = row_of(form, type);

	if (type < last)
		return field_fault(fault, form, type, offset,
		    "stands behind a field with a higher type");
	if (type == last && row != NULL && !row->repeats)
		return field_fault(fault, form, type, offset,
		    "stands more than once");
	if (form.magic == SIGNET_SSR && type > SIGNET_USER_SIGNATURE)
		return field_fault(fault, form, type, offset,
		    "a signing request ends with field 5");
	return 0;
}

/* What makes the whole signet unusable; other values are merely ignored. */
static const char *
fault_of_value(struct form form, const struct signet_field *field)
{
	const struct signet_field_row *row = row_of(form, field->type);

	if (row == NULL)
		return NULL;
	if (form.layout == LAYOUT_LIBDIME &&
	    (row->content == SIGNET_CONTENT_SIGNING_KEY ||
	    row->content == SIGNET_CONTENT_SOK) &&
	    signet_key(field->value)[-1] != SIGNET_KEY_FORMAT)
		return "the octet before the key is not 64";
	switch (row->content) {
	case SIGNET_CONTENT_SIGNING_KEY:
		return crypto_ed25519_is_good_again(signet_key(field->value))
		    ? NULL
		    : "not a valid Ed25519 key";
	case SIGNET_CONTENT_POINT:
		return crypto_point_is_good_again(field->value.data)
		    ? NULL
		    : "not a compressed point of secp256k1";
	case SIGNET_CONTENT_ALTERNATE:
		return field->value.length == 0 ||
		        field->value.length >= ALTERNATE_LEAST
		    ? NULL
		    : "too short for security level and scheme";
	case SIGNET_CONTENT_IDENTIFIER:
		if (form.magic == SIGNET_ORG)
			return domain_is_normal(field->value)
			    ? NULL
			    : "not a lower-case domain name";
		return address_is_normal(field->value)
		    ? NULL
		    : "not a lower-case mail address";
	default:
		return NULL;
	}
}

/* What a walk over the fields has met. */
struct walk {
	struct form form;
	bool survey; /* goes on where fields can still be told apart */
	int last;    /* type of the field before */
	size_t soks;
	size_t count;
};

/* The rules that a field breaks where it stands. */
static int
check_field(struct walk *walk, const struct signet_field *field, size_t offset,
    bool value, struct fault *fault)
{
	const char *rule;
	int err;

	err = check_order(walk->form, walk->last, field->type, offset, fault);
	walk->last = field->type;
	if (err != 0)
		return err;
	if (walk->form.magic == SIGNET_ORG && field->type == SIGNET_ORG_SOK &&
	    ++walk->soks > SIGNET_MAX_SOKS)
		return fault_set(fault, ERR_FORMAT,
		    "signet: field %d at offset %zu: more than %d SOKs",
		    SIGNET_ORG_SOK, offset, SIGNET_MAX_SOKS);
	rule = value ? fault_of_value(walk->form, field) : NULL;
	return rule == NULL ? 0 : field_fault(fault, walk->form, field->type,
	    offset, rule);
}

/* Walks all fields. With `fields` NULL it only counts, which includes every
 * check of layout and order, so that hostile input costs no memory. Answers the
 * first fault. */
static int
walk_fields(struct walk *walk, struct span blob, struct signet_field *fields,
    struct fault *fault)
{
	struct cursor cursor = cursor_start(blob);
	int err = 0;

	cursor_take(&cursor, HEADER_LENGTH);
	walk->last = 0;
	walk->soks = walk->count = 0;
	while (!cursor_done(&cursor) && (err == 0 || walk->survey)) {
		struct fault *unset = err == 0 ? fault : NULL;
		size_t offset = cursor.offset;
		struct signet_field field;
		int found;

		if (walk->count == SIGNET_MAX_FIELDS) {
			found = fault_set(unset, ERR_FORMAT,
			    "signet: field at offset %zu: more than %d fields",
			    offset, SIGNET_MAX_FIELDS);
			return err != 0 ? err : found;
		}
		found = take_field(&cursor, walk->form, &field, unset);
		if (found != 0)
			return err != 0 ? err : found;
		found = check_field(walk, &field, offset, fields != NULL,
		    unset);
		if (err == 0)
			err = found;
		if (fields != NULL)
			fields[walk->count] = field;
		walk->count++;
	}
	return err;
}

static int
need(const struct signet *signet, uint8_t type, const char *why,
    struct fault *fault)
{
	const struct form form = {signet->layout, signet->magic};

	if (signet_find(signet, type) != NULL)
		return 0;
	return fault_set(fault, ERR_FORMAT, "%s: field %u (%s) is missing%s",
	    name_of(form), type, row_of(form, type)->label, why);
}

/* Every signature that a part of the signet needs is there. */
static int
find_state(struct signet *signet, struct fault *fault)
{
	bool is_org = signet->magic == SIGNET_ORG;
	bool is_libdime = signet->layout == LAYOUT_LIBDIME;
	uint8_t last = 0;
	int err;

	if (signet->field_count > 0)
		last = signet->fields[signet->field_count - 1].type;
	if ((err = need(signet, SIGNET_USER_SIGNING, "", fault)) != 0 ||
	    (err = need(signet, is_org ? SIGNET_ORG_ENCRYPTION
	                               : SIGNET_USER_ENCRYPTION,
	    "", fault)) != 0 ||
	    (is_org && is_libdime &&
	    (err = need(signet, SIGNET_ORG_CORE_SIGNATURE, "", fault)) != 0) ||
	    (!is_org &&
	    (err = need(signet, SIGNET_USER_SIGNATURE, "", fault)) != 0))
		return err;
	signet->state = SIGNET_STATE_SSR;
	if (signet->magic == SIGNET_SSR)
		return 0;
	if (!is_org &&
	    (err = need(signet, SIGNET_USER_ORG_SIGNATURE, "", fault)) != 0)
		return err;
	signet->state = SIGNET_STATE_CORE;
	if (last < FIRST_INFORMATIONAL)
		return 0;
	if ((err = need(signet, SIGNET_FULL_SIGNATURE,
	    "; informational fields must be signed", fault)) != 0)
		return err;
	signet->state = SIGNET_STATE_FULL;
	if (last <= SIGNET_FULL_SIGNATURE)
		return 0;
	signet->state = SIGNET_STATE_COMPLETE;
	if ((err = need(signet, SIGNET_IDENTIFIER, "", fault)) != 0)
		return err;
	return need(signet, SIGNET_COMPLETE_SIGNATURE,
	    "; the identifier must be signed", fault);
}

/* Makes a signet without fields of what begins with a header. */
static int
adopt(struct form form, struct span binary, size_t count,
    struct signet **out, struct fault *fault)
{
	struct signet *signet = calloc(1, sizeof(*signet));

	if (signet != NULL) {
		signet->layout = form.layout;
		signet->magic = form.magic;
		signet->length = binary.length;
		signet->blob = malloc(binary.length);
		signet->fields = calloc(count + 1, sizeof(*signet->fields));
	}
	if (signet == NULL || signet->blob == NULL || signet->fields == NULL) {
		signet_free(signet);
		return fault_set(fault, ERR_MEMORY, "signet: out of memory");
	}
	memcpy(signet->blob, binary.data, binary.length);
	*out = signet;
	return 0;
}

/* With `survey` *out is set to what could be read, if anything. */
static int
parse_as(struct form form, struct span binary, bool survey,
    struct signet **out, struct fault *fault)
{
	struct walk walk = {.form = form, .survey = survey};
	int err, found;

	err = walk_fields(&walk, binary, NULL, fault);
	if (err != 0 && !survey)
		return err;
	found = adopt(form, binary, walk.count, out, fault);
	if (found != 0)
		return found;
	found = walk_fields(&walk, signet_binary(*out), (*out)->fields,
	    err == 0 ? fault : NULL);
	(*out)->field_count = walk.count;
	if (err == 0)
		err = found;
	return err != 0 ? err : find_state(*out, fault);
}

/* Field 1 as the libdime layout has it: length and format octet of the key. */
static bool
begins_as_libdime(struct span binary)
{
	static const uint8_t start[] = {1, 1 + CRYPTO_SIGN_PUBLIC,
	    SIGNET_KEY_FORMAT};

	return span_equal(span_slice(binary, HEADER_LENGTH, sizeof(start)),
	    span_of(start, sizeof(start)));
}

/* As parse_as(), in the layout that it is in. */
static int
parse(struct span binary, bool survey, struct signet **out, struct fault *fault)
{
	struct form form = {.layout = LAYOUT_STANDARD};
	struct fault *unset;
	bool known;
	int err, found;

	*out = NULL;
	err = read_header(binary, &form.magic, &known, fault);
	if (!known || (err != 0 && !survey))
		return err;
	unset = err == 0 ? fault : NULL;
	found = parse_as(form, binary, survey, out, unset);
	if (found == ERR_FORMAT && begins_as_libdime(binary)) {
		signet_free(*out);
		*out = NULL;
		form.layout = LAYOUT_LIBDIME;
		found = parse_as(form, binary, survey, out, unset);
	}
	return err != 0 ? err : found;
}

int
signet_parse(struct span binary, struct signet **out, struct fault *fault)
{
	int err = parse(binary, false, out, fault);

	if (err != 0) {
		signet_free(*out);
		*out = NULL;
	}
	return err;
}

/* The libdime layout has no label of its own for requests. */
static enum armor_kind
armor_of(const struct signet *signet)
{
	switch (signet->magic) {
	case SIGNET_SSR:
		return signet->layout == LAYOUT_LIBDIME ? ARMOR_ORG_SIGNET
		                                        : ARMOR_SSR;
	case SIGNET_ORG:
		return ARMOR_ORG_SIGNET;
	default:
		return ARMOR_USER_SIGNET;
	}
}

static bool
is_signet(enum armor_kind kind)
{
	return kind == ARMOR_SSR || kind == ARMOR_ORG_SIGNET ||
	    kind == ARMOR_USER_SIGNET;
}

static int
read_any(struct span data, bool survey, struct signet **out,
    struct fault *fault)
{
	/* Base64 is longer than what it stands for. */
	struct buffer binary = buffer_make(data.length);
	enum armor_kind kind;
	int err;

	*out = NULL;
	if (!armor_is_armored(data))
		return parse(data, survey, out, fault);
	err = armor_read(data, &kind, &binary, fault);
	if (err == 0 && !is_signet(kind))
		err = fault_set(fault, ERR_FORMAT,
		    "armor of %s, not of a signet", armor_label(kind));
	if (err == 0)
		err = parse(buffer_span(&binary), survey, out, fault);
	if (err == 0 && kind != armor_of(*out) &&
	    !(kind == ARMOR_SSR && (*out)->magic == SIGNET_SSR))
		err = fault_set(fault, ERR_FORMAT,
		    "armor: the label is %s, the content's magic number %d",
		    armor_label(kind), (int)(*out)->magic);
	buffer_free(&binary);
	return err;
}

int
signet_read(struct span data, struct signet **out, struct fault *fault)
{
	int err = read_any(data, false, out, fault);

	if (err != 0) {
		signet_free(*out);
		*out = NULL;
	}
	return err;
}

int
signet_survey(struct span data, struct signet **out, struct fault *fault)
{
	return read_any(data, true, out, fault);
}

void
signet_write(const struct signet *signet, struct buffer *out)
{
	armor_write(armor_of(signet), signet_binary(signet), out);
}

void
signet_free(struct signet *signet)
{
	if (signet == NULL)
		return;
	free(signet->fields);
	free(signet->blob);
	free(signet);
}

struct span
signet_binary(const struct signet *signet)
{
	return span_of(signet->blob, signet->length);
}

const struct signet_field *
signet_find(const struct signet *signet, uint8_t type)
{
	for (size_t i = 0; i < signet->field_count; i++)
		if (signet->fields[i].type == type)
			return &signet->fields[i];
	return NULL;
}

struct span
signet_below(const struct signet *signet, uint8_t type)
{
	size_t end = signet->length;

	for (size_t i = 0; i < signet->field_count; i++)
		if (signet->fields[i].type >= type) {
			end = (size_t)(signet->fields[i].whole.data -
			    signet->blob);
			break;
		}
	return span_of(signet->blob + HEADER_LENGTH, end - HEADER_LENGTH);
}
