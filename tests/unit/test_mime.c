/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/message_world.h"

#include "dime/mime.h"

enum { PIECES = 12, LIMIT = 1 << 24, ROUNDS = 20000, SEALED_ROUNDS = 150,
	WHOLE = 8 /* scraps that end a line */ };

#define MIXED "Content-Type: multipart/mixed; boundary=a\r\n"
#define RELATED "Content-Type: multipart/related; boundary=a\r\n"
#define TYPE(type) "Content-Type: " type "\r\n"
#define IMAGE TYPE("image/png")
#define INNER TYPE("multipart/mixed; boundary=b")
#define ATTACHED "Content-Disposition: attachment\r\n"

/* A body, which is that of the pieces in their order, and its header. */
struct cut {
	const char *name;
	const char *header;
	struct {
		uint8_t type;
		const char *text;
	} pieces[PIECES];
};

static const struct cut structures[] = {
    {"no header", "", {{67, "hello\r\n"}}},
    {"no body", MIXED "\r\n", {{0, ""}}},
    {"text", TYPE("text/plain") "\r\n", {{67, "--a\r\n\r\nx"}}},
    {"an image alone", IMAGE "\r\n", {{67, "x"}}},
    {"an attachment alone", IMAGE ATTACHED "\r\n", {{67, "x"}}},
    {"an attached multipart alone", MIXED ATTACHED "\r\n",
        {{65, "pre\r\n"}, {67, "--a\r\n\r\nx"}}},
    {"one part, nothing else", MIXED "\r\n", {{67, "--a\r\n\r\none"}}},
    {"preamble and epilogue", MIXED "\r\n",
        {{65, "pre\r\n\r\n"}, {67, "--a\r\n\r\none\r\n"},
        {67, "--a\r\n\r\ntwo\r\n--a--\r\nepilogue\r\n--a\r\n\r\nx"}}},
    {"alternative with preamble",
        TYPE("multipart/alternative; boundary=a") "\r\n",
        {{66, "pre\r\n"}, {67, "--a\r\n\r\none\r\n"},
        {67, "--a\r\n" TYPE("application/x") "\r\ntwo\r\n--a--\r\n"}}},
    {"image in mixed", MIXED "\r\n",
        {{67, "--a\r\n\r\none\r\n"}, {131, "--a\r\n" IMAGE "\r\ntwo\r\n"},
        {131, "--a\r\n" TYPE("text/plain") "\r\nthree\r\n--a--\r\n"}}},
    {"attached text", MIXED "\r\n",
        {{131, "--a\r\n" ATTACHED TYPE("text/plain") "\r\none\r\n"},
        {131, "--a\r\n\r\ntwo\r\n--a--"}}},
    {"disposition inline does not show an image", MIXED "\r\n",
        {{131, "--a\r\nContent-Disposition: inline\r\n" IMAGE "\r\n"}}},
    {"image in related", RELATED "\r\n",
        {{67, "--a\r\n" IMAGE "\r\none\r\n"},
        {131, "--a\r\n" IMAGE ATTACHED "\r\ntwo\r\n"},
        {131, "--a\r\n" IMAGE "\r\nthree\r\n--a--"}}},
    {"image in mixed in related", RELATED "\r\n",
        {{65, "--a\r\n" INNER "\r\n"}, {67, "--b\r\n" IMAGE "\r\n"},
        {67, "--b\r\n" TYPE("message/rfc822") "\r\n"}}},
    {"image behind a related", MIXED "\r\n",
        {{65, "--a\r\n" TYPE("multipart/related; boundary=b") "\r\n"},
        {67, "--b\r\n" IMAGE "\r\n--b--\r\n"},
        {131, "--a\r\n" IMAGE "\r\n"}}},
    {"alternative within mixed", MIXED "\r\n",
        {{65, "pre\r\n"},
        {66, "--a\r\n" TYPE("Multipart/ALTERNATIVE; BOUNDARY=b") "\r\npre"
        "\r\n"},
        {67, "--b\r\n\r\none\r\n"},
        {67, "--b\r\n" TYPE("text/html") "\r\ntwo\r\n--b--\r\nepi\r\n"},
        {131, "--a\r\n" ATTACHED "\r\nthree\r\n"},
        {131, "--a\r\n\r\nfour\r\n--a--\r\n"}}},
    {"attached multipart", MIXED "\r\n",
        {{129, "--a\r\n" ATTACHED INNER "\r\n"},
        {131, "--b\r\n\r\none\r\n--b--\r\n--a--\r\n"}}},
    {"attached alternative", MIXED "\r\n",
        {{130, "--a\r\n" ATTACHED TYPE("multipart/alternative; boundary=b")
        "\r\n"}, {131, "--b\r\n\r\none\r\n"}}},
    {"letter within", MIXED "\r\n",
        {{131, "--a\r\n" TYPE("message/rfc822") "\r\n" INNER
        "\r\n--b\r\n\r\nx\r\n--b--\r\n"}, {131, "--a\r\n\r\ny\r\n--a--"}}},
    {"digest", TYPE("multipart/digest; boundary=a") "\r\n",
        {{67, "--a\r\n" TYPE("text/plain") "\r\none\r\n"},
        {131, "--a\r\n\r\nSubject: x\r\n\r\ny\r\n--a--"}}},
    {"multipart without boundary", TYPE("multipart/mixed") "\r\n",
        {{67, "--\r\n\r\nx"}}},
    {"part multipart without boundary", MIXED "\r\n",
        {{131, "--a\r\n" TYPE("multipart/mixed") "\r\nx"}}},
    {"no delimiter at all", MIXED ATTACHED "\r\n", {{67, "hello\r\n"}}},
    {"only a closing delimiter", MIXED "\r\n",
        {{67, "hello\r\n--a--\r\n--a\r\n\r\n"}}},
    {"inner without delimiter", MIXED "\r\n",
        {{67, "--a\r\n\r\n"}, {131, "--a\r\n" INNER "\r\nx\r\n"},
        {131, "--a\r\n\r\n"}}},
    {"inner with a closing delimiter only", MIXED "\r\n",
        {{131, "--a\r\n" INNER "\r\n--b--\r\n--b\r\n\r\n"},
        {131, "--a\r\n\r\n"}}},
    {"inner not closed", MIXED "\r\n",
        {{65, "--a\r\n" INNER "\r\n"}, {67, "--b\r\n\r\none\r\n"},
        {67, "--a\r\n\r\ntwo\r\n--b\r\n\r\nthree\r\n--a--\r\n"}}},
    {"outer closed within inner", MIXED "\r\n",
        {{65, "--a\r\n" INNER "\r\n"},
        {67, "--b\r\n\r\none\r\n--a--\r\n--b\r\n\r\n"}}},
    {"inner with the outer boundary", MIXED "\r\n",
        {{131, "--a\r\n" MIXED "\r\n"}, {67 + 64, "--a\r\n\r\nx\r\n--a--"}}},
    {"inner in the epilogue of inner", MIXED "\r\n",
        {{65, "--a\r\n" INNER "\r\n"},
        {67, "--b\r\n\r\n--b--\r\n--b\r\n\r\nx\r\n"}, {67, "--a\r\n\r\n"}}},
};

