/* SPDX-License-Identifier: BSD-2-Clause */
#include "dime/signet.h"

enum { FIELDS_LIMIT = 0xffffff, IDENTIFIER_LENGTH_OCTETS = 2 };

static int
sign_with_seed(void *context, struct span data,
    uint8_t signature[static CRYPTO_SIGNATURE])
{
	crypto_ed25519_sign(context, data, signature);
	return 0;
}

struct signer
signer_of_seed(const uint8_t seed[static CRYPTO_SEED])
{
	/* Other signers change what their context points to; this does not. */
	return (struct signer){sign_with_seed, (void *)(uintptr_t)seed};
}

static void
append_fixed(struct buffer *fields, uint8_t type, const uint8_t *value,
    size_t length)
{
	buffer_u8(fields, type);
	buffer_append(fields, value, length);
}

static void
append_length(struct buffer *fields, int octets, size_t length)
{
	switch (octets) {
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

/* Appends a signature field over all that is there. */
static int
append_signature(struct buffer *fields, uint8_t type, struct signer signer,
    struct fault *fault)
{
	uint8_t signature[CRYPTO_SIGNATURE];
	int err;

	if (fields->error != 0)
		return fault_set(fault, fields->error, "signet: %s",
		    fields->error == ERR_TOO_LARGE
		    ? "longer than 16777215 octets"
		    : error_row(fields->error)->text);
	err = signer.sign(signer.context, buffer_span(fields), signature);
	if (err != 0)
		return fault_set(fault, err,
		    "signet: field %u: cannot sign: %s", type,
		    error_row(err)->text);
	append_fixed(fields, type, signature, sizeof(signature));
	return 0;
}

/* ---- informational fields ---- */

static size_t
longest_value(const struct signet_field_row *row)
{
	return ((size_t)1 << 8 * row->length_octets) - 1;
}

static int
check_extra(enum signet_magic magic, const struct signet_extra *extra,
    struct fault *fault)
{
	const struct signet_field_row *row =
	    signet_field_row(magic, extra->type);

	if (row == NULL || (row->content != SIGNET_CONTENT_TEXT &&
	    row->content != SIGNET_CONTENT_UNDEFINED &&
	    row->content != SIGNET_CONTENT_IMAGE))
		return fault_set(fault, ERR_USAGE,
		    "field %u is not an informational field of this signet",
		    extra->type);
	if (row->content == SIGNET_CONTENT_UNDEFINED &&
	    !signet_name_is_good(extra->name))
		return fault_set(fault, ERR_USAGE,
		    "field 251: the name must be 1 to 255 octets of UTF-8 "
		    "without white space");
	if (extra->value.length > longest_value(row))
		return fault_set(fault, ERR_USAGE,
		    "field %u (%s): %zu octets, at most %zu fit", row->type,
		    row->label, extra->value.length, longest_value(row));
	return 0;
}

static int
check_extras(enum signet_magic magic, const struct signet_extra *extras,
    size_t count, struct fault *fault)
{
	bool seen[256] = {false};
	int err;

	for (size_t i = 0; i < count; i++) {
		const struct signet_field_row *row;

		if ((err = check_extra(magic, &extras[i], fault)) != 0)
			return err;
		row = signet_field_row(magic, extras[i].type);
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
append_extras(struct buffer *fields, enum signet_magic magic,
    const struct signet_extra *extras, size_t count)
{
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
			    signet_field_row(magic, extras[i].type)
			        ->length_octets, extras[i].value.length);
			buffer_append_span(fields, extras[i].value);
		}
}

/* ---- whole signets ---- */

/* From the informational fields to the end. */
static int
complete(struct buffer *fields, enum signet_magic magic, struct signer signer,
    const char *identifier, const struct signet_extra *extras, size_t count,
    struct fault *fault)
{
	int err;

	append_extras(fields, magic, extras, count);
	if ((err = append_signature(fields, SIGNET_FULL_SIGNATURE, signer,
	    fault)) != 0)
		return err;
	buffer_u8(fields, SIGNET_IDENTIFIER);
	append_length(fields, IDENTIFIER_LENGTH_OCTETS, strlen(identifier));
	buffer_append_string(fields, identifier);
	return append_signature(fields, SIGNET_COMPLETE_SIGNATURE, signer,
	    fault);
}

static int
append_signet(enum signet_magic magic, const struct buffer *fields,
    struct buffer *out, struct fault *fault)
{
	int err;

	buffer_u16(out, (uint16_t)magic);
	buffer_u24(out, (uint32_t)fields->length);
	buffer_append_span(out, buffer_span(fields));
	err = fields->error != 0 ? fields->error : out->error;
	return err == 0 ? 0
	                : fault_set(fault, err, "signet: %s",
	                    error_row(err)->text);
}

int
signet_make_org(const uint8_t pok[static CRYPTO_SIGN_PUBLIC],
    struct signer pok_signer, const struct signet_sok *soks, size_t sok_count,
    const uint8_t encryption[static CRYPTO_POINT], const char *domain,
    const struct signet_extra *extras, size_t extra_count, struct buffer *out,
    struct fault *fault)
{
	struct buffer fields = buffer_make(FIELDS_LIMIT);
	int err;

	if (!domain_is_normal(span_string(domain)))
		return fault_set(fault, ERR_USAGE,
		    "%s: not a lower-case domain name", domain);
	if (sok_count > SIGNET_MAX_SOKS)
		return fault_set(fault, ERR_USAGE, "more than %d SOKs",
		    SIGNET_MAX_SOKS);
	if ((err = check_extras(SIGNET_ORG, extras, extra_count, fault)) != 0)
		return err;
	append_fixed(&fields, SIGNET_ORG_POK, pok, CRYPTO_SIGN_PUBLIC);
	for (size_t i = 0; i < sok_count; i++) {
		uint8_t value[1 + CRYPTO_SIGN_PUBLIC];

		value[0] = soks[i].permissions;
		memcpy(value + 1, soks[i].key, CRYPTO_SIGN_PUBLIC);
		if (!signet_sok_is_good(span_of(value, sizeof(value)))) {
			err = fault_set(fault, ERR_USAGE,
			    "SOK with permissions %u: needs one of 1, 2, 4, "
			    "may have 8, and a valid key",
			    soks[i].permissions);
			goto out;
		}
		append_fixed(&fields, SIGNET_ORG_SOK, value, sizeof(value));
	}
	append_fixed(&fields, SIGNET_ORG_ENCRYPTION, encryption, CRYPTO_POINT);
	if ((err = complete(&fields, SIGNET_ORG, pok_signer, domain, extras,
	    extra_count, fault)) == 0)
		err = append_signet(SIGNET_ORG, &fields, out, fault);
out:
	buffer_free(&fields);
	return err;
}

int
signet_make_ssr(const uint8_t signing[static CRYPTO_SIGN_PUBLIC],
    struct signer signer, const uint8_t encryption[static CRYPTO_POINT],
    const struct signer *previous, struct buffer *out, struct fault *fault)
{
	struct buffer fields = buffer_make(FIELDS_LIMIT);
	int err;

	append_fixed(&fields, SIGNET_USER_SIGNING, signing, CRYPTO_SIGN_PUBLIC);
	append_fixed(&fields, SIGNET_USER_ENCRYPTION, encryption, CRYPTO_POINT);
	if (previous != NULL && (err = append_signature(&fields,
	    SIGNET_USER_CUSTODY, *previous, fault)) != 0)
		goto out;
	if ((err = append_signature(&fields, SIGNET_USER_SIGNATURE, signer,
	    fault)) == 0)
		err = append_signet(SIGNET_SSR, &fields, out, fault);
out:
	buffer_free(&fields);
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
	struct buffer fields = buffer_make(FIELDS_LIMIT);
	int err;

	if (!address_is_normal(span_string(address)))
		return fault_set(fault, ERR_USAGE,
		    "%s: not a lower-case mail address", address);
	if ((err = check_request(ssr, previous, fault)) != 0 ||
	    (err = check_extras(SIGNET_USER, extras, extra_count, fault)) != 0)
		return err;
	buffer_append_span(&fields,
	    signet_below(ssr, SIGNET_USER_ORG_SIGNATURE));
	if ((err = append_signature(&fields, SIGNET_USER_ORG_SIGNATURE,
	    org_signer, fault)) == 0 &&
	    (err = complete(&fields, SIGNET_USER, org_signer, address, extras,
	    extra_count, fault)) == 0)
		err = append_signet(SIGNET_USER, &fields, out, fault);
	buffer_free(&fields);
	return err;
}
