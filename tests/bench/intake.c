/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"
#include "tests/bench/letter.h"
#include "tests/bench/load.h"

#include <ftw.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/random.h"
#include "dime/armor.h"
#include "keys/keys.h"

/*
 * How many messages a second a site takes, beside what its Postfix takes on the
 * same listener with a milter that only replaces bodies. tests/bench/intake makes
 * the world for it.
 *
 * usage: bench_intake WORLD SIZE DMTPD MILTER POLICYD FLOOR POSTFIX
 *	bench_intake letter SIZE		prints the mail that is sealed
 *
 * The five are processes: FLOOR that milter, POSTFIX its master.
 */

enum {
	SESSIONS = 30,
	ROUNDS = 5,
	WARMING = 40,
	OCTETS = 40 << 20, /* that all messages of a round have, about */
	ROUND_MOST = 900, /* messages */
	LARGE = 10000,     /* such mails have an attachment */
	DRAINING = 120 * 1000, /* milliseconds, at most */
};

struct site {
	struct keys *keys;
	struct keys_org *org;
	struct keys_user *user;
};

struct parcel {
	struct buffer dmtp; /* what follows DATA */
	struct buffer smtp; /* likewise, to DIME-IN */
};

struct intake {
	const char *world;
	size_t size, count; /* of a mail; of messages a round */
	struct site alpha, beta;
	struct parcel *messages;
	SSL_CTX *context;
	char dmtp_start[1000]; /* the commands before a message */
};

static void
write_letter(size_t size, struct buffer *out)
{
	letter_write(size < LARGE ? LETTER_TEXT : LETTER_ATTACHMENT, size, out);
}

/* ---- sealing ---- */

static void
open_site(const char *world, const char *domain, const char *user,
    struct site *site)
{
	char paths[3][200], address[80];
	struct keys_settings settings = {paths[0], paths[1], paths[2], false,
	    &clock_system};

	snprintf(paths[0], sizeof(paths[0]), "%s/seal/%s/keys.db", world,
	    domain);
	snprintf(paths[1], sizeof(paths[1]), "%s/seal/%s/master.key", world,
	    domain);
	snprintf(paths[2], sizeof(paths[2]), "%s/seal/%s/transport.key",
	    world, domain);
	snprintf(address, sizeof(address), "%s@%s", user, domain);
	assert_int_equal(keys_open(&settings, &site->keys, NULL), 0);
	assert_int_equal(keys_find_org(site->keys, domain, &site->org, NULL),
	    0);
	assert_int_equal(keys_find_user(site->keys, address, &site->user,
	    NULL), 0);
}

static void
close_site(struct site *site)
{
	keys_user_free(site->user);
	keys_org_free(site->org);
	keys_close(site->keys);
}

/* The armor of one message, which no other has. */
static void
seal(const struct intake *intake, struct random_source *random,
    struct span mail, struct buffer *armor)
{
	const struct message_seal seal = {
	    .parties = {.author = intake->alpha.user->signet,
	        .origin = intake->alpha.org->signet,
	        .destination = intake->beta.org->signet,
	        .recipient = intake->beta.user->signet},
	    .author_signer = intake->alpha.user->signer,
	    .origin_signer = intake->alpha.org->signer,
	    .random = random,
	};
	struct buffer sealed = buffer_make(64 << 20);

	assert_int_equal(message_seal(&seal, mail, &sealed, NULL), 0);
	armor_write(ARMOR_MESSAGE, buffer_span(&sealed), armor);
	assert_int_equal(armor->error, 0);
	buffer_free(&sealed);
}

static void
make_message(struct intake *intake, struct random_source *random,
    struct span mail, struct parcel *out)
{
	struct buffer armor = buffer_make(64 << 20);
	struct span rest, line;

