/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "crypto/verified.h"
#include "dime/signet.h"

/* The field is there. */
static int
field_fault(const struct signet *signet, uint8_t type, struct fault *fault,
    int err, const char *what, const char *value)
{
	return fault_set(fault, err,
	    "signet: field %u (%s) at offset %zu: %s%s", type,
	    signet_field_row(signet->layout, signet->magic, type)->label,
	    (size_t)(signet_find(signet, type)->whole.data - signet->blob),
	    what, value);
}

static int
bad_signature(const struct signet *signet, uint8_t type, const char *by,
    struct fault *fault)
{
	return field_fault(signet, type, fault, ERR_SIGNATURE,
	    "not a signature by ", by);
}

/* The field of `type`, when there, is a signature by `key` over what is below
 * it. */
static int
check_by_key(const struct signet *signet, uint8_t type, const uint8_t *key,
    const char *by, struct fault *fault)
{
	const struct signet_field *field = signet_find(signet, type);

	if (field == NULL || crypto_ed25519_verify_again(key,
	    signet_below(signet, type), field->value.data))
		return 0;
	return bad_signature(signet, type, by, fault);
}

typedef bool verifier(const uint8_t public_key[static CRYPTO_SIGN_PUBLIC],
    struct span message, const uint8_t signature[static CRYPTO_SIGNATURE]);

static bool
is_signed_by(const struct org_signet *org, enum signet_permission permission,
    struct span data, const uint8_t *signature, verifier *verify,
    size_t *in_vain)
{
	*in_vain = 0;
	if (verify(org->pok, data, signature))
		return true;
	++*in_vain;
	for (size_t i = 0; i < org->sok_count; i++) {
		if ((org->soks[i].permissions & permission) == 0)
			continue;
		if (verify(org->soks[i].key, data, signature))
			return true;
		++*in_vain;
	}
	return false;
}

static int
check_by_org(const struct signet *signet, uint8_t type,
    const struct org_signet *org, struct fault *fault)
{
	const struct signet_field *field = signet_find(signet, type);
	size_t in_vain;

	if (field == NULL || is_signed_by(org, SIGNET_MAY_SIGN_USERS,
	    signet_below(signet, type), field->value.data,
	    crypto_ed25519_verify_again, &in_vain))
		return 0;
	return bad_signature(signet, type,
	    "the organization's POK or a SOK that may sign users", fault);
}

bool
org_signet_lists(const struct org_signet *org,
    enum signet_permission permission,
    const uint8_t key[static CRYPTO_SIGN_PUBLIC])
{
	if (memcmp(org->pok, key, CRYPTO_SIGN_PUBLIC) == 0)
		return true;
	for (size_t i = 0; i < org->sok_count; i++)
		if ((org->soks[i].permissions & permission) != 0 &&
		    memcmp(org->soks[i].key, key, CRYPTO_SIGN_PUBLIC) == 0)
			return true;
	return false;
}

bool
org_signet_check(const struct org_signet *org,
    enum signet_permission permission, struct span data,
    const uint8_t signature[static CRYPTO_SIGNATURE], size_t *in_vain)
{
	size_t own;

	return is_signed_by(org, permission, data, signature,
	    crypto_ed25519_verify, in_vain != NULL ? in_vain : &own);
}

/* ---- organizational ---- */

static int
check_pok(const struct signet *signet,
    const uint8_t (*poks)[CRYPTO_SIGN_PUBLIC], size_t pok_count,
    struct fault *fault)
{
	const uint8_t *pok =
	    signet_key(signet_find(signet, SIGNET_ORG_POK)->value);

	for (size_t i = 0; i < pok_count; i++)
		if (memcmp(poks[i], pok, CRYPTO_SIGN_PUBLIC) == 0)
			return 0;
	return field_fault(signet, SIGNET_ORG_POK, fault, ERR_MISMATCH,
	    "none of the domain's keys", "");
}

/* The identifier, "" when the signet is not complete. The parser has seen that
 * it fits. */
