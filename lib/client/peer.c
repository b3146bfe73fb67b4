/* SPDX-License-Identifier: BSD-2-Clause */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "client/peer_session.h"

enum {
	RSA_BITS_LEAST = 2048, /* D11 */
	RSA_BITS_MOST = 16384,
	CONNECT_TIME = 30 * 1000, /* D12 */
	GREETING_TIME = 60 * 1000,
	QUIT_TIME = 1000,
};

/* ---- the session ---- */

void
peer_reply_init(struct peer_reply *reply)
{
	*reply = (struct peer_reply){.listing = buffer_make(0)};
}

void
peer_reply_free(struct peer_reply *reply)
{
	buffer_free(&reply->listing);
}

bool
peer_confirms(const struct peer *peer)
{
	return peer->confirms;
}

bool
peer_tells_more(int later, int earlier)
{
	const bool unreachable = later == ERR_UNREACHABLE ||
	    later == ERR_TIMEOUT;

	return !unreachable || earlier == 0 || earlier == ERR_UNREACHABLE ||
	    earlier == ERR_TIMEOUT;
}

/* Hands the engine's reply over; its listing is moved, not copied. */
static void
hand_over(struct peer *peer, struct peer_reply *reply)
{
	struct dmtp_client *client = &peer->client;

	buffer_free(&reply->listing);
	reply->code = client->code;
	snprintf(reply->text, sizeof(reply->text), "%.*s",
	    (int)sizeof(reply->text) - 1, client->text);
	text_make_plain(reply->text);
	reply->listing = client->listing;
	client->listing = buffer_make(client->listing.limit);
	dmtp_client_next(client);
}

/* Counts what the listing has grown by; *counted is what was counted before. */
static int
count_listing(struct peer *peer, size_t *counted, struct fault *fault)
{
	const size_t length = peer->client.listing.length;
	size_t grown;

	if (peer->room == NULL || length <= PEER_LISTING_OWN + *counted)
		return 0;
	grown = length - PEER_LISTING_OWN - *counted;
	*counted += grown;
	if (atomic_fetch_add(&peer->room->held, grown) + grown <=
	    PEER_LISTINGS_MOST)
		return 0;
	return fault_set(fault, ERR_BUSY,
	    "no room for a listing of %zu octets and more", length);
}

static int
read_more(struct peer *peer, struct deadline deadline, struct fault *fault)
{
	size_t got;
	int err = stream_read(peer->stream, peer->input, sizeof(peer->input),
	    &got, deadline);

	if (err == 0 && got == 0)
		err = ERR_UNREACHABLE;
	if (err != 0)
		return fault_set(fault, err, "waiting for a reply: %s",
		    error_row(err)->text);
	peer->unread = span_of(peer->input, got);
	return 0;
}

int
peer_read_reply(struct peer *peer, struct deadline deadline,
    struct peer_reply *reply, struct fault *fault)
{
	bool complete = false;
	size_t counted = 0;
	int err;

	do {
		err = dmtp_client_feed(&peer->client, &peer->unread, &complete,
		    fault);
		if (err == 0)
			err = count_listing(peer, &counted, fault);
		if (err == 0 && !complete)
			err = read_more(peer, deadline, fault);
	} while (err == 0 && !complete);
	if (counted > 0)
		atomic_fetch_sub(&peer->room->held, counted);
	if (err == 0)
		hand_over(peer, reply);
	if (err != 0 || reply->code == reply_row(REPLY_CLOSING)->code)
		peer->useless = true;
	return err;
}

int
peer_send(struct peer *peer, struct span octets, struct deadline deadline,
    struct fault *fault)
{
	int err = stream_write(peer->stream, octets, deadline);

	if (err == 0)
		return 0;
	peer->useless = true;
	return fault_set(fault, err, "sending: %s", error_row(err)->text);
}

static bool
can_be_sent(const char *line)
{
	size_t length = strlen(line);

	for (size_t i = 0; i < length; i++)
		if (line[i] < 0x20 || line[i] > 0x7e)
			return false;
	return length < DMTP_LINE_LIMIT;
}

/* As peer_command(), without the host's name before the fault. */
static int
command(struct peer *peer, const char *line, struct deadline deadline,
    struct peer_reply *reply, struct fault *fault)
{
	char text[DMTP_LINE_LIMIT + 1];
	int err;

	reply->code = 0;
	if (!can_be_sent(line))
		return fault_set(fault, ERR_USAGE,
		    "a command that DMTP cannot carry");
	if (peer->useless)
		return fault_set(fault, ERR_UNREACHABLE,
		    "the session has ended");
	snprintf(text, sizeof(text), "%s\n", line);
	if ((err = peer_send(peer, span_string(text), deadline, fault)) != 0)
		return err;
	return peer_read_reply(peer, deadline, reply, fault);
}

int
peer_command(struct peer *peer, const char *line, struct deadline deadline,
    struct peer_reply *reply, struct fault *fault)
{
	int err = command(peer, line, deadline, reply, fault);

