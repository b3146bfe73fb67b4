/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "base/file.h"
#include "dime/record.h"
#include "dimectl/certificate_file.h"
#include "dimectl/files.h"
#include "dimectl/issuer.h"
#include "dimectl/output.h"
#include "dimectl/verbs.h"

enum {
	EXPIRY_MOST = 36500,
	/* "dx=", the name and a space must fit in one TXT string. */
	HOST_MOST = 255 - 4,
	/* Beyond what a record may have, so that record_parse() refuses it. */
	INPUT_LIMIT = 4 * RECORD_TEXT_LIMIT,
	DER_LIMIT = 1 << 20,
};

/* ---- make ---- */

struct make_words {
	const char *org, *tls_cert, *org_key, *policy, *sub, *expiry;
	struct option_list dx, syn;
	bool zone;
};

static int
read_hosts(struct dimectl *ctl, const char *option,
    const struct option_list *names, char (*hosts)[DOMAIN_SIZE],
    size_t *count)
{
	for (*count = 0; *count < names->count; (*count)++) {
		const char *name = names->items[*count];

		if (!domain_normalize(span_string(name), hosts[*count]))
			return fault_set(&ctl->fault, ERR_USAGE,
			    "%s %s: not a host name", option, name);
		if (strlen(hosts[*count]) > HOST_MOST)
			return fault_set(&ctl->fault, ERR_USAGE,
			    "%s %s: longer than %d octets, which no TXT string "
			    "can hold", option, name, HOST_MOST);
	}
	return 0;
}

/* The options that need no file. */
static int
read_settings(struct dimectl *ctl, const struct make_words *words,
    struct record *record)
{
	uint64_t days = RECORD_EXPIRY_DEFAULT;
	int policy = RECORD_MIXED, subdomain = RECORD_SUB_MIXED;

	if (words->policy != NULL)
		policy = record_policy_by_name(span_string(words->policy));
	if (policy <= RECORD_LEGACY)
		return fault_set(&ctl->fault, ERR_USAGE, "--policy %s: must be "
		    "experimental, mixed or strict", words->policy);
	if (words->sub != NULL)
		subdomain = record_subdomain_by_name(span_string(words->sub));
	if (subdomain < 0)
		return fault_set(&ctl->fault, ERR_USAGE,
		    "--sub %s: must be explicit, mixed or strict", words->sub);
	if (words->expiry != NULL &&
	    (!span_number(span_string(words->expiry), EXPIRY_MOST, &days) ||
	    days == 0))
		return fault_set(&ctl->fault, ERR_USAGE,
		    "--expiry %s: must be 1 to %d days", words->expiry,
		    EXPIRY_MOST);
	record->version = 1;
	record->policy = (enum record_policy)policy;
	record->subdomain = (enum record_subdomain)subdomain;
	record->expiry = (unsigned int)days;
	return 0;
}

/* A key file is needed for a signet in a file; an organization in keys.db has
 * its key there, and may still be signed for by a SOK's. */
static int
check_key(struct dimectl *ctl, const struct make_words *words,
    const struct issuer *issuer)
{
	bool have_key = words->org_key != NULL || issuer->signer.sign != NULL;

	if (words->tls_cert == NULL ? words->org_key == NULL : have_key)
		return 0;
	return fault_set(&ctl->fault, ERR_USAGE,
	    "--tls-cert and --org-key go together");
}

static int
sign_certificate(struct dimectl *ctl, const struct make_words *words,
    const struct issuer *issuer, struct record *record)
{
	struct buffer der = buffer_make(DER_LIMIT);
	struct signer signer = issuer->signer;
	struct keyfile *keys = NULL;
	int err;

	if ((err = certificate_file_read(words->tls_cert, &der,
	    &ctl->fault)) != 0)
		goto out;
	if (words->org_key != NULL) {
		if ((err = files_read_keys(words->org_key, KEYFILE_ORG, &keys,
		    &ctl->fault)) != 0 ||
		    (err = files_check_org_key(words->org_key, keys,
		    issuer->signet, SIGNET_MAY_SIGN_TLS, &ctl->fault)) != 0)
			goto out;
		signer = signer_of_seed(keys->seed);
	}
	err = signer.sign(&signer, buffer_span(&der),
	    record->tls[record->tls_count++]);
out:
	keyfile_free(keys);
	buffer_free(&der);
	return err;
}

static void
add_pok(struct record *record, const struct keys_org *org)
{
	if (record->pok_count < RECORD_VALUES)
		memcpy(record->poks[record->pok_count++], org->signet->pok,
		    sizeof(org->signet->pok));
}

/* During a rotation the record has the keys of both signets: the one that is to
 * follow, and those before for as long as mail under them may be on its way. */
static int
add_other_poks(struct dimectl *ctl, const struct issuer *issuer,
    struct record *record)
{
	struct keys *keys = issuer->store.keys;
	const struct keys_org *after = issuer->org;
	struct keys_org *org = NULL, *before;
	int err;

	if (after == NULL)
		return 0;
	err = keys_find_org_prepared(keys, after->signet->domain, &org,
	    &ctl->fault);
	if (err == 0)
		add_pok(record, org);
	keys_org_free(org);
	org = NULL;
	while ((err == 0 || err == ERR_NO_KEY) &&
	    (err = keys_find_org_before(keys, org == NULL ? after : org,
	    issuer->store.config->signet_grace, &before, &ctl->fault)) == 0) {
		add_pok(record, before);
		keys_org_free(org);
		org = before;
	}
	keys_org_free(org);
	return err == ERR_NO_KEY ? 0 : err;
}