static void
copy_identifier(const struct signet *signet, char *out, size_t size)
{
	const struct signet_field *field =
	    signet_find(signet, SIGNET_IDENTIFIER);

	out[0] = '\0';
	if (field != NULL)
		span_copy_string(field->value, out, size);
}

static int
fill_org(struct org_signet *org, const struct signet *signet,
    struct fault *fault)
{
	copy_identifier(signet, org->domain, sizeof(org->domain));
	signet_org_fingerprint(signet, org->fingerprint);
	signet_core_fingerprint(signet, org->core);
	memcpy(org->pok,
	    signet_key(signet_find(signet, SIGNET_ORG_POK)->value),
	    sizeof(org->pok));
	memcpy(org->encryption,
	    signet_find(signet, SIGNET_ORG_ENCRYPTION)->value.data,
	    sizeof(org->encryption));
	org->soks = calloc(signet->field_count, sizeof(*org->soks));
	if (org->soks == NULL)
		return fault_set(fault, ERR_MEMORY, "signet: out of memory");
	for (size_t i = 0; i < signet->field_count; i++) {
		struct span value = signet->fields[i].value;

		if (signet->fields[i].type != SIGNET_ORG_SOK ||
		    !signet_sok_is_good(value))
			continue;
		org->soks[org->sok_count].permissions = value.data[0];
		memcpy(org->soks[org->sok_count].key, signet_key(value),
		    CRYPTO_SIGN_PUBLIC);
		org->sok_count++;
	}
	return 0;
}

static int
check_org(const struct signet *signet,
    const uint8_t (*poks)[CRYPTO_SIGN_PUBLIC], size_t pok_count,
    struct fault *fault)
{
	const uint8_t *pok;
	int err;

	if (signet->magic != SIGNET_ORG)
		return fault_set(fault, ERR_FORMAT,
		    "signet: is not an organizational signet");
	if (signet->state < SIGNET_STATE_FULL)
		return fault_set(fault, ERR_SIGNATURE,
		    "signet: carries no signature (field 253)");
	pok = signet_key(signet_find(signet, SIGNET_ORG_POK)->value);
	if ((err = check_pok(signet, poks, pok_count, fault)) != 0 ||
	    (err = check_by_key(signet, SIGNET_ORG_CORE_SIGNATURE, pok,
	    "its POK", fault)) != 0 ||
	    (err = check_by_key(signet, SIGNET_FULL_SIGNATURE, pok, "its POK",
	    fault)) != 0)
		return err;
	return check_by_key(signet, SIGNET_COMPLETE_SIGNATURE, pok, "its POK",
	    fault);
}

int
signet_verify_org(struct signet *signet,
    const uint8_t (*poks)[CRYPTO_SIGN_PUBLIC], size_t pok_count,
    const char *domain, struct org_signet **out, struct fault *fault)
{
	struct org_signet *org;
	int err;

	*out = NULL;
	if ((err = check_org(signet, poks, pok_count, fault)) != 0)
		return err;
	org = calloc(1, sizeof(*org));
	if (org == NULL)
		return fault_set(fault, ERR_MEMORY, "signet: out of memory");
	if ((err = fill_org(org, signet, fault)) != 0)
		goto out;
	if (domain != NULL && strcmp(domain, org->domain) != 0) {
		err = fault_set(fault, ERR_MISMATCH,
		    "signet: field 254 (Signet-Identifier) is \"%s\", not %s",
		    org->domain, domain);
		goto out;
	}
	org->signet = signet;
	*out = org;
	org = NULL;
out:
	org_signet_free(org);
	return err;
}

void
org_signet_free(struct org_signet *org)
{
	if (org == NULL)
		return;
	signet_free(org->signet);
	free(org->soks);
	free(org);
}

/* ---- user ---- */

