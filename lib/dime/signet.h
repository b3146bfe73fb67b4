/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIME_SIGNET_H
#define DIME_DIME_SIGNET_H

#include "base/address.h"
#include "base/buffer.h"
#include "base/error.h"
#include "crypto/base64.h"
#include "crypto/crypto.h"
#include "dime/explain.h"
#include "dime/layout.h"

/*
 * Signets (Part 5; our readings in doc/signets.md). Two stages, two types:
 *
 *	signet_parse()        octets -> struct signet: well formed, not proven
 *	signet_verify_org()   struct signet -> struct org_signet
 *	signet_verify_user()  struct signet -> struct user_signet
 *
 * Only the verified types reach code that encrypts, checks mail or answers
 * peers. A parsed signet is one owned blob and views into it; signatures are
 * checked over the octets as they came.
 */

enum {
	/* A SHA-512 in base64 without padding, with the terminator. */
	SIGNET_FINGERPRINT_SIZE = BASE64_LENGTH(CRYPTO_SHA512) + 1,
	SIGNET_MAX_LENGTH = 0xffffff + 5, /* a whole signet with its header */
	SIGNET_MAX_FIELDS = 4096,         /* more are refused */
	SIGNET_MAX_SOKS = 64, /* likewise: a bad signature is tried with all */
	SIGNET_KEY_FORMAT = 0x40, /* before an Ed25519 key in libdime layout */
};

enum signet_magic {
	SIGNET_SSR = 1215,
	SIGNET_ORG = 1776,
	SIGNET_USER = 1789,
};

/* How much of it is there: an SSR has fields up to 5; core up to the last
 * cryptographic field (user 6, org 3, or 4 in the libdime layout); full up to
 * 253; complete up to 255. */
enum signet_state {
	SIGNET_STATE_SSR,
	SIGNET_STATE_CORE,
	SIGNET_STATE_FULL,
	SIGNET_STATE_COMPLETE,
};

/* The numbers stand in field.def; these are the ones that code names. */
enum signet_field_type {
	SIGNET_ORG_POK = 1,
	SIGNET_ORG_SOK = 2,
	SIGNET_ORG_ENCRYPTION = 3,
	SIGNET_ORG_CORE_SIGNATURE = 4, /* in the libdime layout */
	SIGNET_USER_SIGNING = 1,
	SIGNET_USER_ENCRYPTION = 2,
	SIGNET_USER_ALTERNATE = 3,
	SIGNET_USER_CUSTODY = 4,
	SIGNET_USER_SIGNATURE = 5,
	SIGNET_USER_ORG_SIGNATURE = 6,
	SIGNET_UNDEFINED = 251,
	SIGNET_IMAGE = 252,
	SIGNET_FULL_SIGNATURE = 253,
	SIGNET_IDENTIFIER = 254,
	SIGNET_COMPLETE_SIGNATURE = 255,
};

enum signet_permission {
	SIGNET_MAY_SIGN_USERS = 1,
	SIGNET_MAY_SIGN_MESSAGES = 2,
	SIGNET_MAY_SIGN_TLS = 4,
	SIGNET_MAY_SIGN_SOFTWARE = 8,
};

struct signet_field {
	uint8_t type;
	struct span name;  /* of an undefined field, else empty */
	struct span value;
	struct span whole; /* type, lengths and value as they stand */
};

/* What field.def or field_libdime.def says of one field. */
enum signet_content {
	SIGNET_CONTENT_SIGNING_KEY,
	SIGNET_CONTENT_SOK,
	SIGNET_CONTENT_POINT,
	SIGNET_CONTENT_ALTERNATE,
	SIGNET_CONTENT_SIGNATURE,
	SIGNET_CONTENT_IDENTIFIER,
	SIGNET_CONTENT_OPAQUE,
	/* informational: signet_content.h */
	SIGNET_CONTENT_TEXT,
	SIGNET_CONTENT_LINES,
	SIGNET_CONTENT_LABELED,
	SIGNET_CONTENT_PHONE,
	SIGNET_CONTENT_LANGUAGES,
	SIGNET_CONTENT_CURRENCIES,
	SIGNET_CONTENT_CRYPTOCURRENCIES,
	SIGNET_CONTENT_SIZE_LIMIT,
	SIGNET_CONTENT_CODECS,
	SIGNET_CONTENT_WEBSITE,
	SIGNET_CONTENT_SECURE_LOCATION,
	SIGNET_CONTENT_ADDRESS,
	SIGNET_CONTENT_ADDRESSES,
	SIGNET_CONTENT_HOSTS,
	SIGNET_CONTENT_ONIONS,
	SIGNET_CONTENT_CERTIFICATES,
	SIGNET_CONTENT_ENDORSEMENT,
	SIGNET_CONTENT_OPEN,
	SIGNET_CONTENT_UNDEFINED,
	SIGNET_CONTENT_IMAGE,
};

