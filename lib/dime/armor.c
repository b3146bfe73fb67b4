/* SPDX-License-Identifier: BSD-2-Clause */
#include "crypto/base64.h"
#include "dime/armor.h"

enum {
	CRC_OCTETS = 3,
	CRC_LINE = 5,
	DASHES_LEAST = 4,
	DASHES_MOST = 5,
	MARKERS_MOST = 128, /* both, of any kind, and a checksum line */
};

static const char *const labels[ARMOR_KINDS] = {
    [ARMOR_USER_SIGNET] = "USER SIGNET",
    [ARMOR_ORG_SIGNET] = "ORGANIZATIONAL SIGNET",
    [ARMOR_SSR] = "SIGNET SIGNING REQUEST",
    [ARMOR_USER_KEYS] = "USER KEYS",
    [ARMOR_ORG_KEYS] = "ORGANIZATIONAL KEYS",
    [ARMOR_USER_KEY] = "USER KEY",
    [ARMOR_ORG_KEY] = "ORGANIZATIONAL KEY",
    [ARMOR_MESSAGE] = "ENCRYPTED MESSAGE",
};

const char *
armor_label(enum armor_kind kind)
{
	return labels[kind];
}

/* CRC-24 of RFC 4880, four bits a step. */
static void
checksum(struct span data, uint8_t out[static CRC_OCTETS])
{
	static const uint32_t steps[16] = {
	    0x000000, 0x864cfb, 0x8ad50d, 0x0c99f6, 0x93e6e1, 0x15aa1a,
	    0x1933ec, 0x9f7f17, 0xa18139, 0x27cdc2, 0x2b5434, 0xad18cf,
	    0x3267d8, 0xb42b23, 0xb8b2d5, 0x3efe2e,
	};
	uint32_t crc = 0xb704ce;

	for (size_t i = 0; i < data.length; i++) {
		crc ^= (uint32_t)data.data[i] << 16;
		crc = (crc << 4 & 0xffffff) ^ steps[crc >> 20];
		crc = (crc << 4 & 0xffffff) ^ steps[crc >> 20];
	}
	out[0] = (uint8_t)(crc >> 16);
	out[1] = (uint8_t)(crc >> 8);
	out[2] = (uint8_t)crc;
}

void
armor_write(enum armor_kind kind, struct span binary, struct buffer *out)
{
	uint8_t crc[CRC_OCTETS];
	char text[BASE64_LENGTH(CRC_OCTETS) + 1];

	/* All of it at once: growing would hold a large message twice. */
	buffer_reserve(out, BASE64_LINES_MOST(binary.length) + MARKERS_MOST);
	buffer_printf(out, "-----BEGIN %s-----\n", labels[kind]);
	base64_append_lines(out, binary, kind != ARMOR_MESSAGE);
	if (kind != ARMOR_MESSAGE) {
		checksum(binary, crc);
		base64_encode(span_of(crc, sizeof(crc)), text);
		buffer_printf(out, "=%s\n", text);
	}
	buffer_printf(out, "-----END %s-----\n", labels[kind]);
}

static bool
is_blank(uint8_t octet)
{
	return octet == ' ' || octet == '\t' || octet == '\r' || octet == '\n';
}

static struct span
without_blanks(struct span data)
{
	while (data.length > 0 && is_blank(data.data[0]))
		data = span_slice(data, 1, SIZE_MAX);
	return data;
}

bool
armor_is_armored(struct span data)
{
	data = without_blanks(data);
	return span_equal_string(span_slice(data, 0, DASHES_LEAST), "----");
}

/* Takes the dashes off both ends of a BEGIN or END line, and the word. False
 * for any other line. */
static bool
read_marker(struct span line, const char *word, struct span *label)
{
	size_t before = 0, after = 0;

	while (before < line.length && line.data[before] == '-')
		before++;
	line = span_slice(line, before, SIZE_MAX);
	while (after < line.length && line.data[line.length - 1 - after] == '-')
		after++;
	line = span_slice(line, 0, line.length - after);
	if (before < DASHES_LEAST || before > DASHES_MOST ||
	    after < DASHES_LEAST || after > DASHES_MOST ||
	    !span_equal_string(span_slice(line, 0, strlen(word)), word))
		return false;
	*label = span_slice(line, strlen(word), SIZE_MAX);
	return true;
}

static bool
find_kind(struct span label, enum armor_kind *kind)
{
	for (int i = 0; i < ARMOR_KINDS; i++)
		if (span_equal_string(label, labels[i])) {
			*kind = (enum armor_kind)i;
			return true;
		}
	return false;
}

/* The object as its lines are met. */
struct reader {
	struct span rest;
	struct span line; /* the latest, without white space at its ends */
	size_t number;    /* and its number, from 1 */
	struct span body; /* from the first to the last line of base64 */
	size_t body_line; /* the number of its last line */
	struct span crc;  /* the four characters, or empty */
	enum armor_kind kind;
};

static bool
next_line(struct reader *reader)
{
	struct span line;

	if (!span_next_line(&reader->rest, &line))
		return false;
	reader->number++;
	reader->line = span_trim(line);
	return true;
}

