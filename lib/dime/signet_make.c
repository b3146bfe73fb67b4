/* SPDX-License-Identifier: BSD-2-Clause */
#include "dime/signet_content.h"

enum { FIELDS_LIMIT = 0xffffff };

/* A signet being made: its fields, without the header. */
struct making {
	enum layout layout;
	enum signet_magic magic;
	struct buffer fields;
};

static struct making
start(enum layout layout, enum signet_magic magic)
{
	return (struct making){layout, magic, buffer_make(FIELDS_LIMIT)};
}

static const struct signet_field_row *
row_of(const struct making *making, uint8_t type)
{
	return signet_field_row(making->layout, making->magic, type);
}

static int
sign_with_seed(const struct signer *signer, struct span data,
    uint8_t signature[static CRYPTO_SIGNATURE])
{
	crypto_ed25519_sign_as(signer->context, signer->public_key, data,
	    signature);
	return 0;
}

struct signer
signer_of_seed(const uint8_t seed[static CRYPTO_SEED])
{
	struct signer signer = {.sign = sign_with_seed, .context = seed};

	crypto_ed25519_public(seed, signer.public_key);
	return signer;
}

static void
append_length(struct buffer *fields, int octets, size_t length)
{
	switch (octets) {
	case 0:
		break;
	case 1:
		buffer_u8(fields, (uint8_t)length);
		break;
	case 2:
		buffer_u16(fields, (uint16_t)length);
		break;
	default:
		buffer_u24(fields, (uint32_t)length);
		break;
	}
}

/* Appends a field with the length parameter that its row says. */
static void
append_value(struct making *making, uint8_t type, struct span value)
{
	buffer_u8(&making->fields, type);
	append_length(&making->fields, row_of(making, type)->length_octets,
	    value.length);
	buffer_append_span(&making->fields, value);
}

static void
append_point(struct making *making, uint8_t type,
    const uint8_t point[static CRYPTO_POINT])
{
	append_value(making, type, span_of(point, CRYPTO_POINT));
}

/* Appends the field of an Ed25519 key, `permissions` before it unless NULL. */
static void
append_key(struct making *making, uint8_t type, const uint8_t *permissions,
    const uint8_t key[static CRYPTO_SIGN_PUBLIC])
{
	uint8_t value[2 + CRYPTO_SIGN_PUBLIC];
	size_t length = 0;

	if (permissions != NULL)
		value[length++] = *permissions;
	if (making->layout == LAYOUT_LIBDIME)
		value[length++] = SIGNET_KEY_FORMAT;
	memcpy(value + length, key, CRYPTO_SIGN_PUBLIC);
	append_value(making, type,
	    span_of(value, length + CRYPTO_SIGN_PUBLIC));
}

/* Appends a signature field over all that is there. */
static int
append_signature(struct making *making, uint8_t type, struct signer signer,
    struct fault *fault)
{
	const struct buffer *fields = &making->fields;
	uint8_t signature[CRYPTO_SIGNATURE];
	int err;

	if (fields->error != 0)
		return fault_set(fault, fields->error, "signet: %s",
		    fields->error == ERR_TOO_LARGE
		    ? "longer than 16777215 octets"
		    : error_row(fields->error)->text);
	err = signer.sign(&signer, buffer_span(fields), signature);
	if (err != 0)
		return fault_set(fault, err,
		    "signet: field %u: cannot sign: %s", type,
		    error_row(err)->text);
	append_value(making, type, span_of(signature, sizeof(signature)));
	return 0;
}

/* ---- informational fields ---- */

static size_t
longest_value(const struct signet_field_row *row)
{
	return ((size_t)1 << 8 * row->length_octets) - 1;
}

static int
check_value(const struct signet_field_row *row,
    const struct signet_extra *extra, struct fault *fault)
{
	struct span used;
	const char *rule;

	if (extra->value.length > longest_value(row))
		return fault_set(fault, ERR_USAGE,
		    "field %u (%s): %zu octets, at most %zu fit", row->type,
		    row->label, extra->value.length, longest_value(row));
	rule = signet_content_fault(row->content, extra->value, &used);
	if (rule != NULL)
		return fault_set(fault, ERR_USAGE, "field %u (%s): %s",
		    row->type, row->label, rule);
	return 0;
}

