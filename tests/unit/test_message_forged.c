/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <zlib.h>

#include "tests/unit/message_forge.h"

/* Opens for bob; `mime` NULL where `err` says that it must be refused. */
static void
expect(struct forge *forge, int err, const char *mime)
{
	struct message_parties parties = world_parties();
	struct buffer opened = buffer_make(WORLD_LIMIT);

	assert_int_equal(world_open(forge_end(forge), &parties, &opened), err);
	if (err == 0)
		assert_true(span_equal_string(buffer_span(&opened), mime));
	buffer_free(&opened);
	forge_free(forge);
}

static void
start(struct forge *forge)
{
	forge_start(forge);
	forge_envelope(forge);
	forge_common(forge);
}

static void
text_chunk(struct forge *forge, uint8_t type, const char *text, uint8_t flags)
{
	size_t length = strlen(text), padding = (16 - (69 + length) % 16) % 16;
	struct forge_payload how = {.flags = flags, .pad = (uint8_t)padding,
	    .padding = padding, .fill = (uint8_t)padding};

	forge_chunk(forge, type, span_string(text), &how);
}

/* ---- payloads ---- */

static void
payload_table(void **state)
{
	static const struct {
		const char *name;
		struct forge_payload how;
		int err;
	} cases[] = {
	    /* "hello" and its header are 74 octets: 6 to the next block. */
	    {"just aligned", {0, 6, 6, 6, 0, 0}, 0},
	    {"more blocks", {0, 22, 22, 22, 0, 0}, 0},
	    {"most padding", {0, 246, 246, 246, 0, 0}, 0},
	    {"pad octet too small", {0, 6, 22, 6, 0, 0}, ERR_CORRUPT},
	    {"pad octet too large", {0, 22, 6, 22, 0, 0}, ERR_CORRUPT},
	    {"padding holds something", {0, 6, 6, 0, 0, 0}, ERR_CORRUPT},
	    {"no pad octet", {0, 0, 6, 0, 0, 0}, ERR_CORRUPT},
	    {"alternate, no stuffing", {1, 0, 6, 0, 0, 0}, 0},
	    {"alternate, one block", {1, 1, 22, 1, 0, 0}, 0},
	    {"alternate, most", {1, 255, 4086, 255, 0, 0}, 0},
	    {"alternate, too few", {1, 2, 22, 2, 0, 0}, ERR_CORRUPT},
	    {"alternate, too many", {1, 0, 22, 0, 0, 0}, ERR_CORRUPT},
	    {"alternate, other octet", {1, 1, 22, 0, 0, 0}, ERR_CORRUPT},
	    {"reserved flag 8", {8, 6, 6, 6, 0, 0}, ERR_CORRUPT},
	    {"reserved flag 16", {16, 6, 6, 6, 0, 0}, ERR_CORRUPT},
	    {"reserved flag 32", {32, 6, 6, 6, 0, 0}, ERR_CORRUPT},
	    {"reserved flag 64", {64, 6, 6, 6, 0, 0}, ERR_CORRUPT},
	    {"alternate key", {2, 6, 6, 6, 0, 0}, ERR_ALTERNATE_KEY},
	    {"continued by nothing", {128, 6, 6, 6, 0, 0}, ERR_CORRUPT},
	    {"gzip that is none", {4, 6, 6, 6, 0, 0}, ERR_CORRUPT},
	    {"no data", {0, 11, 6, 11, -5, 0}, ERR_CORRUPT},
	    {"less data", {0, 7, 6, 7, -1, 0}, ERR_CORRUPT},
	    {"more data", {0, 6, 6, 6, 1, 0}, ERR_CORRUPT},
	    {"data up to the end", {0, 0, 6, 'x', 6, 0}, 0},
	    {"data past the end", {0, 0, 6, 0, 7, 0}, ERR_CORRUPT},
	    {"much data past the end", {0, 6, 6, 6, 0xfffff0, 0}, ERR_CORRUPT},
	    {"signed by another", {0, 6, 6, 6, 0, WORLD_MALLORY}, ERR_CORRUPT},
	    {"signed by the origin", {0, 6, 6, 6, 0, WORLD_ALPHA}, ERR_CORRUPT},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		bool longer = cases[i].how.length_by == 6;
		struct forge forge;

		unit_case(cases[i].name);
		start(&forge);
		forge_chunk(&forge, 67, span_string("hello"), &cases[i].how);
		forge_sign(&forge, NULL);
		expect(&forge, cases[i].err,
		    longer ? "\r\nhelloxxxxxx" : "\r\nhello");
	}
}

