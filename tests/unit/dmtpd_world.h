/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_DMTPD_WORLD_H
#define DIME_TESTS_UNIT_DMTPD_WORLD_H

#include "tests/unit/unit.h"
#include "tests/unit/unit_tls.h"

#include "client/facts.h"
#include "dime/policy.h"
#include "keys/keys.h"
#include "keys/state.h"
#include "net/stream.h"

/*
 * One dmtpd, the real program in a process of its own, that serves alpha.test
 * and beta.test. Around it, in threads of the test, stand a dime-policyd and a
 * Postfix that do as they are told. `sealing` is the same key store as dmtpd's,
 * made before, plus users that dmtpd does not know.
 */

enum {
	WORLD_MESSAGE_LIMIT = 1 << 20,
	WORLD_MEMORY_LIMIT = 16 << 20,
	WORLD_PATIENCE = 20000, /* milliseconds, for a machine under load */
};

struct dmtpd_world {
	bool reseals; /* dmtpd has a DIME-RESEAL; set before the start */
	char directory[64];
	char config[128];
	unsigned int port;
	/* Of the front: for SMTP, what is behind it, and one with nothing. */
	unsigned int front_port, mta_port, dead_port;
	int process;
	struct keys *sealing;
	struct keys_org *alpha, *beta, *gamma;
	struct keys_user *alice, *bob;
	struct keys_user *carol; /* not in dmtpd's store */
	struct keys_user *dave;  /* there, but with other keys */
	struct keys_user *erin;  /* of gamma.test, which is not dmtpd's */
	/* The same in the libdime layout. */
	struct keys_org *libdime_alpha, *libdime_beta;
	struct keys_user *libdime_alice, *libdime_bob;
	/* The fingerprint of large.test's signet, of 6 megabytes. */
	char large[SIGNET_FINGERPRINT_SIZE];
	struct unit_certificate certificate; /* dmtpd's default */
	struct unit_certificate second; /* for mx.alpha.test */
	struct unit_certificate mta_certificate; /* of the SMTP server */
	struct tls_context *tls;
	struct state *state; /* dmtpd's own state.db */
};

extern struct dmtpd_world world;

/* Writes the configuration, with `more` at its end, and has dmtpd read it;
 * whether it did, or refused it. The usual one has no limits of rates. */
bool dmtpd_reload(const char *more);

/* Group fixtures. */
int dmtpd_world_start(void **state);
int dmtpd_world_end(void **state);

/* A path in the world's directory; good until three more are asked for. */
const char *world_path(const char *name);

/* ---- the neighbours: a policyd, and a Postfix (DIME-IN, DIME-RESEAL) ---- */

void neighbours_start(void);
void neighbours_end(void);

/* The layout in which policyd has the current signet of beta.test; any is found
 * by its fingerprint. */
void policyd_has(enum layout layout);

/* The stage at which policyd names a host of beta.test that answers. */
void policyd_has_hosts_at(enum hosts_stage stage);

/* Whether it names a host more, whose address DNS does not tell. */
void policyd_is_unsure(bool unsure);

/* The port of its hosts; 0: dmtpd's own. */
void policyd_has_hosts_on(unsigned int port);

/* Whether the records have a tls value for another certificate than dmtpd's. */
void policyd_signs_other(bool other);

/* The fingerprint of the organizational signet that policyd tells with the
 * hosts; "": it does not. */
void policyd_holds(const char *fingerprint);

/* The name of the last signet that policyd was told to be stale since the last
 * call, or "". */
void policyd_heard_stale(char out[static 300]);

/* Whether policyd had to look signets up elsewhere, or knew them. */
void policyd_goes_out(bool out);

/* How often policyd was asked for a signet. */
unsigned int policyd_signets_asked(void);

/* Whether policyd lets those wait who ask for late.test, and how many do. */
void policyd_is_late(bool late);
unsigned int policyd_waiting(void);

/* What policyd says of sealed mail that meets something, or -1: as without
 * rules. */
void policyd_says(int action);

/* ---- what policyd knows of the site's other nodes ---- */

enum { SITE_HANGS_UP = 1 /* in place of an error: no answer */ };

/* What it says to claims from now on: an error, or 0. */
void site_claims(int err);
/* What it was told of messages since the last call, or the one above: lines of
 * verb, identifier and recipient. Good until the next call. */
const char *site_messages(void);

