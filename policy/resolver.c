/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/nameser.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "policy/resolver.h"
#include "policy/resolver_context.h"

enum {
	CLASS_IN = 1,
	RCODE_NOERROR = 0,
	RCODE_NXDOMAIN = 3,
	RECORDS = 256, /* of one reply that are looked at */
};

static const char ending_reason[] = "dime-policyd is ending";

struct question {
	struct question *next, *previous;
	struct resolver *resolver;
	enum dns_type type;
	int id; /* libunbound's */
	struct deadline deadline;
	dns_done *done;
	void *done_context;
	char *name; /* behind the structure */
};

struct resolver {
	struct anchors *anchors;
	struct resolver_servers servers;
	pthread_t thread;
	int wake; /* eventfd */
	_Atomic int64_t timeout; /* milliseconds */
	_Atomic int64_t last_answer;
	/* Under the lock: what callers leave for the thread. */
	pthread_mutex_t lock;
	struct question *submitted;
	bool renew, ending;
	/* The thread's alone. `asked` is a ring with a dummy, oldest first;
	 * all wait equally long, so that the oldest runs out first. */
	struct ub_ctx *context;
	struct question asked;
};

/* ---- replies ---- */

/* A bogus answer carries its data, and a dead server looks like "no data" but
 * for the response code: hence this order. */
static enum dns_answer
classify(const struct ub_result *result, bool anchored)
{
	if (result->bogus)
		return DNS_BOGUS;
	if (result->rcode != RCODE_NOERROR && result->rcode != RCODE_NXDOMAIN)
		return DNS_UNREACHABLE;
	if (result->havedata)
		return result->secure ? DNS_PRESENT_SECURE
		                      : DNS_PRESENT_INSECURE;
	if (result->secure)
		return DNS_ABSENT_PROVEN;
	return anchored ? DNS_ABSENT_INSECURE : DNS_UNREACHABLE;
}

static void
explain(const struct ub_result *result, struct dns_reply *reply)
{
	if (reply->answer == DNS_BOGUS)
		snprintf(reply->reason, sizeof(reply->reason), "%s",
		    result->why_bogus == NULL ? "validation failed"
		                              : result->why_bogus);
	else if (reply->answer == DNS_UNREACHABLE && result->rcode != 0 &&
	    result->rcode != RCODE_NXDOMAIN)
		snprintf(reply->reason, sizeof(reply->reason),
		    "no answer (response code %d)", result->rcode);
	else if (reply->answer == DNS_UNREACHABLE)
		snprintf(reply->reason, sizeof(reply->reason),
		    "no trust anchor covers the name, so nothing is proven");
}

/* Whether an anchor stands above each alias on the way. */
static bool
are_aliases_anchored(const struct anchors *anchors,
    const struct ub_result *result)
{
	ns_msg message;
	ns_rr record;

	if (ns_initparse(result->answer_packet, result->answer_len,
	        &message) != 0)
		return false;
	for (int i = 0; i < ns_msg_count(message, ns_s_an); i++)
		if (ns_parserr(&message, ns_s_an, i, &record) != 0 ||
		    !anchors_cover(anchors, ns_rr_name(record)))
			return false;
	return true;
}

/* An alias may lead out from under the anchor that stands above the name, and
 * another back again. */
static bool
is_anchored(const struct anchors *anchors, const struct ub_result *result)
{
	return anchors_cover(anchors, result->qname) &&
	    (result->canonname == NULL ||
	        (anchors_cover(anchors, result->canonname) &&
	            are_aliases_anchored(anchors, result)));
}

static struct dns_reply *
make_reply(const struct resolver *resolver, const struct ub_result *result)
{
	const bool anchored =
	    result->secure || is_anchored(resolver->anchors, result);
	const enum dns_answer answer = classify(result, anchored);
	struct span data[RECORDS];
	struct dns_reply *reply;
	size_t count = 0;

	if (answer == DNS_PRESENT_SECURE || answer == DNS_PRESENT_INSECURE)
		for (; count < RECORDS && result->data[count] != NULL; count++)
			data[count] = span_of(result->data[count],
			    (size_t)result->len[count]);
	/* What is not looked at might be the one that matters. */
	if (count == RECORDS && result->data[count] != NULL)
		return dns_reply_new(DNS_UNREACHABLE, "too many records");
	reply = dns_reply_copy(answer, data, count);
	if (reply == NULL)
		return NULL;
	reply->anchored = anchored;
	reply->ttl = result->ttl;
	explain(result, reply);
	return reply;
}

