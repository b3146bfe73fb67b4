/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "base/cursor.h"
#include "dime/signet_content.h"

enum { MAGIC_LENGTH = 2, SIZE_LENGTH = 3 };

/* Where the lengths of a field of this row are ruled; and its value. */
static const char *
layout_rule(const struct signet_field_row *row)
{
	if (row == NULL)
		return "S5";
	if (row->content == SIGNET_CONTENT_ALTERNATE)
		return "S3";
	return row->length_octets == 0 ? "S2" : "S4";
}

static const char *
signed_by(enum signet_magic magic, uint8_t type)
{
	if (magic == SIGNET_ORG)
		return "the POK";
	if (type == SIGNET_USER_CUSTODY)
		return "the signing key of the signet before this one";
	if (type == SIGNET_USER_SIGNATURE)
		return "the signing key of field 1";
	return "the POK, or a SOK that may sign users";
}

static void
explain_signature(struct explanation *out, const struct signet *signet,
    const struct signet_field *field)
{
	struct span below = signet_below(signet, field->type);
	bool custody = signet->magic != SIGNET_ORG &&
	    field->type == SIGNET_USER_CUSTODY;

	explain_next(out, field->value.length, custody ? "S7, S8" : "S8",
	    "Ed25519 signature by %s over the %zu octets from %zu on",
	    signed_by(signet->magic, field->type), below.length,
	    (size_t)(below.data - signet->blob));
}

static void
explain_sok(struct explanation *out, const struct signet_field *field)
{
	explain_next(out, 1, "S9",
	    "permissions %u%s%s%s%s%s", field->value.data[0],
	    field->value.data[0] & SIGNET_MAY_SIGN_USERS ? " users" : "",
	    field->value.data[0] & SIGNET_MAY_SIGN_MESSAGES ? " messages" : "",
	    field->value.data[0] & SIGNET_MAY_SIGN_TLS ? " tls" : "",
	    field->value.data[0] & SIGNET_MAY_SIGN_SOFTWARE ? " software" : "",
	    signet_sok_is_good(field->value) ? "" : ": ignored, not valid");
	if (field->value.length > 1 + CRYPTO_SIGN_PUBLIC)
		explain_next(out, 1, "S9", "format of the key");
	explain_next(out, CRYPTO_SIGN_PUBLIC, "S9", "Ed25519 public key");
}

static void
explain_alternate(struct explanation *out, const struct signet_field *field)
{
	size_t length = field->value.length;

	if (length > 0)
		explain_next(out, 1, "S3", "security level %u",
		    field->value.data[0]);
	if (length > 1)
		explain_next(out, 1, "S3", "scheme %u", field->value.data[1]);
	if (length > 2)
		explain_next(out, length - 2, "S3",
		    "alternate key, never used to encrypt");
}

static void
explain_informational(struct explanation *out,
    const struct signet_field_row *row, const struct signet_field *field)
{
	size_t length = field->value.length;
	char what[EXPLAIN_WHAT_SIZE];
	struct span used;
	const char *fault = signet_content_fault(row->content, field->value,
	    &used);

	snprintf(what, sizeof(what), "%s%s%s",
	    row->content == SIGNET_CONTENT_IMAGE ? "image" : "value",
	    fault == NULL ? "" : used.length > 0 ? ", partly ignored, "
	                                         : ", ignored, ",
	    fault == NULL ? "" : fault);
	if (row->content == SIGNET_CONTENT_IMAGE)
		explain_next(out, length, "S15", "%s", what);
	else
		explain_readable(out, length, "S15", what);
}

static void
explain_value(struct explanation *out, const struct signet *signet,
    const struct signet_field_row *row, const struct signet_field *field)
{
	size_t length = field->value.length;

	if (row == NULL) {
		explain_next(out, length, "S5",
		    "value of a field that is not defined: stepped over");
		return;
	}
	switch (row->content) {
	case SIGNET_CONTENT_SIGNING_KEY:
		if (length > CRYPTO_SIGN_PUBLIC)
			explain_next(out, 1, "S15", "format of the key");
		explain_next(out, CRYPTO_SIGN_PUBLIC, "S15",
		    "Ed25519 public key");
		break;
	case SIGNET_CONTENT_SOK:
		explain_sok(out, field);
		break;
	case SIGNET_CONTENT_POINT:
		explain_next(out, length, "S15",
		    "secp256k1 public key, compressed point");
		break;
	case SIGNET_CONTENT_ALTERNATE:
		explain_alternate(out, field);
		break;
	case SIGNET_CONTENT_OPAQUE:
		explain_next(out, length, "S3",
		    "alternate key, never used to encrypt");
		break;
	case SIGNET_CONTENT_SIGNATURE:
		explain_signature(out, signet, field);
		break;
	case SIGNET_CONTENT_IDENTIFIER:
		explain_readable(out, length, "S16", "value");
		break;
	default:
		explain_informational(out, row, field);
		break;
	}
}

/* The length parameter is what the parser found between type, name and
 * value. */
static void
explain_field(struct explanation *out, const struct signet *signet,
    const struct signet_field *field)
{
	const struct signet_field_row *row =
	    signet_field_row(signet->layout, signet->magic, field->type);
	const char *rule = layout_rule(row);
	size_t start = out->offset;

	explain_next(out, 1, row == NULL ? "S5"
	    : row->length_octets == 0 ? "S2, S6" : "S6", "field %u: %s",
	    field->type, row == NULL ? "not defined" : row->label);
	if (field->type == SIGNET_UNDEFINED) {
		explain_next(out, 1, rule, "length of the name: %zu",
		    field->name.length);
		explain_readable(out, field->name.length, rule, "name");
	}
	explain_next(out, field->whole.length - (out->offset - start) -
	    field->value.length, rule, "length of the value: %zu",
	    field->value.length);
	explain_value(out, signet, row, field);
}

void
signet_explain(const struct signet *signet, const struct explainer *explainer)
{
	struct explanation out = explain_start(explainer,
	    signet_binary(signet), false);
	struct cursor header = cursor_start(signet_binary(signet));
	unsigned int magic = cursor_u16(&header);
	uint32_t length = cursor_u24(&header);

	explain_next(&out, MAGIC_LENGTH, "S1", "magic number: %u, %s%s", magic,
	    signet_kind_words(signet->magic), signet->layout == LAYOUT_LIBDIME
	        ? " in the libdime layout" : "");
	explain_next(&out, SIZE_LENGTH, "S1",
	    length == header.rest.length
	        ? "length of what follows: %u"
	        : "length of what follows: %u, which is not so", length);
	for (size_t i = 0; i < signet->field_count; i++)
		explain_field(&out, signet, &signet->fields[i]);
	explain_next(&out, out.rest.length, "S1",
	    "not read: no further field can be told apart");
}
