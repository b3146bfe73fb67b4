/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"
#include "base/log.h"
#include "crypto/secret.h"
#include "policy/claim.h"
#include "policy/daemon.h"
#include "policy/listen.h"
#include "policy/purge.h"
#include "policy/suffix.h"
#include "policy/tend.h"

enum {
	STATE_MODE = 0660, /* state.db is shared by the programs */
	WORKERS = 8,
	REDIS_CONNECTIONS = 16,
	PASSWORD_LIMIT = 1024,
	GRACE = 500,  /* milliseconds for connections to end */
	DRAIN = 2000, /* likewise for what is in the air */
};

/* ---- configuration ---- */

static int
load_site(const char *path, struct site **out, struct fault *fault)
{
	struct config *config;
	int err;

	*out = NULL;
	err = config_load(path, CONFIG_POLICYD, &config, fault);
	if (err != 0)
		return err;
	err = site_new(config, out, fault);
	if (err != 0) {
		config_free(config);
		fault_wrap(fault, "%s", path);
	}
	return err;
}

static void
warn(const char *text)
{
	log_note(LOG_WARNING, "configuration", "%s", text);
}

static bool
has_redis(const struct config *config)
{
	return *config->redis_socket != '\0' || *config->redis_host != '\0' ||
	    config->redis_sentinels.count > 0;
}

static int
check_redis(const struct config *config, struct fault *fault)
{
	const bool sentinels = config->redis_sentinels.count > 0;

	if (sentinels && (*config->redis_socket != '\0' ||
	        *config->redis_host != '\0'))
		return fault_set(fault, ERR_CONFIG, "redis_sentinels: then "
		    "redis_socket and redis_host must be empty");
	if (sentinels != (*config->redis_master != '\0'))
		return fault_set(fault, ERR_CONFIG,
		    "redis_sentinels and redis_master go together");
	if (*config->redis_user != '\0' &&
	    *config->redis_password_file == '\0')
		return fault_set(fault, ERR_CONFIG,
		    "redis_user: needs redis_password_file");
	return 0;
}

static int
read_password(const char *path, struct buffer *out, struct fault *fault)
{
	int err;

	if (*path == '\0')
		return 0;
	err = file_read_secret(path, true, out, fault);
	while (err == 0 && out->length > 0 &&
	    strchr("\r\n", out->data[out->length - 1]) != NULL)
		out->length--;
	return err;
}

static int
read_redis_secrets(struct daemon *daemon, const struct config *config,
    struct fault *fault)
{
	int err;

	daemon->redis_password = buffer_make(PASSWORD_LIMIT);
	daemon->sentinel_password = buffer_make(PASSWORD_LIMIT);
	if ((err = check_redis(config, fault)) != 0 || !has_redis(config))
		return err;
	err = secret_read_key(config->cache_key_file, true,
	    &daemon->cache_key, fault);
	if (err == 0)
		err = read_password(config->redis_password_file,
		    &daemon->redis_password, fault);
	if (err == 0)
		err = read_password(config->redis_sentinel_password_file,
		    &daemon->sentinel_password, fault);
	return err;
}

int
daemon_check(const char *config_path, struct fault *fault)
{
	struct daemon daemon = {.config_path = config_path};
	struct tls_context *tls = NULL;
	struct suffixes *suffixes = NULL;
	struct site *site;
	int err;

	err = load_site(config_path, &site, fault);
	if (err != 0)
		return err;
	if ((err = read_redis_secrets(&daemon, site->config, fault)) == 0 &&
	    (err = suffixes_new(site->config->public_suffix_file, &suffixes,
	         fault)) == 0 &&
	    (err = resolver_check(site->config, fault)) == 0)
		err = tls_client_new(site->config->ca_file, &tls, fault);
	if (err == 0)
		site_warn(site, warn);
	tls_free(tls);
	suffixes_free(suffixes);
	secret_free(daemon.cache_key);
	buffer_free(&daemon.redis_password);
	buffer_free(&daemon.sentinel_password);
	site_free(site);
	return err;
}

/* ---- signals ---- */