static const struct cut lines[] = {
    {"similar boundaries", MIXED "\r\n",
        {{65, "--ab\r\n"}, {67, "--a\r\n\r\n--aa\r\n--A\r\n-a\r\n--a -\r\n"
        "--a-\r\n--a--x\r\n --a\r\n---a\r\n--a x\r\n"}, {67, "--a\r\n"}}},
    {"inner boundary longer by dashes", MIXED "\r\n",
        {{65, "--a\r\n" TYPE("multipart/mixed; boundary=\"a-\"") "\r\n"},
        {67, "--a-\r\n\r\n--a---\r\n"}, {67, "--a\r\n\r\n"}}},
    {"trailing white space", MIXED "\r\n",
        {{65, "p\r\n"}, {67, "--a \t \r\n\r\nx\r\n"},
        {67, "--a\t\r\n\r\nx\r\n--a-- \t\r\n--a\r\n"}}},
    {"delimiter cut off", MIXED "\r\n",
        {{67, "--a\r\n\r\nx\r\n"}, {67, "--a"}}},
    {"delimiters right behind each other", MIXED "\r\n",
        {{67, "--a\r\n"}, {67, "--a\r\n"}, {67, "--a\r\n--a--\r\n"}}},
    {"header without end", MIXED "\r\n",
        {{131, "--a\r\n" IMAGE}, {131, "--a\r\n\r\nx"}}},
    {"header at the end", MIXED "\r\n",
        {{67, "--a\r\n\r\n"}, {131, "--a\r\n" IMAGE}}},
    {"header ended by another line", MIXED "\r\n",
        {{67, "--a\r\nnothing\r\n" IMAGE "\r\nx\r\n"},
        {131, "--a\r\n" IMAGE "nothing\r\n"}}},
    {"header ended by the first delimiter", MIXED "\r\n",
        {{65, "--a\r\n" INNER}, {67, "--b\r\n\r\nx\r\n"}}},
    {"header that starts with white space", MIXED "\r\n",
        {{67, "--a\r\n " IMAGE "\r\nx\r\n"}}},
    {"boundary like a field", TYPE("multipart/mixed; boundary=\"a:b\"") "\r\n",
        {{67, "--a:b\r\n"}, {131, "--a:b\r\n" IMAGE},
        {131, "--a:b\r\n\r\n"}}},
};