/* 256 octets of padding, for which there is no octet, are written as 0. */
static void
padding_of_256_is_read(void **state)
{
	const struct forge_payload how = {.padding = 256};
	const struct forge_payload more = {.padding = 512};
	struct forge forge;

	start(&forge);
	forge_chunk(&forge, 67, span_string("hello world"), &how);
	forge_sign(&forge, NULL);
	expect(&forge, 0, "\r\nhello world");
	start(&forge);
	forge_chunk(&forge, 67, span_string("hello world"), &more);
	forge_sign(&forge, NULL);
	expect(&forge, ERR_CORRUPT, NULL);
}

/* "hello world" and its header are 80 octets. libdime aligns them with 16 more. */
static void
alternate_padding_of_whole_blocks(void **state)
{
	static const struct {
		const char *name;
		struct forge_payload how;
		int err;
	} cases[] = {
	    {"none", {1, 0, 0, 0, 0, 0}, 0},
	    {"one block", {1, 1, 16, 1, 0, 0}, 0},
	    {"libdime's none", {1, 0, 16, 0, 0, 0}, 0},
	    {"libdime's one block", {1, 1, 32, 1, 0, 0}, 0},
	    {"a block less", {1, 1, 0, 1, 0, 0}, ERR_CORRUPT},
	    {"two blocks more", {1, 0, 32, 0, 0, 0}, ERR_CORRUPT},
	    {"another octet", {1, 0, 16, 16, 0, 0}, ERR_CORRUPT},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct forge forge;

		unit_case(cases[i].name);
		start(&forge);
		forge_chunk(&forge, 67, span_string("hello world"),
		    &cases[i].how);
		forge_sign(&forge, NULL);
		expect(&forge, cases[i].err, "\r\nhello world");
	}
}

/* ---- chunks and their order ---- */

/* A chunk of the plan: type, flags and text. */
struct step {
	uint8_t type, flags;
	const char *text;
};

static void
content_table(void **state)
{
	enum { GOES_ON = 128 };
	static const struct {
		const char *name;
		struct step steps[8];
		int err;
		const char *mime;
	} cases[] = {
	    {"no content", {{0}}, 0, "\r\n"},
	    {"two contents", {{67, 0, "a"}, {67, 0, "b"}}, 0, "\r\nab"},
	    {"all kinds", {{66, 0, "a"}, {65, 0, "b"}, {67, 0, "c"},
	        {65, 0, "d"}, {131, 0, "e"}, {129, 0, "f"}, {130, 0, "g"}}, 0,
	        "\r\nabcdefg"},
	    {"only an attachment", {{131, 0, "a"}}, 0, "\r\na"},
	    {"display after attachment", {{131, 0, "a"}, {67, 0, "b"}},
	        ERR_FORMAT, NULL},
	    {"pieces", {{67, GOES_ON, "a"}, {67, GOES_ON, "b"},
	        {67, GOES_ON, "c"}, {67, 0, "d"}, {67, 0, "e"}}, 0,
	        "\r\nabcde"},
	    {"five pieces", {{67, GOES_ON, "a"}, {67, GOES_ON, "b"},
	        {67, GOES_ON, "c"}, {67, GOES_ON, "d"}, {67, 0, "e"}},
	        ERR_CORRUPT, NULL},
	    {"continued by another type", {{67, GOES_ON, "a"}, {65, 0, "b"}},
	        ERR_CORRUPT, NULL},
	    {"pieces differ in flags", {{67, GOES_ON | 1, "a"}, {67, 0, "b"}},
	        ERR_CORRUPT, NULL},
	    {"header without layout", {{34, 0, "X: y\r\n"}, {67, 0, "a"}}, 0,
	        "X: y\r\n\r\na"},
	    {"header in pieces", {{34, GOES_ON, "X: "}, {34, 0, "y\r\n"},
	        {67, 0, "a"}}, 0, "X: y\r\n\r\na"},
	    {"header twice", {{34, 0, "X: y\r\n"}, {34, 0, "Z: y\r\n"}},
	        ERR_CORRUPT, NULL},
	    {"header after content", {{67, 0, "a"}, {34, 0, "X: y\r\n"}},
	        ERR_FORMAT, NULL},
	    {"common twice", {{33, 0, "\r\n"}}, ERR_FORMAT, NULL},
	    {"destination late", {{5, 0, "a"}}, ERR_FORMAT, NULL},
	    {"header that runs on", {{34, 0, "Return-Path: <>\r\n"
	        "DIME-Layout: end=none\r\nX: y\r\n"}, {67, 0, "Z: a\r\n"}},
	        ERR_CORRUPT, NULL},
	    {"header that goes on", {{34, 0, "Return-Path: <>\r\n"
	        "DIME-Layout: end=none\r\nX: y\r\n"}, {67, 0, " a\r\n"}},
	        ERR_CORRUPT, NULL},
	    {"header without end", {{34, 0, "Return-Path: <>\r\n"
	        "DIME-Layout: end=none\r\nX: y\r\n"}, {67, 0, "hello"}}, 0,
	        "X: y\r\nhello"},
	    {"layout against common", {{34, 0, "Return-Path: <>\r\n"
	        "DIME-Layout: end=crlf\r\nSubject: evil\r\n"}}, ERR_CORRUPT,
	        NULL},
	    {"bad header", {{34, 0, "X: y\r\n\r\nbody"}}, ERR_CORRUPT, NULL},
	    {"tracing late", {{0, 0, "a"}}, ERR_FORMAT, NULL},
	    {"name of a section", {{64, 0, "a"}}, ERR_FORMAT, NULL},
	    {"unknown chunk", {{200, 0, "a"}}, ERR_FORMAT, NULL},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct forge forge;

		unit_case(cases[i].name);
		start(&forge);
		for (const struct step *step = cases[i].steps;
		    step->text != NULL; step++)
			text_chunk(&forge, step->type, step->text, step->flags);
		forge_sign(&forge, NULL);
		expect(&forge, cases[i].err, cases[i].mime);
	}
}

