/* SPDX-License-Identifier: BSD-2-Clause */
#include "dimectl/files.h"
#include "dimectl/output.h"
#include "dimectl/verbs.h"

enum { CHECKS = 8 };

/* What was checked. A check that fails ends the verb; these are the others. */
struct report {
	struct {
		const char *name, *result, *detail;
	} rows[CHECKS];
	size_t count;
};

static void
add(struct report *report, const char *name, const char *result,
    const char *detail)
{
	report->rows[report->count].name = name;
	report->rows[report->count].result = result;
	report->rows[report->count++].detail = detail;
}

static void
add_good(struct report *report, const char *name, const char *detail)
{
	add(report, name, "good", detail);
}

static void
add_undone(struct report *report, const char *name, const char *detail)
{
	add(report, name, "not checked", detail);
}

struct words {
	const char *path, *org, *previous;
	struct option_list poks;
};

struct poks {
	uint8_t keys[64][CRYPTO_SIGN_PUBLIC];
	size_t count;
};

static int
read_poks(struct dimectl *ctl, const struct option_list *options,
    struct poks *poks)
{
	for (poks->count = 0; poks->count < options->count; poks->count++) {
		const char *text = options->items[poks->count];
		uint8_t *key = poks->keys[poks->count];

		if (!base64_decode_exact(span_string(text), key,
		    CRYPTO_SIGN_PUBLIC) || !crypto_ed25519_is_good(key))
			return fault_set(&ctl->fault, ERR_USAGE,
			    "--pok %s: not an Ed25519 key in 43 characters of "
			    "base64", text);
	}
	return 0;
}

/* The outer signatures, which have been verified as far as they are there. */
static void
report_outer(const struct signet *signet, struct report *report)
{
	if (signet->state >= SIGNET_STATE_FULL)
		add_good(report, "full-signature", "field 253");
	else
		add_undone(report, "full-signature", "there is no field 253");
	if (signet->state == SIGNET_STATE_COMPLETE)
		add_good(report, "complete-signature", "field 255");
	else
		add_undone(report, "complete-signature",
		    "there is no field 255");
}

/* Of one signet before this one, or of a chain that leads here. */
static int
check_previous(const struct signet_chain *chain, const struct signet *signet,
    struct report *report, struct fault *fault)
{
	int err = chain->count == 1
	    ? signet_verify_custody(signet, chain->links[0], fault)
	    : signet_chain_verify(chain, NULL, signet, fault);

	if (err == 0)
		add_good(report, "custody", chain->count == 1
		    ? "by the previous signing key"
		    : "a chain from the oldest of --previous");
	return err;
}

static int
check_custody(struct dimectl *ctl, const struct words *words,
    const struct signet *signet, struct report *report)
{
	struct signet_chain chain;
	int err;

	if (words->previous == NULL) {
		if (signet_find(signet, SIGNET_USER_CUSTODY) == NULL)
			add_undone(report, "custody", "there is no field 4");
		else
			add_undone(report, "custody", "needs --previous");
		return 0;
	}
	if ((err = files_read_chain(words->previous, &chain,
	    &ctl->fault)) == 0 &&
	    (err = check_previous(&chain, signet, report, &ctl->fault)) != 0)
		fault_wrap(&ctl->fault, "%s", words->path);
	signet_chain_free(&chain);
	return err;
}

/* This and verify_user() take *signet over. */
static int
verify_org(struct dimectl *ctl, const struct words *words,
    const struct poks *poks, struct signet **signet, struct report *report)
{
	struct org_signet *org;
	int err;

	if (words->org != NULL || words->previous != NULL)
		return fault_set(&ctl->fault, ERR_USAGE,
		    "%s: is for user signets, %s is an organization's",
		    words->org != NULL ? "--org" : "--previous", words->path);
	if ((err = files_verify_org(words->path, *signet, poks->keys,
	    poks->count, &org, &ctl->fault)) != 0)
		return err;
	*signet = NULL;
	if (poks->count > 0)
		add_good(report, "pok", "is one of those given");
	else
		add_undone(report, "pok", "needs --pok");
	if (signet_find(org->signet, SIGNET_ORG_CORE_SIGNATURE) != NULL)
		add_good(report, "core-signature", "field 4");
	report_outer(org->signet, report);
	org_signet_free(org);
	return 0;
}