static const struct cut fields[] = {
    {"quoted", TYPE("multipart/mixed; boundary=\"a;b \\\"(c) \"") "\r\n",
        {{65, "--a\r\n"}, {67, "--a;b \"(c)\r\n\r\n"},
        {67, "--a;b \"(c) \r\n"}}},
    {"not quoted though it had to be",
        TYPE("multipart/mixed; boundary=--=_a/b?c; x=y") "\r\n",
        {{65, "p\r\n"}, {67, "----=_a/b?c\r\n\r\n"}}},
    {"folded",
     "Content-Type:\r\n multipart/mixed;\r\n\tboundary=\r\n a\r\n\r\n",
        {{65, "p\r\n"}, {67, "--a\r\n\r\n"}}},
    {"comments", "content-type : (x (\\)) y) multipart (/) / mixed (;)"
        "; (boundary=c) boundary (=) = (a) a(b)\r\n\r\n",
        {{65, "p\r\n"}, {67, "--a\r\n\r\n"}}},
    {"comment that does not end", TYPE("multipart/mixed; (boundary=a") "\r\n",
        {{67, "p\r\n--a\r\n\r\n"}}},
    {"quotes that do not end", TYPE("multipart/mixed; boundary=\"a") "\r\n",
        {{67, "p\r\n--a\r\n\r\n"}}},
    {"other parameters", TYPE("multipart/mixed; x=\"; boundary=b\"; y; =;"
        " xboundary=c; z=d e ; boundary=a; boundary=f") "\r\n",
        {{65, "p\r\n"}, {67, "--a\r\n\r\n"}}},
    {"the first field counts", TYPE("text/plain") MIXED "\r\n",
        {{67, "p\r\n--a\r\n\r\n"}}},
    {"the first disposition counts", MIXED "\r\n",
        {{67, "--a\r\nContent-Disposition: inline\r\n" ATTACHED "\r\n"}}},
    {"empty boundary", TYPE("multipart/mixed; boundary=\" \"") "\r\n",
        {{67, "--\r\n\r\n"}}},
    {"70 octets", TYPE("multipart/mixed; boundary="
        "1234567890123456789012345678901234567890123456789012345678901234567890")
        "\r\n", {{65, "p\r\n"}, {67, "--"
        "1234567890123456789012345678901234567890123456789012345678901234567890"
        "\r\n\r\n"}}},
    {"71 octets", TYPE("multipart/mixed; boundary="
        "12345678901234567890123456789012345678901234567890123456789012345678901")
        "\r\n", {{67, "p\r\n--"
        "12345678901234567890123456789012345678901234567890123456789012345678901"
        "\r\n\r\n"}}},
    {"sections", TYPE("multipart/mixed; Boundary*1=\"b c\"; boundary*0=a;"
        " boundary*2*=%2Fd; boundary*4=e") "\r\n",
        {{65, "p\r\n"}, {67, "--ab c/d\r\n\r\n"}}},
    {"encoded", TYPE("multipart/mixed; boundary*=us-ascii'en'%61%62%") "\r\n",
        {{65, "--a\r\n"}, {67, "--ab%\r\n\r\n"}}},
    {"encoded in sections", TYPE("multipart/mixed; boundary*0*=''%41%6;"
        " boundary*1*=1'%zz; boundary*2=%61") "\r\n",
        {{67, "--A%61'%zz%61\r\n\r\n"}}},
    {"encoded without a language", TYPE("multipart/mixed; boundary*=us'a")
        "\r\n", {{67, "p\r\n--a\r\n\r\n"}}},
    {"not encoded before encoded", TYPE("multipart/mixed; boundary*0=c;"
        " boundary*=''b; boundary=a") "\r\n",
        {{65, "p\r\n"}, {67, "--a\r\n\r\n"}}},
    {"sections that do not count", TYPE("multipart/mixed; boundary*0=a;"
        " boundary*1; boundary*1=b; boundary*1=c; boundary*x=d; boundary2=e;"
        " boundary**=f; boundary*71=g; boundary*-2=h; boundaryx*2=i") "\r\n",
        {{65, "--a\r\n"}, {67, "--ab\r\n\r\n"}}},
    {"sections without the first", TYPE("multipart/mixed; boundary*1=a")
        "\r\n", {{67, "p\r\n--a\r\n\r\n"}}},
    {"a section whose quotes do not end", TYPE("multipart/mixed; boundary*0=a;"
        " boundary*1=\"b") "\r\n", {{67, "p\r\n--a\r\n\r\n"}}},
    {"71 octets in sections", TYPE("multipart/mixed; boundary*0=1; boundary*1="
        "1234567890123456789012345678901234567890123456789012345678901234567890")
        "\r\n", {{67, "--1"
        "1234567890123456789012345678901234567890123456789012345678901234567890"
        "\r\n\r\n"}}},
    {"types that cannot be read", MIXED "\r\n",
        {{67, "--a\r\n" TYPE("") "\r\n"}, {67, "--a\r\n" TYPE("image") "\r\n"},
        {67, "--a\r\n" TYPE("image/") "\r\n"},
        {67, "--a\r\n" TYPE("/png") "\r\n"},
        {67, "--a\r\n" TYPE("multipart/; boundary=b") "\r\n--b\r\n"},
        {131, "--a\r\n" TYPE("texts/plain") "\r\n"}}},
    {"dispositions", MIXED "\r\n",
        {{67, "--a\r\nContent-Disposition: attachments\r\n\r\n"},
        {67, "--a\r\nContent-Disposition: x; attachment\r\n\r\n"},
        {131, "--a\r\ncontent-disposition: (x)\r\n ATTachment; filename=y"
        "\r\n\r\n"}}},
};

