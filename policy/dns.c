/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "base/condition.h"
#include "policy/dns.h"

struct dns_reply *
dns_reply_copy(enum dns_answer answer, const struct span *data, size_t count)
{
	size_t octets = 0;
	struct dns_reply *reply;
	uint8_t *at;

	for (size_t i = 0; i < count; i++)
		octets += data[i].length;
	reply = calloc(1, sizeof(*reply) + count * sizeof(*data) + octets);
	if (reply == NULL)
		return NULL;
	reply->answer = answer;
	reply->count = count;
	reply->data = (struct span *)(reply + 1);
	at = (uint8_t *)(reply->data + count);
	for (size_t i = 0; i < count; i++) {
		if (data[i].length > 0)
			memcpy(at, data[i].data, data[i].length);
		reply->data[i] = span_of(at, data[i].length);
		at += data[i].length;
	}
	return reply;
}

struct dns_reply *
dns_reply_new(enum dns_answer answer, const char *reason)
{
	struct dns_reply *reply = dns_reply_copy(answer, NULL, 0);

	if (reply != NULL)
		snprintf(reply->reason, sizeof(reply->reason), "%s", reason);
	return reply;
}

void
dns_reply_free(struct dns_reply *reply)
{
	free(reply);
}

/* ---- several at once ---- */

struct gathering;

struct gathered {
	struct gathering *gathering;
	struct dns_reply *reply;
};

/* Outlives the caller when he gives up, until the last reply is in. */
struct gathering {
	pthread_mutex_t lock;
	pthread_cond_t complete;
	size_t missing;
	bool abandoned;
	size_t count;
	struct gathered items[];
};

static void
gathering_free(struct gathering *gathering)
{
	for (size_t i = 0; i < gathering->count; i++)
		dns_reply_free(gathering->items[i].reply);
	pthread_cond_destroy(&gathering->complete);
	pthread_mutex_destroy(&gathering->lock);
	free(gathering);
}

static void
gather(void *context, struct dns_reply *reply)
{
	struct gathered *item = context;
	struct gathering *gathering = item->gathering;
	bool last_and_alone;

	pthread_mutex_lock(&gathering->lock);
	item->reply = reply;
	gathering->missing--;
	last_and_alone = gathering->missing == 0 && gathering->abandoned;
	pthread_cond_signal(&gathering->complete);
	pthread_mutex_unlock(&gathering->lock);
	if (last_and_alone)
		gathering_free(gathering);
}

static struct gathering *
gathering_new(size_t count)
{
	struct gathering *gathering = calloc(1,
	    sizeof(*gathering) + count * sizeof(gathering->items[0]));

	if (gathering == NULL)
		return NULL;
	pthread_mutex_init(&gathering->lock, NULL);
	condition_start(&gathering->complete);
	gathering->missing = gathering->count = count;
	for (size_t i = 0; i < count; i++)
		gathering->items[i].gathering = gathering;
	return gathering;
}

/* Takes what has come; frees the gathering or leaves it to the last reply. */
static void
collect(struct gathering *gathering, struct deadline deadline,
    struct dns_reply **replies)
{
	bool finished;

	pthread_mutex_lock(&gathering->lock);
	while (gathering->missing > 0 &&
	    condition_wait(&gathering->complete, &gathering->lock, deadline))
		;
	for (size_t i = 0; i < gathering->count; i++) {
		replies[i] = gathering->items[i].reply;
		gathering->items[i].reply = NULL;
	}
	finished = gathering->missing == 0;
	gathering->abandoned = true;
	pthread_mutex_unlock(&gathering->lock);
	if (finished)
		gathering_free(gathering);
}

int
dns_ask_all(const struct dns_source *source,
    const struct dns_question *questions, size_t count,
    struct deadline deadline, struct dns_reply **replies)
{
	struct gathering *gathering = gathering_new(count);

	for (size_t i = 0; i < count; i++)
		replies[i] = NULL;
	if (gathering == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < count; i++)
		source->ask(source->context, questions[i].name,
		    questions[i].type, gather, &gathering->items[i]);
	collect(gathering, deadline, replies);
	return 0;
}
