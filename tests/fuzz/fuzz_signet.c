/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include "tests/unit/explain_cover.h"
#include "dime/signet_chain.h"
#include "dime/signet_content.h"
#include "tests/unit/message_world.h"

struct one_key {
	uint8_t keys[1][CRYPTO_SIGN_PUBLIC];
};

/* What counts of a value lies within it, and is all of a good one. */
static void
judge_contents(const struct signet *signet)
{
	for (size_t i = 0; i < signet->field_count; i++) {
		const struct signet_field *field = &signet->fields[i];
		const struct signet_field_row *row = signet_field_row(
		    signet->layout, signet->magic, field->type);
		struct span used;

		if (row == NULL)
			continue;
		if (signet_content_fault(row->content, field->value, &used) ==
		    NULL)
			FUZZ_CHECK(span_equal(used, field->value));
		else
			FUZZ_CHECK(used.length < field->value.length);
	}
}

static void
read_chain(struct span data)
{
	struct signet_chain chain;

	if (signet_chain_read(data, &chain, NULL) == 0) {
		FUZZ_CHECK(chain.count > 0);
		signet_chain_verify(&chain, world.alice->signet,
		    world.alice->signet, NULL);
		signet_chain_verify(&chain, NULL, chain.links[0], NULL);
	}
	signet_chain_free(&chain);
}

/* Takes over the signet. */
static void
verify(struct signet *signet)
{
	const struct signet_field *first = signet_find(signet, SIGNET_ORG_POK);
	struct one_key pok;
	const struct one_key *poks = &pok;
	struct org_signet *org = NULL;
	struct user_signet *user = NULL;
	char out[SIGNET_FINGERPRINT_SIZE];

	FUZZ_CHECK(first != NULL &&
	    first->value.length >= CRYPTO_SIGN_PUBLIC);
	memcpy(pok.keys[0], signet_key(first->value), CRYPTO_SIGN_PUBLIC);
	signet_org_fingerprint(signet, out);
	signet_core_fingerprint(signet, out);
	signet_full_fingerprint(signet, out);
	for (size_t i = 0; i < signet->field_count; i++)
		FUZZ_CHECK(signet_below(signet, signet->fields[i].type).length <
		    signet->length);
	signet_verify_own(signet, NULL);
	signet_verify_custody(signet, world.alice->signet, NULL);
	if (signet_verify_org(signet, poks->keys, 1, NULL, &org, NULL) != 0 &&
	    signet_verify_user(signet, world.alpha, NULL, &user, NULL) != 0)
		signet_free(signet);
	org_signet_free(org);
	user_signet_free(user);
}

/* What is told of a signet, good or broken, covers it. */
static void
explain(struct span input)
{
	struct signet *signet;
	struct cover cover;

	signet_survey(input, &signet, NULL);
	if (signet == NULL)
		return;
	cover_start(&cover);
	signet_explain(signet, &cover.explainer);
	cover_end(&cover, signet_binary(signet));
	cover_free(&cover);
	signet_free(signet);
}

/* What reads as a signet is written and read again as the same. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer armored = buffer_make(SIZE_MAX / 2);
	struct signet *signet, *again;

	explain(span_of(data, size));
	read_chain(span_of(data, size));
	if (signet_read(span_of(data, size), &signet, NULL) != 0)
		return 0;
	judge_contents(signet);
	signet_write(signet, &armored);
	FUZZ_CHECK(signet_read(buffer_span(&armored), &again, NULL) == 0);
	FUZZ_CHECK(span_equal(signet_binary(signet), signet_binary(again)));
	buffer_free(&armored);
	signet_free(again);
	verify(signet);
	return 0;
}