static int
check_extra(const struct signet_field_row *row,
    const struct signet_extra *extra, struct fault *fault)
{
	if (row == NULL || !signet_content_is_informational(row->content))
		return fault_set(fault, ERR_USAGE,
		    "field %u is not an informational field of this signet",
		    extra->type);
	if (row->content == SIGNET_CONTENT_UNDEFINED &&
	    !signet_name_is_good(extra->name))
		return fault_set(fault, ERR_USAGE,
		    "field 251: the name must be 1 to 255 octets of UTF-8 "
		    "without white space");
	return check_value(row, extra, fault);
}

int
signet_check_extras(enum layout layout, enum signet_magic magic,
    const struct signet_extra *extras, size_t count, struct fault *fault)
{
	bool seen[256] = {false};
	int err;

	for (size_t i = 0; i < count; i++) {
		const struct signet_field_row *row =
		    signet_field_row(layout, magic, extras[i].type);

		if ((err = check_extra(row, &extras[i], fault)) != 0)
			return err;
		if (seen[row->type] && !row->repeats)
			return fault_set(fault, ERR_USAGE,
			    "field %u (%s) may stand only once", row->type,
			    row->label);
		seen[row->type] = true;
	}
	return 0;
}

/* Ascending by type, equal types in the order given. */
static void
append_extras(struct making *making, const struct signet_extra *extras,
    size_t count)
{
	struct buffer *fields = &making->fields;

	for (int type = 0; type <= SIGNET_IMAGE; type++)
		for (size_t i = 0; i < count; i++) {
			if (extras[i].type != type)
				continue;
			buffer_u8(fields, extras[i].type);
			if (type == SIGNET_UNDEFINED) {
				append_length(fields, 1, extras[i].name.length);
				buffer_append_span(fields, extras[i].name);
			}
			append_length(fields,
			    row_of(making, extras[i].type)->length_octets,
			    extras[i].value.length);
			buffer_append_span(fields, extras[i].value);
		}
}

/* ---- whole signets ---- */

/* A domain or address always fits in 255 octets, but let nobody rely on it. */
static int
append_identifier(struct making *making, const char *identifier,
    struct fault *fault)
{
	const struct signet_field_row *row = row_of(making, SIGNET_IDENTIFIER);

	if (strlen(identifier) > longest_value(row))
		return fault_set(fault, ERR_USAGE,
		    "%s: too long for the %s layout", identifier,
		    layout_name(making->layout));
	append_value(making, SIGNET_IDENTIFIER, span_string(identifier));
	return 0;
}

/* From the informational fields to the end. */
static int
complete(struct making *making, struct signer signer, const char *identifier,
    const struct signet_extra *extras, size_t count, struct fault *fault)
{
	int err;

	append_extras(making, extras, count);
	if ((err = append_signature(making, SIGNET_FULL_SIGNATURE, signer,
	    fault)) != 0 ||
	    (err = append_identifier(making, identifier, fault)) != 0)
		return err;
	return append_signature(making, SIGNET_COMPLETE_SIGNATURE, signer,
	    fault);
}

static int
append_signet(const struct making *making, struct buffer *out,
    struct fault *fault)
{
	const struct buffer *fields = &making->fields;
	int err;

	buffer_u16(out, (uint16_t)making->magic);
	buffer_u24(out, (uint32_t)fields->length);
	buffer_append_span(out, buffer_span(fields));
	err = fields->error != 0 ? fields->error : out->error;
	return err == 0 ? 0
	                : fault_set(fault, err, "signet: %s",
	                    error_row(err)->text);
}

static int
append_soks(struct making *making, const struct signet_sok *soks,
    size_t sok_count, struct fault *fault)
{
	for (size_t i = 0; i < sok_count; i++) {
		uint8_t value[1 + CRYPTO_SIGN_PUBLIC];

		value[0] = soks[i].permissions;
		memcpy(value + 1, soks[i].key, CRYPTO_SIGN_PUBLIC);
		if (!signet_sok_is_good(span_of(value, sizeof(value))))
			return fault_set(fault, ERR_USAGE,
			    "SOK with permissions %u: needs one of 1, 2, 4, "
			    "may have 8, and a valid key",
			    soks[i].permissions);
		append_key(making, SIGNET_ORG_SOK, &soks[i].permissions,
		    soks[i].key);
	}
	return 0;
}

