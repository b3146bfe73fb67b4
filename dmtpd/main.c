/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/allocator.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "dmtpd/dmtpd.h"
#include "dmtpd/front.h"
#include "dmtpd/identities.h"
#include "dmtpd/pool.h"
#include "dmtpd/spread.h"

enum {
	GRACE = 15 * 1000, /* milliseconds for conversations to end */
	STATE_MODE = 0660, /* state.db is shared by the programs */
};

static const char default_config[] = SYSCONFDIR "/dimegate/dimegate.conf";

static struct server_limits
limits_of(const struct config *config)
{
	return (struct server_limits){
	    .connections = (size_t)config->connection_limit,
	    .source_connections = (size_t)config->source_connection_limit,
	    .prefixes = dmtpd_prefixes(config),
	};
}

/* ---- start ---- */

/* Peers refuse an EHLO, or a greeting, whose name is not a full one. */
static int
set_hostname(struct dmtpd *dmtpd, struct fault *fault)
{
	const char *name = dmtpd->config->hostname;
	char own[DOMAIN_SIZE] = "";

	if (*name == '\0') {
		gethostname(own, sizeof(own) - 1);
		name = own;
	}
	if (domain_normalize(span_string(name), dmtpd->hostname))
		return 0;
	return fault_set(fault, ERR_CONFIG, name == own
	    ? "the system's host name \"%s\" is not a full one: set hostname"
	    : "hostname: \"%s\" is not a full host name", name);
}

static int
open_keys(struct dmtpd *dmtpd, struct fault *fault)
{
	const struct config *config = dmtpd->config;
	const struct keys_settings settings = {
	    .database = config->keys_db,
	    .master_key_file = "", /* it must not be able to sign */
	    .transport_key_file = config->transport_key_file,
	    .create = false,
	    .clock = &clock_system,
	};

	return keys_open(&settings, &dmtpd->keys, fault);
}

static int
open_tls(struct dmtpd *dmtpd, struct fault *fault)
{
	const struct config *config = dmtpd->config;
	struct identities identities;
	int err;

	err = identities_read(config, &identities, fault);
	if (err == 0)
		err = tls_server_new(identities.items, identities.count,
		    &dmtpd->tls_server, fault);
	identities_free(&identities);
	return err != 0 ? err
	    : tls_client_new(config->ca_file, &dmtpd->tls_client, fault);
}

/* Only dime-policyd resolves names. */
static int
find_addresses(void *context, const char *host, struct deadline deadline,
    struct facts_host *out, struct fault *fault)
{
	const struct dmtpd *dmtpd = context;
	const struct facts_request request = {.verb = FACTS_ADDRESSES,
	    .from = "", .to = host, .fingerprint = "",
	    .wait = deadline_left(deadline)};
	struct facts_answer answer;
	int err;

	facts_answer_init(&answer);
	err = facts_ask(dmtpd->facts, &request, &answer, fault);
	if (err == 0 && answer.err != 0)
		err = fault_set(fault, answer.err, "%s", answer.reason);
	if (err == 0 && answer.host_count == 0)
		err = fault_set(fault, ERR_PROTOCOL, "facts: no host");
	if (err == 0)
		*out = answer.hosts[0];
	facts_answer_free(&answer);
	return err;
}

static int
open_revocation(struct dmtpd *dmtpd, struct fault *fault)
{
	const struct address_source addresses = {dmtpd, find_addresses};
	int err = revocation_new(&addresses, &clock_system,
	    &dmtpd->revocation);

	return err == 0 ? 0
	                : fault_set(fault, err, "libcurl: %s",
	                      error_row(err)->text);
}

/* What -n checks: all that can be wrong without making a file or socket. */
static int
prepare(struct dmtpd *dmtpd, struct fault *fault)
{
	int err;

	if ((err = set_hostname(dmtpd, fault)) != 0 ||
	    (err = front_routes_read(dmtpd, fault)) != 0 ||
	    (err = crypto_start(fault)) != 0 ||
	    (err = open_keys(dmtpd, fault)) != 0)
		return err;
	return open_tls(dmtpd, fault);
}

static int
listen_everywhere(struct dmtpd *dmtpd, struct fault *fault)
{
	const struct config *config = dmtpd->config;
	int err;

	err = server_listen_unix(dmtpd->server, config->lmtp_socket,
	    (unsigned int)config->socket_mode, config->socket_group,
	    agent_serve, dmtpd, fault);
	for (size_t i = 0; i < config->listen.count && err == 0; i++)
		err = server_listen_tcp(dmtpd->server, config->listen.items[i],
		    (unsigned int)config->listen_port, dmtp_session_serve,
		    dmtpd, fault);
	for (size_t i = 0; i < dmtpd->route_count && err == 0; i++)
		err = server_listen_tcp(dmtpd->server, dmtpd->routes[i].address,
		    dmtpd->routes[i].port, front_serve, &dmtpd->routes[i],
		    fault);
	return err;
}

/* ---- reload ---- */

static int
reload_certificates(struct dmtpd *dmtpd, const struct config *config,
    struct fault *fault)
{
	struct identities identities;
	int err = identities_read(config, &identities, fault);

	if (err == 0)
		err = tls_server_reload(dmtpd->tls_server, identities.items,
		    identities.count, fault);
	identities_free(&identities);
	return err;
}

