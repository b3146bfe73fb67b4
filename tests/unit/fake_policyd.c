/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#include "dime/record.h"
#include "dmtp/netstring.h"
#include "tests/unit/fake_policyd.h"

enum { REQUEST_LIMIT = 65536, ANSWER_LIMIT = 1 << 20 };

/* The record that confirms our own organization's signet. */
static void
write_record(const struct org_signet *org, struct buffer *out)
{
	struct record *record = calloc(1, sizeof(*record));

	record->version = 1;
	record->pok_count = 1;
	memcpy(record->poks[0], org->pok, sizeof(record->poks[0]));
	record->policy = RECORD_MIXED;
	record->expiry = RECORD_EXPIRY_DEFAULT;
	record_write(record, out);
	free(record);
}

/* The current one, or the one that is named. */
static int
find_org(struct keys *keys, enum layout layout, const char *domain,
    const char *fingerprint, struct keys_org **out)
{
	return *fingerprint == '\0'
	    ? keys_find_org_in(keys, layout, domain, out, NULL)
	    : keys_find_org_by_fingerprint(keys, domain, fingerprint, out,
		  NULL);
}

static int
find_user(struct keys *keys, enum layout layout, const char *address,
    const char *fingerprint, struct keys_user **out)
{
	return *fingerprint == '\0'
	    ? keys_find_user_in(keys, layout, address, out, NULL)
	    : keys_find_user_by_fingerprint(keys, address, fingerprint, out,
		  NULL);
}

static void
add_signets(struct fake_policyd *policyd, const struct facts_request *request,
    struct facts_answer *answer)
{
	const char *address = request->to;
	struct keys *keys = policyd->keys;
	enum layout org_layout, user_layout;
	struct keys_user *user;
	struct keys_org *org;

	pthread_mutex_lock(&policyd->lock);
	org_layout = policyd->org_layout;
	user_layout = policyd->user_layout;
	pthread_mutex_unlock(&policyd->lock);

	if (!address_is_normal(span_string(address)))
		return;
	if (find_org(keys, org_layout, address_domain(address),
	    request->org_fingerprint, &org) == 0) {
		write_record(org->signet, &answer->record);
		buffer_append_span(&answer->org_signet,
		    signet_binary(org->signet->signet));
		snprintf(answer->organization, sizeof(answer->organization),
		    "%s", org->signet->domain);
		answer->confirmed = true;
		keys_org_free(org);
	}
	if (find_user(keys, user_layout, address, request->fingerprint,
	    &user) == 0) {
		buffer_append_span(&answer->user_signet,
		    signet_binary(user->signet->signet));
		keys_user_free(user);
	}
}

/* 576 of the domain's server. */
static void
refuse_unknown(struct fake_policyd *policyd, const char *address,
    struct facts_answer *answer)
{
	struct keys_user *user;
	int err = keys_find_user(policyd->keys, address, &user, NULL);

	keys_user_free(user);
	if (err != ERR_UNKNOWN_ADDRESS)
		return;
	answer->action = POLICY_REFUSE;
	answer->err = ERR_UNKNOWN_ADDRESS;
}

static void
answer_request(struct fake_policyd *policyd, struct span text,
    struct buffer *out)
{
	struct buffer storage = buffer_make(REQUEST_LIMIT);
	struct facts_request request;
	struct facts_answer answer;
	bool knows_users = false;

	facts_answer_init(&answer);
	if (facts_request_read(text, &request, &storage, NULL) == 0) {
		pthread_mutex_lock(&policyd->lock);
		policyd->asked[request.verb]++;
		snprintf(policyd->from, sizeof(policyd->from), "%s",
		    request.from);
		snprintf(policyd->to, sizeof(policyd->to), "%s", request.to);
		snprintf(policyd->sender, sizeof(policyd->sender), "%s",
		    request.sender);
		answer.action = request.verb == FACTS_MET ? policyd->met :
		    policyd->action;
		answer.err = request.verb == FACTS_NOTE_NAKED ||
		    request.verb == FACTS_MET ? 0 : policyd->err;
		snprintf(answer.reason, sizeof(answer.reason), "%s",
		    policyd->reason);
		knows_users = policyd->knows_users;
		pthread_mutex_unlock(&policyd->lock);
		if (knows_users && request.verb == FACTS_DECIDE)
			refuse_unknown(policyd, request.to, &answer);
		add_signets(policyd, &request, &answer);
	}
	facts_answer_write(&answer, out);
	facts_answer_free(&answer);
	buffer_free(&storage);
}