/* ---- the thread ---- */

static void
append(struct resolver *resolver, struct question *question)
{
	question->next = &resolver->asked;
	question->previous = resolver->asked.previous;
	resolver->asked.previous->next = question;
	resolver->asked.previous = question;
}

static void
finish(struct question *question, struct dns_reply *reply)
{
	question->previous->next = question->next;
	question->next->previous = question->previous;
	question->done(question->done_context, reply);
	free(question);
}

static void
fail(struct question *question, const char *reason)
{
	finish(question, dns_reply_new(DNS_UNREACHABLE, reason));
}

/* libunbound calls this from ub_process(), in our thread. */
static void
answered(void *argument, int error, struct ub_result *result)
{
	struct question *question = argument;
	struct resolver *resolver = question->resolver;
	struct dns_reply *reply;

	if (error != 0) {
		fail(question, ub_strerror(error));
		return;
	}
	reply = make_reply(resolver, result);
	ub_resolve_free(result);
	if (reply != NULL && reply->answer != DNS_UNREACHABLE)
		atomic_store(&resolver->last_answer,
		    clock_monotonic(&clock_system));
	finish(question, reply);
}

static int
ask_unbound(struct resolver *resolver, struct question *question)
{
	return ub_resolve_async(resolver->context, question->name,
	    (int)question->type, CLASS_IN, question, answered, &question->id);
}

static void
take_submitted(struct resolver *resolver, struct question *submitted)
{
	while (submitted != NULL) {
		struct question *question = submitted;
		int error;

		submitted = question->next;
		append(resolver, question);
		error = ask_unbound(resolver, question);
		if (error != 0)
			fail(question, ub_strerror(error));
	}
}

/* libunbound offers no way to forget one name: a new context knows nothing.
 * What is open is asked again there. */
static void
renew_context(struct resolver *resolver)
{
	struct question *question, *next;
	struct ub_ctx *old = resolver->context;
	struct fault fault;
	int error;

	if (resolver_context_new(resolver->anchors, &resolver->servers,
	        &resolver->context, &fault) != 0) {
		resolver->context = old;
		return;
	}
	for (question = resolver->asked.next; question != &resolver->asked;
	    question = next) {
		next = question->next;
		ub_cancel(old, question->id);
		error = ask_unbound(resolver, question);
		if (error != 0)
			fail(question, ub_strerror(error));
	}
	ub_ctx_delete(old);
}

static void
expire(struct resolver *resolver)
{
	while (resolver->asked.next != &resolver->asked &&
	    deadline_left(resolver->asked.next->deadline) == 0) {
		ub_cancel(resolver->context, resolver->asked.next->id);
		fail(resolver->asked.next, "no answer in time");
	}
}

static void
wait_for_something(struct resolver *resolver)
{
	struct pollfd descriptors[2] = {
	    {.fd = ub_fd(resolver->context), .events = POLLIN},
	    {.fd = resolver->wake, .events = POLLIN},
	};
	int timeout = -1;
	uint64_t count;

	if (resolver->asked.next != &resolver->asked)
		timeout = deadline_left(resolver->asked.next->deadline);
	poll(descriptors, 2, timeout);
	if (descriptors[1].revents != 0 &&
	    read(resolver->wake, &count, sizeof(count)) < 0)
		return;
}

static void *
run(void *argument)
{
	struct resolver *resolver = argument;
	struct question *submitted;
	bool renew, ending;

	do {
		wait_for_something(resolver);
		pthread_mutex_lock(&resolver->lock);
		submitted = resolver->submitted;
		resolver->submitted = NULL;
		renew = resolver->renew;
		resolver->renew = false;
		ending = resolver->ending;
		pthread_mutex_unlock(&resolver->lock);
		if (renew)
			renew_context(resolver);
		take_submitted(resolver, submitted);
		ub_process(resolver->context);
		expire(resolver);
	} while (!ending);
	while (resolver->asked.next != &resolver->asked) {
		ub_cancel(resolver->context, resolver->asked.next->id);
		fail(resolver->asked.next, ending_reason);
	}
	return NULL;
}

/* ---- callers ---- */