	seal(intake, random, mail, &armor);
	*out = (struct parcel){buffer_make(64 << 20), buffer_make(64 << 20)};
	buffer_append_span(&out->dmtp, buffer_span(&armor));
	buffer_append_string(&out->dmtp, ".\n");
	buffer_append_string(&out->smtp, "MIME-Version: 1.0\r\n"
	    "Content-Type: application/vnd.dime-message\r\n\r\n");
	rest = buffer_span(&armor);
	while (span_next_line(&rest, &line)) {
		buffer_append_span(&out->smtp, line);
		buffer_append_string(&out->smtp, "\r\n");
	}
	buffer_append_string(&out->smtp, ".\r\n");
	buffer_free(&armor);
}

static void
make_messages(struct intake *intake, size_t count)
{
	struct buffer mail = buffer_make(64 << 20);
	struct random_source random;

	write_letter(intake->size, &mail);
	intake->messages = calloc(count, sizeof(*intake->messages));
	assert_non_null(intake->messages);
	random_start(&random);
	for (size_t i = 0; i < count; i++)
		make_message(intake, &random, buffer_span(&mail),
		    &intake->messages[i]);
	random_end(&random);
	buffer_free(&mail);
}

static void
free_messages(struct intake *intake, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buffer_free(&intake->messages[i].dmtp);
		buffer_free(&intake->messages[i].smtp);
	}
	free(intake->messages);
}

/* ---- sending ---- */

/* The ways of a message: over DMTP, in sessions that are kept; or to the
 * listener with the milter alone, in a session of its own, as smtp-source and
 * most mail servers do, or in one that is kept. */
enum way { DMTP, ALONE, ALONE_KEPT, WAYS };

struct batch {
	struct intake *intake;
	enum way way;
	atomic_size_t next;
	size_t end;
};

static void
start_session(const struct batch *batch, struct load_client *client,
    size_t number)
{
	static const char dmtp[] = "EHLO <mx.alpha.test>\n";
	static const char smtp[] = "EHLO mx.beta.test\r\n";
	char path[200];

	snprintf(path, sizeof(path), "%s/beta.test/spool/public/dimefloor",
	    batch->intake->world);
	if (batch->way == DMTP)
		assert_true(load_open(client, batch->intake->context,
		    "127.0.20.1", 26, number));
	else
		assert_true(load_open_unix(client, path));
	load_say(client, batch->way == DMTP ? dmtp : smtp,
	    (batch->way == DMTP ? sizeof(dmtp) : sizeof(smtp)) - 1);
	assert_true(load_hear(client, 1, "250"));
}

/* The three commands go at once, as PIPELINING allows. */
static void
send_one(const struct batch *batch, struct load_client *client, size_t i)
{
	static const char smtp[] = "MAIL FROM:<mailer-daemon@alpha.test>\r\n"
	                           "RCPT TO:<bob@beta.test>\r\nDATA\r\n";
	const struct parcel *message = &batch->intake->messages[i];
	const bool is_dmtp = batch->way == DMTP;
	const char *start = is_dmtp ? batch->intake->dmtp_start : smtp;
	const struct buffer *text = is_dmtp ? &message->dmtp : &message->smtp;

	load_say(client, start, strlen(start));
	assert_true(load_hear(client, 2, "250"));
	assert_true(load_hear(client, 1, "354"));
	load_say(client, (const char *)text->data, text->length);
	assert_true(load_hear(client, 1, is_dmtp ? "254" : "250"));
}

static void
end_session(const struct batch *batch, struct load_client *client)
{
	if (batch->way != DMTP)
		load_say(client, "QUIT\r\n", 6);
	load_close(client);
}

static void *
send_some(void *argument)
{
	static atomic_size_t sessions;
	struct batch *batch = argument;
	struct load_client *client = calloc(1, sizeof(*client));
	size_t number = atomic_fetch_add(&sessions, 1), i;
	bool open = false;

	assert_non_null(client);
	while ((i = atomic_fetch_add(&batch->next, 1)) < batch->end) {
		if (!open)
			start_session(batch, client, number);
		send_one(batch, client, i);
		open = batch->way != ALONE;
		if (!open)
			end_session(batch, client);
	}
	if (open)
		end_session(batch, client);
	free(client);
	return NULL;
}