static void
odd_sizes_are_refused(void **state)
{
	static const struct {
		const char *name;
		uint8_t type;
		size_t length;
	} cases[] = {
	    {"short ephemeral", 2, 32}, {"long ephemeral", 2, 34},
	    {"no point", 2, 33}, {"empty payload", 67, 0},
	    {"payload of 64", 67, 64}, {"payload of 79", 67, 79},
	    {"payload of 81", 67, 81}, {"payload of 90", 67, 90},
	    {"short signature", 255, 63}, {"long signature", 255, 65},
	    {"signature with a block more", 255, 80},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const uint8_t octets[128] = {0};
		struct forge forge;

		unit_case(cases[i].name);
		forge_start(&forge);
		if (cases[i].type == 2)
			forge.out.length = 6;
		if (cases[i].type == 2)
			forge_raw(&forge, 2, span_of(octets, cases[i].length));
		forge_envelope(&forge);
		forge_common(&forge);
		if (cases[i].type == 67)
			forge_raw(&forge, 67, span_of(octets, cases[i].length));
		if (cases[i].type == 255) {
			forge_sign(&forge, &(struct forge_signers){
			    WORLD_ALICE, WORLD_ALICE, -1, -1, -1});
			forge_raw(&forge, 255,
			    span_of(octets, cases[i].length));
		} else {
			forge_sign(&forge, NULL);
		}
		expect(&forge, ERR_FORMAT, NULL);
	}
}

/* Neither tracing nor the alternate key concern us. */
static void
tracing_and_alternate_are_stepped_over(void **state)
{
	static const uint8_t tracing[] = {0, 0, 0, 3, 'a', 'b', 'c'};
	static const uint8_t block[] = {1837 >> 8, 1837 & 0xff, 0, 2, 'x', 'y'};
	struct message_parties parties = world_parties();

	for (int i = 0; i < 8; i++) {
		struct buffer message = buffer_make(WORLD_LIMIT);
		struct buffer mime = buffer_make(WORLD_LIMIT);
		struct forge forge;
		struct span sealed;
		size_t added = i & 1 ? sizeof(tracing) : 0;

		forge_start(&forge);
		if (i & 4)
			forge_raw(&forge, 3, span_string("whatever this is"));
		forge_envelope(&forge);
		forge_common(&forge);
		forge_sign(&forge, NULL);
		sealed = forge_end(&forge);
		if (i & 2)
			buffer_append(&message, block, sizeof(block));
		buffer_u16(&message, 1847);
		buffer_u32(&message, (uint32_t)(sealed.length - 6 + added));
		if (i & 1)
			buffer_append(&message, tracing, sizeof(tracing));
		buffer_append_span(&message, span_slice(sealed, 6, SIZE_MAX));
		assert_int_equal(world_open(buffer_span(&message), &parties,
		    &mime), 0);
		buffer_free(&message);
		buffer_free(&mime);
		forge_free(&forge);
	}
}

