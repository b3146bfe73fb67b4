/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdlib.h>

#include "client/revocation.h"
#include "crypto/crypto.h"
#include "net/http.h"
#include "net/ocsp.h"

enum {
	ENTRIES = 1024,
	LONGEST = 86400,      /* seconds that a response is kept at most */
	RESPONDERS = 2,       /* that are asked */
	ASK_TIME = 10 * 1000, /* milliseconds for them together */
	RESPONSE_LIMIT = 1 << 16,
};

struct entry {
	uint8_t certificate[CRYPTO_SHA512];
	enum certificate_status status;
	int64_t until; /* 0: free */
};

struct revocation {
	struct address_source addresses;
	const struct clock *clock;
	pthread_mutex_t lock;
	struct entry entries[ENTRIES];
};

int
revocation_new(const struct address_source *addresses,
    const struct clock *clock, struct revocation **out)
{
	struct revocation *revocation;
	int err;

	*out = NULL;
	if ((err = http_start()) != 0)
		return err;
	revocation = calloc(1, sizeof(*revocation));
	if (revocation == NULL) {
		http_end();
		return ERR_MEMORY;
	}
	revocation->addresses = *addresses;
	revocation->clock = clock;
	pthread_mutex_init(&revocation->lock, NULL);
	*out = revocation;
	return 0;
}

void
revocation_free(struct revocation *revocation)
{
	if (revocation == NULL)
		return;
	pthread_mutex_destroy(&revocation->lock);
	free(revocation);
	http_end();
}

/* ---- what is kept ---- */

static bool
recall(struct revocation *revocation,
    const uint8_t certificate[CRYPTO_SHA512], enum certificate_status *status)
{
	const int64_t now = clock_wall(revocation->clock);
	bool found = false;

	pthread_mutex_lock(&revocation->lock);
	for (size_t i = 0; i < ENTRIES && !found; i++) {
		const struct entry *entry = &revocation->entries[i];

		/* One that seems to last longer was put there when the clock
		 * was ahead. */
		found = entry->until > now && entry->until - now <= LONGEST &&
		    memcmp(entry->certificate, certificate, CRYPTO_SHA512) ==
		        0;
		if (found)
			*status = entry->status;
	}
	pthread_mutex_unlock(&revocation->lock);
	return found;
}

/* In place of the one whose time is over first. */
static void
keep(struct revocation *revocation, const uint8_t certificate[CRYPTO_SHA512],
    enum certificate_status status, int64_t seconds)
{
	const int64_t now = clock_wall(revocation->clock);
	struct entry *chosen = &revocation->entries[0];

	pthread_mutex_lock(&revocation->lock);
	for (size_t i = 1; i < ENTRIES; i++)
		if (revocation->entries[i].until < chosen->until)
			chosen = &revocation->entries[i];
	memcpy(chosen->certificate, certificate, CRYPTO_SHA512);
	chosen->status = status;
	chosen->until = now + (seconds < LONGEST ? seconds : LONGEST);
	pthread_mutex_unlock(&revocation->lock);
}

/* ---- asking ---- */

static enum certificate_status
status_of(enum ocsp_status status)
{
	return status == OCSP_GOOD       ? CERTIFICATE_GOOD
	    : status == OCSP_REVOKED ? CERTIFICATE_REVOKED
	                             : CERTIFICATE_UNKNOWN;
}

static int
exchange(struct revocation *revocation, const char *url, struct span request,
    struct deadline deadline, struct buffer *response, struct fault *fault)
{
	struct facts_host host;
	struct http_place place;
	struct http_post post = {
	    .url = url,
	    .request_type = "application/ocsp-request",
	    .answer_type = "application/ocsp-response",
	    .body = request,
	    .addresses = host.addresses[0],
	    .address_size = sizeof(host.addresses[0]),
	};
	int err;

	if ((err = http_read_url(url, &place, fault)) != 0 ||
	    (err = revocation->addresses.find(revocation->addresses.context,
	         place.host, deadline, &host, fault)) != 0)
		return err;
	post.address_count = host.address_count;
	return http_send(&post, deadline, response, fault);
}

static int
ask_responder(struct revocation *revocation, const struct ocsp_query *query,
    const char *url, struct deadline deadline, enum ocsp_status *status,
    int64_t *seconds, struct fault *fault)
{
	struct buffer request = buffer_make(RESPONSE_LIMIT);
	struct buffer response = buffer_make(RESPONSE_LIMIT);
	int err = ocsp_write(query, &request);

	if (err != 0)
		fault_set(fault, err, "%s", "");
	else if ((err = exchange(revocation, url, buffer_span(&request),
	              deadline, &response, fault)) == 0)
		err = ocsp_read(query, buffer_span(&response), false, status,
		    seconds, fault);
	buffer_free(&request);
	buffer_free(&response);
	return err;
}

static int
find_out(struct revocation *revocation, const struct ocsp_query *query,
    struct span stapled, struct deadline deadline, enum ocsp_status *status,
    int64_t *seconds, struct fault *fault)
{
	const char *url;
	int err = ERR_UNREACHABLE;

	/* One that is no good says nothing: the responder may say more. */
	if (stapled.length > 0)
		err = ocsp_read(query, stapled, true, status, seconds, fault);
	for (size_t i = 0; err != 0 && i < RESPONDERS; i++) {
		url = ocsp_responder(query, i);
		if (url == NULL)
			break;
		err = revocation == NULL
		    ? fault_set(fault, ERR_UNREACHABLE, "OCSP: not asked")
		    : ask_responder(revocation, query, url, deadline, status,
		          seconds, fault);
	}
	return err;
}

enum certificate_status
revocation_check(struct revocation *revocation, const struct tls_peer *peer,
    struct deadline deadline, struct fault *fault)
{
	uint8_t certificate[CRYPTO_SHA512];
	enum certificate_status status;
	enum ocsp_status said;
	struct ocsp_query *query;
	int64_t seconds;

	crypto_sha512(buffer_span(&peer->der), certificate);
	if (revocation != NULL && recall(revocation, certificate, &status))
		return status;
	if (ocsp_query_new(peer, &query, fault) != 0)
		return CERTIFICATE_UNREACHABLE;
	if (find_out(revocation, query, buffer_span(&peer->stapled),
	        deadline_earlier(deadline, deadline_in(ASK_TIME)), &said,
	        &seconds, fault) == 0) {
		status = status_of(said);
		if (revocation != NULL)
			keep(revocation, certificate, status, seconds);
	} else {
		status = ocsp_responder(query, 0) == NULL
		    ? CERTIFICATE_NO_RESPONDER
		    : CERTIFICATE_UNREACHABLE;
	}
	ocsp_query_free(query);
	return status;
}
