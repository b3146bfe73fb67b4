/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/signet_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "dime/signet_content.h"

#define SIGNATURE \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define OCTETS_16 "0123456789abcdef"
#define OCTETS_64 OCTETS_16 OCTETS_16 OCTETS_16 OCTETS_16
#define BASE32_56 "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrstuvwx"

struct text_case {
	const char *label;
	struct span value;
	const char *complaint; /* NULL for a good one */
};

static void
judge(const struct text_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct span label = span_string(cases[i].label), used;
		const struct signet_field_row *row =
		    signet_field_by_label(LAYOUT_STANDARD, SIGNET_ORG, label);
		const char *fault;

		if (row == NULL)
			row = signet_field_by_label(LAYOUT_STANDARD,
			    SIGNET_USER, label);
		unit_case(cases[i].label);
		assert_non_null(row);
		fault = signet_content_fault(row->content, cases[i].value,
		    &used);
		if (cases[i].complaint == NULL) {
			if (fault != NULL)
				print_error("%.*s: %s\n",
				    (int)cases[i].value.length,
				    (const char *)cases[i].value.data, fault);
			assert_null(fault);
			assert_true(span_equal(used, cases[i].value));
		} else {
			if (fault == NULL)
				print_error("accepted: %.*s\n",
				    (int)cases[i].value.length,
				    (const char *)cases[i].value.data);
			assert_non_null(fault);
			assert_non_null(strstr(fault, cases[i].complaint));
			assert_int_equal(used.length, 0);
		}
	}
}

static void
text_fields(void **state)
{
	static const struct text_case cases[] = {
	    {"Name", TEXT("J\xc3\xb6rg"), NULL},
	    {"Name", TEXT(""), NULL},
	    {"Name", TEXT("a\xff"), "not UTF-8"},
	    {"Name", TEXT("a\nb"), "not UTF-8"},
	    {"Name", TEXT("a\0b"), "not UTF-8"},
	    {"Name", TEXT("\xc2\x9b"), "not UTF-8"},
	    {"Province", TEXT("Noord-Holland"), NULL},
	    {"Province", TEXT("\x1b[2J"), "not UTF-8"},
	    {"Country", TEXT("United States of America"), NULL},
	    {"Country", TEXT("\xed\xa0\x80"), "not UTF-8"},
	    {"Postal-Code", TEXT("SW1A 1AA"), NULL},
	    {"Postal-Code", TEXT("\x7f"), "not UTF-8"},
	    {"Motto", TEXT("Per aspera"), NULL},
	    {"Motto", TEXT("a\rb"), "not UTF-8"},
	    {"Address", TEXT("1 Road\r\n\tTown"), NULL},
	    {"Address", TEXT("1 Road\x0bTown"), "other than tabs"},
	    {"Address", TEXT("\xc0\xaf"), "other than tabs"},
	    {"Resume", TEXT("one\ntwo; CV"), NULL},
	    {"Resume", TEXT("one\0two"), "other than tabs"},
	    {"Title", TEXT("Boss"), NULL},
	    {"Title", TEXT("Boss;"), NULL},
	    {"Title", TEXT("Boss; Rank"), NULL},
	    {"Title", TEXT(" ; Rank"), "before the label"},
	    {"Title", TEXT("Boss\n"), "not UTF-8"},
	    {"Employer", TEXT(";x"), "before the label"},
	    {"Gender", TEXT("\xe2\x99\x80"), NULL},
	    {"Gender", TEXT("\xe2\x99"), "not UTF-8"},
	    {"Alma-Mater", TEXT("x; \xff"), "not UTF-8"},
	    {"Supervisor", TEXT("x"), NULL},
	    {"Political-Party", TEXT(";"), "before the label"},
	    {"Supported-Codecs", TEXT("OPUS;H264;"), NULL},
	    {"Supported-Codecs", TEXT("OPUS; H264"), NULL},
	    {"Supported-Codecs", TEXT("OP US"), "white space"},
	    {"Supported-Codecs", TEXT("OPUS;;H264"), "item of the list is"},
	    {"Supported-Codecs", TEXT("OPUS\xff"), "white space"},
	    {"Extensions", TEXT("\0\xff anything"), NULL},
	};

	judge(cases, COUNT(cases));
}