static void
second_tracing_is_refused(void **state)
{
	static const uint8_t blocks[] = {1837 >> 8, 1837 & 0xff, 0, 0,
	    1837 >> 8, 1837 & 0xff, 0, 0};
	struct message_parties parties = world_parties();
	struct buffer message = buffer_make(WORLD_LIMIT);
	struct buffer mime = buffer_make(WORLD_LIMIT);
	struct forge forge;

	start(&forge);
	forge_sign(&forge, NULL);
	buffer_append(&message, blocks, sizeof(blocks));
	buffer_append_span(&message, forge_end(&forge));
	assert_int_equal(world_open(buffer_span(&message), &parties, &mime),
	    ERR_FORMAT);
	/* One is what may stand there, and it must be all there. */
	assert_int_equal(world_open(span_slice(buffer_span(&message), 4,
	    SIZE_MAX), &parties, &mime), 0);
	buffer_reset(&mime);
	message.data[3] = 255;
	assert_int_equal(world_open(span_slice(buffer_span(&message), 0, 100),
	    &parties, &mime), ERR_FORMAT);
	buffer_free(&message);
	buffer_free(&mime);
	forge_free(&forge);
}

/* ---- envelopes ---- */

/* Appends the text with #a as alice's and #b as beta's fingerprint. */
static void
append_text(const char *text, struct buffer *out)
{
	for (; *text != '\0'; text++)
		if (*text != '#')
			buffer_u8(out, (uint8_t)*text);
		else
			buffer_append_string(out, *++text == 'a'
			        ? world.alice->core
			        : world.beta->fingerprint);
}

static void
envelope_table(void **state)
{
	static const struct {
		const char *name, *text;
		int err;
	} cases[] = {
	    {"good", "Author: <alice@alpha.test>\r\nAuthor-Signet: [#a]\r\n"
	        "Destination: <beta.test>\r\nDestination-Signet: [#b]\r\n", 0},
	    {"LF", "Author: <alice@alpha.test>\nAuthor-Signet: [#a]\n"
	        "Destination: <beta.test>\nDestination-Signet: [#b]\n",
	        ERR_FORMAT},
	    {"no last line end", "Author: <alice@alpha.test>\r\n"
	        "Author-Signet: [#a]\r\nDestination: <beta.test>\r\n"
	        "Destination-Signet: [#b]", ERR_FORMAT},
	    {"something behind", "Author: <alice@alpha.test>\r\n"
	        "Author-Signet: [#a]\r\nDestination: <beta.test>\r\n"
	        "Destination-Signet: [#b]\r\n\r\n", ERR_FORMAT},
	    {"other label", "author: <alice@alpha.test>\r\n"
	        "Author-Signet: [#a]\r\nDestination: <beta.test>\r\n"
	        "Destination-Signet: [#b]\r\n", ERR_FORMAT},
	    {"no brackets", "Author: alice@alpha.test\r\n"
	        "Author-Signet: [#a]\r\nDestination: <beta.test>\r\n"
	        "Destination-Signet: [#b]\r\n", ERR_FORMAT},
	    {"upper case", "Author: <Alice@alpha.test>\r\n"
	        "Author-Signet: [#a]\r\nDestination: <Beta.test>\r\n"
	        "Destination-Signet: [#b]\r\n", 0},
	    {"three lines", "Author: <alice@alpha.test>\r\n"
	        "Author-Signet: [#a]\r\nDestination: <beta.test>\r\n",
	        ERR_FORMAT},
	    {"short fingerprint", "Author: <alice@alpha.test>\r\n"
	        "Author-Signet: [AAAA]\r\nDestination: <beta.test>\r\n"
	        "Destination-Signet: [#b]\r\n", ERR_FORMAT},
	    {"another author", "Author: <mallory@alpha.test>\r\n"
	        "Author-Signet: [#a]\r\nDestination: <beta.test>\r\n"
	        "Destination-Signet: [#b]\r\n", ERR_MISMATCH},
	    {"author with a tag", "Author: <alice+x@alpha.test>\r\n"
	        "Author-Signet: [#a]\r\nDestination: <beta.test>\r\n"
	        "Destination-Signet: [#b]\r\n", 0},
	    {"another destination", "Author: <alice@alpha.test>\r\n"
	        "Author-Signet: [#a]\r\nDestination: <gamma.test>\r\n"
	        "Destination-Signet: [#b]\r\n", ERR_MISMATCH},
	    {"author's signet twice", "Author: <alice@alpha.test>\r\n"
	        "Author-Signet: [#a]\r\nDestination: <beta.test>\r\n"
	        "Destination-Signet: [#a]\r\n", ERR_MISMATCH},
	    {"destination's signet twice", "Author: <alice@alpha.test>\r\n"
	        "Author-Signet: [#b]\r\nDestination: <beta.test>\r\n"
	        "Destination-Signet: [#b]\r\n", ERR_MISMATCH},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct forge forge, good;
		struct buffer text = buffer_make(WORLD_LIMIT);
		size_t destination;

		unit_case(cases[i].name);
		append_text(cases[i].text, &text);
		forge_start(&forge);
		forge_chunk(&forge, 4, buffer_span(&text), NULL);
		buffer_free(&text);
		/* Chunk 5 from a message that has a good one. */
		forge_start(&good);
		destination = good.out.length;
		forge_envelope(&good);
		destination += 4 + 3 * 64 + ((size_t)good.out.data[
		    destination + 2] << 8 | good.out.data[destination + 3]);
		buffer_append_span(&forge.out, span_slice(
		    buffer_span(&good.out), destination, SIZE_MAX));
		buffer_append_span(&forge.tree, span_slice(
		    buffer_span(&good.tree), 128, 64));
		forge_free(&good);
		forge_common(&forge);
		forge_sign(&forge, NULL);
		expect(&forge, cases[i].err, "\r\n");
	}
}