/* Appends `text`, with bare LF if so wanted. */
static void
append_text(struct buffer *out, const char *text, bool bare)
{
	for (; *text != '\0'; text++)
		if (!bare || *text != '\r')
			buffer_append(out, text, 1);
}

static void
check_cut(const struct cut *cut, bool bare)
{
	struct buffer header = buffer_make(LIMIT), body = buffer_make(LIMIT);
	struct mime_segment *segments =
	    calloc(MIME_SEGMENTS, sizeof(*segments));
	size_t count, at = 0, expected = 0;

	assert_non_null(segments);
	unit_case(cut->name);
	append_text(&header, cut->header, bare);
	for (; expected < PIECES && cut->pieces[expected].type != 0; expected++)
		append_text(&body, cut->pieces[expected].text, bare);
	count = mime_cut(buffer_span(&header), buffer_span(&body), segments);
	for (size_t i = 0; i < count && i < expected; i++) {
		struct buffer text = buffer_make(LIMIT);

		append_text(&text, cut->pieces[i].text, bare);
		assert_int_equal(segments[i].type, cut->pieces[i].type);
		assert_int_equal(segments[i].data.length, text.length);
		assert_true(segments[i].data.data == body.data + at);
		at += text.length;
		buffer_free(&text);
	}
	assert_int_equal(count, expected);
	buffer_free(&header);
	buffer_free(&body);
	free(segments);
}