	if (err != 0)
		fault_wrap(fault, "%s", peer->host);
	return err;
}

void
peer_close(struct peer *peer)
{
	struct deadline deadline = deadline_in(QUIT_TIME);
	struct peer_reply reply;
	int err = 0;

	if (peer == NULL)
		return;
	peer_reply_init(&reply);
	if (peer->stream != NULL && !peer->useless)
		err = command(peer, "QUIT", deadline, &reply, NULL);
	/* The greeting of a host whose certificate failed was not waited for.
	 */
	if (err == 0 && (reply.code == reply_row(REPLY_BANNER)->code ||
	        reply.code == reply_row(REPLY_OK)->code))
		peer_read_reply(peer, deadline, &reply, NULL);
	peer_reply_free(&reply);
	dmtp_client_free(&peer->client);
	stream_free(peer->stream);
	free(peer);
}

/* ---- opening ---- */

static int
resolve(const char *address, unsigned int port, struct addrinfo **out,
    struct fault *fault)
{
	const struct addrinfo hints = {
	    .ai_family = AF_UNSPEC,
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	};
	char service[16];

	*out = NULL;
	snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(address, service, &hints, out) != 0)
		return fault_set(fault, ERR_CONFIG,
		    "\"%s\" is not a numeric address", address);
	return 0;
}

static int
connect_to(const struct peer_target *target, struct deadline deadline,
    struct stream **out, struct fault *fault)
{
	struct addrinfo *to = NULL, *from = NULL;
	int err = resolve(target->address, target->port, &to, fault);

	if (err == 0 && *target->source != '\0')
		err = resolve(target->source, 0, &from, fault);
	/* A source of the other family cannot serve; the system chooses. */
	if (err == 0 && from != NULL && from->ai_family != to->ai_family) {
		freeaddrinfo(from);
		from = NULL;
	}
	if (err == 0)
		err = stream_connect(to->ai_addr, to->ai_addrlen,
		    from == NULL ? NULL : from->ai_addr,
		    from == NULL ? 0 : from->ai_addrlen,
		    deadline_earlier(deadline, deadline_in(CONNECT_TIME)), out,
		    fault);
	if (to != NULL)
		freeaddrinfo(to);
	if (from != NULL)
		freeaddrinfo(from);
	return err;
}

/* What the certificate table of Part 7 goes by, but for the status, with S17's
 * rule for unsigned records. */
static struct certificate_facts
find_facts(const struct peer_target *target, const struct org_signet *org,
    const struct tls_peer *tls)
{
	const bool for_domain = tls_peer_has_name(tls, target->domain);

	return (struct certificate_facts){
	    .record_secure = target->record_secure,
	    .record_has_tls = target->record->tls_count > 0,
	    .tls_matches = record_tls_matches(target->record, org,
	        buffer_span(&tls->der)),
	    .x509_valid = tls->chain_valid && (tls->name_valid || for_domain),
	    .name_in_domain = for_domain || (tls->name_valid &&
	        (target->trust_foreign_dx ||
	            domain_is_within(target->host, target->domain))),
	};
}

static bool
has_good_key(const struct tls_peer *tls)
{
	return tls->rsa_bits >= RSA_BITS_LEAST &&
	    tls->rsa_bits <= RSA_BITS_MOST;
}

static int
judge(struct peer *peer, const struct peer_target *target,
    const struct tls_peer *tls, struct certificate_facts facts,
    struct deadline deadline, struct fault *fault)
{
	struct certificate_verdict verdict;
	struct fault status = {0};
	const char *why = "";

	if (!has_good_key(tls))
		return fault_set(fault, ERR_CERTIFICATE,
		    "certificate with an RSA key of %u bits, not %d to %d",
		    tls->rsa_bits, RSA_BITS_LEAST, RSA_BITS_MOST);
	if (certificate_wants_status(&facts))
		facts.status = revocation_check(target->revocation, tls,
		    deadline, &status);
	if (facts.status == CERTIFICATE_UNREACHABLE)
		why = status.text;
	verdict = certificate_judge(&facts);
	peer->confirms = verdict.accept && verdict.confirms;
	if (!verdict.accept)
		return fault_set(fault, ERR_CERTIFICATE, "certificate: %s%s%s",
		    verdict.reason, *why == '\0' ? "" : ": ", why);
	return 0;
}

/* `tls` is for tls_peer_free() in any case. */
static int
secure(struct peer *peer, const struct peer_target *target,
    struct tls_context *context, struct deadline deadline,
    struct tls_peer *tls, struct fault *fault)
{
	int err;

	/* What came in clear is not for the session that TLS secures. */
	if (peer->unread.length > 0)
		err = fault_set(fault, ERR_PROTOCOL,
		    "octets came in clear before the TLS handshake");
	else
		err = stream_start_tls_client(peer->stream, context,
		    target->host, tls, deadline, fault);
	if (err != 0)
		peer->useless = true;
	return err;
}

static bool
says_dmtp(struct peer_reply *reply)
{
	return strstr(reply->text, "DMTP") != NULL ||
	    (reply->listing.length > 0 &&
		strstr(buffer_string(&reply->listing), "DMTP") != NULL);
}