/* Sends messages from `first` on; seconds that it took. */
static double
send_all(struct intake *intake, enum way way, size_t first, size_t count)
{
	struct batch batch = {.intake = intake, .way = way,
	    .end = first + count};
	pthread_t threads[SESSIONS];
	double start = bench_now();

	atomic_init(&batch.next, first);
	for (size_t i = 0; i < SESSIONS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, send_some,
		    &batch), 0);
	for (size_t i = 0; i < SESSIONS; i++)
		pthread_join(threads[i], NULL);
	return (bench_now() - start) / 1e6;
}

/* ---- the queue ---- */

static size_t queued;

static int
count_file(const char *path, const struct stat *status, int type,
    struct FTW *walk)
{
	queued += type == FTW_F;
	return 0;
}

/* What was taken before is delivered before the next round begins. */
static void
drain(const struct intake *intake)
{
	static const char *const queues[] = {"incoming", "active"};
	struct deadline deadline = deadline_in(DRAINING);
	char path[200];

	do {
		queued = 0;
		for (size_t i = 0; i < COUNT(queues); i++) {
			snprintf(path, sizeof(path), "%s/beta.test/spool/%s",
			    intake->world, queues[i]);
			nftw(path, count_file, 8, FTW_PHYS);
		}
		poll(NULL, 0, 100);
	} while (queued > 0 && deadline_left(deadline) > 0);
	assert_int_equal(queued, 0);
}

/* ---- figures ---- */

/* The processes that have work, as the arguments name them. */
enum worker { DMTPD, MILTER, POLICYD, MILTER_FLOOR, POSTFIX, WORKERS };

/* Of one way, over all rounds. */
struct result {
	double rates[ROUNDS];
	double used[WORKERS]; /* microseconds */
	double client;
};

static void
add_used(double sign, const pid_t processes[static WORKERS],
    struct result *result)
{
	for (size_t i = 0; i < POSTFIX; i++)
		result->used[i] += sign * bench_processor(processes[i]);
	result->used[POSTFIX] += sign *
	    bench_family_processor(processes[POSTFIX]);
	result->client += sign * bench_processor(getpid());
}

/* The time ends when all are taken; what Postfix needs to deliver them counts
 * as its work all the same. */
static void
go(struct intake *intake, enum way way, size_t round,
    const pid_t processes[static WORKERS], struct result *result)
{
	add_used(-1, processes, result);
	result->rates[round] = (double)intake->count / send_all(intake, way,
	    WARMING + round * intake->count, intake->count);
	drain(intake);
	add_used(1, processes, result);
}

/* Microseconds of all processes for a message. */
static double
total(const struct intake *intake, const struct result *result)
{
	double sum = 0;

	for (size_t i = 0; i < WORKERS; i++)
		sum += result->used[i];
	return sum / (double)(intake->count * ROUNDS);
}

static void
print_rate(const struct intake *intake, const char *way,
    const struct result *result)
{
	double rates[ROUNDS];
	char what[80];

	memcpy(rates, result->rates, sizeof(rates));
	snprintf(what, sizeof(what), "mails of %zu octets, %s", intake->size,
	    way);
	bench_print(what, bench_median(rates, ROUNDS), "/s", "", true);
	bench_print("  processor time for one", total(intake, result), "us", "",
	    true);
}

static double
ratio(const struct result *ours, const struct result *floor)
{
	double ratios[ROUNDS];

	for (size_t i = 0; i < ROUNDS; i++)
		ratios[i] = ours->rates[i] / floor->rates[i];
	return bench_median(ratios, ROUNDS);
}

