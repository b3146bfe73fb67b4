/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include "cache/cache_value.h"
#include "cache/sentinel.h"
#include "policy/domain_private.h"

enum { NOW = 1700000000, LATER = NOW + 100 };

static struct mac_key *site; /* one for all inputs */

/* What a sentinel has said once, it does not take back by saying more. */
static void
read_sentinel(struct span text)
{
	enum sentinel_reply before = SENTINEL_MORE, reply;
	struct redis_endpoint place;
	bool greeted;

	for (int i = 0; i < 2; i++, before = SENTINEL_MORE) {
		greeted = i == 1;
		for (size_t length = 0; length <= text.length; length++) {
			reply = sentinel_read(span_slice(text, 0, length),
			    greeted, &place);
			FUZZ_CHECK(before == SENTINEL_MORE || reply == before);
			before = reply;
		}
	}
}

/* Nobody without the site's key makes a value, whatever he makes it of. */
static void
open_values(struct span text)
{
	struct buffer value = buffer_make(FUZZ_LIMIT);
	char key[CACHE_KEY_SIZE], other[CACHE_KEY_SIZE];
	struct span payload;
	int64_t expires;

	FUZZ_CHECK(cache_value_key(site, "r", span_string("a"), key));
	FUZZ_CHECK(cache_value_key(site, "o", span_string("a"), other));
	FUZZ_CHECK(cache_value_open(site, key, text, NOW, &payload,
	    &expires) != CACHE_GOOD);
	FUZZ_CHECK(cache_value_close(site, key, text, LATER, &value));
	FUZZ_CHECK(cache_value_open(site, key, buffer_span(&value), NOW,
	    &payload, &expires) == CACHE_GOOD);
	FUZZ_CHECK(span_equal(payload, text) && expires == LATER);
	FUZZ_CHECK(cache_value_open(site, key, buffer_span(&value), LATER,
	    &payload, &expires) == CACHE_ODD);
	FUZZ_CHECK(cache_value_open(site, other, buffer_span(&value), NOW,
	    &payload, &expires) == CACHE_TAMPERED);
	buffer_free(&value);
}

/* What is read as a record could have been written so. */
static void
read_record(struct span text)
{
	struct buffer again = buffer_make(FUZZ_LIMIT);
	struct domain_stored stored;

	if (domain_stored_read(text, &stored)) {
		FUZZ_CHECK(domain_is_absent(stored.dns) ||
		    (domain_is_present(stored.dns) && stored.text.length > 0));
		domain_stored_write(&stored, &again);
		FUZZ_CHECK(span_equal(buffer_span(&again), text));
	}
	buffer_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[CRYPTO_MAC_KEY] = {1, 2, 3};
	const struct span text = span_of(data, size);

	if (site == NULL)
		FUZZ_CHECK(mac_key_new(key, &site) == 0);
	read_sentinel(span_slice(text, 0, 400));
	read_record(text);
	open_values(span_slice(text, 0, CACHE_PAYLOAD_LIMIT));
	return 0;
}
