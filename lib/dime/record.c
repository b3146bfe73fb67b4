/* SPDX-License-Identifier: BSD-2-Clause */
#include "crypto/base64.h"
#include "crypto/verified.h"
#include "dime/record.h"

enum { EXPIRY_MOST = 36500, SHOWN = 48 };

/* ---- names ---- */

static const char *const policies[] = {
    [RECORD_LEGACY] = "legacy",
    [RECORD_EXPERIMENTAL] = "experimental",
    [RECORD_MIXED] = "mixed",
    [RECORD_STRICT] = "strict",
};

static const char *const subdomains[] = {
    [RECORD_SUB_EXPLICIT] = "explicit",
    [RECORD_SUB_MIXED] = "mixed",
    [RECORD_SUB_STRICT] = "strict",
};

const char *
record_policy_name(enum record_policy policy)
{
	return policies[policy];
}

const char *
record_subdomain_name(enum record_subdomain subdomain)
{
	return subdomains[subdomain];
}

static int
find_name(const char *const *names, int count, struct span text)
{
	for (int i = 0; i < count; i++)
		if (span_equal_nocase(text, span_string(names[i])))
			return i;
	return -1;
}

int
record_policy_by_name(struct span text)
{
	return find_name(policies, RECORD_STRICT + 1, text);
}

int
record_subdomain_by_name(struct span text)
{
	return find_name(subdomains, RECORD_SUB_STRICT + 1, text);
}

/* ---- fields ---- */

struct parse {
	struct record *record;
	size_t offset; /* of the word that is read */
	bool has_version, has_expiry, has_policy, has_subdomain;
	size_t warnings;
	struct fault *warning;
	struct fault *fault;
};

static int
ignore(struct parse *parse, const char *field, const char *rule,
    struct span value)
{
	parse->warnings++;
	fault_set(parse->warning, ERR_RECORD, "%s: %s: \"%.*s\" at offset %zu",
	    field, rule, (int)(value.length < SHOWN ? value.length : SHOWN),
	    value.length == 0 ? "" : (const char *)value.data, parse->offset);
	return 0;
}

static int
refuse(struct parse *parse, const char *field, const char *rule)
{
	return fault_set(parse->fault, ERR_RECORD, "record: offset %zu: %s: %s",
	    parse->offset, field, rule);
}

/* Whether a field that counts once was there with a valid value before. */
static bool
is_repeated(struct parse *parse, bool seen, const char *field,
    struct span value)
{
	if (seen)
		ignore(parse, field, "given again", value);
	return seen;
}

static int
read_pok(struct parse *parse, struct span value)
{
	struct record *record = parse->record;
	uint8_t key[CRYPTO_SIGN_PUBLIC];

	if (!base64_decode_exact(value, key, sizeof(key)))
		return refuse(parse, "pok",
		    "not 43 characters of base64 without padding");
	if (!crypto_ed25519_is_good_again(key))
		return refuse(parse, "pok", "not a valid Ed25519 key");
	if (record->pok_count == RECORD_VALUES)
		return ignore(parse, "pok", "one too many", value);
	memcpy(record->poks[record->pok_count++], key, sizeof(key));
	return 0;
}

static int
read_tls(struct parse *parse, struct span value)
{
	struct record *record = parse->record;
	uint8_t signature[CRYPTO_SIGNATURE];

	if (!base64_decode_exact(value, signature, sizeof(signature)))
		return refuse(parse, "tls",
		    "not 86 characters of base64 without padding");
	if (record->tls_count == RECORD_VALUES)
		return ignore(parse, "tls", "one too many", value);
	memcpy(record->tls[record->tls_count++], signature, sizeof(signature));
	return 0;
}

static int
read_host(struct parse *parse, const char *field, struct span value,
    char (*hosts)[DOMAIN_SIZE], size_t *count)
{
	char host[DOMAIN_SIZE];

	if (domain_is_ip_address(value))
		return refuse(parse, field, "an IP address, not a host name");
	if (!domain_normalize(value, host))
		return ignore(parse, field, "not a host name", value);
	if (*count == RECORD_VALUES)
		return ignore(parse, field, "one too many", value);
	memcpy(hosts[(*count)++], host, strlen(host) + 1);
	return 0;
}

