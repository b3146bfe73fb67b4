/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include "dime/resealing.h"
#include "milter/letter.h"
#include "milter/received.h"
#include "milter/relay.h"
#include "milter/results.h"

static const char *names[] = {"alpha.test"};
static const struct config_list domains = {names, 1};

/* What dmtpd says of a message that it brings back. */
static void
judge_resealing(struct span value)
{
	struct message_envelope author = {.address = ""};
	unsigned int count = 0;

	if (resealing_read_count(value, &count))
		FUZZ_CHECK(count > 0 && count <= RESEALING_COUNT_MAX);
	if (!resealing_read_author(value, author.address,
		author.address_fingerprint))
		return;
	FUZZ_CHECK(address_is_normal(span_string(author.address)));
	FUZZ_CHECK(signet_is_fingerprint(
	    span_string(author.address_fingerprint)));
}

static void
judge_fields(struct span block)
{
	struct span rest = block;
	struct header_field field;
	struct received received;
	size_t total = 0;

	while (header_next(&rest, &field)) {
		received_parse(field.value, &received);
		judge_resealing(field.value);
		if (results_are_forged(field.value, "mx.alpha.test", &domains))
			FUZZ_CHECK(results_is_ours(field.value, "mx.alpha.test",
			    &domains));
		total += field.whole.length;
	}
	FUZZ_CHECK(total == block.length);
}

/* What is behind a tag of relay@ is an address, and comes out as it went in. */
static void
judge_sender(struct span text)
{
	char spelled[ADDRESS_SIZE], normal[ADDRESS_SIZE], again[ADDRESS_SIZE];
	char wrapped[ADDRESS_SIZE], back[ADDRESS_SIZE];

	if (!address_spell(text, spelled))
		return;
	FUZZ_CHECK(address_normalize(text, normal));
	FUZZ_CHECK(address_spell(span_string(spelled), again) &&
	    strcmp(spelled, again) == 0);
	FUZZ_CHECK(strlen(spelled) == strlen(normal));
	if (relay_unwrap(spelled, back))
		FUZZ_CHECK(address_spell(span_string(back), again) &&
		    strcmp(back, again) == 0);
	if (relay_wrap(spelled, wrapped) && relay_unwrap(wrapped, back))
		FUZZ_CHECK(strcmp(back, spelled) == 0);
}

/* A header block; its front is a path, too. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct results results = {
	    "mx.alpha.test", "alice@alpha.test", "alpha.test"};
	struct span block = span_of(data, size);
	struct buffer out = buffer_make(FUZZ_LIMIT);
	char path[300], address[ADDRESS_SIZE], domain[DOMAIN_SIZE];

	judge_fields(block);
	header_is_sealed(block);
	if (header_from_domain(block, domain))
		FUZZ_CHECK(domain_is_normal(span_string(domain)));
	received_rewrite(block, "alpha.test", "mx.alpha.test", &domains, &out);
	results_write(&results, block, &out);
	buffer_free(&out);
	span_copy_string(span_slice(block, 0, 299), path, sizeof(path));
	if (letter_read_path(path, address))
		FUZZ_CHECK(address_is_normal(span_string(address)));
	letter_read_domain(path, domain);
	judge_sender(span_string(path));
	return 0;
}
