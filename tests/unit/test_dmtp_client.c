/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "dmtp/client.h"

/* Gives `piece` to the engine and appends what came of it: each reply as
 * `code text {listing};`, an error by name. */
static int
feed(struct dmtp_client *client, struct span piece, struct buffer *out)
{
	int err = 0;

	while (piece.length > 0 && err == 0) {
		bool complete;

		err = dmtp_client_feed(client, &piece, &complete, NULL);
		if (err != 0)
			buffer_append_string(out, error_row(err)->name);
		if (!complete)
			continue;
		buffer_printf(out, "%d %s", client->code, client->text);
		if (client->listing.length > 0)
			buffer_printf(out, " {%s}",
			    buffer_string(&client->listing));
		buffer_append_string(out, ";");
		dmtp_client_next(client);
	}
	return err;
}

static void
check(struct span text, size_t cut, size_t piece, const char *outcome)
{
	struct buffer out = buffer_make(10000);
	struct dmtp_client client;
	int err;

	dmtp_client_start(&client);
	err = feed(&client, span_slice(text, 0, cut), &out);
	for (size_t at = cut; at < text.length && err == 0; at += piece)
		err = feed(&client, span_slice(text, at, piece), &out);
	assert_string_equal(buffer_string(&out), outcome);
	dmtp_client_free(&client);
	buffer_free(&out);
}

#define ORG                                                                    \
	"270------BEGIN ORGANIZATIONAL SIGNET-----\n270-BvAA\n"                \
	"270------END ORGANIZATIONAL SIGNET-----\n"
#define ORG_OUT                                                                \
	"{-----BEGIN ORGANIZATIONAL SIGNET-----\nBvAA\n"                       \
	"-----END ORGANIZATIONAL SIGNET-----\n};"

static const struct {
	const char *name, *text, *outcome;
} transcripts[] = {
    {"single line", "250 OK\n", "250 OK;"},
    {"CRLF", "250 OK\r\n", "250 OK;"},
    {"banner", "220 <mx.beta.test> DMTP ready\n",
     "220 <mx.beta.test> DMTP ready;"},
    {"code alone", "250\n250 \n", "250 ;250 ;"},
    {"several", "250 a\n354 b\n254 ACCEPTED=c\n",
     "250 a;354 b;254 ACCEPTED=c;"},
    {"capabilities", "250-PIPELINING\n250-SIZE 33554432\n250 OK\n",
     "250 OK {PIPELINING\nSIZE 33554432\n};"},
    {"no line end yet", "250 OK", ""},
    {"listing", ORG "270 OK\n", "270  " ORG_OUT},
    {"listing with CRLF", "270-a\r\n270 OK fine\r\n", "270 OK fine {a\n};"},
    {"listing that ends with END", ORG "221 BYE\n",
     "270  " ORG_OUT "221 BYE;"},
    {"a listing after one that ended with END", ORG ORG "270 OK\n221 BYE\n",
     "270  " ORG_OUT "270  " ORG_OUT "221 BYE;"},
    {"END as the last line itself",
     "280-----BEGIN USER SIGNET----\n280 ----END USER SIGNET----\n250 OK\n",
     "280  {----BEGIN USER SIGNET----\n----END USER SIGNET----\n};250 OK;"},
    {"history goes on after END",
     "290------END USER SIGNET-----\n290-x\n290 OK\n",
     "290 OK {-----END USER SIGNET-----\nx\n};"},
    {"closing at any time", "421 BUSY\n", "421 BUSY;"},
    {"closing within a listing", "280-abc\n421-so\n421 BYE\n",
     "421 BYE {so\n};"},
    {"unknown codes pass", "299 x\n599-y\n599 z\n", "299 x;599 z {y\n};"},

    {"empty line", "\n", "ERR_PROTOCOL"},
    {"no code", "OK\n", "ERR_PROTOCOL"},
    {"two digits", "25\n", "ERR_PROTOCOL"},
    {"four digits", "2500 OK\n", "ERR_PROTOCOL"},
    {"code too low", "199 OK\n", "ERR_PROTOCOL"},
    {"code too high", "600 OK\n", "ERR_PROTOCOL"},
    {"letters in the code", "2x0 OK\n", "ERR_PROTOCOL"},
    {"tab after the code", "250\tOK\n", "ERR_PROTOCOL"},
    {"code changes", "250-a\n251 b\n", "ERR_PROTOCOL"},
    {"code changes to failure", "280-a\n451 b\n", "ERR_PROTOCOL"},
    {"listing without prefix", "280-a\nabc\n", "ERR_PROTOCOL"},
    {"8-bit", "250 \xc3\xa9\n", "ERR_PROTOCOL"},
    {"lone CR", "250 a\rb\n", "ERR_PROTOCOL"},
    {"CR twice", "250 a\r\r\n", "ERR_PROTOCOL"},
    {"good, then bad", "250 a\nbad\n250 b\n", "250 a;ERR_PROTOCOL"},
};

