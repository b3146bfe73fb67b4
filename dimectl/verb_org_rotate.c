/* SPDX-License-Identifier: BSD-2-Clause */
#include "dimectl/output.h"
#include "dimectl/policyd.h"
#include "dimectl/store.h"
#include "dimectl/verbs.h"

/*
 * Two steps, since peers must find the new key in the record before they meet
 * it in a signet: the first run makes it, the second, once the record has it,
 * puts it into force.
 */

static void
print_publish(struct dimectl *ctl, const struct store *store,
    const char *domain, const char *when)
{
	buffer_printf(&ctl->output,
	    "next %s, publish in the zone of %s what this prints, with the "
	    "other options as before: dimectl record make --zone --org %s "
	    "--tls-cert %s --dx HOST\n", when, domain, domain,
	    store->config->tls_certificate);
}

static int
print_prepared(struct dimectl *ctl, const struct store *store,
    const struct keys_org *org)
{
	const char *domain = org->signet->domain;

	if (ctl->json)
		return output_json(ctl, json_pack("{ss ss ss}", "domain",
		    domain, "state", "prepared", "fingerprint",
		    org->signet->fingerprint));
	buffer_printf(&ctl->output,
	    "domain %s\nstate prepared\nfingerprint %s\n", domain,
	    org->signet->fingerprint);
	print_publish(ctl, store, domain, "now");
	buffer_printf(&ctl->output, "next when the time to live of the record "
	    "before it has passed: dimectl org rotate %s\n", domain);
	return 0;
}

static int
print_rotated(struct dimectl *ctl, const struct store *store,
    const char *domain)
{
	char when[STORE_TIME_SIZE + sizeof("after ")] = "after ";
	struct keys_org *org;
	int err;

	err = keys_find_org(store->keys, domain, &org, &ctl->fault);
	if (err != 0)
		return err;
	if (ctl->json) {
		err = output_json(ctl, json_pack("{ss ss ss}", "domain",
		    domain, "state", "rotated", "fingerprint",
		    org->signet->fingerprint));
	} else {
		buffer_printf(&ctl->output,
		    "domain %s\nstate rotated\nfingerprint %s\n", domain,
		    org->signet->fingerprint);
		store_time(clock_wall(&clock_system) +
		    store->config->signet_grace, when + strlen(when));
		print_publish(ctl, store, domain, when);
	}
	keys_org_free(org);
	return err;
}

static int
prepare(struct dimectl *ctl, const struct store *store, const char *domain)
{
	struct keys_org *org;
	int err;

	if ((err = keys_prepare_org(store->keys, domain, &ctl->fault)) != 0 ||
	    (err = keys_find_org_prepared(store->keys, domain, &org,
	    &ctl->fault)) != 0)
		return err;
	err = print_prepared(ctl, store, org);
	keys_org_free(org);
	return err;
}

static bool
has_pok(struct span text, const uint8_t pok[static CRYPTO_SIGN_PUBLIC])
{
	struct record record;

	if (record_parse(text, &record, NULL, NULL, NULL) != 0)
		return false;
	for (size_t i = 0; i < record.pok_count; i++)
		if (memcmp(record.poks[i], pok, CRYPTO_SIGN_PUBLIC) == 0)
			return true;
	return false;
}

/* Whether dime-policyd finds the new key in the record: who has seen only the
 * old one would put off all that the new one signs. */
static int
check_published(struct dimectl *ctl, const struct keys_org *org)
{
	const char *domain = org->signet->domain;
	struct facts_request request = {.verb = FACTS_HOSTS, .from = "",
	    .to = domain, .fingerprint = "", .wait = POLICYD_WAIT};
	struct facts_answer answer;
	int err = policyd_ask(ctl, &request, &answer);

	if (err != 0)
		fault_wrap(&ctl->fault, "%s: what its record says is not known "
		    "(--now does not ask): dime-policyd", domain);
	else if (!has_pok(buffer_span(&answer.record), org->signet->pok))
		err = fault_set(&ctl->fault, ERR_DEFERRED,
		    "%s: its record does not have the new key, or only the "
		    "record before it is known yet (--now does not ask)",
		    domain);
	facts_answer_free(&answer);
	return err;
}

static int
rotate(struct dimectl *ctl, const struct store *store, const char *domain,
    bool now)
{
	struct keys_org *org;
	int err;

	err = keys_find_org_prepared(store->keys, domain, &org, &ctl->fault);
	if (err == ERR_NO_KEY && now)
		err = keys_prepare_org(store->keys, domain, &ctl->fault);
	else if (err == ERR_NO_KEY)
		return prepare(ctl, store, domain);
	if (err == 0 && !now)
		err = check_published(ctl, org);
	keys_org_free(org);
	if (err != 0 ||
	    (err = keys_rotate_org(store->keys, domain, &ctl->fault)) != 0)
		return err;
	return print_rotated(ctl, store, domain);
}

int
verb_org_rotate(struct dimectl *ctl, int count, char **argv)
{
	bool now = false;
	const struct option_row rows[] = {
	    {OPTION_FLAG, "--now", &now, false},
	    {OPTION_END, NULL, NULL, false},
	};
	char domain[DOMAIN_SIZE];
	struct store store;
	const char *word;
	int err;

	if ((err = option_read(ctl, count, argv, rows, &word, 1, 1)) != 0 ||
	    (err = store_domain(ctl, word, domain)) != 0 ||
	    (err = store_open(ctl, STORE_READ, &store)) != 0)
		return err;
	err = rotate(ctl, &store, domain, now);
	store_close(&store);
	return err;
}