int
signet_make_org(enum layout layout,
    const uint8_t pok[static CRYPTO_SIGN_PUBLIC], struct signer pok_signer,
    const struct signet_sok *soks, size_t sok_count,
    const uint8_t encryption[static CRYPTO_POINT], const char *domain,
    const struct signet_extra *extras, size_t extra_count, struct buffer *out,
    struct fault *fault)
{
	struct making making = start(layout, SIGNET_ORG);
	int err;

	if (!domain_is_normal(span_string(domain)))
		return fault_set(fault, ERR_USAGE,
		    "%s: not a lower-case domain name", domain);
	if (sok_count > SIGNET_MAX_SOKS)
		return fault_set(fault, ERR_USAGE, "more than %d SOKs",
		    SIGNET_MAX_SOKS);
	if ((err = signet_check_extras(layout, SIGNET_ORG, extras, extra_count,
	    fault)) != 0)
		return err;
	append_key(&making, SIGNET_ORG_POK, NULL, pok);
	if ((err = append_soks(&making, soks, sok_count, fault)) != 0)
		goto out;
	append_point(&making, SIGNET_ORG_ENCRYPTION, encryption);
	if (layout == LAYOUT_LIBDIME && (err = append_signature(&making,
	    SIGNET_ORG_CORE_SIGNATURE, pok_signer, fault)) != 0)
		goto out;
	if ((err = complete(&making, pok_signer, domain, extras, extra_count,
	    fault)) == 0)
		err = append_signet(&making, out, fault);
out:
	buffer_free(&making.fields);
	return err;
}

int
signet_make_ssr(enum layout layout,
    const uint8_t signing[static CRYPTO_SIGN_PUBLIC], struct signer signer,
    const uint8_t encryption[static CRYPTO_POINT],
    const struct signer *previous, struct buffer *out, struct fault *fault)
{
	struct making making = start(layout, SIGNET_SSR);
	int err;

	append_key(&making, SIGNET_USER_SIGNING, NULL, signing);
	append_point(&making, SIGNET_USER_ENCRYPTION, encryption);
	if (previous != NULL && (err = append_signature(&making,
	    SIGNET_USER_CUSTODY, *previous, fault)) != 0)
		goto out;
	if ((err = append_signature(&making, SIGNET_USER_SIGNATURE, signer,
	    fault)) == 0)
		err = append_signet(&making, out, fault);
out:
	buffer_free(&making.fields);
	return err;
}

static int
check_request(const struct signet *ssr, const struct signet *previous,
    struct fault *fault)
{
	bool has_custody = signet_find(ssr, SIGNET_USER_CUSTODY) != NULL;
	int err;

	if (ssr->magic != SIGNET_SSR)
		return fault_set(fault, ERR_FORMAT,
		    "signet: is not a signing request");
	if ((err = signet_verify_own(ssr, fault)) != 0)
		return err;
	if (ssr->layout == LAYOUT_LIBDIME &&
	    signet_find(ssr, SIGNET_USER_ALTERNATE) != NULL)
		return fault_set(fault, ERR_FORMAT,
		    "signet: field 3 (Alternate-Encryption-Key) of a request "
		    "in the libdime layout has no form in a user signet");
	if (previous != NULL)
		return signet_verify_custody(ssr, previous, fault);
	if (has_custody)
		return fault_set(fault, ERR_CUSTODY, "signet: field 4 "
		    "(Custody-Signature) cannot be checked without the "
		    "previous signet");
	return 0;
}

int
signet_make_user(const struct signet *ssr, const struct signet *previous,
    struct signer org_signer, const char *address,
    const struct signet_extra *extras, size_t extra_count, struct buffer *out,
    struct fault *fault)
{
	struct making making = start(ssr->layout, SIGNET_USER);
	int err;

	if (!address_is_normal(span_string(address)))
		return fault_set(fault, ERR_USAGE,
		    "%s: not a lower-case mail address", address);
	if ((err = check_request(ssr, previous, fault)) != 0 ||
	    (err = signet_check_extras(making.layout, SIGNET_USER, extras,
	    extra_count, fault)) != 0)
		return err;
	buffer_append_span(&making.fields,
	    signet_below(ssr, SIGNET_USER_ORG_SIGNATURE));
	if ((err = append_signature(&making, SIGNET_USER_ORG_SIGNATURE,
	    org_signer, fault)) == 0 &&
	    (err = complete(&making, org_signer, address, extras, extra_count,
	    fault)) == 0)
		err = append_signet(&making, out, fault);
	buffer_free(&making.fields);
	return err;
}