/* ---- signatures ---- */

static void
signature_table(void **state)
{
	static const struct {
		const char *name;
		struct forge_signers signers;
		int recipient, author; /* what they find */
	} cases[] = {
	    {"good", {WORLD_ALICE, WORLD_ALICE, -1, -1, WORLD_ALPHA}, 0, 0},
	    {"SOK", {WORLD_ALICE, WORLD_ALICE, -1, -1, WORLD_SOK_MESSAGES}, 0,
	        0},
	    {"bounces", {WORLD_ALICE, WORLD_ALICE, WORLD_ALPHA, WORLD_ALPHA,
	        WORLD_ALPHA}, 0, 0},
	    {"SOK for users", {WORLD_ALICE, WORLD_ALICE, -1, -1,
	        WORLD_SOK_USERS}, ERR_SIGNATURE, ERR_SIGNATURE},
	    {"another origin", {WORLD_ALICE, WORLD_ALICE, -1, -1, WORLD_BETA},
	        ERR_SIGNATURE, ERR_SIGNATURE},
	    {"not signed yet", {WORLD_ALICE, WORLD_ALICE, 0, 0, 0},
	        ERR_SIGNATURE, 0},
	    {"metadata bounce not signed", {WORLD_ALICE, WORLD_ALICE, 0, -1,
	        WORLD_ALPHA}, ERR_SIGNATURE, 0},
	    {"display bounce not signed", {WORLD_ALICE, WORLD_ALICE, -1, 0,
	        WORLD_ALPHA}, ERR_SIGNATURE, 0},
	    {"metadata bounce by another", {WORLD_ALICE, WORLD_ALICE,
	        WORLD_BETA, -1, WORLD_ALPHA}, ERR_SIGNATURE, ERR_SIGNATURE},
	    {"display bounce by another", {WORLD_ALICE, WORLD_ALICE, -1,
	        WORLD_BETA, WORLD_ALPHA}, ERR_SIGNATURE, ERR_SIGNATURE},
	    {"tree by another", {WORLD_MALLORY, WORLD_ALICE, -1, -1,
	        WORLD_ALPHA}, ERR_SIGNATURE, ERR_SIGNATURE},
	    {"tree by nobody", {0, WORLD_ALICE, -1, -1, WORLD_ALPHA},
	        ERR_SIGNATURE, ERR_SIGNATURE},
	    {"author by another", {WORLD_ALICE, WORLD_MALLORY, -1, -1,
	        WORLD_ALPHA}, ERR_SIGNATURE, ERR_SIGNATURE},
	    {"author by nobody", {WORLD_ALICE, 0, -1, -1, WORLD_ALPHA},
	        ERR_SIGNATURE, ERR_SIGNATURE},
	    {"author by the origin", {WORLD_ALICE, WORLD_ALPHA, -1, -1,
	        WORLD_ALPHA}, ERR_SIGNATURE, ERR_SIGNATURE},
	};
	struct message_parties parties = world_parties();

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer mime = buffer_make(WORLD_LIMIT);
		struct message_envelope envelope;
		char sender[ADDRESS_SIZE];
		struct message *message;
		struct forge forge;

		unit_case(cases[i].name);
		start(&forge);
		text_chunk(&forge, 67, "a", 0);
		text_chunk(&forge, 131, "b", 0);
		forge_sign(&forge, &cases[i].signers);
		message = world_message(forge_end(&forge), MESSAGE_AUTHOR);
		assert_int_equal(message_open(message, &parties, WORLD_LIMIT,
		    &mime, sender, NULL), cases[i].author);
		message_free(message);
		buffer_reset(&mime);
		message = world_message(forge_end(&forge), MESSAGE_ORIGIN);
		assert_int_equal(message_check_as_origin(message, &parties,
		    &envelope, NULL), cases[i].author);
		message_free(message);
		expect(&forge, cases[i].recipient, "\r\nab");
		buffer_free(&mime);
	}
}