int
signet_verify_own(const struct signet *signet, struct fault *fault)
{
	if (signet->magic == SIGNET_ORG)
		return fault_set(fault, ERR_FORMAT,
		    "signet: has no signature by a user");
	return check_by_key(signet, SIGNET_USER_SIGNATURE,
	    signet_key(signet_find(signet, SIGNET_USER_SIGNING)->value),
	    "its own signing key", fault);
}

static int
check_user(const struct signet *signet, const struct org_signet *org,
    struct fault *fault)
{
	int err;

	if (signet->magic != SIGNET_USER)
		return fault_set(fault, ERR_FORMAT,
		    "signet: is not a user signet");
	if ((err = signet_verify_own(signet, fault)) != 0 ||
	    (err = check_by_org(signet, SIGNET_USER_ORG_SIGNATURE, org,
	    fault)) != 0 ||
	    (err = check_by_org(signet, SIGNET_FULL_SIGNATURE, org,
	    fault)) != 0)
		return err;
	return check_by_org(signet, SIGNET_COMPLETE_SIGNATURE, org, fault);
}

/* S16: the one asked for, or the asked address without its tag, and within the
 * organization. */
static int
check_identifier(const char *identifier, const struct org_signet *org,
    const char *address, struct fault *fault)
{
	char untagged[ADDRESS_SIZE];

	if (identifier[0] != '\0' && org->domain[0] != '\0' &&
	    !domain_is_within(address_domain(identifier), org->domain))
		return fault_set(fault, ERR_MISMATCH,
		    "signet: field 254 (Signet-Identifier) %s is not within %s",
		    identifier, org->domain);
	if (address == NULL || strcmp(address, identifier) == 0)
		return 0;
	address_strip_tag(address, untagged);
	if (strcmp(untagged, identifier) == 0)
		return 0;
	return fault_set(fault, ERR_MISMATCH,
	    "signet: field 254 (Signet-Identifier) is \"%s\", not %s",
	    identifier, address);
}

int
signet_verify_user(struct signet *signet, const struct org_signet *org,
    const char *address, struct user_signet **out, struct fault *fault)
{
	struct user_signet *user;
	int err;

	*out = NULL;
	if ((err = check_user(signet, org, fault)) != 0)
		return err;
	user = calloc(1, sizeof(*user));
	if (user == NULL)
		return fault_set(fault, ERR_MEMORY, "signet: out of memory");
	copy_identifier(signet, user->address, sizeof(user->address));
	if ((err = check_identifier(user->address, org, address, fault)) != 0)
		goto out;
	signet_core_fingerprint(signet, user->core);
	signet_full_fingerprint(signet, user->full);
	memcpy(user->signing,
	    signet_key(signet_find(signet, SIGNET_USER_SIGNING)->value),
	    sizeof(user->signing));
	memcpy(user->encryption,
	    signet_find(signet, SIGNET_USER_ENCRYPTION)->value.data,
	    sizeof(user->encryption));
	user->signet = signet;
	*out = user;
	user = NULL;
out:
	user_signet_free(user);
	return err;
}

void
user_signet_free(struct user_signet *user)
{
	if (user == NULL)
		return;
	signet_free(user->signet);
	free(user);
}

int
signet_verify_custody(const struct signet *next, const struct signet *previous,
    struct fault *fault)
{
	if (next->magic == SIGNET_ORG || previous->magic == SIGNET_ORG)
		return fault_set(fault, ERR_FORMAT,
		    "signet: an organizational signet has no custody");
	if (signet_find(next, SIGNET_USER_CUSTODY) == NULL)
		return fault_set(fault, ERR_CUSTODY,
		    "signet: field 4 (Custody-Signature) is missing");
	if (check_by_key(next, SIGNET_USER_CUSTODY,
	    signet_key(signet_find(previous, SIGNET_USER_SIGNING)->value),
	    "the previous signing key", fault) != 0)
		return field_fault(next, SIGNET_USER_CUSTODY, fault,
		    ERR_CUSTODY, "not a signature by ",
		    "the previous signing key");
	return 0;
}