static const struct text_case number_cases[] = {
    {"Phone", TEXT("4108546334; OFFICE"), NULL},
    {"Phone", TEXT("4108546334;OFFICE"), NULL},
    {"Phone", TEXT("1"), NULL},
    {"Phone", TEXT("1;"), NULL},
    {"Phone", TEXT("1; " OCTETS_16), NULL},
    {"Phone", TEXT("+1 410"), "digits alone"},
    {"Phone", TEXT("410-854"), "digits alone"},
    {"Phone", TEXT(" 1"), "digits alone"},
    {"Phone", TEXT("1 ;x"), "digits alone"},
    {"Phone", TEXT("; OFFICE"), "digits alone"},
    {"Phone", TEXT("\xd9\xa1"), "digits alone"},
    {"Language", TEXT("en-US"), NULL},
    {"Language", TEXT("en-US;de"), NULL},
    {"Language", TEXT("en-US; de-CH-1996;"), NULL},
    {"Language", TEXT("gsw;es-419;zh-Hant-TW"), NULL},
    {"Language", TEXT("english"), "language tags"},
    {"Language", TEXT("e"), "language tags"},
    {"Language", TEXT("en_US"), "language tags"},
    {"Language", TEXT("en-"), "language tags"},
    {"Language", TEXT("-US"), "language tags"},
    {"Language", TEXT("en--US"), "language tags"},
    {"Language", TEXT("en-" OCTETS_16), "language tags"},
    {"Language", TEXT("en,de"), "language tags"},
    {"Language", TEXT(";en"), "item of the list is empty"},
    {"Language", TEXT("en;;"), "item of the list is empty"},
    {"Language", TEXT("en; "), "item of the list is empty"},
    {"Currency", TEXT("EUR"), NULL},
    {"Currency", TEXT("EUR;USD;"), NULL},
    {"Currency", TEXT("EUR; USD"), NULL},
    {"Currency", TEXT("eur"), "three capital"},
    {"Currency", TEXT("EURO"), "three capital"},
    {"Currency", TEXT("EU"), "three capital"},
    {"Currency", TEXT("\xe2\x82\xac"), "three capital"},
    {"Currency", TEXT("EUR USD"), "three capital"},
    {"Cryptocurrency",
     TEXT("BTC: 19qy9ifMJuHoRbVpXBqtf6NTAT6PiDb8SQ"), NULL},
    {"Cryptocurrency", TEXT("BTC:x;LTC:y;"), NULL},
    {"Cryptocurrency", TEXT("BTC"), "BTC: address"},
    {"Cryptocurrency", TEXT("BTC:"), "BTC: address"},
    {"Cryptocurrency", TEXT("BTC: x y"), "BTC: address"},
    {"Cryptocurrency", TEXT("BTC: \xff"), "BTC: address"},
    {"Cryptocurrency", TEXT("btc: x"), "BTC: address"},
    {"Cryptocurrency", TEXT("BTCC: x"), "BTC: address"},
    {"Message-Size-Limit", TEXT("1048576"), NULL},
    {"Message-Size-Limit", TEXT("134217728"), NULL},
    {"Message-Size-Limit", TEXT("999999999999999999"), NULL},
    {"Message-Size-Limit", TEXT("1048575"), "less than 1048576"},
    {"Message-Size-Limit", TEXT("0"), "less than 1048576"},
    {"Message-Size-Limit", TEXT("-1"), "not a number"},
    {"Message-Size-Limit", TEXT("10M"), "not a number"},
    {"Message-Size-Limit", TEXT(" 1048576"), "not a number"},
    {"Message-Size-Limit", TEXT("1000000000000000000"),
     "not a number"},
};

static void
codes_and_numbers(void **state)
{
	judge(number_cases, COUNT(number_cases));
}