static int
read_greeting(struct peer *peer, enum reply wanted, struct deadline deadline,
    struct fault *fault)
{
	struct peer_reply reply;
	int err;

	peer_reply_init(&reply);
	err = peer_read_reply(peer, deadline, &reply, fault);
	if (err == 0 && (reply.code != reply_row(wanted)->code ||
			    !says_dmtp(&reply)))
		err = fault_set(fault, ERR_PROTOCOL,
		    "%s is not that of a DMTP host: %d %s",
		    wanted == REPLY_BANNER ? "banner" : "mode", reply.code,
		    reply.text);
	peer_reply_free(&reply);
	return err;
}

/* From SMTP to where TLS is to begin. */
static int
elevate(struct peer *peer, const struct peer_target *target,
    struct deadline deadline, struct fault *fault)
{
	char line[DMTP_LINE_LIMIT];
	struct peer_reply reply;
	int err;

	if ((err = read_greeting(peer, REPLY_BANNER, deadline, fault)) != 0)
		return err;
	snprintf(line, sizeof(line), "STARTTLS <%s> MODE=DMTP", target->host);
	peer_reply_init(&reply);
	err = command(peer, line, deadline, &reply, fault);
	if (err == 0 && reply.code / 100 != 2)
		err = fault_set(fault, ERR_PROTOCOL, "STARTTLS: %d %s",
		    reply.code, reply.text);
	peer_reply_free(&reply);
	return err;
}

/* Under TLS. */
static int
greet(struct peer *peer, const struct peer_target *target,
    struct deadline deadline, struct fault *fault)
{
	return read_greeting(peer, target->dual ? REPLY_OK : REPLY_BANNER,
	    deadline, fault);
}

/* ---- certificates by a SOK ---- */

/* Whether a certificate that was refused is acceptable if a SOK has signed it:
 * the table decides that as well. */
static bool
may_be_by_sok(const struct tls_peer *tls, struct certificate_facts facts)
{
	if (!facts.record_has_tls || facts.tls_matches || !has_good_key(tls))
		return false;
	facts.tls_matches = true;
	return certificate_judge(&facts).accept;
}

static int
learn_org(struct peer *peer, const struct peer_target *target,
    struct deadline deadline, struct org_signet **out, struct fault *fault)
{
	struct signet *signet;
	int err;

	err = peer_fetch_signet(peer, target->domain, "", deadline, &signet,
	    fault);
	if (err != 0)
		return err;
	err = signet_verify_org(signet, target->record->poks,
	    target->record->pok_count, target->domain, out, fault);
	if (err != 0)
		signet_free(signet);
	return err;
}

/* The provisional session. */
static int
judge_again(struct peer *peer, const struct peer_target *target,
    const struct tls_peer *tls, struct deadline deadline,
    struct fault *fault)
{
	struct org_signet *org = NULL;
	struct fault why = {0};
	int err = greet(peer, target, deadline, &why);

	if (err == 0)
		err = learn_org(peer, target, deadline, &org, &why);
	if (err == 0)
		err = judge(peer, target, tls, find_facts(target, org, tls),
		    deadline, fault);
	else
		err = fault_set(fault, ERR_CERTIFICATE,
		    "certificate: no tls value is by a POK, and for want of "
		    "its signet none by a SOK of %s: %s", target->domain,
		    fault_text(&why, err));
	org_signet_free(org);
	return err;
}

static int
start_session(struct peer *peer, const struct peer_target *target,
    struct tls_context *context, struct deadline deadline,
    struct fault *fault)
{
	struct certificate_facts facts;
	struct tls_peer tls = {0};
	int err = target->dual ? elevate(peer, target, deadline, fault) : 0;

	if (err == 0)
		err = secure(peer, target, context, deadline, &tls, fault);
	if (err == 0) {
		facts = find_facts(target, target->org, &tls);
		err = judge(peer, target, &tls, facts, deadline, fault);
		if (err == 0)
			err = greet(peer, target, deadline, fault);
		else if (may_be_by_sok(&tls, facts))
			err = judge_again(peer, target, &tls, deadline, fault);
	}
	tls_peer_free(&tls);
	return err;
}

int
peer_open(const struct peer_target *target, struct tls_context *tls,
    struct deadline deadline, struct peer **out, struct fault *fault)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	int err;

	*out = NULL;
	if (peer == NULL)
		return fault_set(fault, ERR_MEMORY, "%s", "");
	dmtp_client_start(&peer->client);
	peer->room = target->room;
	snprintf(peer->host, sizeof(peer->host), "%s", target->host);
	err = connect_to(target, deadline, &peer->stream, fault);
	if (err == 0)
		err = start_session(peer, target, tls,
		    deadline_earlier(deadline, deadline_in(GREETING_TIME)),
		    fault);
	if (err != 0) {
		fault_wrap(fault, "%s [%s]", target->host, target->address);
		peer_close(peer);
		return err;
	}
	*out = peer;
	return 0;
}
