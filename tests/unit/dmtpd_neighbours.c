/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/dmtpd_world.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/facts.h"
#include "dime/record.h"
#include "dmtp/netstring.h"
#include "net/server.h"

static struct server *server;
static pthread_t server_thread;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static enum layout beta_layout;

/* An smtpd of Postfix's on a unix socket. */
struct smtpd {
	char rcpt_answer[256], message_answer[256]; /* guarded by `lock` */
	struct postfix_mail mail;
};
static struct smtpd dimein, dimereseal;
static const char *again_answer; /* to MAIL, the second time; NULL: the usual */

/* ---- dime-policyd ---- */

static _Atomic bool signs_other;

void
policyd_signs_other(bool other)
{
	signs_other = other;
}

/* The record of ours that publishes the organization's key and the certificate
 * that dmtpd shows. */
static void
append_record(const struct keys_org *org, struct buffer *out)
{
	struct record *record = calloc(1, sizeof(*record));

	assert_non_null(record);
	record->pok_count = 1;
	memcpy(record->poks[0], org->signet->pok, CRYPTO_SIGN_PUBLIC);
	record->tls_count = 1;
	assert_int_equal(org->signer.sign(&org->signer,
	    buffer_span(signs_other ? &world.second.der
	                            : &world.certificate.der),
	    record->tls[0]), 0);
	record->version = 1;
	record->policy = RECORD_MIXED;
	record->subdomain = RECORD_SUB_MIXED;
	record->expiry = RECORD_EXPIRY_DEFAULT;
	record_write(record, out);
	free(record);
}

static _Atomic unsigned int other_port;

void
policyd_has_hosts_on(unsigned int port)
{
	other_port = port;
}

static void
answer_host(struct facts_answer *answer, const char *name,
    const char *address)
{
	struct facts_host *host = &answer->hosts[answer->host_count++];

	snprintf(host->name, sizeof(host->name), "%s", name);
	host->port = other_port != 0 ? other_port : world.port;
	snprintf(host->addresses[0], sizeof(host->addresses[0]), "%s",
	    address);
	host->address_count = 1;
}

static _Atomic bool far;

static atomic_uint signets_asked;

unsigned int
policyd_signets_asked(void)
{
	return signets_asked;
}

void
policyd_goes_out(bool out)
{
	far = out;
}

static void
answer_org(struct facts_answer *answer, const struct keys_org *org)
{
	snprintf(answer->source, sizeof(answer->source), "memory");
	snprintf(answer->org.source, sizeof(answer->org.source), "%s",
	    far ? "network" : "redis");
	answer->confirmed = true;
	answer->facts.dns = DNS_PRESENT_SECURE;
	snprintf(answer->organization, sizeof(answer->organization), "%s",
	    org->signet->domain);
	buffer_append_span(&answer->org_signet,
	    signet_binary(org->signet->signet));
	append_record(org, &answer->record);
}

/* The signet that is asked for, of those that the organization has. */
static const struct keys_org *
rendering(const struct keys_org *org, const char *fingerprint)
{
	const struct keys_org *libdime = org == world.alpha
	    ? world.libdime_alpha
	    : org == world.beta ? world.libdime_beta : NULL;
	bool wanted;

	if (libdime == NULL)
		return org;
	pthread_mutex_lock(&lock);
	wanted = *fingerprint == '\0' && org == world.beta &&
	    beta_layout == LAYOUT_LIBDIME;
	pthread_mutex_unlock(&lock);
	return wanted || strcmp(fingerprint, libdime->signet->fingerprint) == 0
	    ? libdime
	    : org;
}

/* ---- an organization whose signet is large ---- */

enum { LARGE_FIELDS = 100 };

static struct {
	uint8_t pok[1][CRYPTO_SIGN_PUBLIC];
	struct buffer signet;
} large;

static void
make_large(void)
{
	static const uint8_t seed[CRYPTO_SEED] = {1}, value[60000];
	struct signet_extra extras[LARGE_FIELDS];
	struct org_signet *verified;
	uint8_t point[CRYPTO_POINT];
	struct signet *signet;

	for (size_t i = 0; i < LARGE_FIELDS; i++)
		extras[i] = (struct signet_extra){251, span_string("x"),
		    span_of(value, sizeof(value))};
	large.signet = buffer_make(SIGNET_MAX_LENGTH);
	crypto_ed25519_public(seed, large.pok[0]);
	assert_int_equal(crypto_point_public(seed, point), 0);
	assert_int_equal(signet_make_org(LAYOUT_STANDARD, large.pok[0],
	    signer_of_seed(seed), NULL, 0, point, "large.test", extras,
	    LARGE_FIELDS, &large.signet, NULL), 0);
	assert_int_equal(signet_parse(buffer_span(&large.signet), &signet,
	    NULL), 0);
	assert_int_equal(signet_verify_org(signet,
	    (const uint8_t(*)[CRYPTO_SIGN_PUBLIC])large.pok, 1, "large.test",
	    &verified, NULL), 0);
	memcpy(world.large, verified->fingerprint, sizeof(world.large));
	org_signet_free(verified);
}