static void
websites(void **state)
{
	static const struct text_case cases[] = {
	    {"Website", TEXT("https://alpha.test"), NULL},
	    {"Website", TEXT("http://alpha.test/"), NULL},
	    {"Website", TEXT("HTTPS://Alpha.test:8443/a%20b?c=d&e#f/g?"), NULL},
	    {"Website", TEXT("https://alpha.test?q"), NULL},
	    {"Website", TEXT("https://alpha.test#f"), NULL},
	    {"Website", TEXT("https://192.0.2.1/"), NULL},
	    {"Website", TEXT("https://[2001:db8::1]/"), NULL},
	    {"Website", TEXT("https://[2001:db8::1]:80/x"), NULL},
	    {"Website", TEXT("https://xn--bcher-kva.example/"), NULL},
	    {"Website", TEXT("alpha.test"), "not a URL of http"},
	    {"Website", TEXT("ftp://alpha.test/"), "not a URL of http"},
	    {"Website", TEXT("javascript:alert(1)"), "not a URL of http"},
	    {"Website", TEXT("https:/alpha.test"), "not a URL of http"},
	    {"Website", TEXT("http"), "not a URL of http"},
	    {"Website", TEXT("https://"), "names no host"},
	    {"Website", TEXT("https:///x"), "names no host"},
	    {"Website", TEXT("https://alpha"), "names no host"},
	    {"Website", TEXT("https://alpha..test/"), "names no host"},
	    {"Website", TEXT("https://a b.test/"), "names no host"},
	    {"Website", TEXT("https://bank.test@alpha.test/"), "names no host"},
	    {"Website", TEXT("https://alpha.test:0/"), "names no host"},
	    {"Website", TEXT("https://alpha.test:65536/"), "names no host"},
	    {"Website", TEXT("https://alpha.test:/"), "names no host"},
	    {"Website", TEXT("https://alpha.test:x/"), "names no host"},
	    {"Website", TEXT("https://[2001:db8::1/"), "names no host"},
	    {"Website", TEXT("https://[::1]x/"), "names no host"},
	    {"Website", TEXT("https://[/"), "names no host"},
	    {"Website", TEXT("https://[alpha.test]/"), "names no host"},
	    {"Website", TEXT("https://256.1.1.1/"), "names no host"},
	    {"Website", TEXT("https://alpha.test/a b"), "characters"},
	    {"Website", TEXT("https://alpha.test/\n"), "characters"},
	    {"Website", TEXT("https://alpha.test/\0"), "characters"},
	    {"Website", TEXT("https://alpha.test/%4"), "characters"},
	    {"Website", TEXT("https://alpha.test/%zz"), "characters"},
	    {"Website", TEXT("https://alpha.test/[x]"), "characters"},
	    {"Website", TEXT("https://alpha.test/<x>"), "characters"},
	    {"Website", TEXT("https://alpha.test/#a#b"), "characters"},
	    {"Website", TEXT("https://b\xc3\xbc" "cher.example/"),
	     "characters"},
	    {"Web-Access-Location", TEXT("https://mail.alpha.test/box"), NULL},
	    {"Web-Access-Location", TEXT("http://mail.alpha.test/box"),
	     "not a URL of https"},
	    {"Web-Access-Location", TEXT("/box"), "not a URL of https"},
	};

	judge(cases, COUNT(cases));
}

