/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/policy_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "policy/purge.h"
#include "policy/suffix.h"

enum { ORG = 1, USER, OTHER };

static const uint8_t scalar[CRYPTO_SCALAR] = {4};

/* ---- time ---- */

/* The process has one; it is moved between questions only. */
static _Atomic int64_t wall = 1800000000;

static int64_t
world_wall(const struct clock *clock)
{
	return atomic_load(&wall);
}

static int64_t
world_monotonic(const struct clock *clock)
{
	return clock_monotonic(&clock_system);
}

const struct clock world_clock = {world_wall, world_monotonic};

void
world_pass(struct world *world, int64_t seconds)
{
	atomic_fetch_add(&wall, seconds);
}

int64_t
world_now(struct world *world)
{
	return atomic_load(&wall);
}

/* ---- DNS ---- */

static struct dns_reply *
reply_of(const struct world_zone *zone)
{
	uint8_t octets[3][256];
	struct span data[3];
	struct dns_reply *reply;
	size_t count = 0;

	for (; count < COUNT(zone->texts) && zone->texts[count] != NULL;
	     count++) {
		const size_t length = strlen(zone->texts[count]);

		assert_true(length < sizeof(octets[0]));
		octets[count][0] = (uint8_t)length;
		memcpy(octets[count] + 1, zone->texts[count], length);
		data[count] = span_of(octets[count], length + 1);
	}
	reply = dns_reply_copy(zone->answer, data, count);
	assert_non_null(reply);
	reply->ttl = zone->ttl;
	reply->anchored = !zone->not_anchored;
	return reply;
}

static void
dns_ask(void *context, const char *name, enum dns_type type, dns_done *done,
    void *done_context)
{
	struct world *world = context;
	struct world_zone zone = {.answer = DNS_ABSENT_PROVEN, .ttl = 600};
	struct dns_reply *reply;

	assert_int_equal(type, DNS_TYPE_TXT);
	assert_memory_equal(name, "_dime.", 6);
	pthread_mutex_lock(&world->lock);
	world->asked++;
	for (size_t i = 0; i < world->zone_count; i++)
		if (strcmp(world->zones[i].domain, name + 6) == 0)
			zone = world->zones[i];
	if (world->dns_silent) {
		assert_true(world->silent_count < COUNT(world->silent));
		world->silent[world->silent_count].done = done;
		world->silent[world->silent_count++].context = done_context;
		pthread_mutex_unlock(&world->lock);
		return;
	}
	pthread_mutex_unlock(&world->lock);
	reply = reply_of(&zone);
	done(done_context, reply);
}

static int64_t
dns_last_answer(void *context)
{
	struct world *world = context;

	return clock_monotonic(&clock_system) -
	    (world->dns_dead ? 60000 : 0);
}

static void
dns_forget(void *context)
{
}

void
world_set_zone(struct world *world, struct world_zone zone)
{
	size_t i = 0;

	pthread_mutex_lock(&world->lock);
	while (i < world->zone_count &&
	    strcmp(world->zones[i].domain, zone.domain) != 0)
		i++;
	assert_true(i < COUNT(world->zones));
	world->zones[i] = zone;
	if (i == world->zone_count)
		world->zone_count++;
	pthread_mutex_unlock(&world->lock);
}

void
world_clear_zones(struct world *world)
{
	pthread_mutex_lock(&world->lock);
	world->zone_count = 0;
	pthread_mutex_unlock(&world->lock);
}

void
world_set_record(struct world *world, const char *domain,
    enum dns_answer answer, const char *fields)
{
	static char texts[8][256];
	static size_t next;
	char *text = texts[next++ % COUNT(texts)];

	snprintf(text, sizeof(texts[0]), "%s %s",
	    buffer_string(&world->record), fields);
	world_set_zone(world,
	    (struct world_zone){domain, answer, 600, {text}, false});
}

