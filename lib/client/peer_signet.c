/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "client/peer_session.h"

/* The fingerprint that SGNT was given is one of the signet's (S11). */
static bool
has_fingerprint(const struct signet *signet, const char *fingerprint)
{
	char own[SIGNET_FINGERPRINT_SIZE];

	if (signet->magic == SIGNET_ORG)
		return signet_org_fingerprint(signet, own) &&
		    strcmp(own, fingerprint) == 0;
	return (signet_core_fingerprint(signet, own) &&
		   strcmp(own, fingerprint) == 0) ||
	    (signet_full_fingerprint(signet, own) &&
		strcmp(own, fingerprint) == 0);
}

/* Whatever is wrong with a listing is this host's fault and may pass. */
static int
read_listing(const struct peer_reply *reply, enum signet_magic magic,
    const char *fingerprint, struct signet **out, struct fault *fault)
{
	struct signet *signet = NULL;
	int err;

	err = signet_read(buffer_span(&reply->listing), &signet, fault);
	if (err == ERR_MEMORY)
		return err;
	if (err != 0) {
		fault_wrap(fault, "listing");
		if (fault != NULL)
			fault->err = ERR_PROTOCOL;
		return ERR_PROTOCOL;
	}
	if (signet->magic != magic)
		err = fault_set(fault, ERR_PROTOCOL,
		    "listing holds a signet of kind %d, not %d",
		    (int)signet->magic, (int)magic);
	else if (fingerprint != NULL && *fingerprint != '\0' &&
	    !has_fingerprint(signet, fingerprint))
		err = fault_set(fault, ERR_PROTOCOL,
		    "listing holds a signet with another fingerprint");
	if (err != 0)
		signet_free(signet);
	else
		*out = signet;
	return err;
}

/* What a reply other than the listing means for a fetch. */
static int
refusal(const struct peer_reply *reply, const char *verb, struct fault *fault)
{
	int err = ERR_DEFERRED;

	if (reply->code == reply_row(REPLY_SIGNET_WAIT)->code)
		err = ERR_NOT_ENABLED;
	else if (reply->code == reply_row(REPLY_SIGNET_UNAVAILABLE)->code)
		err = ERR_UNKNOWN_ADDRESS;
	else if (reply->code < 400)
		err = ERR_PROTOCOL;
	return fault_set(fault, err, "%s: %d %s", verb, reply->code,
	    reply->text);
}

/* Sends SGNT or VRFY and reads the signet that comes, or that none has to. */
static int
ask(struct peer *peer, const char *line, bool is_user, const char *fingerprint,
    struct deadline deadline, struct signet **out, struct fault *fault)
{
	const bool verify = strncmp(line, "VRFY", 4) == 0;
	const enum reply wanted =
	    is_user ? REPLY_USER_SIGNET : REPLY_ORG_SIGNET;
	const enum reply current =
	    is_user ? REPLY_USER_CURRENT : REPLY_ORG_CURRENT;
	struct peer_reply reply;
	int err;

	peer_reply_init(&reply);
	err = peer_command(peer, line, deadline, &reply, fault);
	if (err == 0 && !(verify && reply.code == reply_row(current)->code)) {
		if (reply.code == reply_row(wanted)->code)
			err = read_listing(&reply,
			    is_user ? SIGNET_USER : SIGNET_ORG, fingerprint,
			    out, fault);
		else
			err = refusal(&reply, verify ? "VRFY" : "SGNT", fault);
		if (err != 0)
			fault_wrap(fault, "%s", peer->host);
	}
	peer_reply_free(&reply);
	return err;
}

int
peer_fetch_signet(struct peer *peer, const char *name, const char *fingerprint,
    struct deadline deadline, struct signet **out, struct fault *fault)
{
	bool exact = fingerprint != NULL && *fingerprint != '\0';
	char line[2 * DMTP_LINE_LIMIT]; /* what is too long is refused */

	*out = NULL;
	if (!address_is_ascii(name))
		return fault_set(fault, ERR_NOT_ENABLED,
		    "%s: DMTP cannot carry the address", name);
	snprintf(line, sizeof(line), "SGNT FOR=<%s>%s%s%s", name,
	    exact ? " FINGERPRINT=[" : "", exact ? fingerprint : "",
	    exact ? "]" : "");
	return ask(peer, line, strchr(name, '@') != NULL, fingerprint, deadline,
	    out, fault);
}

int
peer_verify_signet(struct peer *peer, const char *name,
    const char *fingerprint, struct deadline deadline, struct signet **out,
    struct fault *fault)
{
	char line[2 * DMTP_LINE_LIMIT];

	*out = NULL;
	snprintf(line, sizeof(line), "VRFY FOR=<%s> FINGERPRINT=[%s]", name,
	    fingerprint);
	return ask(peer, line, strchr(name, '@') != NULL, NULL, deadline, out,
	    fault);
}

int
peer_fetch_history(struct peer *peer, const char *address, const char *start,
    const char *stop, struct deadline deadline, struct buffer *out,
    struct fault *fault)
{
	char line[2 * DMTP_LINE_LIMIT]; /* what is too long is refused */
	struct peer_reply reply;
	int err;

	snprintf(line, sizeof(line), "HIST FOR=<%s> START=[%s]%s%s%s", address,
	    start, *stop == '\0' ? "" : " STOP=[", stop,
	    *stop == '\0' ? "" : "]");
	peer_reply_init(&reply);
	err = peer_command(peer, line, deadline, &reply, fault);
	if (err == 0 && reply.code == reply_row(REPLY_HISTORY)->code) {
		buffer_append_span(out, buffer_span(&reply.listing));
		if (out->error != 0)
			err = fault_set(fault, out->error, "%s", "");
	} else if (err == 0) {
		err = refusal(&reply, "HIST", fault);
		if (err == ERR_DEFERRED && reply.code >= 500) {
			err = ERR_REFUSED;
			fault_set(fault, err, "HIST: %d %s", reply.code,
			    reply.text);
		}
		fault_wrap(fault, "%s", peer->host);
	}
	peer_reply_free(&reply);
	return err;
}