static void
names_and_signatures(void **state)
{
	static const struct text_case cases[] = {
	    {"Contact-Abuse", TEXT("abuse@alpha.test"), NULL},
	    {"Contact-Admin", TEXT("Admin@Alpha.test"), NULL},
	    {"Contact-Support", TEXT("support"), "not a mail address"},
	    {"Contact-Abuse", TEXT("a@alpha.test;b@alpha.test"),
	     "not a mail address"},
	    {"Contact-Abuse", TEXT("<a@alpha.test>"), "not a mail address"},
	    {"Alternate-Address", TEXT("a@x.test; b@y.test;"), NULL},
	    {"Alternate-Address", TEXT("a@x.test, b@y.test"),
	     "not a mail address"},
	    {"Alternate-Address", TEXT("a@x.test;;"), "item of the list is"},
	    {"Web-Access-Host", TEXT("www.alpha.test;w2.alpha.test;"), NULL},
	    {"Web-Access-Host", TEXT("192.0.2.1"), "not a list of hosts"},
	    {"Web-Access-Host", TEXT("https://alpha.test"),
	     "not a list of hosts"},
	    {"Mail-Access-Host", TEXT("mail.alpha.test"), NULL},
	    {"Mail-Access-Host", TEXT("mail"), "not a list of hosts"},
	    {"Mail-Access-Host", TEXT("mail.alpha.test:465"),
	     "not a list of hosts"},
	    {"Onion-Access-Host", TEXT("abcdefghij234567.onion"), NULL},
	    {"Onion-Access-Host", TEXT("www." BASE32_56 ".onion"), NULL},
	    {"Onion-Delivery-Host", TEXT(BASE32_56 ".onion; "
	     "abcdefghij234567.onion;"), NULL},
	    {"Onion-Delivery-Host", TEXT("alpha.test"), "onion"},
	    {"Onion-Delivery-Host", TEXT("alpha.onion"), "onion"},
	    {"Onion-Delivery-Host", TEXT("abcdefghij234561.onion"), "onion"},
	    {"Onion-Delivery-Host", TEXT("onion"), "onion"},
	    {"Onion-Delivery-Host", TEXT("abcdefghij234567.onions"), "onion"},
	    {"Web-Access-Certificate", TEXT(SIGNATURE), NULL},
	    {"Mail-Access-Certificate", TEXT(SIGNATURE "==; " SIGNATURE), NULL},
	    {"Onion-Access-Certificate", TEXT(SIGNATURE ";"), NULL},
	    {"Onion-Delivery-Certificate", TEXT(SIGNATURE "="), "64 octets"},
	    {"Onion-Delivery-Certificate", TEXT(SIGNATURE "A"), "64 octets"},
	    {"Onion-Delivery-Certificate", TEXT("AAAA"), "64 octets"},
	    {"Web-Access-Certificate", TEXT("=="), "64 octets"},
	    {"Endorsements", TEXT(OCTETS_64 "bob@beta.test;" SIGNATURE), NULL},
	    {"Endorsements", TEXT(OCTETS_64 "bob;" SIGNATURE), "fingerprint"},
	    {"Endorsements", TEXT(OCTETS_64 "b@beta.test;x"), "fingerprint"},
	    {"Endorsements", TEXT(OCTETS_64 "b@beta.test"), "fingerprint"},
	    {"Endorsements", TEXT(OCTETS_64), "fingerprint"},
	    {"Endorsements", TEXT("a"), "fingerprint"},
	    {"Endorsements", TEXT("bob@beta.test;" SIGNATURE), "fingerprint"},
	};

	judge(cases, COUNT(cases));
}

/* The number of a phone counts although its label does not. */
static void
a_bad_label_leaves_the_number(void **state)
{
	static const struct {
		const char *name;
		struct span value;
	} cases[] = {
	    {"17 characters", TEXT("12; " OCTETS_16 "x")},
	    {"white space", TEXT("12; A B")},
	    {"white space of Unicode", TEXT("12;A\xe3\x80\x80" "B")},
	    {"not UTF-8", TEXT("12;A\xff")},
	    {"control", TEXT("12;A\x1b")},
	};
	struct span used;

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		assert_non_null(strstr(signet_content_fault(
		    SIGNET_CONTENT_PHONE, cases[i].value, &used), "the label"));
		assert_true(span_equal_string(used, "12"));
	}
	/* 16 characters in 32 octets. */
	assert_null(signet_content_fault(SIGNET_CONTENT_PHONE,
	    (struct span)TEXT("1;\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
	    "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
	    "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"), &used));
}

/* ---- images ---- */

static void
put_chunk(struct buffer *out, const char *type, struct span value)
{
	size_t start = out->length + 4;

	buffer_u32(out, (uint32_t)value.length);
	buffer_append(out, type, 4);
	buffer_append_span(out, value);
	buffer_u32(out, (uint32_t)crc32(0, out->data + start,
	    (uInt)(out->length - start)));
}

struct header {
	uint32_t width, height;
	uint8_t depth, colour, compression, filter, interlace;
};

static void
put_header(struct buffer *out, const struct header *header)
{
	struct buffer value = buffer_make(13);

	buffer_u32(&value, header->width);
	buffer_u32(&value, header->height);
	buffer_u8(&value, header->depth);
	buffer_u8(&value, header->colour);
	buffer_u8(&value, header->compression);
	buffer_u8(&value, header->filter);
	buffer_u8(&value, header->interlace);
	buffer_append_string(out, "\x89PNG\r\n\x1a\n");
	put_chunk(out, "IHDR", buffer_span(&value));
	buffer_free(&value);
}