void
world_say(struct world *world, const char *domain, enum world_dns dns,
    const char *record)
{
	static const struct {
		enum dns_answer answer;
		const char *text; /* NULL: none; "": the record */
	} says[SAYS_STATES] = {
	    [SAYS_SECURE] = {DNS_PRESENT_SECURE, ""},
	    [SAYS_INSECURE] = {DNS_PRESENT_INSECURE, ""},
	    [SAYS_ABSENT_PROVEN] = {DNS_ABSENT_PROVEN, NULL},
	    [SAYS_ABSENT_INSECURE] = {DNS_ABSENT_INSECURE, NULL},
	    [SAYS_BOGUS] = {DNS_BOGUS, NULL},
	    [SAYS_UNREACHABLE] = {DNS_UNREACHABLE, NULL},
	    [SAYS_MALFORMED] = {DNS_PRESENT_SECURE, "pok=x"},
	    [SAYS_UNPROVEN] = {DNS_PRESENT_INSECURE, "v=spf1 -all"},
	};
	const char *text = says[dns].text;
	struct world_zone zone = {.domain = domain,
	    .answer = says[dns].answer, .ttl = 60,
	    .not_anchored = dns == SAYS_UNPROVEN};

	if (text != NULL)
		zone.texts[0] = *text == '\0' ? record : text;
	world_set_zone(world, zone);
}

void
world_populate(struct world *world)
{
	world_set_record(world, "mixed.test", DNS_PRESENT_SECURE, "pol=mixed");
	world_set_record(world, "strict.example", DNS_PRESENT_SECURE,
	    "pol=strict");
	world_set_record(world, "experimental.test", DNS_PRESENT_SECURE,
	    "pol=experimental");
	world_set_zone(world, (struct world_zone){"bogus.test", DNS_BOGUS, 60,
	    {NULL}, false});
	world_set_zone(world, (struct world_zone){"unsigned.test",
	    DNS_ABSENT_INSECURE, 600, {NULL}, false});
}

/* ---- peers ---- */

struct world_seed
world_seed(uint8_t number)
{
	return (struct world_seed){{number}};
}

static struct signet *
parse(struct buffer *binary)
{
	struct signet *signet = NULL;

	assert_int_equal(signet_parse(buffer_span(binary), &signet, NULL), 0);
	buffer_free(binary);
	return signet;
}

struct signet *
world_org_signet(const char *domain, uint8_t org)
{
	return world_org_signet_with(domain, org, NULL);
}

struct signet *
world_org_signet_with(const char *domain, uint8_t org,
    const struct signet_sok *sok)
{
	const struct world_seed seed = world_seed(org);
	uint8_t pok[CRYPTO_SIGN_PUBLIC], point[CRYPTO_POINT];
	struct buffer binary = buffer_make(1 << 16);

	crypto_ed25519_public(seed.octets, pok);
	assert_int_equal(crypto_point_public(scalar, point), 0);
	assert_int_equal(signet_make_org(LAYOUT_STANDARD, pok,
	                     signer_of_seed(seed.octets), sok, sok != NULL,
	                     point, domain, NULL, 0, &binary, NULL), 0);
	return parse(&binary);
}

struct signet *
world_user_signet(const char *address, uint8_t org, uint8_t user,
    uint8_t previous)
{
	const struct world_seed org_seed = world_seed(org);
	const struct world_seed seed = world_seed(user);
	const struct world_seed before_seed = world_seed(previous);
	const struct signer before = signer_of_seed(before_seed.octets);
	uint8_t signing[CRYPTO_SIGN_PUBLIC], point[CRYPTO_POINT];
	struct buffer request = buffer_make(1 << 16);
	struct buffer binary = buffer_make(1 << 16);
	struct signet *ssr, *old = NULL;

	crypto_ed25519_public(seed.octets, signing);
	assert_int_equal(crypto_point_public(scalar, point), 0);
	assert_int_equal(signet_make_ssr(LAYOUT_STANDARD, signing,
	                     signer_of_seed(seed.octets), point,
	                     previous == 0 ? NULL : &before, &request, NULL),
	    0);
	ssr = parse(&request);
	if (previous != 0)
		old = world_user_signet(address, org, previous, 0);
	assert_int_equal(signet_make_user(ssr, old,
	                     signer_of_seed(org_seed.octets), address, NULL, 0,
	                     &binary, NULL), 0);
	signet_free(old);
	signet_free(ssr);
	return parse(&binary);
}