struct signet_field_row {
	uint8_t who;
	uint8_t type;
	const char *label;
	bool repeats;
	uint8_t length_octets; /* 0: no length parameter */
	uint8_t fixed;         /* the only length; 0: any */
	enum signet_content content;
};

/* The row of `type` in signets of that layout and magic number, or NULL. */
const struct signet_field_row *signet_field_row(enum layout layout,
    enum signet_magic magic, uint8_t type);

/* The informational field (16 to 250, or the image) with that label, letters
 * with case, or NULL. */
const struct signet_field_row *signet_field_by_label(enum layout layout,
    enum signet_magic magic, struct span label);

/* How many length octets fields of a type that no row knows have; -1 for a
 * reserved type. */
int signet_unknown_length(enum layout layout, uint8_t type);

/* The Ed25519 key in the value of a POK, SOK or signing key of a parsed signet:
 * its last 32 octets, whatever the layout puts before them. */
const uint8_t *signet_key(struct span value);

/* Whether an undefined field may have this name: 1 to 255 octets of UTF-8
 * without white space or control characters. Others are carried, never used. */
bool signet_name_is_good(struct span name);

/* Whether the value of a SOK field counts (S9). One that does not is carried,
 * and nothing verifies against it. */
bool signet_sok_is_good(struct span value);

/* "org", "user", "ssr"; "ssr", "core", "full", "complete". */
const char *signet_kind_name(enum signet_magic magic);
const char *signet_state_name(enum signet_state state);
/* In a sentence: "an organizational signet", "a user signet", "a signing
 * request". */
const char *signet_kind_words(enum signet_magic magic);

struct signet {
	enum layout layout;
	enum signet_magic magic;
	enum signet_state state;
	uint8_t *blob; /* header and fields */
	size_t length;
	struct signet_field *fields;
	size_t field_count;
};

/*
 * Parses a binary signet, which must fill `binary` exactly. Checks layout,
 * order, duplicates, keys and identifier (S1-S6, S15), no signature. What is
 * malformed in the standard layout and begins as only the libdime layout does
 * is read as that. ERR_FORMAT names field, offset and rule.
 */
int signet_parse(struct span binary, struct signet **out, struct fault *fault);

/* As signet_parse() for armored or binary input; armor must bear the label that
 * fits the magic. */
int signet_read(struct span data, struct signet **out, struct fault *fault);

/* As signet_read(), for listing what is wrong: on ERR_FORMAT *out may still
 * hold the fields that can be told apart. Such a signet is good for
 * signet_explain() alone. */
int signet_survey(struct span data, struct signet **out, struct fault *fault);

/* Tells what every octet of a signet is (explain.h), broken or not. */
void signet_explain(const struct signet *signet,
    const struct explainer *explainer);

/* Appends the armored form, with the label of its magic number. */
void signet_write(const struct signet *signet, struct buffer *out);

void signet_free(struct signet *signet);

/* The binary form, header included. */
struct span signet_binary(const struct signet *signet);

/* The first field of `type`, or NULL. */
const struct signet_field *signet_find(const struct signet *signet,
    uint8_t type);

/* The octets that a signature in a field of `type` covers: all fields with a
 * lower type (S8). */
struct span signet_below(const struct signet *signet, uint8_t type);

/* Fingerprints (S10). Each writes "" and returns false where the signet does
 * not reach that far. Organizations have a core in the libdime layout only. */
bool signet_org_fingerprint(const struct signet *signet,
    char out[static SIGNET_FINGERPRINT_SIZE]);
bool signet_core_fingerprint(const struct signet *signet,
    char out[static SIGNET_FINGERPRINT_SIZE]);
bool signet_full_fingerprint(const struct signet *signet,
    char out[static SIGNET_FINGERPRINT_SIZE]);

/* Whether `text` has the form of a fingerprint: 86 characters of base64. */
bool signet_is_fingerprint(struct span text);

/*
 * Appends the binary signet cut to `state` (SIGNET_STATE_CORE where there is a
 * core fingerprint, or SIGNET_STATE_FULL), its header length rewritten (S12).
 * ERR_FORMAT when it does not reach that far.
 */
int signet_split(const struct signet *signet, enum signet_state state,
    struct buffer *out, struct fault *fault);

/* ---- verified ---- */

struct signet_sok {
	uint8_t permissions;
	uint8_t key[CRYPTO_SIGN_PUBLIC];
};

/* An organizational signet whose self signatures hold under a POK that the
 * caller had from the management record (or from its own key store). */
struct org_signet {
	struct signet *signet; /* owned; state full or complete */
	char domain[DOMAIN_SIZE]; /* "" when not complete */
	char fingerprint[SIGNET_FINGERPRINT_SIZE];
	char core[SIGNET_FINGERPRINT_SIZE]; /* "" in the standard layout */
	uint8_t pok[CRYPTO_SIGN_PUBLIC];
	uint8_t encryption[CRYPTO_POINT];
	struct signet_sok *soks; /* only valid ones (S9) */
	size_t sok_count;
};