static void
put_rest(struct buffer *out, size_t data_length)
{
	uint8_t *data = calloc(1, data_length + 1);

	put_chunk(out, "IDAT", span_of(data, data_length));
	put_chunk(out, "IEND", span_of(NULL, 0));
	free(data);
}

static void
image_headers(void **state)
{
	static const struct {
		const char *name;
		struct header header;
		const char *complaint;
	} cases[] = {
	    {"recommended", {512, 512, 8, 6, 0, 0, 0}, NULL},
	    {"grey, a bit", {1, 1, 1, 0, 0, 0, 0}, NULL},
	    {"interlaced palette", {2048, 2048, 4, 3, 0, 0, 1}, NULL},
	    {"largest", {0x7fffffff, 0x7fffffff, 16, 2, 0, 0, 0}, NULL},
	    {"oblong", {512, 513, 8, 6, 0, 0, 0}, "differ"},
	    {"no width", {0, 512, 8, 6, 0, 0, 0}, "not a PNG"},
	    {"no height", {512, 0, 8, 6, 0, 0, 0}, "not a PNG"},
	    {"too wide", {0x80000000, 0x80000000, 8, 6, 0, 0, 0}, "not a PNG"},
	    {"palette of 16", {1, 1, 16, 3, 0, 0, 0}, "not a PNG"},
	    {"three bits", {1, 1, 3, 0, 0, 0, 0}, "not a PNG"},
	    {"no bits", {1, 1, 0, 0, 0, 0, 0}, "not a PNG"},
	    {"colour 1", {1, 1, 8, 1, 0, 0, 0}, "not a PNG"},
	    {"colour 7", {1, 1, 8, 7, 0, 0, 0}, "not a PNG"},
	    {"compression", {1, 1, 8, 0, 1, 0, 0}, "not a PNG"},
	    {"filter", {1, 1, 8, 0, 0, 1, 0}, "not a PNG"},
	    {"interlace", {1, 1, 8, 0, 0, 0, 2}, "not a PNG"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer png = buffer_make(1000);
		struct signet_image image;
		const char *fault;

		unit_case(cases[i].name);
		put_header(&png, &cases[i].header);
		put_rest(&png, 10);
		fault = signet_content_image(buffer_span(&png), &image);
		if (cases[i].complaint == NULL) {
			assert_null(fault);
			assert_int_equal(image.width, cases[i].header.width);
			assert_int_equal(image.height, cases[i].header.height);
		} else {
			assert_non_null(strstr(fault, cases[i].complaint));
		}
		buffer_free(&png);
	}
}

static void
image_limit(void **state)
{
	static const struct header header = {1, 1, 8, 0, 0, 0, 0};
	const size_t around = 8 + 25 + 12 + 12;

	for (size_t over = 0; over < 2; over++) {
		struct buffer png = buffer_make(SIZE_MAX / 2);
		struct signet_image image;
		const char *fault;

		put_header(&png, &header);
		put_rest(&png, SIGNET_IMAGE_LIMIT - around + over);
		assert_int_equal(png.length, SIGNET_IMAGE_LIMIT + over);
		fault = signet_content_image(buffer_span(&png), &image);
		if (over == 0)
			assert_null(fault);
		else
			assert_string_equal(fault, "more than 1048576 octets");
		buffer_free(&png);
	}
}

/* Cut anywhere, or with any bit changed, or with octets behind it, it is no
 * image; without a chunk of data neither. */
static void
broken_images(void **state)
{
	static const struct header header = {1, 1, 8, 0, 0, 0, 0};
	struct buffer png = buffer_make(1000);
	struct signet_image image;

	put_header(&png, &header);
	put_rest(&png, 10);
	for (size_t length = 0; length < png.length; length++) {
		uint8_t *copy = malloc(length + 1);

		memcpy(copy, png.data, length);
		assert_non_null(signet_content_image(span_of(copy, length),
		    &image));
		free(copy);
	}
	for (size_t bit = 0; bit < png.length * 8; bit++) {
		png.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_non_null(signet_content_image(buffer_span(&png),
		    &image));
		png.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	assert_null(signet_content_image(buffer_span(&png), &image));
	buffer_u8(&png, 0);
	assert_non_null(signet_content_image(buffer_span(&png), &image));
	buffer_reset(&png);
	put_header(&png, &header);
	put_chunk(&png, "IEND", span_of(NULL, 0));
	assert_non_null(signet_content_image(buffer_span(&png), &image));
	buffer_reset(&png);
	put_header(&png, &header);
	put_chunk(&png, "IHDR", span_of("", 0));
	put_rest(&png, 10);
	assert_non_null(signet_content_image(buffer_span(&png), &image));
	buffer_free(&png);
}

/* ---- in signets ---- */

/* A bad value is refused when we would write it, with the name of the field. */
static void
bad_values_are_not_written(void **state)
{
	static const struct signet_extra bad[] = {
	    {16, {NULL, 0}, TEXT("a\xff")}, {17, {NULL, 0}, TEXT("a\x1b")},
	    {21, {NULL, 0}, TEXT("no")}, {21, {NULL, 0}, TEXT("1; A B")},
	    {22, {NULL, 0}, TEXT("english")}, {23, {NULL, 0}, TEXT("euro")},
	    {24, {NULL, 0}, TEXT("x")}, {27, {NULL, 0}, TEXT("5")},
	    {160, {NULL, 0}, TEXT("no URL")}, {200, {NULL, 0}, TEXT("x")},
	    {203, {NULL, 0}, TEXT("x")}, {204, {NULL, 0}, TEXT("x")},
	    {205, {NULL, 0}, TEXT("x")}, {208, {NULL, 0}, TEXT("x")},
	    {252, {NULL, 0}, TEXT("no picture")},
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct buffer out = buffer_make(10000);
		struct fault fault = {0};
		char field[32];

		snprintf(field, sizeof(field), "field %u (", bad[i].type);
		unit_case(field);
		assert_int_equal(signet_make_org(LAYOUT_STANDARD,
		    world_public_key(POK), signer_of_seed(world_seed(POK)),
		    NULL, 0, world_point(POK), "alpha.test", &bad[i], 1, &out,
		    &fault), ERR_USAGE);
		assert_ptr_equal(strstr(fault.text, field), fault.text);
		assert_int_equal(out.length, 0);
	}
}

/* Every row is either vetted by the parser or has a rule; a rule takes the
 * empty value, and any octets without harm. */
static void
check_row(const struct signet_field_row *row)
{
	uint8_t octets[256];
	struct span used;

	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)i;
	unit_case(row->label);
	assert_int_equal(signet_content_is_informational(row->content),
	    row->type >= 16 && row->type <= SIGNET_IMAGE);
	assert_null(signet_content_fault(row->content, span_of(NULL, 0),
	    &used));
	for (size_t length = 0; length < sizeof(octets); length++)
		signet_content_fault(row->content,
		    span_of(octets + sizeof(octets) - length, length), &used);
}

static void
every_field_has_its_place(void **state)
{
	int rows = 0;

	for (int type = 0; type <= UINT8_MAX; type++) {
		const struct signet_field_row *org =
		    signet_field_row(LAYOUT_STANDARD, SIGNET_ORG,
		        (uint8_t)type);
		const struct signet_field_row *user =
		    signet_field_row(LAYOUT_STANDARD, SIGNET_USER,
		        (uint8_t)type);

		if (org != NULL)
			check_row(org);
		if (user != NULL)
			check_row(user);
		rows += (org != NULL) + (user != NULL);
	}
	assert_int_equal(rows, 33 + 35);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_fields),
	    cmocka_unit_test(codes_and_numbers),
	    cmocka_unit_test(websites),
	    cmocka_unit_test(names_and_signatures),
	    cmocka_unit_test(a_bad_label_leaves_the_number),
	    cmocka_unit_test(image_headers),
	    cmocka_unit_test(image_limit),
	    cmocka_unit_test(broken_images),
	    cmocka_unit_test(bad_values_are_not_written),
	    cmocka_unit_test(every_field_has_its_place),
	};

	return cmocka_run_group_tests(tests, world_start, world_end);
}