static void
wake(struct resolver *resolver)
{
	const uint64_t one = 1;

	/* Full means that it is awake anyway. */
	if (write(resolver->wake, &one, sizeof(one)) < 0 && errno != EAGAIN)
		abort();
}

static void
source_ask(void *context, const char *name, enum dns_type type, dns_done *done,
    void *done_context)
{
	struct resolver *resolver = context;
	struct question *question =
	    malloc(sizeof(*question) + strlen(name) + 1);
	bool ending;

	if (question == NULL) {
		done(done_context, NULL);
		return;
	}
	question->resolver = resolver;
	question->type = type;
	question->deadline = deadline_in(atomic_load(&resolver->timeout));
	question->done = done;
	question->done_context = done_context;
	question->name = strcpy((char *)(question + 1), name);
	pthread_mutex_lock(&resolver->lock);
	ending = resolver->ending;
	if (!ending) {
		question->next = resolver->submitted;
		resolver->submitted = question;
	}
	pthread_mutex_unlock(&resolver->lock);
	if (!ending) {
		wake(resolver);
		return;
	}
	free(question);
	done(done_context, dns_reply_new(DNS_UNREACHABLE, ending_reason));
}

static int64_t
source_last_answer(void *context)
{
	struct resolver *resolver = context;

	return atomic_load(&resolver->last_answer);
}

static void
source_forget(void *context)
{
	struct resolver *resolver = context;

	pthread_mutex_lock(&resolver->lock);
	resolver->renew = true;
	pthread_mutex_unlock(&resolver->lock);
	wake(resolver);
}

struct dns_source
resolver_source(struct resolver *resolver)
{
	return (struct dns_source){resolver, source_ask, source_last_answer,
	    source_forget};
}

void
resolver_set_timeout(struct resolver *resolver, int64_t seconds)
{
	atomic_store(&resolver->timeout, seconds * 1000);
}

/* ---- beginning and end ---- */

static void
release(struct resolver *resolver)
{
	if (resolver->context != NULL)
		ub_ctx_delete(resolver->context);
	if (resolver->wake >= 0)
		close(resolver->wake);
	pthread_mutex_destroy(&resolver->lock);
	anchors_free(resolver->anchors);
	resolver_servers_free(&resolver->servers);
	free(resolver);
}

static int
prepare(struct resolver *resolver, const struct config *config,
    struct fault *fault)
{
	int err;

	resolver->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (resolver->wake < 0)
		return fault_set(fault, ERR_SYSTEM, "eventfd: %s",
		    strerror(errno));
	if (resolver_servers_copy(config, &resolver->servers) != 0)
		return fault_set(fault, ERR_MEMORY, "resolver: out of memory");
	if ((err = anchors_read(config->trust_anchor_file, &resolver->anchors,
	         fault)) != 0 ||
	    (*config->trust_anchor_directory != '\0' &&
	        (err = anchors_follow(resolver->anchors,
	             config->trust_anchor_directory, false, fault)) != 0) ||
	    (err = resolver_context_new(resolver->anchors, &resolver->servers,
	         &resolver->context, fault)) != 0)
		return err;
	if (pthread_create(&resolver->thread, NULL, run, resolver) != 0)
		return fault_set(fault, ERR_SYSTEM, "resolver: no thread");
	return 0;
}

int
resolver_new(const struct config *config, struct resolver **out,
    struct fault *fault)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));
	int err;

	*out = NULL;
	if (resolver == NULL)
		return fault_set(fault, ERR_MEMORY, "resolver: out of memory");
	pthread_mutex_init(&resolver->lock, NULL);
	resolver->asked.next = resolver->asked.previous = &resolver->asked;
	resolver_set_timeout(resolver, config->dns_timeout);
	/* DNS answers until it shows that it does not. */
	atomic_init(&resolver->last_answer, clock_monotonic(&clock_system));
	err = prepare(resolver, config, fault);
	if (err != 0)
		release(resolver);
	else
		*out = resolver;
	return err;
}

void
resolver_stop(struct resolver *resolver)
{
	pthread_mutex_lock(&resolver->lock);
	resolver->ending = true;
	pthread_mutex_unlock(&resolver->lock);
	wake(resolver);
}

void
resolver_free(struct resolver *resolver)
{
	if (resolver == NULL)
		return;
	resolver_stop(resolver);
	pthread_join(resolver->thread, NULL);
	release(resolver);
}
