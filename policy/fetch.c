/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/log.h"
#include "client/peer.h"
#include "policy/fetch.h"
#include "policy/hosts.h"

enum { HOST_TIME = 60000 /* milliseconds for one host, D12 */ };

struct fetcher {
	struct dns_source dns;
	struct sites *sites;
	struct tls_context *tls;
};

/* An answer that speaks for the organization; another host would say the same.
 */
static bool
is_authoritative(int err)
{
	return err == ERR_NOT_ENABLED || err == ERR_UNKNOWN_ADDRESS;
}

static int
ask_session(struct peer *peer, const struct fetch_wish *wish,
    struct deadline deadline, struct fetch_result *result,
    struct fault *fault)
{
	int err = 0;

	result->confirmed = peer_confirms(peer);
	if (wish->org)
		err = peer_fetch_signet(peer, wish->organization,
		    wish->org_fingerprint, deadline, &result->org, fault);
	if (err == 0 && *wish->user != '\0')
		err = peer_fetch_signet(peer, wish->user,
		    wish->user_fingerprint, deadline, &result->user, fault);
	return err;
}

static int
ask_address(const struct fetcher *fetcher, const struct config *config,
    const struct fetch_wish *wish, const struct facts_host *host,
    const char *address, struct deadline deadline,
    struct fetch_result *result, struct fault *fault)
{
	const struct peer_target target = {
	    .host = host->name,
	    .domain = wish->organization,
	    .address = address,
	    .port = (unsigned int)config->peer_port,
	    .source = config->bind_address,
	    .record = wish->record,
	    .record_secure = wish->record_secure,
	};
	struct peer *peer = NULL;
	int err;

	signet_free(result->org);
	signet_free(result->user);
	*result = (struct fetch_result){0};
	deadline = deadline_earlier(deadline, deadline_in(HOST_TIME));
	err = peer_open(&target, fetcher->tls, deadline, &peer, fault);
	if (err == 0)
		err = ask_session(peer, wish, deadline, result, fault);
	peer_close(peer);
	return err;
}

static void
log_attempt(const struct fetch_wish *wish, const struct facts_host *host,
    const char *address, int err, const struct fault *fault)
{
	struct log_line line;

	log_begin(&line, err == 0 || is_authoritative(err) ? LOG_INFO
	                                                   : LOG_NOTICE,
	    "fetch");
	log_text(&line, "organization", wish->organization);
	if (*wish->user != '\0')
		log_text(&line, "user", wish->user);
	log_text(&line, "host", host->name);
	log_text(&line, "address", address);
	log_text(&line, "result", err == 0 ? "ok" : error_row(err)->name);
	if (err != 0)
		log_text(&line, "reason", fault_text(fault, err));
	log_end(&line);
}

static int
fetch(void *context, const struct fetch_wish *wish, struct deadline deadline,
    struct fetch_result *result, struct fault *fault)
{
	struct fetcher *fetcher = context;
	const struct site *site = sites_hold(fetcher->sites);
	struct facts_host hosts[HOSTS_WANTED];
	size_t count;
	int err;

	*result = (struct fetch_result){0};
	err = hosts_find(&fetcher->dns, wish->record,
	    site->config->allow_private_addresses, deadline, hosts, &count,
	    fault);
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < hosts[i].address_count; j++) {
			err = ask_address(fetcher, site->config, wish,
			    &hosts[i], hosts[i].addresses[j], deadline, result,
			    fault);
			log_attempt(wish, &hosts[i], hosts[i].addresses[j], err,
			    fault);
			if (err == 0 || is_authoritative(err) ||
			    deadline_left(deadline) == 0)
				goto out;
		}
	}
out:
	sites_release(site);
	return err;
}

int
fetcher_new(const struct dns_source *dns, struct sites *sites,
    struct fetcher **out, struct fault *fault)
{
	struct fetcher *fetcher = calloc(1, sizeof(*fetcher));
	const struct site *site;
	int err;

	*out = NULL;
	if (fetcher == NULL)
		return fault_set(fault, ERR_MEMORY, "out of memory");
	fetcher->dns = *dns;
	fetcher->sites = sites;
	site = sites_hold(sites);
	err = tls_client_new(site->config->ca_file, &fetcher->tls, fault);
	sites_release(site);
	if (err != 0)
		free(fetcher);
	else
		*out = fetcher;
	return err;
}

void
fetcher_free(struct fetcher *fetcher)
{
	if (fetcher == NULL)
		return;
	tls_free(fetcher->tls);
	free(fetcher);
}

struct fetch_source
fetcher_source(struct fetcher *fetcher)
{
	return (struct fetch_source){fetcher, fetch};
}
