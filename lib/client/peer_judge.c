/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/peer_session.h"

enum {
	RSA_BITS_LEAST = 2048, /* D11 */
	RSA_BITS_MOST = 16384,
};

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
    struct certificate_facts facts, struct deadline deadline,
    struct fault *fault)
{
	const struct tls_peer *tls = &peer->tls;
	struct certificate_verdict verdict;
	struct fault status = {0};
	const char *why = "";

	peer->accepted = peer->confirms = false;
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
	peer->accepted = verdict.accept;
	peer->confirms = verdict.accept && verdict.confirms;
	if (!verdict.accept)
		return fault_set(fault, ERR_CERTIFICATE, "certificate: %s%s%s",
		    verdict.reason, *why == '\0' ? "" : ": ", why);
	return 0;
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
judge_by_sok(struct peer *peer, const struct peer_target *target,
    struct deadline deadline, struct fault *fault)
{
	struct org_signet *org = NULL;
	struct fault why = {0};
	int err = peer_greet(peer, deadline, &why);

	if (err == 0)
		err = learn_org(peer, target, deadline, &org, &why);
	if (err == 0)
		err = judge(peer, target, find_facts(target, org, &peer->tls),
		    deadline, fault);
	else
		err = fault_set(fault, ERR_CERTIFICATE,
		    "certificate: no tls value is by a POK, and for want of "
		    "its signet none by a SOK of %s: %s", target->domain,
		    fault_text(&why, err));
	org_signet_free(org);
	return err;
}

int
peer_judge(struct peer *peer, const struct peer_target *target,
    struct deadline deadline, struct fault *fault)
{
	const struct certificate_facts facts = find_facts(target, target->org,
	    &peer->tls);
	int err = judge(peer, target, facts, deadline, fault);

	return err != 0 && may_be_by_sok(&peer->tls, facts)
	    ? judge_by_sok(peer, target, deadline, fault)
	    : err;
}