/* ---- gzip ---- */

static struct buffer
deflated(struct span data)
{
	struct buffer out = buffer_make(WORLD_LIMIT);
	z_stream stream = {.next_in = (Bytef *)(uintptr_t)data.data,
	    .avail_in = (uInt)data.length};
	size_t room = data.length + 1000;

	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 9,
	    Z_DEFAULT_STRATEGY), Z_OK);
	stream.next_out = buffer_extend(&out, room);
	stream.avail_out = (uInt)room;
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	out.length -= stream.avail_out;
	deflateEnd(&stream);
	return out;
}

static void
gzip_chunk(struct forge *forge, struct span data, uint8_t flags)
{
	size_t padding = (16 - (69 + data.length) % 16) % 16;
	struct forge_payload how = {.flags = (uint8_t)(4 | flags),
	    .pad = (uint8_t)padding, .padding = padding,
	    .fill = (uint8_t)padding};

	forge_chunk(forge, 67, data, &how);
}

static void
gzip_is_read(void **state)
{
	struct buffer packed = deflated(span_string("hello hello hello"));
	struct span whole = buffer_span(&packed);

	/* In one piece, and cut everywhere in two. */
	for (size_t cut = 0; cut < whole.length; cut++) {
		struct forge forge;

		start(&forge);
		if (cut > 0)
			gzip_chunk(&forge, span_slice(whole, 0, cut), 128);
		gzip_chunk(&forge, span_slice(whole, cut, SIZE_MAX), 0);
		forge_sign(&forge, NULL);
		expect(&forge, 0, "\r\nhello hello hello");
	}
	buffer_free(&packed);
}

static void
bad_gzip_is_refused(void **state)
{
	struct buffer packed = deflated(span_string("hello hello hello"));

	for (size_t i = 0; i < packed.length * 2 + 2; i++) {
		struct buffer data = buffer_make(WORLD_LIMIT);
		struct forge forge;

		buffer_append_span(&data, buffer_span(&packed));
		if (i < packed.length && i > 0)
			data.length = i; /* cut off */
		else if (i < packed.length * 2 && i > 0)
			/* The header has octets that mean nothing. */
			data.data[i - packed.length] ^=
			    i - packed.length >= 4 && i - packed.length < 10
			    ? 0 : 0x10;
		else if (i == packed.length * 2)
			buffer_u8(&data, 0); /* something behind */
		else /* a second member */
			buffer_append_span(&data, buffer_span(&packed));
		start(&forge);
		gzip_chunk(&forge, buffer_span(&data), 0);
		forge_sign(&forge, NULL);
		if (i > packed.length + 3 && i < packed.length + 10)
			expect(&forge, 0, "\r\nhello hello hello");
		else
			expect(&forge, ERR_CORRUPT, NULL);
		buffer_free(&data);
	}
	buffer_free(&packed);
}