static int
answer_org(enum world_peer peer, const struct fetch_wish *wish,
    struct fetch_result *result, struct fault *fault)
{
	char fingerprint[SIGNET_FINGERPRINT_SIZE];

	if (peer == WORLD_ORG_UNKNOWN)
		return fault_set(fault, ERR_UNKNOWN_ADDRESS, "SGNT: 576");
	result->org = world_org_signet(wish->organization,
	    peer == WORLD_OTHER_ORG ? OTHER : ORG);
	signet_org_fingerprint(result->org, fingerprint);
	if (*wish->org_fingerprint == '\0' ||
	    strcmp(fingerprint, wish->org_fingerprint) == 0)
		return 0;
	signet_free(result->org);
	result->org = NULL;
	return fault_set(fault, ERR_UNKNOWN_ADDRESS, "SGNT: 576");
}

static int
answer_user(enum world_peer peer, const struct fetch_wish *wish,
    struct fetch_result *result, struct fault *fault)
{
	if (peer == WORLD_NOT_ENABLED)
		return fault_set(fault, ERR_NOT_ENABLED, "SGNT: 476");
	if (peer == WORLD_UNKNOWN)
		return fault_set(fault, ERR_UNKNOWN_ADDRESS, "SGNT: 576");
	result->user = world_user_signet(
	    peer == WORLD_OTHER_USER ? "eve@beta.test" : wish->user,
	    peer == WORLD_BAD_SIGNATURE ? OTHER : ORG, USER, 0);
	return 0;
}

static int
fetch(void *context, const struct fetch_wish *wish, struct deadline deadline,
    struct fetch_result *result, struct fault *fault)
{
	struct world *world = context;
	enum world_peer peer;
	int err = 0;

	*result = (struct fetch_result){0};
	pthread_mutex_lock(&world->lock);
	world->fetched++;
	while (world->gate_closed)
		pthread_cond_wait(&world->opened, &world->lock);
	peer = world->peer;
	result->confirmed = world->confirms;
	pthread_mutex_unlock(&world->lock);
	if (peer == WORLD_DEAD) {
		result->confirmed = false;
		return fault_set(fault, ERR_UNREACHABLE, "no host answers");
	}
	if (wish->org)
		err = answer_org(peer, wish, result, fault);
	if (err == 0 && *wish->user != '\0')
		err = answer_user(peer, wish, result, fault);
	return err;
}

void
world_open_gate(struct world *world)
{
	pthread_mutex_lock(&world->lock);
	world->gate_closed = false;
	pthread_cond_broadcast(&world->opened);
	pthread_mutex_unlock(&world->lock);
}

/* ---- the whole ---- */

static void
write_record(struct buffer *out)
{
	const struct world_seed seed = world_seed(ORG);
	char pok[BASE64_LENGTH(CRYPTO_SIGN_PUBLIC) + 1];
	uint8_t key[CRYPTO_SIGN_PUBLIC];

	crypto_ed25519_public(seed.octets, key);
	base64_encode(span_of(key, sizeof(key)), pok);
	*out = buffer_make(1000);
	buffer_printf(out, "pok=%s", pok);
}

static void
load_site(struct world *world, const char *directory, const char *settings)
{
	struct buffer text = buffer_make(1 << 16);
	struct config *config;
	struct fault fault;
	struct site *site = NULL;
	char path[300];

	snprintf(path, sizeof(path), "%s/conf", directory);
	buffer_append_string(&text, "domains = {\"alpha.test\"}\n"
	    "local_domains = {\"local.test\", \"localhost\"}\n"
	    "trust_anchor_file = \"/dev/null\"\nca_file = \"\"\n");
	buffer_append_string(&text, settings);
	assert_int_equal(file_write(path, buffer_span(&text), 0600, true,
	                     &fault), 0);
	if (config_load(path, CONFIG_POLICYD, &config, &fault) != 0 ||
	    site_new(config, &site, &fault) != 0)
		fail_msg("%s", fault.text);
	assert_int_equal(sites_new(site, &world->policyd.sites), 0);
	buffer_free(&text);
}

