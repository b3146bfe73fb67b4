/* SPDX-License-Identifier: BSD-2-Clause */
#include "dimectl/fields.h"
#include "dimectl/files.h"
#include "dimectl/output.h"
#include "dimectl/verbs.h"

/* ---- sign ---- */

struct sign_words {
	const char *org_key, *org_signet, *address, *out, *previous;
	struct option_list fields;
};

/* What `signet sign` works on. */
struct signing {
	struct signet *ssr, *previous;
	struct org_signet *org;
	struct keyfile *keys;
	struct fields fields;
	char address[ADDRESS_SIZE];
};

static int
read_signing(struct dimectl *ctl, const char *ssr,
    const struct sign_words *words, struct signing *signing)
{
	struct fault *fault = &ctl->fault;
	int err;

	if (!address_normalize(span_string(words->address), signing->address))
		return fault_set(fault, ERR_USAGE,
		    "--address %s: not a mail address", words->address);
	if ((err = files_read_kind(ssr, SIGNET_SSR, &signing->ssr,
	    fault)) != 0 ||
	    (err = fields_read(ctl, signing->ssr->layout, SIGNET_USER,
	    &words->fields, &signing->fields)) != 0 ||
	    (err = files_read_org(words->org_signet, NULL, 0, &signing->org,
	    fault)) != 0 ||
	    (err = files_read_keys(words->org_key, KEYFILE_ORG, &signing->keys,
	    fault)) != 0 ||
	    (err = files_check_org_key(words->org_key, signing->keys,
	    signing->org, SIGNET_MAY_SIGN_USERS, fault)) != 0)
		return err;
	if (words->previous != NULL && (err = files_read_kind(words->previous,
	    SIGNET_USER, &signing->previous, fault)) != 0)
		return err;
	if (signing->org->signet->layout != signing->ssr->layout)
		return fault_set(fault, ERR_MISMATCH,
		    "%s: is in the %s layout, %s in the %s layout", ssr,
		    layout_name(signing->ssr->layout), words->org_signet,
		    layout_name(signing->org->signet->layout));
	if (signing->org->domain[0] == '\0')
		return fault_set(fault, ERR_FORMAT,
		    "%s: names no domain (field 254)", words->org_signet);
	if (!domain_is_within(address_domain(signing->address),
	    signing->org->domain))
		return fault_set(fault, ERR_MISMATCH,
		    "--address %s: is not within %s", signing->address,
		    signing->org->domain);
	return 0;
}

int
verb_signet_sign(struct dimectl *ctl, int count, char **argv)
{
	struct sign_words words = {0};
	const struct option_row rows[] = {
	    {OPTION_VALUE, "--org-key", &words.org_key, true},
	    {OPTION_VALUE, "--org-signet", &words.org_signet, true},
	    {OPTION_VALUE, "--address", &words.address, true},
	    {OPTION_VALUE, "--out", &words.out, true},
	    {OPTION_VALUE, "--previous", &words.previous, false},
	    {OPTION_REPEATED, "--field", &words.fields, false},
	    {OPTION_END, NULL, NULL, false},
	};
	struct buffer binary = buffer_make(SIGNET_MAX_LENGTH);
	struct signing signing = {0};
	const char *ssr;
	int err;

	if ((err = option_read(ctl, count, argv, rows, &ssr, 1, 1)) != 0 ||
	    (err = read_signing(ctl, ssr, &words, &signing)) != 0)
		goto out;
	err = signet_make_user(signing.ssr, signing.previous,
	    signer_of_seed(signing.keys->seed), signing.address,
	    signing.fields.extras, signing.fields.count, &binary, &ctl->fault);
	if (err == ERR_CUSTODY && words.previous == NULL)
		fault_set(&ctl->fault, err, "%s: carries a custody signature; "
		    "--previous must name the signet before it", ssr);
	else if (err != 0)
		fault_wrap(&ctl->fault, "%s", ssr);
	else
		err = files_write_signet(words.out, &binary, true, &ctl->fault);
out:
	buffer_free(&binary);
	fields_free(&signing.fields);
	keyfile_free(signing.keys);
	org_signet_free(signing.org);
	signet_free(signing.previous);
	signet_free(signing.ssr);
	return err;
}

/* ---- fingerprint ---- */

int
verb_signet_fingerprint(struct dimectl *ctl, int count, char **argv)
{
	static const struct {
		const char *name;
		bool (*compute)(const struct signet *signet,
		    char out[static SIGNET_FINGERPRINT_SIZE]);
	} kinds[] = {
	    {"core", signet_core_fingerprint},
	    {"org", signet_org_fingerprint},
	    {"full", signet_full_fingerprint},
	};
	const struct option_row rows[] = {{OPTION_END, NULL, NULL, false}};
	char value[SIGNET_FINGERPRINT_SIZE];
	json_t *object = json_object();
	struct signet *signet = NULL;
	const char *path;
	int err;

	if ((err = option_read(ctl, count, argv, rows, &path, 1, 1)) != 0 ||
	    (err = files_read_signet(path, &signet, &ctl->fault)) != 0)
		goto out;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!kinds[i].compute(signet, value))
			continue;
		json_object_set_new(object, kinds[i].name, json_string(value));
		if (!ctl->json)
			buffer_printf(&ctl->output, "%s %s\n", kinds[i].name,
			    value);
	}
	if (json_object_size(object) == 0)
		err = fault_set(&ctl->fault, ERR_FORMAT, "%s: %s", path,
		    signet->magic == SIGNET_SSR
		    ? "a signing request has no fingerprint"
		    : "without field 253 there is no fingerprint");
	else if (ctl->json)
		err = output_json(ctl, json_incref(object));
out:
	json_decref(object);
	signet_free(signet);
	return err;
}

/* ---- split ---- */

int
verb_signet_split(struct dimectl *ctl, int count, char **argv)
{
	const char *path, *to = NULL, *out = NULL;
	const struct option_row rows[] = {
	    {OPTION_VALUE, "--to", &to, true},
	    {OPTION_VALUE, "--out", &out, true},
	    {OPTION_END, NULL, NULL, false},
	};
	struct buffer binary = buffer_make(SIGNET_MAX_LENGTH);
	enum signet_state state = SIGNET_STATE_CORE;
	struct signet *signet = NULL;
	int err;

	if ((err = option_read(ctl, count, argv, rows, &path, 1, 1)) != 0)
		return err;
	if (strcmp(to, "full") == 0)
		state = SIGNET_STATE_FULL;
	else if (strcmp(to, "core") != 0)
		return fault_set(&ctl->fault, ERR_USAGE,
		    "--to %s: must be core or full", to);
	if ((err = files_read_signet(path, &signet, &ctl->fault)) != 0)
		return err;
	if ((err = signet_split(signet, state, &binary, &ctl->fault)) != 0)
		fault_wrap(&ctl->fault, "%s", path);
	else
		err = files_write_signet(out, &binary, true, &ctl->fault);
	buffer_free(&binary);
	signet_free(signet);
	return err;
}
