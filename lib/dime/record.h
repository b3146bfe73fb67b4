/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIME_RECORD_H
#define DIME_DIME_RECORD_H

#include "base/address.h"
#include "base/buffer.h"
#include "base/error.h"
#include "crypto/crypto.h"
#include "dime/signet.h"

/* Management records (Part 4; our readings in doc/record.md). */

enum record_policy {
	RECORD_LEGACY, /* no record */
	RECORD_EXPERIMENTAL,
	RECORD_MIXED,
	RECORD_STRICT,
};

enum record_subdomain {
	RECORD_SUB_EXPLICIT,
	RECORD_SUB_MIXED,
	RECORD_SUB_STRICT,
};

enum {
	RECORD_TEXT_LIMIT = 16384, /* of one record's text */
	RECORD_VALUES = 32,        /* of a repeatable field; more are ignored */
	RECORD_EXPIRY_DEFAULT = 30, /* days */
};

struct record {
	size_t pok_count;
	uint8_t poks[RECORD_VALUES][CRYPTO_SIGN_PUBLIC];
	size_t tls_count;
	uint8_t tls[RECORD_VALUES][CRYPTO_SIGNATURE];
	size_t deliver_count;
	char deliver[RECORD_VALUES][DOMAIN_SIZE];
	size_t syndicate_count;
	char syndicates[RECORD_VALUES][DOMAIN_SIZE];
	enum record_policy policy;
	enum record_subdomain subdomain;
	unsigned int version;
	unsigned int expiry; /* days */
};

/*
 * Parses the text of one record: the TXT strings joined. Fatal faults are
 * ERR_RECORD with field and rule (R5). What is only ignored is counted in
 * *warnings (may be NULL), the last one named in `warning` (may be NULL).
 */
int record_parse(struct span text, struct record *out, size_t *warnings,
    struct fault *warning, struct fault *fault);

/* Whether a TXT text is meant as a record: has a `pok` or `primary` field. */
bool record_is_record(struct span text);

/*
 * From all the texts at one name: the one that is a record. 0 and *record;
 * ERR_RECORD for a malformed one or for several; ERR_NO_FILE when none is a
 * record.
 */
int record_choose(const struct span *texts, size_t count, struct record *out,
    struct fault *fault);

/* Appends the text of the record, short names, no line end (R9). */
void record_write(const struct record *record, struct buffer *out);

/* Appends the TXT strings of a zone-file line: each quoted, at most 255 octets,
 * no field split, every one but the last ending in a space. A host name of more
 * than 251 octets, which fits in no string, makes `out` fail with
 * ERR_TOO_LARGE. */
void record_write_strings(const struct record *record, struct buffer *out);

/* Whether a `tls` value signs the certificate: Ed25519 over the DER, or over
 * its SHA-512, by a POK or by a SOK with permission 4 (R6). The SOKs are those
 * of `org`, which may be NULL, and count only if its POK is one of the
 * record's. */
bool record_tls_matches(const struct record *record,
    const struct org_signet *org, struct span der);

/* "legacy", "experimental", "mixed", "strict"; "explicit", "mixed", "strict".
 * The readers take any case and return -1 for anything else. */
const char *record_policy_name(enum record_policy policy);
int record_policy_by_name(struct span text);
const char *record_subdomain_name(enum record_subdomain subdomain);
int record_subdomain_by_name(struct span text);

#endif