static int
read_deliver(struct parse *parse, struct span value)
{
	return read_host(parse, "dx", value, parse->record->deliver,
	    &parse->record->deliver_count);
}

static int
read_syndicate(struct parse *parse, struct span value)
{
	return read_host(parse, "syn", value, parse->record->syndicates,
	    &parse->record->syndicate_count);
}

static int
read_version(struct parse *parse, struct span value)
{
	if (is_repeated(parse, parse->has_version, "ver", value))
		return 0;
	if (!span_equal_string(value, "1"))
		return refuse(parse, "ver", "not 1");
	parse->has_version = true;
	return 0;
}

static int
read_expiry(struct parse *parse, struct span value)
{
	uint64_t days;

	if (is_repeated(parse, parse->has_expiry, "exp", value))
		return 0;
	if (!span_number(value, EXPIRY_MOST, &days) || days == 0)
		return ignore(parse, "exp", "not 1 to 36500 days", value);
	parse->record->expiry = (unsigned int)days;
	parse->has_expiry = true;
	return 0;
}

static int
read_policy(struct parse *parse, struct span value)
{
	int policy = record_policy_by_name(value);

	if (is_repeated(parse, parse->has_policy, "pol", value))
		return 0;
	if (policy <= RECORD_LEGACY)
		return ignore(parse, "pol",
		    "not experimental, mixed or strict", value);
	parse->record->policy = (enum record_policy)policy;
	parse->has_policy = true;
	return 0;
}

static int
read_subdomain(struct parse *parse, struct span value)
{
	int subdomain = record_subdomain_by_name(value);

	if (is_repeated(parse, parse->has_subdomain, "sub", value))
		return 0;
	/* The text of Part 4 says loose, libdime relaxed. */
	if (span_equal_nocase(value, span_string("loose")) ||
	    span_equal_nocase(value, span_string("relaxed")))
		subdomain = RECORD_SUB_MIXED;
	if (subdomain < 0)
		return ignore(parse, "sub", "not explicit, mixed or strict",
		    value);
	parse->record->subdomain = (enum record_subdomain)subdomain;
	parse->has_subdomain = true;
	return 0;
}

static const struct {
	const char *name, *short_name;
	int (*read)(struct parse *parse, struct span value);
} fields[] = {
    {"primary", "pok", read_pok},
    {"tls", "tls", read_tls},
    {"version", "ver", read_version},
    {"expiry", "exp", read_expiry},
    {"syndicates", "syn", read_syndicate},
    {"deliver", "dx", read_deliver},
    {"policy", "pol", read_policy},
    {"subdomain", "sub", read_subdomain},
};

enum { FIELDS = sizeof(fields) / sizeof(fields[0]), FIELD_POK = 0 };

/* ---- the whole text ---- */

static bool
is_separator(uint8_t octet)
{
	return octet == ' ' || octet == '\t' || octet == ';' ||
	    octet == '\r' || octet == '\n';
}

/* Takes the next word off *rest. */
static bool
next_word(struct span *rest, struct span *word)
{
	size_t length = 0;

	while (rest->length > 0 && is_separator(rest->data[0]))
		*rest = span_slice(*rest, 1, SIZE_MAX);
	while (length < rest->length && !is_separator(rest->data[length]))
		length++;
	*word = span_slice(*rest, 0, length);
	*rest = span_slice(*rest, length, SIZE_MAX);
	return length > 0;
}

/* Which field a word is, and its value; -1 for a bare word or unknown name. */
static int
find_field(struct span word, struct span *value)
{
	const uint8_t *equals = memchr(word.data, '=', word.length);
	struct span name;

	if (equals == NULL)
		return -1;
	name = span_of(word.data, (size_t)(equals - word.data));
	*value = span_slice(word, name.length + 1, SIZE_MAX);
	for (int i = 0; i < FIELDS; i++)
		if (span_equal_nocase(name, span_string(fields[i].name)) ||
		    span_equal_nocase(name, span_string(fields[i].short_name)))
			return i;
	return -1;
}

