/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/pool_world.h"

static char directory[64] = "/tmp/dimegate-unit-XXXXXX";
static EVP_PKEY *authority_key, *host_key;
static struct unit_certificate authority, good;

struct tls_context *client;
struct record signing, other_signing, without_tls;
struct unit_host *host;

void
make_certificate(const char *name, int seconds, struct unit_certificate *out)
{
	const struct unit_certificate_wish wish = {.name = name,
	    .key = seconds == 0 ? authority_key : host_key,
	    .names = seconds == 0 ? NULL : "DNS:dx.beta.test",
	    .days = seconds == 0 ? 100 : 0, .seconds = seconds,
	    .authority = seconds == 0,
	    .issuer = seconds == 0 ? NULL : &authority};

	unit_certificate_make(directory, &wish, out);
}

static void
make_record(struct record *record, size_t tls_count, uint8_t change)
{
	static const uint8_t seed[CRYPTO_SEED] = {1};

	*record = (struct record){.pok_count = 1, .policy = RECORD_MIXED,
	    .tls_count = tls_count};
	crypto_ed25519_public(seed, record->poks[0]);
	crypto_ed25519_sign(seed, buffer_span(&good.der), record->tls[0]);
	record->tls[0][0] ^= change;
}

struct peer_target
usual_target(void)
{
	return (struct peer_target){.host = "dx.beta.test",
	    .domain = "beta.test", .address = "127.0.0.1",
	    .port = unit_host_port(host), .source = "", .record = &signing,
	    .record_secure = true};
}

struct pool_wish
usual_wish(const struct peer_target *target)
{
	return (struct pool_wish){.target = target, .origin = "alpha.test A",
	    .limit = 20};
}

struct pool *
fresh_pool(int64_t idle_time)
{
	struct pool *pool;

	assert_int_equal(pool_new(idle_time, &pool), 0);
	return pool;
}

void
enter(struct pool *pool, struct pool_visit *visit,
    const struct pool_wish *wish)
{
	assert_int_equal(pool_enter(pool, visit, wish, deadline_in(LONG),
	    NULL), 0);
}

struct peer *
open_new(const struct peer_target *target)
{
	struct fault fault = {0};
	struct peer *peer;

	if (peer_open(target, client, deadline_in(LONG), &peer, &fault) != 0)
		fail_msg("%s", fault.text);
	return peer;
}

void
leave_idle(struct pool *pool, const struct pool_wish *wish)
{
	struct pool_visit visit;

	enter(pool, &visit, wish);
	assert_null(pool_take(pool, &visit));
	pool_leave(pool, &visit, open_new(wish->target));
}

bool
deliver(struct pool *pool, const struct pool_wish *wish)
{
	const struct peer_mail mail = {.helo = "mail.alpha.test",
	    .origin = "alpha.test", .origin_fingerprint = "A",
	    .destination = "beta.test", .destination_fingerprint = "B",
	    .armor = span_string("armor\n")};
	struct pool_visit visit;
	struct peer_reply reply;
	struct peer *peer;
	bool again;

	enter(pool, &visit, wish);
	while ((peer = pool_take(pool, &visit)) != NULL &&
	    peer_again(peer, wish->target, deadline_in(LONG), NULL) != 0)
		peer_close(peer);
	again = peer != NULL;
	if (!again)
		peer = open_new(wish->target);
	peer_reply_init(&reply);
	assert_int_equal(peer_deliver(peer, &mail, &reply, NULL), 0);
	peer_reply_free(&reply);
	pool_leave(pool, &visit, peer);
	return again;
}

int
pool_world_start(void **state)
{
	if (unit_start(state) != 0)
		return -1;
	unit_directory(directory);
	authority_key = unit_key(2048);
	host_key = unit_key(2048);
	make_certificate("authority", 0, &authority);
	make_certificate("good", 100 * 86400, &good);
	make_record(&signing, 1, 0);
	make_record(&other_signing, 1, 1);
	make_record(&without_tls, 0, 0);
	return tls_client_new(authority.certificate_path, &client, NULL);
}

int
pool_world_end(void **state)
{
	tls_free(client);
	unit_certificate_free(&authority);
	unit_certificate_free(&good);
	EVP_PKEY_free(authority_key);
	EVP_PKEY_free(host_key);
	return unit_end(state);
}

int
pool_host_start(void **state)
{
	host = unit_host_start(&good);
	return 0;
}

int
pool_host_end(void **state)
{
	unit_host_end(host);
	return 0;
}
