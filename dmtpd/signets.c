/* SPDX-License-Identifier: BSD-2-Clause */
#include "dime/armor.h"
#include "dmtpd/signets.h"

enum { LISTING_LIMIT = 32 << 20 };

/*
 * To a stranger there are two ways of having no signet (D9): 476 for an address
 * that exists and is not enabled, 576 for all else. 476 may open the way for
 * naked mail, so nothing that is merely wrong here may come out as 476.
 */
static void
refuse(struct dmtp_server *server, int err)
{
	if (err == ERR_UNKNOWN_ADDRESS || err == ERR_NO_KEY)
		dmtp_server_answer(server, REPLY_SIGNET_UNAVAILABLE, "");
	else
		dmtp_server_answer(server, reply_of_error(err), "");
}

static void
answer_signet(struct dmtp_server *server, const struct signet *signet)
{
	struct buffer listing = buffer_make(LISTING_LIMIT);
	bool is_org = signet->magic == SIGNET_ORG;

	armor_write(is_org ? ARMOR_ORG_SIGNET : ARMOR_USER_SIGNET,
	    signet_binary(signet), &listing);
	if (listing.error != 0)
		refuse(server, listing.error);
	else
		dmtp_server_answer_listing(server,
		    is_org ? REPLY_ORG_SIGNET : REPLY_USER_SIGNET,
		    buffer_span(&listing));
	buffer_free(&listing);
}

/* The current one, or with a fingerprint the one that has it. */
static int
find_org(struct dmtpd *dmtpd, const char *domain,
    const struct dmtp_argument *fingerprint, struct keys_org **out)
{
	return fingerprint->given
	    ? keys_find_org_by_fingerprint(dmtpd->keys, domain,
	          fingerprint->text, out, NULL)
	    : keys_find_org(dmtpd->keys, domain, out, NULL);
}

/* Likewise. A disabled user is an address that is not enabled, whatever signet
 * of his is asked for. */
static int
find_user(struct dmtpd *dmtpd, const char *address,
    const struct dmtp_argument *fingerprint, struct keys_user **out)
{
	int err = keys_find_user(dmtpd->keys, address, out, NULL);

	if (err != 0)
		return err;
	if ((*out)->disabled)
		err = ERR_NOT_ENABLED;
	if (err == 0 && !fingerprint->given)
		return 0;
	keys_user_free(*out);
	*out = NULL;
	return err != 0 ? err
	    : keys_find_user_by_fingerprint(dmtpd->keys, address,
	          fingerprint->text, out, NULL);
}

static bool
is_address(const char *name)
{
	return strchr(name, '@') != NULL;
}

void
signets_answer_sgnt(struct dmtpd *dmtpd, struct dmtp_server *server)
{
	const char *name = server->arguments[0].text;
	struct keys_user *user = NULL;
	struct keys_org *org = NULL;
	int err;

	if (is_address(name))
		err = find_user(dmtpd, name, &server->arguments[1], &user);
	else
		err = find_org(dmtpd, name, &server->arguments[1], &org);
	if (err != 0)
		refuse(server, err);
	else
		answer_signet(server,
		    user != NULL ? user->signet->signet : org->signet->signet);
	keys_user_free(user);
	keys_org_free(org);
}

/* The layout of the domain's signet with that fingerprint: whoever knows one in
 * the libdime layout is told of the current one in it. */
static enum layout
layout_of_org(struct dmtpd *dmtpd, const struct dmtp_server *server)
{
	enum layout layout = LAYOUT_STANDARD;
	struct keys_org *org;

	if (keys_find_org_by_fingerprint(dmtpd->keys,
	        server->arguments[0].text, server->arguments[1].text, &org,
	        NULL) == 0)
		layout = org->signet->signet->layout;
	keys_org_free(org);
	return layout;
}

static void
verify_org(struct dmtpd *dmtpd, struct dmtp_server *server)
{
	struct keys_org *org = NULL;
	int err;

	err = keys_find_org_in(dmtpd->keys, layout_of_org(dmtpd, server),
	    server->arguments[0].text, &org, NULL);
	if (err != 0)
		refuse(server, err);
	else if (strcmp(org->signet->fingerprint,
	             server->arguments[1].text) == 0)
		dmtp_server_answer(server, REPLY_ORG_CURRENT, "");
	else
		answer_signet(server, org->signet->signet);
	keys_org_free(org);
}

/* The layout of the user's signet with that fingerprint, and whether it is that
 * of a full signet: VRFY wants the core (Part 7). */
static enum layout
layout_of_user(struct dmtpd *dmtpd, const struct dmtp_server *server,
    bool *is_full)
{
	const char *fingerprint = server->arguments[1].text;
	enum layout layout = LAYOUT_STANDARD;
	struct keys_user *user;

	*is_full = false;
	if (keys_find_user_by_fingerprint(dmtpd->keys,
	        server->arguments[0].text, fingerprint, &user, NULL) == 0) {
		layout = user->signet->signet->layout;
		*is_full = strcmp(user->signet->core, fingerprint) != 0;
	}
	keys_user_free(user);
	return layout;
}

static void
verify_user(struct dmtpd *dmtpd, struct dmtp_server *server)
{
	struct keys_user *user = NULL;
	bool is_full;
	int err;

	err = keys_find_user_in(dmtpd->keys,
	    layout_of_user(dmtpd, server, &is_full),
	    server->arguments[0].text, &user, NULL);
	if (err == 0 && user->disabled)
		err = ERR_NOT_ENABLED;
	if (err != 0)
		refuse(server, err);
	else if (strcmp(user->signet->core, server->arguments[1].text) == 0)
		dmtp_server_answer(server, REPLY_USER_CURRENT, "");
	else if (is_full)
		dmtp_server_answer(server, REPLY_ARGUMENT_SYNTAX, "");
	else
		answer_signet(server, user->signet->signet);
	keys_user_free(user);
}

void
signets_answer_vrfy(struct dmtpd *dmtpd, struct dmtp_server *server)
{
	if (is_address(server->arguments[0].text))
		verify_user(dmtpd, server);
	else
		verify_org(dmtpd, server);
}

static int
list_core(void *context, const struct signet *core)
{
	struct buffer *listing = context;

	armor_write(ARMOR_USER_SIGNET, signet_binary(core), listing);
	return listing->error;
}

void
signets_answer_hist(struct dmtpd *dmtpd, struct dmtp_server *server)
{
	static const struct dmtp_argument none = {.given = false};
	struct buffer listing = buffer_make(LISTING_LIMIT);
	struct dmtp_argument *a = server->arguments;
	struct keys_user *user = NULL;
	int err;

	err = find_user(dmtpd, a[0].text, &none, &user);
	if (err == 0)
		err = keys_history(dmtpd->keys, a[0].text, a[1].text,
		    a[2].text, list_core, &listing, NULL);
	if (err != 0)
		refuse(server, err);
	else
		dmtp_server_answer_listing(server, REPLY_HISTORY,
		    buffer_span(&listing));
	keys_user_free(user);
	buffer_free(&listing);
}