static void
transcript_table(void **state)
{
	for (size_t i = 0; i < COUNT(transcripts); i++) {
		struct span text = span_string(transcripts[i].text);

		unit_case(transcripts[i].name);
		check(text, text.length, 1, transcripts[i].outcome);
		check(text, 0, 1, transcripts[i].outcome);
		/* Split at every boundary: the same events. */
		for (size_t cut = 1; cut < text.length; cut++)
			check(text, cut, text.length, transcripts[i].outcome);
	}
}

static void
nul_octets(void **state)
{
	check(span_of("250 a\0b\n", 8), 8, 1, "ERR_PROTOCOL");
	check(span_of("\0\0\0\0\n", 5), 5, 1, "ERR_PROTOCOL");
}

static void
long_lines(void **state)
{
	char line[DMTP_LINE_LIMIT + 1];
	struct buffer expected = buffer_make(2000);

	memset(line, 'x', sizeof(line));
	memcpy(line, "250 ", 4);
	line[DMTP_LINE_LIMIT - 1] = '\n';
	buffer_append(&expected, line, DMTP_LINE_LIMIT - 1);
	buffer_u8(&expected, ';');
	for (size_t piece = 1; piece < 600; piece += 37)
		check(span_of(line, DMTP_LINE_LIMIT), 0, piece,
		    buffer_string(&expected));
	line[DMTP_LINE_LIMIT - 1] = 'x';
	line[DMTP_LINE_LIMIT] = '\n';
	for (size_t piece = 1; piece < 600; piece += 37)
		check(span_of(line, DMTP_LINE_LIMIT + 1), 0, piece,
		    "ERR_PROTOCOL");
	/* The end of the line is not waited for. */
	line[DMTP_LINE_LIMIT] = 'x';
	check(span_of(line, DMTP_LINE_LIMIT + 1), 0, 1, "ERR_PROTOCOL");
	buffer_free(&expected);
}

static void
endless_listing(void **state)
{
	struct buffer lines = buffer_make(1 << 20);
	struct buffer out = buffer_make(1000);
	struct dmtp_client client;
	size_t fed = 0;
	int err = 0;

	for (int i = 0; i < 2000; i++)
		buffer_printf(&lines, "280-%0500d\n", i);
	dmtp_client_start(&client);
	while (err == 0) {
		err = feed(&client, buffer_span(&lines), &out);
		fed += lines.length;
		assert_true(fed < 2 * (size_t)DMTP_LISTING_LIMIT);
	}
	assert_string_equal(buffer_string(&out), "ERR_PROTOCOL");
	assert_true(client.listing.length <= DMTP_LISTING_LIMIT);
	dmtp_client_free(&client);
	buffer_free(&lines);
	buffer_free(&out);
}

static void
an_error_stays(void **state)
{
	struct span bad = span_string("x\n"), good = span_string("250 OK\n");
	struct dmtp_client client;
	struct fault fault = {0};
	bool complete;

	dmtp_client_start(&client);
	assert_int_equal(dmtp_client_feed(&client, &bad, &complete, &fault),
	    ERR_PROTOCOL);
	assert_string_equal(fault.text, "reply line without a code: x");
	dmtp_client_next(&client);
	assert_int_equal(dmtp_client_feed(&client, &good, &complete, &fault),
	    ERR_PROTOCOL);
	assert_false(complete);
	assert_int_equal(good.length, 7);
	dmtp_client_free(&client);
}

/* Octets without any order: no reply is wrong, no read outside of what there
 * is, and an end. The seed is fixed, so a failure comes again. */
static void
noise(void **state)
{
	static const char alphabet[] = "0123456789- \r\n\n-END280270x\xff";
	uint32_t seed = 1;

	for (int round = 0; round < 3000; round++) {
		struct buffer out = buffer_make(100000);
		struct dmtp_client client;
		char text[64];

		for (size_t i = 0; i < sizeof(text); i++) {
			seed = seed * 1664525 + 1013904223;
			text[i] = alphabet[(seed >> 16) %
			    (sizeof(alphabet) - 1)];
		}
		memcpy(text, "280-", 4);
		dmtp_client_start(&client);
		feed(&client, span_of(text, sizeof(text)), &out);
		assert_int_equal(out.error, 0);
		check(span_of(text, sizeof(text)), 0, 1,
		    buffer_string(&out));
		dmtp_client_free(&client);
		buffer_free(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(transcript_table),
	    cmocka_unit_test(nul_octets),
	    cmocka_unit_test(long_lines),
	    cmocka_unit_test(endless_listing),
	    cmocka_unit_test(an_error_stays),
	    cmocka_unit_test(noise),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
