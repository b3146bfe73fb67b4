/* SPDX-License-Identifier: BSD-2-Clause */
#include "dmtpd/ours.h"

/* Seconds that mail may lie in our own queue, sealed before a rotation. */
enum { QUEUE_TIME = 30 * 86400 };

struct search {
	struct dmtpd *dmtpd;
	struct message *message;
	struct keys_org *org; /* found */
	struct message_envelope *envelope;
	struct fault *fault;
};

/* A slot does not tell whose it is: under the wrong key it opens to noise. */
static bool
is_not_this_one(int err)
{
	return err == ERR_NO_KEY || err == ERR_NO_ACCESS ||
	    err == ERR_CORRUPT || err == ERR_FORMAT;
}

/* 0 when it was this one, ERR_NO_ACCESS when another may be. */
static int
try_org(struct search *search, const struct keys_org *org)
{
	int err;

	err = message_unlock(search->message, MESSAGE_ORIGIN, org->agreer,
	    search->fault);
	if (err == 0)
		err = message_origin_envelope(search->message,
		    search->envelope, search->fault);
	return is_not_this_one(err) ? ERR_NO_ACCESS : err;
}

/* Likewise, with the current keys of the domain and those before them. */
static int
try_domain(struct search *search, const char *domain)
{
	struct keys *keys = search->dmtpd->keys;
	struct keys_org *org, *before;
	int err, found;

	err = keys_find_org(keys, domain, &org, search->fault);
	if (err != 0)
		return is_not_this_one(err) ? ERR_NO_ACCESS : err;
	while ((err = try_org(search, org)) == ERR_NO_ACCESS) {
		found = keys_find_org_before(keys, org, QUEUE_TIME, &before,
		    NULL);
		keys_org_free(org);
		org = before;
		if (found != 0)
			return is_not_this_one(found) ? ERR_NO_ACCESS : found;
	}
	if (err == 0)
		search->org = org;
	else
		keys_org_free(org);
	return err;
}

/* The sender's domain, or one that it lies within. */
static int
try_sender(struct search *search, const char *sender)
{
	const char *domain = sender[0] == '\0' ? NULL : address_domain(sender);
	int err = ERR_NO_ACCESS;

	while (err == ERR_NO_ACCESS && domain != NULL) {
		err = try_domain(search, domain);
		domain = strchr(domain, '.');
		if (domain != NULL)
			domain++;
	}
	return err;
}

enum { FOUND = 1 }; /* stops a listing */

static int
try_listed(void *context, const struct keys_listing *row)
{
	int err = try_domain(context, row->name);

	return err == ERR_NO_ACCESS ? 0 : err == 0 ? FOUND : err;
}

static int
try_all(struct search *search)
{
	int err = keys_list_orgs(search->dmtpd->keys, try_listed, search,
	    search->fault);

	if (err == 0)
		return fault_set(search->fault, ERR_NO_ACCESS,
		    "not sealed by a domain of ours");
	return err == FOUND ? 0 : err;
}

static int
check(const struct search *search)
{
	const char *author = search->envelope->address;
	int err;

	err = message_verify_organization(search->message,
	    search->org->signet, NULL, search->fault);
	if (err != 0)
		return err;
	if (!domain_is_within(address_domain(author),
	        search->org->signet->domain))
		return fault_set(search->fault, ERR_MISMATCH,
		    "its author is not of %s", search->org->signet->domain);
	return 0;
}

/* Turns to the layout of the message: the author's signet tells. One that is
 * gone leaves the standard one; nobody will find it either. */
static int
fit_layout(struct search *search)
{
	const struct message_envelope *envelope = search->envelope;
	struct keys *keys = search->dmtpd->keys;
	struct keys_user *author;
	struct keys_org *org;
	enum layout layout;
	int err;

	err = keys_find_user_by_fingerprint(keys, envelope->address,
	    envelope->address_fingerprint, &author, search->fault);
	if (err != 0)
		return err == ERR_UNKNOWN_ADDRESS ? 0 : err;
	layout = author->signet->signet->layout;
	keys_user_free(author);
	if (layout == LAYOUT_STANDARD)
		return 0;
	err = keys_org_in(keys, layout, search->org, &org, search->fault);
	if (err != 0)
		return err;
	keys_org_free(search->org);
	search->org = org;
	return 0;
}

int
ours_find(struct dmtpd *dmtpd, const char *sender, struct message *message,
    struct keys_org **out, struct message_envelope *envelope,
    struct fault *fault)
{
	struct live_settings live = dmtpd_live(dmtpd);
	struct search search = {dmtpd, message, NULL, envelope, fault};
	int err;

	*out = NULL;
	err = try_sender(&search, sender);
	if (err == ERR_NO_ACCESS && live.forward_domain[0] != '\0')
		err = try_domain(&search, live.forward_domain);
	if (err == ERR_NO_ACCESS)
		err = try_all(&search);
	if (err == 0)
		err = check(&search);
	if (err == 0)
		err = fit_layout(&search);
	if (err != 0) {
		keys_org_free(search.org);
		return err;
	}
	/* What another's keys made of the message says nothing. */
	*fault = (struct fault){0};
	*out = search.org;
	return 0;
}