static void
answer_large(struct facts_answer *answer)
{
	struct record *record = calloc(1, sizeof(*record));

	assert_non_null(record);
	record->pok_count = 1;
	memcpy(record->poks[0], large.pok[0], CRYPTO_SIGN_PUBLIC);
	record->version = 1;
	record->policy = RECORD_MIXED;
	record->subdomain = RECORD_SUB_MIXED;
	record->expiry = RECORD_EXPIRY_DEFAULT;
	record_write(record, &answer->record);
	free(record);
	buffer_append_span(&answer->org_signet, buffer_span(&large.signet));
	snprintf(answer->source, sizeof(answer->source), "memory");
	snprintf(answer->org.source, sizeof(answer->org.source), "memory");
	snprintf(answer->organization, sizeof(answer->organization),
	    "large.test");
	answer->confirmed = true;
	answer->facts.dns = DNS_PRESENT_SECURE;
}

static _Atomic int said = -1;

void
policyd_says(int action)
{
	said = action;
}

static void
answer_met(const struct facts_request *request, struct facts_answer *answer)
{
	const int action = said;

	answer->action = action >= 0 ? (enum policy_action)action
	    : policy_met(rule_outcome_by_name(request->outcome), NULL);
}

static char stale_name[300]; /* guarded by `lock` */

void
policyd_heard_stale(char out[static 300])
{
	pthread_mutex_lock(&lock);
	memcpy(out, stale_name, sizeof(stale_name));
	stale_name[0] = '\0';
	pthread_mutex_unlock(&lock);
}

static void
hear_stale(const struct facts_request *request, struct facts_answer *answer)
{
	pthread_mutex_lock(&lock);
	snprintf(stale_name, sizeof(stale_name), "%s", request->to);
	pthread_mutex_unlock(&lock);
	answer->err = 0;
}

static _Atomic int hosts_at = HOSTS_DX;

void
policyd_has_hosts_at(enum hosts_stage stage)
{
	hosts_at = stage;
}

static char held[SIGNET_FINGERPRINT_SIZE]; /* guarded by `lock` */

void
policyd_holds(const char *fingerprint)
{
	pthread_mutex_lock(&lock);
	snprintf(held, sizeof(held), "%s", fingerprint);
	pthread_mutex_unlock(&lock);
}

static _Atomic bool is_unsure;

void
policyd_is_unsure(bool unsure)
{
	is_unsure = unsure;
}

/* Nobody listens at gamma's, and first at none of beta's. */
static void
answer_hosts(const struct keys_org *org, const char *stage,
    struct facts_answer *answer)
{
	const bool first = stage == NULL || *stage == '\0' ||
	    hosts_stage_by_name(stage) == HOSTS_DX;

	if (org != world.gamma &&
	    (first ? hosts_at == HOSTS_DX
	           : hosts_at == hosts_stage_by_name(stage)))
		answer_host(answer, "dx.beta.test", "127.0.0.1");
	if (first)
		answer_host(answer, "dx.gamma.test", "127.0.0.99");
	if (first && is_unsure) {
		answer_host(answer, "dx2.gamma.test", "");
		answer->hosts[answer->host_count - 1].address_count = 0;
	}
}