static void
bodies_are_cut_at_their_parts(void **state)
{
	for (int bare = 0; bare < 2; bare++) {
		for (size_t i = 0; i < COUNT(structures); i++)
			check_cut(&structures[i], bare);
		for (size_t i = 0; i < COUNT(lines); i++)
			check_cut(&lines[i], bare);
		for (size_t i = 0; i < COUNT(fields); i++)
			check_cut(&fields[i], bare);
	}
}

/* ---- what holds for any body ---- */

static void
check_tiles(struct span body, const struct mime_segment *segments, size_t count)
{
	size_t at = 0;

	assert_true(count <= MIME_SEGMENTS);
	for (size_t i = 0; i < count; i++) {
		assert_true(segments[i].data.length > 0);
		assert_true(segments[i].data.data == body.data + at);
		at += segments[i].data.length;
		assert_in_set(segments[i].type,
		    ((unsigned long[]){65, 66, 67, 129, 130, 131}), 6);
		if (i == 0)
			continue;
		assert_memory_equal(segments[i].data.data, "--", 2);
		assert_int_equal(segments[i].data.data[-1], '\n');
		assert_true(segments[i].type / 128 >=
		    segments[i - 1].type / 128);
	}
	assert_int_equal(at, body.length);
}

static void
round_trip(struct span mime)
{
	struct message_parties parties = world_parties();
	struct buffer opened = buffer_make(WORLD_LIMIT);
	struct buffer sealed = world_sealed(mime, "mime", 0);
	struct buffer again = world_sealed(mime, "mime", 0);

	assert_true(span_equal(buffer_span(&sealed), buffer_span(&again)));
	assert_int_equal(world_open(buffer_span(&sealed), &parties, &opened),
	    0);
	assert_true(span_equal(buffer_span(&opened), mime));
	buffer_free(&opened);
	buffer_free(&sealed);
	buffer_free(&again);
}

static uint32_t
draw(uint32_t *seed, size_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % (uint32_t)below;
}

static void
append_awkward(uint32_t *seed, struct buffer *out)
{
	static const char *const scraps[] = {
	    "--a\r\n", "--b\n", "--a--\r\n", "--b--\n", "--c\r\n", "--c--\r\n",
	    "\r\n", "\n", "\r", "--", "-", "a", " ", "\t", "(", "\"", ";", "\\",
	    IMAGE, INNER, MIXED, RELATED, ATTACHED,
	    TYPE("multipart/alternative; boundary=c"), TYPE("text/html"),
	    "Content-Type: multipart/mixed;\n boundary=", "--a", "text\r\n",
	    "--a \r\n", "--b\t\n", TYPE("multipart/digest; boundary=c")};

	for (uint32_t i = draw(seed, 40); i > 0; i--)
		buffer_append_string(out, scraps[
		    draw(seed, draw(seed, 2) == 0 ? WHOLE : COUNT(scraps))]);
}

