/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/signet_world.h"

#include "dime/signet_chain.h"

/*
 * Signets by letters. a to t: one user's, each with custody by the one before.
 * A, B: another user's, B with custody by A. Three in the place of c, with the
 * same key: 1 without custody, 2 with custody by another, 3 with a user
 * signature that is not by its own key. x: a signet by another key with custody
 * by t. S: a signing request with custody by c.
 */
enum { CHAIN = 20, SIZE = 2000 };
static const char letters[] = "abcdefghijklmnopqrstAB123xS";
static struct buffer links[COUNT(letters) - 1];

static struct buffer *
link_of(char letter)
{
	return &links[strchr(letters, letter) - letters];
}

/* The key of a signet: of a letter of its own, or of what it stands for. */
static const uint8_t *
seed_of(char letter)
{
	static uint8_t seeds[256][CRYPTO_SEED];
	uint8_t *seed = seeds[(uint8_t)letter];

	memset(seed, strchr("123", letter) != NULL ? 'c' : letter, CRYPTO_SEED);
	return seed;
}

static void
make_request(char letter, char previous, struct buffer *out)
{
	const uint8_t *seed = seed_of(letter);
	uint8_t key[CRYPTO_SIGN_PUBLIC], point[CRYPTO_POINT];
	struct signer custody;

	crypto_ed25519_public(seed, key);
	assert_int_equal(crypto_point_public(seed, point), 0);
	if (previous != '\0')
		custody = signer_of_seed(seed_of(previous));
	assert_int_equal(signet_make_ssr(LAYOUT_STANDARD, key,
	    signer_of_seed(seed), point, previous == '\0' ? NULL : &custody,
	    out, NULL), 0);
}

/* As whoever signs it sees it: with the right previous signet. */
static void
make_link(char letter, char previous)
{
	struct buffer request = buffer_make(SIZE), before = buffer_make(SIZE);

	make_request(letter, previous, &request);
	if (previous != '\0') {
		struct buffer first = buffer_make(SIZE);

		make_request(previous, '\0', &first);
		world_make_user(&first, NULL, POK, "alice@alpha.test",
		    &before);
		buffer_free(&first);
	}
	world_make_user(&request, previous == '\0' ? NULL : &before, POK,
	    "alice@alpha.test", link_of(letter));
	buffer_free(&request);
	buffer_free(&before);
}

static int
start(void **state)
{
	struct signet *signet;

	world_start(state);
	for (size_t i = 0; i < COUNT(links); i++)
		links[i] = buffer_make(SIZE);
	for (size_t i = 0; i < CHAIN; i++)
		make_link(letters[i], i == 0 ? '\0' : letters[i - 1]);
	make_link('A', '\0');
	make_link('B', 'A');
	make_link('1', '\0');
	make_link('2', 'A');
	make_link('3', 'b');
	make_link('x', 't');
	make_request('S', 'c', link_of('S'));
	signet = world_parse(link_of('3'));
	link_of('3')->data[signet_find(signet, SIGNET_USER_SIGNATURE)
	    ->value.data - signet->blob] ^= 1;
	signet_free(signet);
	return 0;
}

static int
end(void **state)
{
	for (size_t i = 0; i < COUNT(links); i++)
		buffer_free(&links[i]);
	return world_end(state);
}

/* How a link is written down. */
enum form { BINARY, ARMORED, CORE, FORMS };

static void
append(struct buffer *out, char letter, enum form form)
{
	struct signet *signet = world_parse(link_of(letter));

	if (form == BINARY)
		buffer_append_span(out, signet_binary(signet));
	else if (form == ARMORED)
		signet_write(signet, out);
	else
		assert_int_equal(signet_split(signet, SIGNET_STATE_CORE, out,
		    NULL), 0);
	signet_free(signet);
}

static int
verify(const char *chain_letters, enum form form, char known, char current,
    struct fault *fault)
{
	struct buffer data = buffer_make(100000);
	struct signet *trusted = known == '\0' ? NULL
	                                       : world_parse(link_of(known));
	struct signet *last = world_parse(link_of(current));
	struct signet_chain chain;
	int err;