/* False when there is to be no answer. */
static bool
answer_facts(const struct facts_request *request, struct facts_answer *answer)
{
	const struct keys_org *org =
	    strcmp(request->to, "beta.test") == 0 ? world.beta
	    : strcmp(request->to, "gamma.test") == 0 ? world.gamma
	    : strcmp(request->to, "alpha.test") == 0 ||
	        strcmp(request->to, "www.alpha.test") == 0 ? world.alpha : NULL;

	signets_asked += request->verb == FACTS_SIGNET;
	if (request->verb >= FACTS_CLAIM)
		return site_answer(request, answer);
	if (request->verb == FACTS_MET) {
		answer_met(request, answer);
	} else if (request->verb == FACTS_STALE) {
		hear_stale(request, answer);
	} else if (org != NULL) {
		const struct keys_org *which =
		    rendering(org, request->fingerprint);

		answer_org(answer, which);
		answer_hosts(org, request->stage, answer);
		pthread_mutex_lock(&lock);
		memcpy(answer->org_fingerprint, held, sizeof(held));
		pthread_mutex_unlock(&lock);
		if (*request->fingerprint != '\0' &&
		    strcmp(request->fingerprint, which->signet->fingerprint) !=
		        0)
			answer->err = ERR_UNKNOWN_ADDRESS;
	} else if (strcmp(request->to, "large.test") == 0) {
		answer_large(answer);
	} else if (strcmp(request->to, "absent.test") == 0) {
		answer->facts.dns = DNS_ABSENT_PROVEN;
	} else if (strcmp(request->to, "unconfirmed.test") == 0) {
		answer_org(answer, world.alpha);
		answer->confirmed = false;
	} else {
		answer->err = ERR_DNS;
		answer->facts.dns = DNS_UNREACHABLE;
	}
	return true;
}

static void
write_answer(struct stream *stream, const struct facts_answer *answer)
{
	struct buffer text = buffer_make(FACTS_ANSWER_LIMIT);
	struct buffer out = buffer_make(FACTS_ANSWER_LIMIT + 16);

	facts_answer_write(answer, &text);
	netstring_write(buffer_span(&text), &out);
	stream_write(stream, buffer_span(&out), deadline_in(WORLD_PATIENCE));
	buffer_free(&text);
	buffer_free(&out);
}

static struct {
	pthread_cond_t changed;
	bool on;
	unsigned int count;
} late = {PTHREAD_COND_INITIALIZER, false, 0}; /* guarded by `lock` */

void
policyd_is_late(bool is_late)
{
	pthread_mutex_lock(&lock);
	late.on = is_late;
	pthread_cond_broadcast(&late.changed);
	pthread_mutex_unlock(&lock);
}

unsigned int
policyd_waiting(void)
{
	unsigned int count;

	pthread_mutex_lock(&lock);
	count = late.count;
	pthread_mutex_unlock(&lock);
	return count;
}

static void
wait_if_late(const struct facts_request *request)
{
	if (strcmp(request->to, "late.test") != 0)
		return;
	pthread_mutex_lock(&lock);
	late.count++;
	while (late.on)
		pthread_cond_wait(&late.changed, &lock);
	late.count--;
	pthread_mutex_unlock(&lock);
}

static void
serve_facts(struct stream *stream, void *context)
{
	struct buffer storage = buffer_make(FACTS_REQUEST_LIMIT);
	struct netstring_reader reader;
	struct facts_request request;
	struct facts_answer answer;
	uint8_t octets[4096];
	bool complete = false;
	size_t got = 1;

	facts_answer_init(&answer);
	netstring_start(&reader, FACTS_REQUEST_LIMIT);
	while (!complete && got > 0 && stream_read(stream, octets,
	    sizeof(octets), &got, deadline_in(WORLD_PATIENCE)) == 0) {
		struct span input = span_of(octets, got);

		if (netstring_feed(&reader, &input, &complete) != 0)
			break;
	}
	if (complete && facts_request_read(netstring_content(&reader),
	    &request, &storage, NULL) == 0) {
		wait_if_late(&request);
		if (answer_facts(&request, &answer))
			write_answer(stream, &answer);
	}
	netstring_free(&reader);
	facts_answer_free(&answer);
	buffer_free(&storage);
}

/* ---- Postfix ---- */

void
policyd_has(enum layout layout)
{
	pthread_mutex_lock(&lock);
	beta_layout = layout;
	pthread_mutex_unlock(&lock);
}

static void
set_answers(struct smtpd *smtpd, const char *rcpt, const char *message)
{
	pthread_mutex_lock(&lock);
	snprintf(smtpd->rcpt_answer, sizeof(smtpd->rcpt_answer), "%s", rcpt);
	snprintf(smtpd->message_answer, sizeof(smtpd->message_answer), "%s",
	    message);
	pthread_mutex_unlock(&lock);
}

void
postfix_answers_again(const char *mail)
{
	pthread_mutex_lock(&lock);
	again_answer = mail;
	pthread_mutex_unlock(&lock);
}

void
postfix_answers(const char *rcpt, const char *message)
{
	set_answers(&dimein, rcpt, message);
}

struct postfix_mail *
postfix_mail(void)
{
	return &dimein.mail;
}

void
reseal_answers(const char *rcpt, const char *message)
{
	set_answers(&dimereseal, rcpt, message);
}

struct postfix_mail *
reseal_mail(void)
{
	return &dimereseal.mail;
}