bool
record_is_record(struct span text)
{
	struct span word, value;

	while (next_word(&text, &word))
		if (find_field(word, &value) == FIELD_POK)
			return true;
	return false;
}

static int
check_octets(struct span text, struct fault *fault)
{
	if (text.length > RECORD_TEXT_LIMIT)
		return fault_set(fault, ERR_RECORD,
		    "record: %zu octets, more than %d", text.length,
		    RECORD_TEXT_LIMIT);
	for (size_t i = 0; i < text.length; i++) {
		uint8_t octet = text.data[i];

		if ((octet < ' ' && !is_separator(octet)) || octet >= 0x7f)
			return fault_set(fault, ERR_RECORD,
			    "record: octet 0x%02x at offset %zu: control and "
			    "8-bit octets are not allowed", octet, i);
	}
	return 0;
}

int
record_parse(struct span text, struct record *out, size_t *warnings,
    struct fault *warning, struct fault *fault)
{
	struct parse parse = {.record = out, .warning = warning,
	    .fault = fault};
	struct span word, value;
	size_t length = text.length;
	int err;

	memset(out, 0, sizeof(*out));
	out->policy = RECORD_MIXED;
	out->subdomain = RECORD_SUB_MIXED;
	out->version = 1;
	out->expiry = RECORD_EXPIRY_DEFAULT;
	if (warnings != NULL)
		*warnings = 0;
	if ((err = check_octets(text, fault)) != 0)
		return err;
	while (next_word(&text, &word)) {
		int field = find_field(word, &value);

		parse.offset = length - text.length - word.length;
		if (field < 0)
			ignore(&parse, "unknown", "no field of version 1",
			    word);
		else if ((err = fields[field].read(&parse, value)) != 0)
			return err;
	}
	if (out->pok_count == 0)
		return fault_set(fault, ERR_RECORD,
		    "record: pok: missing");
	if (warnings != NULL)
		*warnings = parse.warnings;
	return 0;
}

int
record_choose(const struct span *texts, size_t count, struct record *out,
    struct fault *fault)
{
	const struct span *chosen = NULL;

	for (size_t i = 0; i < count; i++) {
		if (!record_is_record(texts[i]))
			continue;
		if (chosen != NULL)
			return fault_set(fault, ERR_RECORD,
			    "record: texts %zu and %zu both have a pok field",
			    (size_t)(chosen - texts) + 1, i + 1);
		chosen = &texts[i];
	}
	if (chosen == NULL)
		return fault_set(fault, ERR_NO_FILE,
		    "record: no TXT text has a pok field");
	return record_parse(*chosen, out, NULL, NULL, fault);
}

/* ---- certificates ---- */

static bool
is_signed_by(const struct record *record, const uint8_t *key, struct span der,
    struct span digest)
{
	for (size_t i = 0; i < record->tls_count; i++)
		if (crypto_ed25519_verify(key, der, record->tls[i]) ||
		    crypto_ed25519_verify(key, digest, record->tls[i]))
			return true;
	return false;
}

static bool
has_pok(const struct record *record, const uint8_t *pok)
{
	for (size_t i = 0; i < record->pok_count; i++)
		if (memcmp(record->poks[i], pok, CRYPTO_SIGN_PUBLIC) == 0)
			return true;
	return false;
}

bool
record_tls_matches(const struct record *record, const struct org_signet *org,
    struct span der)
{
	uint8_t hash[CRYPTO_SHA512];
	struct span digest = span_of(hash, sizeof(hash));

	crypto_sha512(der, hash);
	for (size_t i = 0; i < record->pok_count; i++)
		if (is_signed_by(record, record->poks[i], der, digest))
			return true;
	if (org == NULL || !has_pok(record, org->pok))
		return false;
	for (size_t i = 0; i < org->sok_count; i++)
		if ((org->soks[i].permissions & SIGNET_MAY_SIGN_TLS) != 0 &&
		    is_signed_by(record, org->soks[i].key, der, digest))
			return true;
	return false;
}