static int
verify_ssr(struct dimectl *ctl, const struct words *words,
    const struct signet *signet, struct report *report)
{
	int err;

	if (words->org != NULL || words->poks.count > 0)
		return fault_set(&ctl->fault, ERR_USAGE,
		    "%s: a signing request has no organization yet",
		    words->org != NULL ? "--org" : "--pok");
	if ((err = signet_verify_own(signet, &ctl->fault)) != 0) {
		fault_wrap(&ctl->fault, "%s", words->path);
		return err;
	}
	add_good(report, "user-signature", "field 5");
	return check_custody(ctl, words, signet, report);
}

static void
report_user(const struct user_signet *user, const struct org_signet *org,
    bool pok_given, struct report *report)
{
	if (pok_given)
		add_good(report, "pok", "of --org is one of those given");
	else
		add_undone(report, "pok", "needs --pok");
	add_good(report, "user-signature", "field 5");
	add_good(report, "organizational-signature", "field 6");
	report_outer(user->signet, report);
	if (user->address[0] == '\0')
		add_undone(report, "identifier", "there is no field 254");
	else if (org->domain[0] == '\0')
		add_undone(report, "identifier", "--org names no domain");
	else
		add_good(report, "identifier", "within the domain of --org");
}

static int
verify_user(struct dimectl *ctl, const struct words *words,
    const struct poks *poks, struct signet **signet, struct report *report)
{
	struct org_signet *org = NULL;
	struct user_signet *user = NULL;
	int err;

	if (words->org == NULL)
		return fault_set(&ctl->fault, ERR_USAGE,
		    "%s: is a user signet: --org is required", words->path);
	if ((err = files_read_org(words->org, poks->keys, poks->count, &org,
	    &ctl->fault)) != 0)
		return err;
	if ((err = signet_verify_user(*signet, org, NULL, &user,
	    &ctl->fault)) != 0) {
		fault_wrap(&ctl->fault, "%s", words->path);
		goto out;
	}
	*signet = NULL;
	report_user(user, org, poks->count > 0, report);
	err = check_custody(ctl, words, user->signet, report);
out:
	user_signet_free(user);
	org_signet_free(org);
	return err;
}

static int
print(struct dimectl *ctl, enum signet_magic magic, enum signet_state state,
    const struct report *report)
{
	json_t *checks;

	if (!ctl->json) {
		buffer_printf(&ctl->output, "kind %s\nstate %s\n",
		    signet_kind_name(magic), signet_state_name(state));
		for (size_t i = 0; i < report->count; i++)
			buffer_printf(&ctl->output, "%s: %s (%s)\n",
			    report->rows[i].name, report->rows[i].result,
			    report->rows[i].detail);
		return 0;
	}
	checks = json_array();
	for (size_t i = 0; i < report->count; i++)
		json_array_append_new(checks, json_pack("{ss ss ss}",
		    "name", report->rows[i].name,
		    "result", report->rows[i].result,
		    "detail", report->rows[i].detail));
	return output_json(ctl, json_pack("{ss ss so}",
	    "kind", signet_kind_name(magic),
	    "state", signet_state_name(state), "checks", checks));
}

int
verb_signet_verify(struct dimectl *ctl, int count, char **argv)
{
	struct words words = {0};
	const struct option_row rows[] = {
	    {OPTION_VALUE, "--org", &words.org, false},
	    {OPTION_REPEATED, "--pok", &words.poks, false},
	    {OPTION_VALUE, "--previous", &words.previous, false},
	    {OPTION_END, NULL, NULL, false},
	};
	struct report report = {0};
	struct signet *signet = NULL;
	enum signet_magic magic;
	enum signet_state state;
	struct poks poks;
	int err;

	if ((err = option_read(ctl, count, argv, rows, &words.path, 1,
	    1)) != 0 ||
	    (err = read_poks(ctl, &words.poks, &poks)) != 0 ||
	    (err = files_read_signet(words.path, &signet, &ctl->fault)) != 0)
		return err;
	magic = signet->magic;
	state = signet->state;
	if (magic == SIGNET_SSR)
		err = verify_ssr(ctl, &words, signet, &report);
	else if (magic == SIGNET_ORG)
		err = verify_org(ctl, &words, &poks, &signet, &report);
	else
		err = verify_user(ctl, &words, &poks, &signet, &report);
	if (err == 0)
		err = print(ctl, magic, state, &report);
	signet_free(signet);
	return err;
}