static bool
reply(struct stream *stream, const char *text)
{
	char line[300];

	if (*text == '\0')
		return false;
	snprintf(line, sizeof(line), "%s\r\n", text);
	return stream_write(stream, span_string(line),
	    deadline_in(WORLD_PATIENCE)) == 0;
}

static bool
reply_scripted(struct stream *stream, const char *script)
{
	char text[256];

	pthread_mutex_lock(&lock);
	snprintf(text, sizeof(text), "%s", script);
	pthread_mutex_unlock(&lock);
	return reply(stream, text);
}

/* Between the angle brackets. */
static void
take_path(struct span line, char out[static ADDRESS_SIZE])
{
	const uint8_t *open = memchr(line.data, '<', line.length);

	span_copy_string(span_of(open + 1,
	    (size_t)(line.data + line.length - open) - 2), out, ADDRESS_SIZE);
}

static bool
take_message(struct stream *stream, struct smtpd *smtpd)
{
	struct postfix_mail *mail = &smtpd->mail;
	struct span line;

	if (!reply(stream, "354 go on"))
		return false;
	buffer_reset(&mail->message);
	while (stream_read_line(stream, 1000, &line,
	    deadline_in(WORLD_PATIENCE)) == 0) {
		if (span_equal_string(line, ".")) {
			pthread_mutex_lock(&lock);
			mail->tried++;
			mail->count += smtpd->message_answer[0] == '2';
			pthread_mutex_unlock(&lock);
			return reply_scripted(stream, smtpd->message_answer);
		}
		buffer_append_span(&mail->message, line);
		buffer_append_string(&mail->message, "\r\n");
	}
	return false;
}

static bool
reply_to_mail(struct stream *stream, unsigned int mails)
{
	const char *text = "250 2.0.0 Ok";

	pthread_mutex_lock(&lock);
	if (mails > 1 && again_answer != NULL)
		text = again_answer;
	pthread_mutex_unlock(&lock);
	return *text != '\0' && reply(stream, text);
}

static void
serve_postfix(struct stream *stream, void *context)
{
	struct smtpd *smtpd = context;
	bool good = reply(stream, "220 mail.beta.test ESMTP");
	unsigned int mails = 0;
	struct span line;

	pthread_mutex_lock(&lock);
	smtpd->mail.sessions++;
	pthread_mutex_unlock(&lock);
	while (good && stream_read_line(stream, 1000, &line,
	    deadline_in(WORLD_PATIENCE)) == 0) {
		struct span verb = span_slice(line, 0, 4);

		if (span_equal_string(verb, "QUIT"))
			break;
		if (span_equal_string(verb, "DATA")) {
			good = take_message(stream, smtpd);
		} else if (span_equal_string(verb, "RCPT")) {
			take_path(line, smtpd->mail.recipient);
			good = reply_scripted(stream, smtpd->rcpt_answer);
		} else if (span_equal_string(verb, "MAIL")) {
			take_path(line, smtpd->mail.sender);
			good = reply_to_mail(stream, ++mails);
		} else {
			good = reply(stream, "250 2.0.0 Ok");
		}
	}
}

static void *
run_server(void *argument)
{
	server_run(server, 1000);
	return NULL;
}

void
neighbours_start(void)
{
	static const struct server_limits limits = {0};

	postfix_answers("250 2.1.5 Ok", "250 2.0.0 Ok: queued as 4Wx1Yz");
	reseal_answers("250 2.1.5 Ok", "250 2.0.0 Ok: queued as 4Anew");
	dimein.mail.message = buffer_make(16 << 20);
	dimereseal.mail.message = buffer_make(16 << 20);
	make_large();
	assert_int_equal(server_new(&limits, NULL, NULL, NULL, &server), 0);
	assert_int_equal(server_listen_unix(server, world_path("facts"), 0600,
	    "", serve_facts, NULL, NULL), 0);
	assert_int_equal(server_listen_unix(server, world_path("dimein"), 0600,
	    "", serve_postfix, &dimein, NULL), 0);
	assert_int_equal(server_listen_unix(server, world_path("dimereseal"),
	    0600, "", serve_postfix, &dimereseal, NULL), 0);
	assert_int_equal(pthread_create(&server_thread, NULL, run_server,
	    NULL), 0);
}

void
neighbours_end(void)
{
	policyd_is_late(false);
	server_stop(server);
	pthread_join(server_thread, NULL);
	server_free(server);
	buffer_free(&dimein.mail.message);
	buffer_free(&dimereseal.mail.message);
	buffer_free(&large.signet);
}