static void
print(const struct intake *intake, const struct result results[static WAYS])
{
	static const char *const names[WORKERS] = {"dmtpd", "dime-milter",
	    "dime-policyd", "the milter alone", "Postfix"};
	const struct result *ours = &results[DMTP];
	const double count = (double)(intake->count * ROUNDS);
	const double each = ratio(ours, &results[ALONE]);
	char what[80];

	print_rate(intake, "the milter alone", &results[ALONE]);
	print_rate(intake, "likewise, sessions kept", &results[ALONE_KEPT]);
	print_rate(intake, "over DMTP", ours);
	for (size_t i = 0; i < WORKERS; i++) {
		snprintf(what, sizeof(what), "    of which %s", names[i]);
		if (i != MILTER_FLOOR)
			bench_print(what, ours->used[i] / count, "us", "",
			    true);
	}
	bench_print("  rate by the milter alone", each, "",
	    intake->size < LARGE ? ">= 0.65" : "",
	    intake->size >= LARGE || each >= 0.65);
	bench_print("  rate by the milter alone, sessions kept",
	    ratio(ours, &results[ALONE_KEPT]), "", "", true);
	bench_print("  processor time, the milter alone by this",
	    total(intake, &results[ALONE]) / total(intake, ours), "", "", true);
	bench_print("  processor time of the client for one",
	    ours->client / count, "us", "", true);
}

static void
measure(struct intake *intake, const pid_t processes[static WORKERS])
{
	struct result results[WAYS] = {{.client = 0}};

	for (enum way way = 0; way < WAYS; way++)
		send_all(intake, way, 0, WARMING);
	drain(intake);
	for (size_t round = 0; round < ROUNDS; round++)
		for (enum way way = 0; way < WAYS; way++)
			go(intake, way, round, processes, &results[way]);
	print(intake, results);
}

static int
print_letter(const char *size)
{
	struct buffer mail = buffer_make(64 << 20);
	size_t written;

	write_letter(strtoul(size, NULL, 10), &mail);
	written = fwrite(mail.data, 1, mail.length, stdout);
	written -= mail.length;
	buffer_free(&mail);
	return written == 0 ? 0 : 1;
}

static void
run(const char *world, size_t size, char **arguments)
{
	struct intake intake = {.world = world, .size = size,
	    .count = OCTETS / size < ROUND_MOST ? OCTETS / size : ROUND_MOST};
	const size_t all = WARMING + ROUNDS * intake.count;
	pid_t processes[WORKERS];

	for (size_t i = 0; i < WORKERS; i++)
		processes[i] = (pid_t)strtol(arguments[i], NULL, 10);
	open_site(world, "alpha.test", "alice", &intake.alpha);
	open_site(world, "beta.test", "bob", &intake.beta);
	snprintf(intake.dmtp_start, sizeof(intake.dmtp_start),
	    "MAIL FROM=<alpha.test> FINGERPRINT=[%s]\n"
	    "RCPT TO=<beta.test> FINGERPRINT=[%s]\nDATA\n",
	    intake.alpha.org->signet->fingerprint,
	    intake.beta.org->signet->fingerprint);
	intake.context = load_context();
	make_messages(&intake, all);
	measure(&intake, processes);
	free_messages(&intake, all);
	SSL_CTX_free(intake.context);
	close_site(&intake.alpha);
	close_site(&intake.beta);
}

int
main(int count, char **arguments)
{
	if (count == 3 && strcmp(arguments[1], "letter") == 0)
		return print_letter(arguments[2]);
	if (count != 3 + WORKERS) {
		fprintf(stderr, "usage: bench_intake WORLD SIZE DMTPD MILTER "
		    "POLICYD FLOOR POSTFIX\n	bench_intake letter SIZE\n");
		return 64;
	}
	if (unit_start(NULL) != 0)
		return 1;
	run(arguments[1], strtoul(arguments[2], NULL, 10), arguments + 3);
	unit_end(NULL);
	return 0;
}