/* A user signet whose signatures hold under its organization's signet. */
struct user_signet {
	struct signet *signet; /* owned; core, full or complete */
	char address[ADDRESS_SIZE]; /* "" when not complete */
	char core[SIGNET_FINGERPRINT_SIZE];
	char full[SIGNET_FINGERPRINT_SIZE]; /* "" for a core */
	uint8_t signing[CRYPTO_SIGN_PUBLIC];
	uint8_t encryption[CRYPTO_POINT];
};

/*
 * Checks 253 and 255, and 4 in the libdime layout, under the signet's own POK,
 * which must be one of the
 * `pok_count` keys at `poks`. `domain`, unless NULL, must be the identifier;
 * for a subdomain that a parent's signet covers the caller passes the parent.
 * Takes over `signet` and sets *out on success; on failure the
 * caller still owns it. ERR_SIGNATURE, ERR_MISMATCH, ERR_FORMAT.
 */
int signet_verify_org(struct signet *signet,
    const uint8_t (*poks)[CRYPTO_SIGN_PUBLIC], size_t pok_count,
    const char *domain, struct org_signet **out, struct fault *fault);

/*
 * Checks 5, 6 and, as far as there, 253 and 255 (POK, or a SOK that may sign
 * users). `address`, unless NULL, must be the identifier, or the identifier
 * plus a +tag; the identifier must lie within the organization's domain (S16).
 * A custody signature (4) is for signet_verify_custody(). Ownership and errors
 * as above.
 */
int signet_verify_user(struct signet *signet, const struct org_signet *org,
    const char *address, struct user_signet **out, struct fault *fault);

/* Whether field 5 of a user signet or a signing request is by its own signing
 * key: all that can be said of a request. ERR_SIGNATURE, ERR_FORMAT. */
int signet_verify_own(const struct signet *signet, struct fault *fault);

/*
 * Whether `next` carries a custody signature by the signing key of `previous`
 * over its fields 1-3 (S7). ERR_CUSTODY when it is missing or does not hold.
 */
int signet_verify_custody(const struct signet *next,
    const struct signet *previous, struct fault *fault);

void org_signet_free(struct org_signet *org);
void user_signet_free(struct user_signet *user);

/* Whether a key is the POK, or a SOK that has `permission`. */
bool org_signet_lists(const struct org_signet *org,
    enum signet_permission permission,
    const uint8_t key[static CRYPTO_SIGN_PUBLIC]);

/* Whether `signature` over `data` is by the POK, or by a SOK that has
 * `permission`. *in_vain, unless NULL: how many keys were tried that had not
 * signed. */
bool org_signet_check(const struct org_signet *org,
    enum signet_permission permission, struct span data,
    const uint8_t signature[static CRYPTO_SIGNATURE], size_t *in_vain);

/* ---- made ---- */

/* An informational field to put in: a type of field.def; name for 251 only. */
struct signet_extra {
	uint8_t type;
	struct span name;
	struct span value;
};

/* Whether fields may be put into a signet of that kind: known, informational,
 * not repeated unless they may, and by their rules (S15). ERR_USAGE names the
 * field. The functions below ask it themselves. */
int signet_check_extras(enum layout layout, enum signet_magic magic,
    const struct signet_extra *extras, size_t count, struct fault *fault);

/* Makes signatures; the key stays behind it. sign() gives 0 or ERR_*. */
struct signer {
	int (*sign)(const struct signer *signer, struct span data,
	    uint8_t signature[static CRYPTO_SIGNATURE]);
	const void *context;
	uint8_t public_key[CRYPTO_SIGN_PUBLIC]; /* under which they verify */
};

/* A signer over a plain seed that outlives it. */
struct signer signer_of_seed(const uint8_t seed[static CRYPTO_SEED]);

/*
 * Append binary signets. Extras may come in any order; they are sorted, and
 * refused with ERR_USAGE when one is not allowed there or too long.
 */
int signet_make_org(enum layout layout,
    const uint8_t pok[static CRYPTO_SIGN_PUBLIC], struct signer pok_signer,
    const struct signet_sok *soks, size_t sok_count,
    const uint8_t encryption[static CRYPTO_POINT], const char *domain,
    const struct signet_extra *extras, size_t extra_count, struct buffer *out,
    struct fault *fault);

/* `previous` is NULL for a first signet. */
int signet_make_ssr(enum layout layout,
    const uint8_t signing[static CRYPTO_SIGN_PUBLIC], struct signer signer,
    const uint8_t encryption[static CRYPTO_POINT],
    const struct signer *previous, struct buffer *out, struct fault *fault);

/*
 * Signs a request, in its layout. Its own signature (5) is checked, and its
 * custody signature against `previous` (ERR_CUSTODY when there is one without
 * the other). ERR_FORMAT for a request of the libdime layout with a field 3,
 * which has another form in user signets.
 */
int signet_make_user(const struct signet *ssr, const struct signet *previous,
    struct signer org_signer, const char *address,
    const struct signet_extra *extras, size_t extra_count, struct buffer *out,
    struct fault *fault);

#endif