static void
gzip_bomb_is_refused(void **state)
{
	enum { SIZE = 8 << 20 };
	struct message_parties parties = world_parties();
	struct buffer zeros = buffer_make(WORLD_LIMIT), packed;
	struct buffer mime = buffer_make(WORLD_LIMIT);
	char sender[ADDRESS_SIZE];
	struct message *message;
	struct forge forge;

	memset(buffer_extend(&zeros, SIZE), 0, SIZE);
	packed = deflated(buffer_span(&zeros));
	start(&forge);
	gzip_chunk(&forge, buffer_span(&packed), 0);
	gzip_chunk(&forge, buffer_span(&packed), 0);
	forge_sign(&forge, NULL);
	message = world_message(forge_end(&forge), MESSAGE_RECIPIENT);
	assert_int_equal(message_open(message, &parties, 2 * SIZE + 2, &mime,
	    sender, NULL), 0);
	assert_int_equal(mime.length, 2 * SIZE + 2);
	buffer_free(&mime);
	assert_int_equal(message_open(message, &parties, 2 * SIZE + 1, &mime,
	    sender, NULL), ERR_TOO_LARGE);
	assert_int_equal(mime.length, 0);
	buffer_free(&mime);
	assert_int_equal(message_open(message, &parties, 65536, &mime, sender,
	    NULL), ERR_TOO_LARGE);
	assert_true(mime.capacity <= 1 << 20);
	message_free(message);
	buffer_free(&mime);
	buffer_free(&zeros);
	buffer_free(&packed);
	forge_free(&forge);
}

/* ---- the header alone ---- */

/* A signed message whose content is corrupt still shows its header; one whose
 * header is does not. */
static void
header_needs_no_content(void **state)
{
	static const struct {
		const char *name;
		uint8_t type;
		const char *text;
		uint8_t flags;
		int header, whole;
	} cases[] = {
	    {"good", 67, "hello", 0, 0, 0},
	    {"content is no gzip", 67, "hello", 4, 0, ERR_CORRUPT},
	    {"content is not continued", 67, "hello", 128, 0, ERR_CORRUPT},
	    {"header is no gzip", 34, "X: y\r\n", 4, ERR_CORRUPT, ERR_CORRUPT},
	    {"no header fields", 34, "hello", 0, ERR_CORRUPT, ERR_CORRUPT},
	};
	struct message_parties parties = world_parties();

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer out = buffer_make(WORLD_LIMIT);
		struct message *message;
		char sender[ADDRESS_SIZE];
		struct forge forge;

		unit_case(cases[i].name);
		start(&forge);
		text_chunk(&forge, cases[i].type, cases[i].text,
		    cases[i].flags);
		forge_sign(&forge, NULL);
		message = world_message(forge_end(&forge), MESSAGE_RECIPIENT);
		assert_int_equal(message_open_header(message, &parties,
		    WORLD_LIMIT, &out, sender, NULL), cases[i].header);
		assert_true(span_equal_string(buffer_span(&out),
		    cases[i].header == 0 ? "\r\n" : ""));
		buffer_reset(&out);
		assert_int_equal(message_open(message, &parties, WORLD_LIMIT,
		    &out, sender, NULL), cases[i].whole);
		message_free(message);
		forge_free(&forge);
		buffer_free(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(payload_table),
	    cmocka_unit_test(header_needs_no_content),
	    cmocka_unit_test(padding_of_256_is_read),
	    cmocka_unit_test(alternate_padding_of_whole_blocks),
	    cmocka_unit_test(content_table),
	    cmocka_unit_test(odd_sizes_are_refused),
	    cmocka_unit_test(tracing_and_alternate_are_stepped_over),
	    cmocka_unit_test(second_tracing_is_refused),
	    cmocka_unit_test(envelope_table),
	    cmocka_unit_test(signature_table),
	    cmocka_unit_test(gzip_is_read),
	    cmocka_unit_test(bad_gzip_is_refused),
	    cmocka_unit_test(gzip_bomb_is_refused),
	};

	return cmocka_run_group_tests(tests, world_start, world_end);
}