/* The secret that the nodes have in common. */
extern const uint8_t site_secret[32];
/* What it says that others have counted, from now on. */
void site_counts(struct span text);
/* Waits until `read` is content with what it is given: each tally that policyd
 * is told from now on, which may be empty. */
typedef bool site_tally_reader(void *context, struct span text);
void site_wait_counts(site_tally_reader *read, void *context);

/* Answers what is asked for these; false when there is to be no answer. */
bool site_answer(const struct facts_request *request,
    struct facts_answer *answer);

/* ---- Postfix ---- */

/* What it answers to RCPT, and to the message. "" closes the connection. */
void postfix_answers(const char *rcpt, const char *message);

/* What it answers instead to MAIL from the second of a session on; NULL:
 * nothing else. */
void postfix_answers_again(const char *mail);

/* What it was given last: envelope and message; how many it took so far, how
 * many there were, and in how many sessions. */
struct postfix_mail {
	char sender[ADDRESS_SIZE], recipient[ADDRESS_SIZE];
	struct buffer message; /* as on the wire, without the final dot */
	unsigned int count, tried, sessions;
};
struct postfix_mail *postfix_mail(void);

/* The same for DIME-RESEAL. */
void reseal_answers(const char *rcpt, const char *message);
struct postfix_mail *reseal_mail(void);

/* ---- conversations ---- */

/* Opens a DMTP session and takes the greeting. */
struct stream *dmtp_open(void);
/* Likewise with another name by SNI; *peer is what dmtpd showed. */
struct stream *dmtp_open_as(const char *name, struct tls_peer *peer);
/* Likewise from another loopback address than 127.0.0.1. */
struct stream *dmtp_open_from(const char *source);
/* Connects to a port of dmtpd's in clear. */
struct stream *clear_open(unsigned int port);
/* Starts TLS with the name by SNI; *peer is what the other side showed. */
void secure(struct stream *stream, const char *name, struct tls_peer *peer);
/* Opens an LMTP session, greeting and LHLO done. */
struct stream *lmtp_open(void);

/* Sends octets as they are. */
void say(struct stream *stream, const char *text);
void say_span(struct stream *stream, struct span text);

/*
 * Reads a reply and returns its code; the text of its last line is in `heard`,
 * the other lines without their code, each with LF, in `listing`.
 */
int hear(struct stream *stream);
extern char heard[1024];
extern struct buffer listing;

/* say() of the formatted line and its end, then hear(). */
int ask(struct stream *stream, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* MAIL and RCPT of a DMTP session; the code. */
int say_mail(struct stream *stream, const char *domain,
    const char *fingerprint);
int say_rcpt(struct stream *stream, const char *domain,
    const char *fingerprint);

/* MAIL, RCPT and DATA, from the origin to beta.test; the fingerprint is that of
 * beta.test's or, of any other origin, alpha.test's signet. */
void start_data(struct stream *stream, const char *origin);
/* Likewise with the message; the code of the last reply. */
int transact(struct stream *stream, const char *origin, struct span message);

/* The signet must be what `listing` holds. */
void assert_listed(const struct signet *expected);

/* MAIL, RCPT and DATA of an LMTP session, and a message without its end: header
 * fields with CRLF, and lines with any end. */
void start_lmtp_data(struct stream *stream, const char *sender,
    const char *recipient, const char *head, struct span body);
/* Likewise with its end; the code of the last reply. */
int hand_in(struct stream *stream, const char *sender, const char *recipient,
    const char *head, struct span body);

/* ---- messages ---- */

/* A line of 32 octets of what may be armor. */
#define LINE32 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"

/* A message from alice to the user, armored, in the layout of these signets;
 * other `words` make another one. */
struct buffer sealed(const struct keys_org *destination,
    const struct keys_user *recipient, const char *words);

/* The same with an octet changed in the organizational signature. */
struct buffer sealed_badly(const struct keys_org *destination,
    const struct keys_user *recipient, const char *words);

/* The same without the organizational signature. */
struct buffer sealed_unsigned(const struct keys_org *destination,
    const struct keys_user *recipient, const char *words);

/* ---- dmtpd's log ---- */

/* Waits for a line that holds all of `what` (up to a NULL) and copies it. */
void wait_log(char *line, size_t size, const char *const *what);
/* Whether any line so far holds `text`. */
bool log_holds(const char *text);

#endif
