/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/dmtpd_world.h"

#include <pthread.h>
#include <stdio.h>

#include "crypto/base64.h"

/* What dime-policyd says for the site's other nodes, and hears for them. All of
 * it is guarded by `lock`. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t told = PTHREAD_COND_INITIALIZER;
static int claim_answer;
static char messages[1024];
static uint8_t tallies[8192];
static size_t tallies_length;
static site_tally_reader *reader;
static void *reader_context;

const uint8_t site_secret[32] = {9, 9, 9};

void
site_claims(int err)
{
	pthread_mutex_lock(&lock);
	claim_answer = err;
	messages[0] = '\0';
	pthread_mutex_unlock(&lock);
}

const char *
site_messages(void)
{
	static char copy[sizeof(messages)];

	pthread_mutex_lock(&lock);
	memcpy(copy, messages, sizeof(copy));
	messages[0] = '\0';
	pthread_mutex_unlock(&lock);
	return copy;
}

void
site_counts(struct span text)
{
	assert_true(text.length <= sizeof(tallies));
	pthread_mutex_lock(&lock);
	memcpy(tallies, text.data, text.length);
	tallies_length = text.length;
	pthread_mutex_unlock(&lock);
}

void
site_wait_counts(site_tally_reader *read, void *context)
{
	const struct deadline deadline = deadline_in(WORLD_PATIENCE);
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WORLD_PATIENCE / 1000;
	pthread_mutex_lock(&lock);
	reader = read;
	reader_context = context;
	while (reader != NULL && deadline_left(deadline) > 0)
		pthread_cond_timedwait(&told, &lock, &until);
	assert_null(reader);
	pthread_mutex_unlock(&lock);
}

static void
hear_counts(const struct facts_request *request)
{
	struct buffer text = buffer_make(8192);

	if (reader != NULL &&
	    base64_decode(span_string(request->counts), &text) == 0 &&
	    reader(reader_context, buffer_span(&text))) {
		reader = NULL;
		pthread_cond_signal(&told);
	}
	buffer_free(&text);
}

static void
answer_message(const struct facts_request *request,
    struct facts_answer *answer)
{
	static const char *const names[FACTS_VERBS] = {
	    [FACTS_CLAIM] = "claim",
	    [FACTS_DELIVERED] = "delivered",
	    [FACTS_RELEASE] = "release",
	};
	const size_t length = strlen(messages);

	snprintf(messages + length, sizeof(messages) - length, "%s %s %s\n",
	    names[request->verb], request->message, request->to);
	if (request->verb == FACTS_CLAIM)
		answer->err = claim_answer;
}

bool
site_answer(const struct facts_request *request, struct facts_answer *answer)
{
	bool answers = true;

	pthread_mutex_lock(&lock);
	if (request->verb == FACTS_SPREAD) {
		hear_counts(request);
		buffer_append(&answer->key, site_secret, sizeof(site_secret));
		buffer_append(&answer->text, tallies, tallies_length);
	} else {
		answer_message(request, answer);
		answers = request->verb != FACTS_CLAIM ||
		    claim_answer != SITE_HANGS_UP;
	}
	pthread_mutex_unlock(&lock);
	return answers;
}