/* A bad file leaves in force what was. */
static void
reload(void *context)
{
	struct daemon *daemon = context;
	struct server_limits limits = {0};
	struct site *site;
	struct fault fault;

	log_reopen();
	if (load_site(daemon->config_path, &site, &fault) != 0) {
		log_note(LOG_ERR, "reload", "refused: %s", fault.text);
		return;
	}
	resolver_set_timeout(daemon->resolver, site->config->dns_timeout);
	limits.connections = (size_t)site->config->connection_limit;
	server_set_limits(daemon->server, &limits);
	site_warn(site, warn);
	sites_replace(daemon->policyd.sites, site);
	log_note(LOG_INFO, "reload", "done");
}

/* Whoever waits for a flight gets his answer now, and no more is asked on
 * connections that clients keep. */
static void
stop(void *context)
{
	struct daemon *daemon = context;

	server_end_input(daemon->server);
	signets_stop(daemon->policyd.signets);
	resolver_stop(daemon->resolver);
}

/* ---- start ---- */

static int
open_cache(struct daemon *daemon, const struct config *config,
    struct fault *fault)
{
	struct cache_settings settings = {
	    .socket = config->redis_socket,
	    .host = config->redis_host,
	    .port = (unsigned int)config->redis_port,
	    .sentinels = config->redis_sentinels.items,
	    .sentinel_count = config->redis_sentinels.count,
	    .master = config->redis_master,
	    .user = config->redis_user,
	    .database = (unsigned int)config->redis_database,
	    .timeout = (unsigned int)config->redis_timeout,
	    .clock = &clock_system,
	    .connections = REDIS_CONNECTIONS,
	};
	int err;

	err = read_redis_secrets(daemon, config, fault);
	if (err != 0 || !has_redis(config))
		return err;
	settings.key = daemon->cache_key;
	settings.password = buffer_string(&daemon->redis_password);
	settings.sentinel_password = buffer_string(&daemon->sentinel_password);
	if (settings.password == NULL || settings.sentinel_password == NULL)
		return fault_set(fault, ERR_MEMORY, "out of memory");
	err = cache_new(&settings, &daemon->policyd.cache);
	if (err == ERR_CONFIG)
		return fault_set(fault, err, "redis_socket is too long, or one "
		    "of redis_sentinels is neither HOST nor HOST@PORT");
	return err == 0 ? 0 : fault_set(fault, err, "redis: out of memory");
}

static int
start_knowledge(struct daemon *daemon, const struct config *config,
    struct fault *fault)
{
	struct policyd *policyd = &daemon->policyd;
	struct domains_settings domains = {
	    .memory = policyd->memory,
	    .cache = policyd->cache,
	    .state = policyd->state,
	    .dns = policyd->dns,
	    .work = daemon->work,
	    .suffixes = policyd->suffixes,
	    .record_type = (enum dns_type)config->record_type,
	    .dx_records = config->read_dx_records,
	    .clock = policyd->clock,
	};
	struct signets_settings signets = {
	    .memory = policyd->memory,
	    .cache = policyd->cache,
	    .sites = policyd->sites,
	    .state = policyd->state,
	    .clock = policyd->clock,
	};
	int err;

	if ((err = domains_new(&domains, &policyd->domains)) != 0)
		return fault_set(fault, err, "out of memory");
	err = fetcher_new(&policyd->dns, policyd->sites, policyd->domains,
	    policyd->clock, &daemon->fetcher, fault);
	if (err != 0)
		return err;
	signets.fetch = fetcher_source(daemon->fetcher);
	signets.domains = policyd->domains;
	signets.suffixes = policyd->suffixes;
	if ((err = signets_new(&signets, &policyd->signets)) != 0 ||
	    (err = patience_new(policyd->clock, &policyd->patience)) != 0 ||
	    (err = purges_new(&policyd->purges)) != 0)
		return fault_set(fault, err, "out of memory");
	return 0;
}

static int
start_parts(struct daemon *daemon, const struct config *config,
    struct fault *fault)
{
	struct policyd *policyd = &daemon->policyd;
	int err;