/* A bad file, or a bad certificate, leaves in force what was. */
static void
reload(void *context)
{
	struct dmtpd *dmtpd = context;
	struct server_limits limits;
	struct config *config;
	struct fault fault;
	int err;

	log_reopen();
	err = config_load(dmtpd->config_path, CONFIG_DMTPD, &config, &fault);
	if (err == 0)
		err = reload_certificates(dmtpd, config, &fault);
	if (err != 0) {
		log_note(LOG_ERR, "reload", "refused: %s", fault.text);
		config_free(config);
		return;
	}
	dmtpd_set_live(dmtpd, config);
	limits = limits_of(config);
	server_set_limits(dmtpd->server, &limits);
	config_free(config);
	pool_clear(dmtpd->pool);
	log_note(LOG_INFO, "reload", "done");
}

/* ---- run ---- */

static void
stop(void *context)
{
	struct dmtpd *dmtpd = context;

	pool_stop(dmtpd->pool);
}

static int
make_parts(struct dmtpd *dmtpd, struct fault *fault)
{
	int err = pool_new(POOL_IDLE_TIME, &dmtpd->pool);

	if (err == 0)
		err = facts_client_new(dmtpd->config->facts_socket,
		    dmtpd->config->connection_limit, &clock_system,
		    &dmtpd->facts);
	dmtpd->backoff = backoff_new(&clock_system);
	dmtpd->underway = underway_new();
	dmtpd->rates = rates_new(&clock_system);
	if (err == 0 && (dmtpd->backoff == NULL || dmtpd->underway == NULL ||
	                    dmtpd->rates == NULL))
		err = ERR_MEMORY;
	return err == 0 ? 0 : fault_set(fault, err, "%s", "");
}

static int
start_spreading(struct dmtpd *dmtpd, struct fault *fault)
{
	const int err = spreader_new(dmtpd, &dmtpd->spreader);

	return err == 0 ? 0 : fault_set(fault, err, "a thread: %s",
	                          error_row(err)->text);
}

static int
serve(struct dmtpd *dmtpd, struct fault *fault)
{
	const struct server_limits limits = limits_of(dmtpd->config);
	struct log_line line;
	int err;

	err = server_new(&limits, reload, front_refuse, dmtpd,
	    &dmtpd->server);
	if (err != 0)
		return fault_set(fault, err, "%s", "");
	server_set_on_stop(dmtpd->server, stop);
	if ((err = make_parts(dmtpd, fault)) != 0 ||
	    (err = prepare(dmtpd, fault)) != 0 ||
	    (err = open_revocation(dmtpd, fault)) != 0 ||
	    (err = state_open(dmtpd->config->state_db, STATE_MODE,
	         &clock_system, &dmtpd->state, fault)) != 0 ||
	    (err = listen_everywhere(dmtpd, fault)) != 0 ||
	    (err = start_spreading(dmtpd, fault)) != 0)
		return err;
	log_begin(&line, LOG_INFO, "ready");
	log_text(&line, "host", dmtpd->hostname);
	log_number(&line, "port", dmtpd->config->listen_port);
	log_end(&line);
	server_run(dmtpd->server, GRACE);
	log_note(LOG_INFO, "stopped", "%s", "all connections have ended");
	return 0;
}

static void
free_all(struct dmtpd *dmtpd)
{
	spreader_free(dmtpd->spreader);
	server_free(dmtpd->server);
	pool_free(dmtpd->pool);
	tls_free(dmtpd->tls_server);
	tls_free(dmtpd->tls_client);
	revocation_free(dmtpd->revocation);
	facts_client_free(dmtpd->facts);
	keys_close(dmtpd->keys);
	state_close(dmtpd->state);
	backoff_free(dmtpd->backoff);
	underway_free(dmtpd->underway);
	rates_free(dmtpd->rates);
	free(dmtpd->routes);
	share_end(&dmtpd->data_memory);
	share_end(&dmtpd->questions[0]);
	share_end(&dmtpd->questions[1]);
	pthread_mutex_destroy(&dmtpd->live_lock);
}

static int
usage(void)
{
	fprintf(stderr, "usage: dmtpd [-n] [-c FILE]\n");
	return EX_USAGE;
}

int
main(int argc, char **argv)
{
	struct dmtpd dmtpd = {.config_path = default_config};
	struct config *config = NULL;
	bool check_only = false;
	struct fault fault;
	int err, option;

	allocator_start();
	opterr = 0; /* the usage says it, in one line */
	while ((option = getopt(argc, argv, "c:n")) != -1) {
		if (option == 'c')
			dmtpd.config_path = optarg;
		else if (option == 'n')
			check_only = true;
		else
			return usage();
	}
	if (optind != argc)
		return usage();
	pthread_mutex_init(&dmtpd.live_lock, NULL);
	share_start(&dmtpd.data_memory);
	share_start(&dmtpd.questions[0]);
	share_start(&dmtpd.questions[1]);
	err = config_load(dmtpd.config_path, CONFIG_DMTPD, &config, &fault);
	if (err == 0) {
		dmtpd.config = config;
		dmtpd_set_live(&dmtpd, config);
		err = check_only ? prepare(&dmtpd, &fault)
				 : config_open_log(config, "dmtpd", &fault);
	}
	if (err == 0 && !check_only)
		err = serve(&dmtpd, &fault);
	if (err != 0)
		fprintf(stderr, "dmtpd: %s\n", fault_text(&fault, err));
	free_all(&dmtpd);
	config_free(config);
	return err == 0 ? EX_OK : error_row(err)->exit_status;
}