static void
serve(struct fake_policyd *policyd, int fd)
{
	struct buffer answer = buffer_make(ANSWER_LIMIT);
	struct buffer out = buffer_make(ANSWER_LIMIT + 20);
	struct netstring_reader reader;
	uint8_t octets[4096];
	bool complete = false;
	ssize_t got = 1;

	netstring_start(&reader, REQUEST_LIMIT);
	while (!complete && (got = recv(fd, octets, sizeof(octets), 0)) > 0) {
		struct span input = {octets, (size_t)got};

		if (netstring_feed(&reader, &input, &complete) != 0)
			break;
	}
	if (complete) {
		answer_request(policyd, netstring_content(&reader), &answer);
		netstring_write(buffer_span(&answer), &out);
		if (send(fd, out.data, out.length, MSG_NOSIGNAL) !=
		    (ssize_t)out.length)
			fprintf(stderr, "fake policyd: short answer\n");
	}
	netstring_free(&reader);
	buffer_free(&answer);
	buffer_free(&out);
	close(fd);
}

static void *
run(void *argument)
{
	struct fake_policyd *policyd = argument;
	int fd;

	while ((fd = accept(policyd->fd, NULL, NULL)) >= 0)
		serve(policyd, fd);
	return NULL;
}

void
fake_policyd_start(struct fake_policyd *policyd, const char *path,
    struct keys *keys)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	*policyd = (struct fake_policyd){.keys = keys, .reason = "",
	    .met = POLICY_REFUSE};
	snprintf(policyd->path, sizeof(policyd->path), "%s", path);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	pthread_mutex_init(&policyd->lock, NULL);
	policyd->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(policyd->fd, (struct sockaddr *)&address,
	    sizeof(address)), 0);
	assert_int_equal(listen(policyd->fd, 10), 0);
	assert_int_equal(pthread_create(&policyd->thread, NULL, run, policyd),
	    0);
}

void
fake_policyd_stop(struct fake_policyd *policyd)
{
	shutdown(policyd->fd, SHUT_RDWR);
	pthread_join(policyd->thread, NULL);
	close(policyd->fd);
	unlink(policyd->path);
	pthread_mutex_destroy(&policyd->lock);
}

void
fake_policyd_answer(struct fake_policyd *policyd, enum policy_action action,
    int err, const char *reason)
{
	pthread_mutex_lock(&policyd->lock);
	policyd->knows_users = false;
	policyd->action = action;
	policyd->err = err;
	policyd->reason = reason;
	memset(policyd->asked, 0, sizeof(policyd->asked));
	policyd->from[0] = policyd->to[0] = '\0';
	pthread_mutex_unlock(&policyd->lock);
}

void
fake_policyd_has(struct fake_policyd *policyd, enum layout org,
    enum layout user)
{
	pthread_mutex_lock(&policyd->lock);
	policyd->org_layout = org;
	policyd->user_layout = user;
	pthread_mutex_unlock(&policyd->lock);
}

void
fake_policyd_met(struct fake_policyd *policyd, enum policy_action action)
{
	pthread_mutex_lock(&policyd->lock);
	policyd->met = action;
	pthread_mutex_unlock(&policyd->lock);
}

unsigned int
fake_policyd_asked(struct fake_policyd *policyd, enum facts_verb verb)
{
	unsigned int asked;

	pthread_mutex_lock(&policyd->lock);
	asked = policyd->asked[verb];
	pthread_mutex_unlock(&policyd->lock);
	return asked;
}

void
fake_policyd_knows_users(struct fake_policyd *policyd)
{
	pthread_mutex_lock(&policyd->lock);
	policyd->knows_users = true;
	pthread_mutex_unlock(&policyd->lock);
}