	for (const char *at = chain_letters; *at != '\0'; at++)
		append(&data, *at, form);
	assert_int_equal(signet_chain_read(buffer_span(&data), &chain, fault),
	    0);
	assert_int_equal(chain.count, strlen(chain_letters));
	err = signet_chain_verify(&chain, trusted, last, fault);
	signet_chain_free(&chain);
	signet_free(trusted);
	signet_free(last);
	buffer_free(&data);
	return err;
}

static void
chains(void **state)
{
	static const struct {
		const char *name, *chain;
		char known, current; /* known 0: none */
		const char *complaint; /* NULL for a good one */
	} cases[] = {
	    {"one, itself", "a", 'a', 'a', NULL},
	    {"one, the one before", "a", 'a', 'b', NULL},
	    {"two, with the last", "ab", 'a', 'b', NULL},
	    {"two, without it", "ab", 'a', 'c', NULL},
	    {"twenty, with the last", "abcdefghijklmnopqrst", 'a', 't', NULL},
	    {"twenty, without it", "abcdefghijklmnopqrst", 'a', 'x', NULL},
	    {"from the middle", "fgh", 'f', 'h', NULL},
	    {"first trusted as it is", "fgh", '\0', 'h', NULL},
	    {"to a request", "abc", 'a', 'S', NULL},
	    {"first without custody", "1d", '1', 'd', NULL},
	    {"missing link", "abdef", 'a', 'f',
	     "chain: signet 3 of 5: signet: field 4 (Custody-Signature) at"},
	    {"missing last", "abc", 'a', 'e', "signet: field 4"},
	    {"missing first", "bcd", 'a', 'd',
	     "chain: signet 1 of 3: is not the one that is known"},
	    {"swapped", "acbd", 'a', 'd', "chain: signet 2 of 4: "},
	    {"backwards", "cba", 'c', 'a', "chain: signet 2 of 3: "},
	    {"twice the same", "aabc", 'a', 'c',
	     "chain: signet 2 of 4: signet: field 4 (Custody-Signature) is "
	     "missing"},
	    {"foreign link", "aAbc", 'a', 'c', "chain: signet 2 of 4: "},
	    {"foreign link at the end", "abcA", 'a', 'A',
	     "chain: signet 4 of 4: "},
	    {"of another user", "AB", 'a', 'B',
	     "chain: signet 1 of 2: is not the one that is known"},
	    {"to another user", "abc", 'a', 'B', "signet: field 4"},
	    {"no custody in the middle", "ab1d", 'a', 'd',
	     "chain: signet 3 of 4: signet: field 4 (Custody-Signature) is "
	     "missing"},
	    {"custody by another", "ab2d", 'a', 'd',
	     "chain: signet 3 of 4: signet: field 4 (Custody-Signature) at"},
	    {"signed by another key", "ab3d", 'a', 'd',
	     "chain: signet 3 of 4: signet: field 5 (User-Signature) at"},
	    {"first signed by another key", "3d", '\0', 'd',
	     "chain: signet 1 of 2: signet: field 5 (User-Signature) at"},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		for (int form = 0; form < FORMS; form++) {
			struct fault fault = {0};
			int err = verify(cases[i].chain, (enum form)form,
			    cases[i].known, cases[i].current, &fault);

			unit_case(cases[i].name);
			if (cases[i].complaint == NULL) {
				assert_int_equal(err, 0);
				continue;
			}
			assert_int_equal(err, ERR_CUSTODY);
			assert_int_equal(fault.err, ERR_CUSTODY);
			if (strstr(fault.text, cases[i].complaint) !=
			    fault.text)
				fail_msg("%s", fault.text);
			assert_int_equal(verify(cases[i].chain,
			    (enum form)form, cases[i].known, cases[i].current,
			    NULL), ERR_CUSTODY);
		}
}

/* Whatever two signets stand side by side, only neighbours hold. */
static void
only_neighbours_hold(void **state)
{
	for (size_t i = 0; i < CHAIN; i++)
		for (size_t j = 0; j < CHAIN; j++) {
			char chain[] = {letters[i], letters[j], '\0'};

			unit_case(chain);
			assert_int_equal(verify(chain, CORE, letters[i],
			    letters[j], NULL), i + 1 == j ? 0 : ERR_CUSTODY);
		}
}

/* Of any mixture of forms, with blank lines between armored ones. */
static void
files_of_signets(void **state)
{
	struct buffer data = buffer_make(SIZE_MAX / 2);
	struct signet *current = world_parse(link_of('d'));
	struct signet_chain chain;

	buffer_append_string(&data, "\n \r\n");
	append(&data, 'a', ARMORED);
	buffer_append_string(&data, "\r\n\n");
	append(&data, 'b', ARMORED);
	append(&data, 'c', CORE);
	append(&data, 'd', ARMORED);
	buffer_append_string(&data, " \n");
	assert_int_equal(signet_chain_read(buffer_span(&data), &chain, NULL),
	    0);
	assert_int_equal(chain.count, 4);
	assert_int_equal(signet_chain_verify(&chain, NULL, current, NULL), 0);
	signet_chain_free(&chain);
	signet_free(current);
	buffer_free(&data);
}

static void
files_that_are_refused(void **state)
{
	static const struct {
		const char *name;
		char first;        /* 0: none */
		const char *after; /* what follows it */
		enum form form;
		const char *complaint;
	} cases[] = {
	    {"empty", '\0', "", ARMORED, "signet: header at offset 0: "},
	    {"blank", '\0', "\n", ARMORED, "signet: header at offset 0: "},
	    {"rubbish", '\0', "hello", ARMORED, "signet: "},
	    {"request", 'S', "", BINARY, "is a signing request, not a user"},
	    {"rubbish after armor", 'a', "hello", ARMORED, "signet 2: "},
	    {"rubbish after octets", 'a', "hello", BINARY, "signet 2: "},
	    {"line end after octets", 'a', "\n", BINARY, "signet 2: "},
	    {"no END", 'a', "-----BEGIN USER SIGNET-----\nBv0=\n", ARMORED,
	     "signet 2: armor: "},
	    {"two dashes", 'a', "--", ARMORED,
	     "signet 2: signet: header at offset 0: "},
	    {"cut", 'a', "\x06\xfd\xff\xff\xff\1", BINARY,
	     "signet 2: signet: "},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer data = buffer_make(10000);
		struct signet_chain chain;
		struct fault fault = {0};

		unit_case(cases[i].name);
		if (cases[i].first != '\0')
			append(&data, cases[i].first, cases[i].form);
		buffer_append_string(&data, cases[i].after);
		assert_int_equal(signet_chain_read(buffer_span(&data), &chain,
		    &fault), ERR_FORMAT);
		if (strstr(fault.text, cases[i].complaint) != fault.text)
			fail_msg("%s", fault.text);
		signet_chain_free(&chain);
		buffer_free(&data);
	}
}

static void
chains_end(void **state)
{
	struct buffer data = buffer_make(SIZE_MAX / 2);
	struct buffer core = buffer_make(SIZE);
	struct signet_chain chain;
	struct fault fault = {0};

	append(&core, 'a', CORE);
	for (int i = 0; i <= SIGNET_CHAIN_LIMIT; i++)
		buffer_append_span(&data, buffer_span(&core));
	assert_int_equal(signet_chain_read(buffer_span(&data), &chain, &fault),
	    ERR_FORMAT);
	assert_int_equal(chain.count, SIGNET_CHAIN_LIMIT);
	assert_string_equal(fault.text, "signet 10001: more than 10000 "
	    "signets");
	signet_chain_free(&chain);
	buffer_free(&data);
	buffer_free(&core);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(chains),
	    cmocka_unit_test(only_neighbours_hold),
	    cmocka_unit_test(files_of_signets),
	    cmocka_unit_test(files_that_are_refused),
	    cmocka_unit_test(chains_end),
	};

	return cmocka_run_group_tests(tests, start, end);
}