	if ((err = open_cache(daemon, config, fault)) != 0 ||
	    (err = state_open(config->state_db, STATE_MODE, policyd->clock,
	         &policyd->state, fault)) != 0)
		return err;
	if ((err = state_get_node(policyd->state, policyd->self.octets)) != 0)
		return fault_set(fault, err, "%s: %s", config->state_db,
		    error_row(err)->text);
	if ((err = memory_new((size_t)config->memory_cache_size,
	         policyd->clock, &policyd->memory)) != 0 ||
	    (err = work_new(WORKERS, &daemon->work)) != 0)
		return fault_set(fault, err, "%s", error_row(err)->text);
	if ((err = suffixes_new(config->public_suffix_file,
	         &policyd->suffixes, fault)) != 0 ||
	    (err = resolver_new(config, &daemon->resolver, fault)) != 0)
		return err;
	policyd->dns = resolver_source(daemon->resolver);
	return start_knowledge(daemon, config, fault);
}

static int
listen_all(struct daemon *daemon, const struct config *config,
    struct fault *fault)
{
	const unsigned int mode = (unsigned int)config->socket_mode;
	int err;

	err = server_listen_unix(daemon->server, config->facts_socket, mode,
	    config->socket_group, listen_facts, &daemon->policyd, fault);
	if (err == 0)
		err = server_listen_unix(daemon->server, config->map_socket,
		    mode, config->socket_group, listen_map, &daemon->policyd,
		    fault);
	return err;
}

static int
start_tending(struct daemon *daemon, struct fault *fault)
{
	const int err = tend_start(&daemon->policyd, &daemon->tending);

	return err == 0 ? 0 : fault_set(fault, err, "a thread: %s",
	                          error_row(err)->text);
}

/* main() says it on standard error in any case. */
static void
log_failure(const struct config *config, const struct fault *fault)
{
	if (strcmp(config->log_target, "stderr") != 0)
		log_note(LOG_ERR, "start", "failed: %s", fault->text);
}

int
daemon_start(struct daemon *daemon, const char *config_path,
    struct fault *fault)
{
	struct server_limits limits = {0};
	struct site *site;
	int err;

	*daemon = (struct daemon){.config_path = config_path};
	daemon->policyd.clock = &clock_system;
	err = load_site(config_path, &site, fault);
	if (err != 0)
		return err;
	err = sites_new(site, &daemon->policyd.sites);
	if (err != 0)
		return fault_set(fault, err, "out of memory");
	limits.connections = (size_t)site->config->connection_limit;
	err = server_new(&limits, reload, NULL, daemon, &daemon->server);
	if (err != 0)
		return fault_set(fault, err, "signals cannot be set up");
	server_set_on_stop(daemon->server, stop);
	/* No reload can happen yet: `site` stays in force. */
	if ((err = config_open_log(site->config, "dime-policyd", fault)) != 0)
		return err;
	site_warn(site, warn);
	if ((err = start_parts(daemon, site->config, fault)) != 0 ||
	    (err = listen_all(daemon, site->config, fault)) != 0 ||
	    (err = start_tending(daemon, fault)) != 0)
		log_failure(site->config, fault);
	return err;
}

void
daemon_run(struct daemon *daemon)
{
	log_note(LOG_INFO, "ready", "listening");
	server_run(daemon->server, GRACE);
	log_note(LOG_INFO, "stopped", "no more requests");
}

/* ---- end ---- */

bool
daemon_free(struct daemon *daemon)
{
	struct policyd *policyd = &daemon->policyd;
	const struct deadline deadline = deadline_in(DRAIN);

	server_free(daemon->server);
	periodic_free(daemon->tending);
	if (daemon->resolver != NULL)
		resolver_stop(daemon->resolver);
	if ((policyd->signets != NULL &&
	        !signets_drain(policyd->signets, deadline)) ||
	    (policyd->domains != NULL &&
	        !domains_drain(policyd->domains, deadline)))
		return false;
	signets_free(policyd->signets);
	fetcher_free(daemon->fetcher);
	resolver_free(daemon->resolver);
	work_free(daemon->work);
	domains_free(policyd->domains);
	suffixes_free(policyd->suffixes);
	patience_free(policyd->patience);
	purges_free(policyd->purges);
	memory_free(policyd->memory);
	cache_free(policyd->cache);
	state_close(policyd->state);
	sites_free(policyd->sites);
	secret_free(daemon->cache_key);
	buffer_free(&daemon->redis_password);
	buffer_free(&daemon->sentinel_password);
	return true;
}
