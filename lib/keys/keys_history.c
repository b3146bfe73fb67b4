/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "keys/keys_store.h"

/* The core signets of one address, oldest first. */
struct chain {
	struct signet **cores;
	size_t count;
};

static void
chain_free(struct chain *chain)
{
	for (size_t i = 0; i < chain->count; i++)
		signet_free(chain->cores[i]);
	free(chain->cores);
}

static int
parse_core(struct span full, struct signet **out, struct fault *fault)
{
	struct buffer core = buffer_make(SIGNET_MAX_LENGTH);
	struct signet *signet = NULL;
	int err;

	*out = NULL;
	if ((err = signet_parse(full, &signet, fault)) == 0 &&
	    (err = signet_split(signet, SIGNET_STATE_CORE, &core, fault)) == 0)
		err = core.error != 0
		    ? fault_set(fault, core.error, "out of memory")
		    : signet_parse(buffer_span(&core), out, fault);
	signet_free(signet);
	buffer_free(&core);
	return err;
}

/* Takes the core of a row, which must be linked to the one before it. */
static int
chain_add(struct chain *chain, struct span full, struct fault *fault)
{
	struct signet **grown;
	int err;

	grown = realloc(chain->cores, (chain->count + 1) * sizeof(*grown));
	if (grown == NULL)
		return fault_set(fault, ERR_MEMORY, "out of memory");
	chain->cores = grown;
	if ((err = parse_core(full, &grown[chain->count], fault)) != 0)
		return err;
	chain->count++;
	if (chain->count == 1)
		return 0;
	return signet_verify_custody(grown[chain->count - 1],
	    grown[chain->count - 2], fault);
}

static int
chain_load(struct keys *keys, enum layout layout, const char *address,
    struct chain *chain, struct fault *fault)
{
	const struct keys_place place = {.table = "user",
	    .identifier = address};
	struct statement row;
	int err = 0;

	statement_start(&row, keys->database, layout == LAYOUT_LIBDIME
	    ? KEYS_GET_LIBDIME_CHAIN
	    : KEYS_GET_CHAIN, fault);
	statement_text(&row, address);
	statement_number(&row, KEYS_CHAIN_LIMIT);
	while (err == 0 && statement_next(&row))
		err = chain_add(chain, statement_get_blob(&row, 0), fault);
	if (err != 0)
		err = keys_broken(keys, &place, err, fault);
	return statement_end(&row) != 0 ? row.err : err;
}

/* The place of the core with that fingerprint, or the chain's length. */
static size_t
chain_find(const struct chain *chain, const char *fingerprint)
{
	char core[SIGNET_FINGERPRINT_SIZE];
	size_t i;

	for (i = 0; i < chain->count; i++)
		if (signet_core_fingerprint(chain->cores[i], core) &&
		    strcmp(core, fingerprint) == 0)
			break;
	return i;
}

/* Loads the chain of the address, or of the address without its tag, and finds
 * both ends. *found is false where one is not in it, or they are the wrong way
 * round. */
static int
chain_search(struct keys *keys, enum layout layout, const char *address,
    const char *start, const char *stop, struct chain *chain, size_t *from,
    size_t *to, bool *found, struct fault *fault)
{
	char untagged[ADDRESS_SIZE];
	int err;

	address_strip_tag(address, untagged);
	err = chain_load(keys, layout, address, chain, fault);
	if (err == 0 && chain->count == 0 && strcmp(untagged, address) != 0)
		err = chain_load(keys, layout, untagged, chain, fault);
	*from = *start == '\0' ? 0 : chain_find(chain, start);
	*to = *stop == '\0' ? chain->count - 1 : chain_find(chain, stop);
	*found = err == 0 && chain->count > 0 && *to < chain->count &&
	    *from <= *to;
	return err;
}

int
keys_history(struct keys *keys, const char *address, const char *start,
    const char *stop, int (*each)(void *context, const struct signet *core),
    void *context, struct fault *fault)
{
	struct chain chain = {NULL, 0};
	bool found = false;
	size_t from, to;
	int err = 0;

	for (int layout = 0; layout < LAYOUTS && err == 0 && !found; layout++) {
		chain_free(&chain);
		chain = (struct chain){NULL, 0};
		err = chain_search(keys, (enum layout)layout, address, start,
		    stop, &chain, &from, &to, &found, fault);
	}
	if (err == 0 && !found)
		err = fault_set(fault, ERR_UNKNOWN_ADDRESS,
		    "%s: has no such history of signets", address);
	for (; err == 0 && from <= to; from++)
		err = each(context, chain.cores[from]);
	chain_free(&chain);
	return err;
}