static bool
next_filled_line(struct reader *reader)
{
	while (next_line(reader))
		if (reader->line.length > 0)
			return true;
	return false;
}

static bool
is_base64(struct span line)
{
	for (size_t i = 0; i < line.length; i++) {
		uint8_t c = line.data[i];

		if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') &&
		    !(c >= '0' && c <= '9') && c != '+' && c != '/' && c != '=')
			return false;
	}
	return true;
}

static int
read_begin(struct reader *reader, struct fault *fault)
{
	struct span label;

	if (!next_filled_line(reader))
		return fault_set(fault, ERR_FORMAT, "armor: empty");
	if (!read_marker(reader->line, "BEGIN ", &label))
		return fault_set(fault, ERR_FORMAT,
		    "armor: line %zu: not a BEGIN line", reader->number);
	if (!find_kind(label, &reader->kind))
		return fault_set(fault, ERR_FORMAT,
		    "armor: line %zu: unknown label \"%.*s\"", reader->number,
		    (int)(label.length < 64 ? label.length : 64),
		    (const char *)label.data);
	return 0;
}

/* Reads on up to and including the END line. */
static int
read_body(struct reader *reader, struct fault *fault)
{
	struct span label;

	while (next_filled_line(reader)) {
		struct span line = reader->line;

		if (read_marker(line, "END ", &label)) {
			if (!span_equal_string(label, labels[reader->kind]))
				return fault_set(fault, ERR_FORMAT,
				    "armor: line %zu: END does not fit BEGIN",
				    reader->number);
			return 0;
		}
		if (!is_base64(line) || reader->crc.length > 0)
			return fault_set(fault, ERR_FORMAT,
			    "armor: line %zu: not a line of base64",
			    reader->number);
		if (line.length == CRC_LINE && line.data[0] == '=') {
			reader->crc = span_slice(line, 1, SIZE_MAX);
			continue;
		}
		if (reader->body.length == 0)
			reader->body.data = line.data;
		reader->body.length =
		    (size_t)(line.data - reader->body.data) + line.length;
		reader->body_line = reader->number;
	}
	return fault_set(fault, ERR_FORMAT,
	    "armor: line %zu is the last, the END line is missing",
	    reader->number);
}

/* Why base64, of its alphabet and white space, cannot be decoded. */
static const char *
base64_rule(struct span body)
{
	size_t symbols = 0, pads = 0;

	for (size_t i = 0; i < body.length; i++) {
		if (body.data[i] == '=')
			pads++;
		else if (is_blank(body.data[i]))
			continue;
		else if (pads > 0)
			return "padding stands before its end";
		else
			symbols++;
	}
	if (symbols % 4 == 1)
		return "it ends within an octet";
	if (pads > 0 && (pads > 2 || (symbols + pads) % 4 != 0))
		return "its padding has the wrong length";
	return "bits that no octet uses are set";
}

static int
check_crc(const struct reader *reader, struct span binary, struct fault *fault)
{
	uint8_t computed[CRC_OCTETS], given[CRC_OCTETS];

	if (reader->crc.length == 0)
		return 0;
	checksum(binary, computed);
	if (!base64_decode_exact(reader->crc, given, sizeof(given)) ||
	    memcmp(computed, given, sizeof(given)) != 0)
		return fault_set(fault, ERR_FORMAT,
		    "armor: line %zu: the checksum does not match",
		    reader->number - 1);
	return 0;
}

static bool
is_secret(enum armor_kind kind)
{
	return kind == ARMOR_USER_KEYS || kind == ARMOR_ORG_KEYS ||
	    kind == ARMOR_USER_KEY || kind == ARMOR_ORG_KEY;
}

int
armor_read(struct span text, enum armor_kind *kind, struct buffer *out,
    struct fault *fault)
{
	struct reader reader = {.rest = text};
	size_t before = out->length;
	int err;

	if ((err = read_begin(&reader, fault)) != 0 ||
	    (err = read_body(&reader, fault)) != 0)
		return err;
	err = is_secret(reader.kind) ? base64_decode_secret(reader.body, out)
	                             : base64_decode(reader.body, out);
	if (err == ERR_FORMAT)
		return fault_set(fault, err,
		    "armor: base64 up to line %zu: %s", reader.body_line,
		    base64_rule(reader.body));
	if (err != 0)
		return fault_set(fault, err, "armor: %s", error_row(err)->text);
	err = check_crc(&reader,
	    span_slice(buffer_span(out), before, SIZE_MAX), fault);
	if (err == 0 && next_filled_line(&reader))
		err = fault_set(fault, ERR_FORMAT,
		    "armor: line %zu: something follows the END line",
		    reader.number);
	if (err != 0)
		out->length = before;
	else
		*kind = reader.kind;
	return err;
}

struct span
armor_take(struct span *text)
{
	struct span whole = *text, line, label;

	while (span_next_line(text, &line))
		if (read_marker(span_trim(line), "END ", &label))
			break;
	whole.length -= text->length;
	*text = without_blanks(*text);
	return whole;
}
