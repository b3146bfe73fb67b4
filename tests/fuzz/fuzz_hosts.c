/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include "net/http.h"
#include "policy/hosts.h"

/* A name that comes out of it is one that may be asked for. */
static void
read_mx(struct span data)
{
	char name[DOMAIN_SIZE];
	unsigned int preference;

	if (hosts_read_mx(data, &preference, name)) {
		FUZZ_CHECK(domain_is_normal(span_string(name)));
		FUZZ_CHECK(preference <= 65535);
	}
}

/* Where a responder's URL leads is a host with a name, and never an address. */
static void
read_url(struct span data)
{
	char url[2000];
	struct http_place place;

	if (span_copy_string(data, url, sizeof(url)) &&
	    http_read_url(url, &place, NULL) == 0) {
		FUZZ_CHECK(domain_is_normal(span_string(place.host)));
		FUZZ_CHECK(place.port > 0 && place.port <= 65535);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct span input = span_of(data, size);

	read_mx(input);
	read_url(input);
	hosts_is_public(input);
	return 0;
}