static void
awkward_bodies_are_tiled(void **state)
{
	static const char *const headers[] = {MIXED, RELATED,
	    TYPE("multipart/alternative; boundary=a"), ATTACHED MIXED};
	struct mime_segment *segments =
	    calloc(MIME_SEGMENTS, sizeof(*segments));
	uint32_t seed = 17;
	size_t cut = 0;

	assert_non_null(segments);
	for (int i = 0; i < ROUNDS; i++) {
		struct buffer mime = buffer_make(LIMIT);
		struct span header, body;
		size_t count;

		buffer_append_string(&mime,
		    headers[draw(&seed, COUNT(headers))]);
		buffer_append_string(&mime, "\r\n");
		header = span_of(mime.data, mime.length);
		append_awkward(&seed, &mime);
		body = span_slice(buffer_span(&mime), header.length, SIZE_MAX);
		header.data = mime.data;
		count = mime_cut(header, body, segments);
		check_tiles(body, segments, count);
		cut += count > 2;
		if (i < SEALED_ROUNDS)
			round_trip(buffer_span(&mime));
		buffer_free(&mime);
	}
	/* Many of them say something. */
	assert_in_range(cut, ROUNDS / 8, ROUNDS);
	free(segments);
}

/* ---- limits ---- */

static void
append_nested(struct buffer *out, int level)
{
	char text[200];

	snprintf(text, sizeof(text),
	    "--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n",
	    level, level + 1);
	buffer_append_string(out, text);
}

static void
depth_is_limited(void **state)
{
	static const char header[] =
	    "Content-Type: multipart/mixed; boundary=b1\r\n\r\n";
	struct mime_segment *segments =
	    calloc(MIME_SEGMENTS, sizeof(*segments));
	struct buffer body = buffer_make(LIMIT);
	size_t count;

	assert_non_null(segments);
	for (int i = 1; i <= 2 * MIME_DEPTH; i++)
		append_nested(&body, i);
	count = mime_cut(span_string(header), buffer_span(&body), segments);
	check_tiles(buffer_span(&body), segments, count);
	assert_int_equal(count, MIME_DEPTH);
	for (size_t i = 0; i + 1 < count; i++)
		assert_int_equal(segments[i].type, 65);
	assert_int_equal(segments[count - 1].type, 131);
	buffer_free(&body);
	free(segments);
}

static void
segments_are_limited(void **state)
{
	static const struct {
		const char *name;
		size_t parts;
		size_t segments;
	} cases[] = {{"as many as may be", MIME_SEGMENTS, MIME_SEGMENTS},
	    {"one more", MIME_SEGMENTS + 1, MIME_SEGMENTS},
	    {"many more", 5 * MIME_SEGMENTS, MIME_SEGMENTS}};
	struct mime_segment *segments =
	    calloc(MIME_SEGMENTS, sizeof(*segments));

	assert_non_null(segments);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer mime = buffer_make(LIMIT);
		struct span header = span_string(MIXED "\r\n"), body;
		size_t count;

		unit_case(cases[i].name);
		buffer_append_span(&mime, header);
		for (size_t j = 0; j < cases[i].parts; j++)
			buffer_append_string(&mime, "--a\r\n\r\n");
		body = span_slice(buffer_span(&mime), header.length, SIZE_MAX);
		count = mime_cut(header, body, segments);
		check_tiles(body, segments, count);
		assert_int_equal(count, cases[i].segments);
		for (size_t j = 0; j < count; j++)
			assert_int_equal(segments[j].type, 67);
		round_trip(buffer_span(&mime));
		buffer_free(&mime);
	}
	free(segments);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bodies_are_cut_at_their_parts),
	    cmocka_unit_test(awkward_bodies_are_tiled),
	    cmocka_unit_test(depth_is_limited),
	    cmocka_unit_test(segments_are_limited),
	};

	return cmocka_run_group_tests_name("mime", tests, world_start,
	    world_end);
}