static int
print_made(struct dimectl *ctl, const struct make_words *words,
    const struct record *record, const char *domain)
{
	struct buffer text = buffer_make(RECORD_TEXT_LIMIT);
	int err = 0;

	if (words->zone) {
		buffer_printf(&text, "_dime.%s. IN TXT ", domain);
		record_write_strings(record, &text);
	} else {
		record_write(record, &text);
	}
	if (text.error != 0) {
		err = fault_set(&ctl->fault, text.error,
		    "the record is longer than %d octets", RECORD_TEXT_LIMIT);
	} else if (ctl->json) {
		json_t *object = output_json_record(record);

		json_object_set_new(object, words->zone ? "zone" : "text",
		    json_string(buffer_string(&text)));
		err = output_json(ctl, object);
	} else {
		buffer_printf(&ctl->output, "%s\n", buffer_string(&text));
	}
	buffer_free(&text);
	return err;
}

int
verb_record_make(struct dimectl *ctl, int count, char **argv)
{
	struct make_words words = {0};
	const struct option_row rows[] = {
	    {OPTION_VALUE, "--org", &words.org, true},
	    {OPTION_VALUE, "--tls-cert", &words.tls_cert, false},
	    {OPTION_VALUE, "--org-key", &words.org_key, false},
	    {OPTION_VALUE, "--policy", &words.policy, false},
	    {OPTION_VALUE, "--sub", &words.sub, false},
	    {OPTION_REPEATED, "--dx", &words.dx, false},
	    {OPTION_REPEATED, "--syn", &words.syn, false},
	    {OPTION_VALUE, "--expiry", &words.expiry, false},
	    {OPTION_FLAG, "--zone", &words.zone, false},
	    {OPTION_END, NULL, NULL, false},
	};
	struct record record = {0};
	struct org_signet *org;
	struct issuer issuer;
	int err;

	if ((err = option_read(ctl, count, argv, rows, NULL, 0, 0)) != 0 ||
	    (err = read_settings(ctl, &words, &record)) != 0 ||
	    (err = read_hosts(ctl, "--dx", &words.dx, record.deliver,
	    &record.deliver_count)) != 0 ||
	    (err = read_hosts(ctl, "--syn", &words.syn, record.syndicates,
	    &record.syndicate_count)) != 0 ||
	    (err = issuer_find(ctl, words.org, &issuer)) != 0)
		return err;
	if ((err = check_key(ctl, &words, &issuer)) != 0)
		goto out;
	org = issuer.signet;
	memcpy(record.poks[record.pok_count++], org->pok, sizeof(org->pok));
	if ((err = add_other_poks(ctl, &issuer, &record)) != 0)
		goto out;
	if (words.tls_cert != NULL &&
	    (err = sign_certificate(ctl, &words, &issuer, &record)) != 0)
		goto out;
	if (words.zone && org->domain[0] == '\0') {
		err = fault_set(&ctl->fault, ERR_FORMAT,
		    "%s: names no domain (field 254) for --zone", words.org);
		goto out;
	}
	err = print_made(ctl, &words, &record, org->domain);
out:
	issuer_free(&issuer);
	return err;
}

/* ---- parse ---- */

static void
print_keys(struct buffer *out, const char *name, const uint8_t *octets,
    size_t length, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buffer_printf(out, "%s ", name);
		output_base64(out, span_of(octets + i * length, length));
		buffer_u8(out, '\n');
	}
}

static void
print_record(struct buffer *out, const struct record *record)
{
	buffer_printf(out, "version %u\n", record->version);
	print_keys(out, "pok", record->poks[0], CRYPTO_SIGN_PUBLIC,
	    record->pok_count);
	print_keys(out, "tls", record->tls[0], CRYPTO_SIGNATURE,
	    record->tls_count);
	buffer_printf(out, "policy %s\nsubdomain %s\nexpiry %u\n",
	    record_policy_name(record->policy),
	    record_subdomain_name(record->subdomain), record->expiry);
	for (size_t i = 0; i < record->deliver_count; i++)
		buffer_printf(out, "deliver %s\n", record->deliver[i]);
	for (size_t i = 0; i < record->syndicate_count; i++)
		buffer_printf(out, "syndicates %s\n", record->syndicates[i]);
}

int
verb_record_parse(struct dimectl *ctl, int count, char **argv)
{
	const struct option_row rows[] = {{OPTION_END, NULL, NULL, false}};
	struct buffer text = buffer_make(INPUT_LIMIT);
	struct fault warning = {0};
	struct record record;
	size_t warnings;
	int err;

	if ((err = option_read(ctl, count, argv, rows, NULL, 0, 0)) != 0 ||
	    (err = file_read("-", &text, &ctl->fault)) != 0 ||
	    (err = record_parse(buffer_span(&text), &record, &warnings,
	    &warning, &ctl->fault)) != 0)
		goto out;
	if (warnings > 0)
		fprintf(stderr, "dimectl: warning: ignored %zu field%s, last "
		    "%s\n", warnings, warnings == 1 ? "" : "s", warning.text);
	if (ctl->json)
		err = output_json(ctl, output_json_record(&record));
	else
		print_record(&ctl->output, &record);
out:
	buffer_free(&text);
	return err;
}
