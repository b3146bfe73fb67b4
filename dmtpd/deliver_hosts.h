/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTPD_DELIVER_HOSTS_H
#define DIME_DMTPD_DELIVER_HOSTS_H

#include "dmtpd/dmtpd.h"

/*
 * The search for a host that takes a message: those that policyd names, stage
 * by stage (D12), and each of their addresses.
 */

/* What is to be delivered. All of it is the caller's. */
struct deliver_hosts_request {
	struct dmtpd *dmtpd;
	const struct live_settings *live;
	const struct peer_mail *mail; /* to mail->destination */
	/* The destination's signet, verified, or NULL: it was not asked for. */
	const struct org_signet *destination_org;
	/* Whether a destination that has another signet, as policyd knows, than
	 * mail->destination_fingerprint is not to be offered the message. */
	bool current_only;
};

/* What came of it, whatever deliver_hosts() returned. */
struct deliver_hosts_result {
	struct peer_reply reply; /* the last peer's word, code 0 without one */
	char host[DOMAIN_SIZE];  /* that had the last word; "": none tried */
	bool recorded; /* there is a management record, so hosts can be asked */
	bool opened;   /* a session with `host` */
	/* DMTP is to be had nowhere: at every stage there is no host, or none
	 * that can be connected to, takes TLS and greets in time; not one that
	 * refused, or that something was wrong with. */
	bool absent;
	const char *session; /* "new", "resumed" (TLS), "reused"; "": none */
	int64_t ms_facts, ms_open, ms_command; /* what took how long */
};

/* For deliver_hosts_result_free(), which is fine with one that was only
 * initialized. */
void deliver_hosts_result_init(struct deliver_hosts_result *result);
void deliver_hosts_result_free(struct deliver_hosts_result *result);

/*
 * Delivers to the first host that can be spoken with, by a session that waits
 * for more where there is one (pool.h). A host that cannot be spoken with, that
 * refuses because of its own load, or with which there are sessions enough,
 * gives way to the next; the search takes at most 5 minutes and the transaction
 * with one host. 0 when a peer has the message; ERR_DESTINATION_SIGNET with the
 * reply's code 0 where it was not offered. `result` must have been initialized;
 * `fault` says what the last host came to, or that of them that explains most.
 */
int deliver_hosts(const struct deliver_hosts_request *request,
    struct deliver_hosts_result *result, struct fault *fault);

#endif