static void
start_knowledge(struct world *world, bool sessions)
{
	struct policyd *policyd = &world->policyd;
	const struct site *site = sites_hold(policyd->sites);
	struct domains_settings domains = {
	    .memory = policyd->memory,
	    .cache = policyd->cache,
	    .state = policyd->state,
	    .dns = policyd->dns,
	    .work = world->work,
	    .record_type = (enum dns_type)site->config->record_type,
	    .dx_records = site->config->read_dx_records,
	    .clock = &world_clock,
	};
	struct signets_settings signets = {
	    .memory = policyd->memory,
	    .cache = policyd->cache,
	    .sites = policyd->sites,
	    .state = policyd->state,
	    .fetch = {world, fetch},
	    .clock = &world_clock,
	};

	assert_int_equal(suffixes_new(site->config->public_suffix_file,
	                     &policyd->suffixes, NULL), 0);
	sites_release(site);
	domains.suffixes = policyd->suffixes;
	assert_int_equal(domains_new(&domains, &policyd->domains), 0);
	if (sessions) {
		assert_int_equal(fetcher_new(&policyd->dns, policyd->sites,
		                     policyd->domains, &world_clock,
		                     &world->fetcher, NULL), 0);
		signets.fetch = fetcher_source(world->fetcher);
	}
	signets.domains = policyd->domains;
	signets.suffixes = policyd->suffixes;
	assert_int_equal(signets_new(&signets, &policyd->signets), 0);
	assert_int_equal(patience_new(&world_clock, &policyd->patience), 0);
	assert_int_equal(purges_new(&policyd->purges), 0);
}

struct world *
world_of_parts(const struct world_parts *parts)
{
	struct world *world = calloc(1, sizeof(*world));
	static char directory[] = "/tmp/dime-policy-XXXXXX";
	static int number;
	struct policyd *policyd = &world->policyd;
	struct fault fault;
	char path[300];

	assert_non_null(world);
	if (number++ == 0)
		unit_directory(directory);
	pthread_mutex_init(&world->lock, NULL);
	pthread_cond_init(&world->opened, NULL);
	world->confirms = true;
	write_record(&world->record);
	load_site(world, directory, parts->settings);
	snprintf(path, sizeof(path), "%s/state%d.db", directory, number);
	if (state_open(parts->state_path == NULL ? path : parts->state_path,
	        0600, &world_clock, &policyd->state, &fault) != 0)
		fail_msg("%s", fault.text);
	policyd->clock = &world_clock;
	policyd->cache = parts->cache;
	policyd->dns = (struct dns_source){world, dns_ask, dns_last_answer,
	    dns_forget};
	if (parts->dns != NULL)
		policyd->dns = *parts->dns;
	assert_int_equal(memory_new(8 << 20, &world_clock, &policyd->memory),
	    0);
	assert_int_equal(work_new(4, &world->work), 0);
	start_knowledge(world, parts->sessions);
	return world;
}

struct world *
world_new(const char *settings)
{
	const struct world_parts parts = {.settings = settings};

	return world_of_parts(&parts);
}

/* Whoever still waits gets no answer, and whoever asks from now on gets one. */
static void
break_silence(struct world *world)
{
	pthread_mutex_lock(&world->lock);
	world->dns_silent = false;
	pthread_mutex_unlock(&world->lock);
	for (size_t i = 0; i < world->silent_count; i++)
		world->silent[i].done(world->silent[i].context, NULL);
}

void
world_free(struct world *world)
{
	struct policyd *policyd = &world->policyd;

	world_open_gate(world);
	break_silence(world);
	assert_true(signets_drain(policyd->signets, deadline_in(20000)));
	assert_true(domains_drain(policyd->domains, deadline_in(20000)));
	signets_free(policyd->signets);
	fetcher_free(world->fetcher);
	work_free(world->work);
	domains_free(policyd->domains);
	suffixes_free(policyd->suffixes);
	patience_free(policyd->patience);
	purges_free(policyd->purges);
	memory_free(policyd->memory);
	state_close(policyd->state);
	sites_free(policyd->sites);
	buffer_free(&world->record);
	pthread_cond_destroy(&world->opened);
	pthread_mutex_destroy(&world->lock);
	free(world);
}
