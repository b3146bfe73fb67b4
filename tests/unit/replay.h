/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_REPLAY_H
#define DIME_TESTS_UNIT_REPLAY_H

#include "tests/unit/policy_world.h"
#include "tests/unit/unit_ocsp.h"
#include "tests/unit/unit_redis.h"
#include "tests/unit/unit_tls.h"

/*
 * The machine behind tests/replay, whose README says what a replay file may
 * hold. It runs whole policyds (policy_world.h) on scripted DNS, on peers'
 * hosts that speak DMTP over TLS on loopback, and on a Redis of its own.
 * Anything wrong with a file, as anything that is not as expected, ends its
 * test with the line's number.
 */

enum { REPLAY_WORDS = 128, REPLAY_NODES = 4 };

struct replay_word {
	struct buffer text; /* a NUL follows it */
	bool quoted;
};

/* A step: its words, those behind `=>` apart. */
struct replay_step {
	int line;
	size_t count, expected_count;
	struct replay_word words[REPLAY_WORDS], expected[REPLAY_WORDS];
};

struct replay_node {
	char name[32];
	struct world *world;
	struct cache *cache; /* NULL: no Redis in this replay */
};

struct replay {
	const char *path;
	int line;
	char directory[200], log[220];
	long log_seen; /* octets that `logged` steps have been through */
	/* On which peers listen: in place of 26, 25 and 587. */
	unsigned int port, mx_port, submission_port;
	struct responder *responder; /* or NULL */
	struct buffer config;
	struct replay_dns *dns;
	struct replay_peers *peers;
	struct unit_redis *redis; /* the group's; NULL: not installed */
	bool with_redis, frozen;
	struct replay_node nodes[REPLAY_NODES], *here;
	size_t node_count;
};

/* Ends the test. */
void replay_fail(const struct replay *replay, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/* ---- replay_text.c: the grammar ---- */

/*
 * The next step of the text, whose words replay_step_free() frees; false at the
 * end. What stands between %{ and } in quotes is replaced.
 */
bool replay_read_step(struct replay *replay, struct span *rest,
    struct replay_step *step);
void replay_step_free(struct replay_step *step);

/* The word at `index`, which must be there. */
const char *replay_word(const struct replay *replay,
    const struct replay_step *step, size_t index);

/* "90", "90s", "15m", "6h", "30d": seconds. */
int64_t replay_seconds(const struct replay *replay, const char *text);
int64_t replay_number(const struct replay *replay, const char *text);

/* ---- replay_dns.c: what DNS says ---- */

struct replay_dns *replay_dns_new(void);
void replay_dns_free(struct replay_dns *dns);
struct dns_source replay_dns_source(struct replay_dns *dns);

/* `dns NAME TYPE ANSWER [TTL] [DATA...]`; `add`: a further record. */
void replay_dns_set(struct replay *replay, const struct replay_step *step,
    bool add);

enum replay_network { REPLAY_UP, REPLAY_DOWN, REPLAY_SILENT };
void replay_dns_network(struct replay_dns *dns, enum replay_network network);
/* Whether some question has no answer yet and never will by itself. */
bool replay_dns_is_waiting(struct replay_dns *dns);

/* Appends the questions about records since the last call, as `NAME` or
 * `NAME/TYPE`, each followed by a space. */
void replay_dns_asked(struct replay_dns *dns, struct buffer *out);

/* ---- replay_says.c: what peers say ---- */

/* The answer to a command that begins so. */
struct replay_saying {
	char command[300];
	struct buffer text; /* lines with LF */
	bool silent, closes;
};

/* The words of a step from `at` on, as tests/replay/README.md has them. */
void replay_saying_read(const struct replay *replay,
    const struct replay_step *step, size_t at, struct replay_saying *saying);

/* A signet, armored, as a reply of so many lines; frees it. */
void replay_listing(struct signet *signet, int code, struct buffer *out);

/* ---- replay_responder.c: an OCSP responder ---- */

/* `responder ADDRESS`, `responder says MODE`. Certificates name ocsp.test. */
void replay_responder_set(struct replay *replay,
    const struct replay_step *step);
int replay_responder_asked(struct replay *replay);
void replay_responder_end(struct replay *replay);

/* ---- replay_peers.c: peers' hosts ---- */

/* The authority that signs, and where there is room for files. */
const struct unit_certificate *replay_issuer(void);
const char *replay_directory(void);

/* Once for all replays: keys and the certificate authority. */
void replay_peers_start(void);
void replay_peers_end(void);
const char *replay_authority(void); /* path of its certificate */

struct replay_peers *replay_peers_new(void);
/* Ends all sessions first. */
void replay_peers_free(struct replay_peers *peers);
void replay_peers_stop(struct replay_peers *peers);

/* `peer HOST ADDRESS [CERTIFICATE]`, `peer HOST says ...` and so on. */
void replay_peers_set(struct replay *replay, const struct replay_step *step);

/* The commands, or the number of sessions, since the last call. */
void replay_peers_heard(struct replay *replay, const char *host,
    struct buffer *out);
int replay_peers_sessions(struct replay *replay, const char *host);

/* The base64 of a `tls` value for the host's certificate by that key. */
void replay_peers_sign(struct replay *replay, const char *host, uint8_t key,
    struct buffer *out);

/* ---- replay_redis.c: what happens to Redis ---- */

/* The site's. */
extern const uint8_t replay_cache_key[32];

/* `redis up` and so on. */
void replay_redis_set(struct replay *replay, const struct replay_step *step);

/* ---- replay_steps.c: what happens ---- */

void replay_do(struct replay *replay, const struct replay_step *step);

/* Where the steps take place; started when it was not yet. */
struct replay_node *replay_here(struct replay *replay);
void replay_node_stop(struct replay_node *node);

/* ---- replay_expect.c: what is expected ---- */

/* The answer to a step of a verb of the facts socket. */
void replay_expect_answer(struct replay *replay,
    const struct replay_step *step, const struct facts_answer *answer);

/* Each expected word against the lines `name value` of a text. */
void replay_expect_lines(struct replay *replay,
    const struct replay_step *step, struct span lines);

/* The expected words, in order and with nothing else, are the words of a text.
 */
void replay_expect_words(struct replay *replay,
    const struct replay_step *step, struct span text);

/* A line of the log since the last such step has the event and all of the
 * expected words; or, with `absent`, no line has. */
void replay_expect_logged(struct replay *replay,
    const struct replay_step *step, bool absent);

#endif
