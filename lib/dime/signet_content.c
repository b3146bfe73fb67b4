/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/text.h"
#include "dime/signet_content.h"

enum {
	PHONE_LABEL_LIMIT = 16,
	SIZE_LIMIT_LEAST = 1 << 20,
	ONION_OLD = 16, /* characters of base32 in a name of version 2 */
	ONION_NEW = 56, /* and of version 3 */
};

static bool
is_upper(uint8_t octet)
{
	return octet >= 'A' && octet <= 'Z';
}

static bool
is_digit(uint8_t octet)
{
	return octet >= '0' && octet <= '9';
}

static bool
is_letter(uint8_t octet)
{
	return is_upper(octet) || (octet >= 'a' && octet <= 'z');
}

/* Whether all octets are of one kind, and how many there are. */
static bool
all_are(struct span text, bool (*kind)(uint8_t octet), size_t least,
    size_t most)
{
	if (text.length < least || text.length > most)
		return false;
	for (size_t i = 0; i < text.length; i++)
		if (!kind(text.data[i]))
			return false;
	return true;
}

/* Takes what stands before the next `separator`, or all, and the separator. */
static struct span
take_part(struct span *rest, uint8_t separator)
{
	const uint8_t *found = rest->length == 0
	    ? NULL
	    : memchr(rest->data, separator, rest->length);
	size_t length = found == NULL ? rest->length
	                              : (size_t)(found - rest->data);
	struct span part = span_slice(*rest, 0, length);

	*rest = span_slice(*rest, length + 1, SIZE_MAX);
	return part;
}

/* Items end with semicolons, the last one may. */
static const char *
each_item(struct span list, const char *(*rule)(struct span item))
{
	while (list.length > 0) {
		struct span item = span_trim(take_part(&list, ';'));
		const char *fault = item.length == 0
		    ? "an item of the list is empty"
		    : rule(item);

		if (fault != NULL)
			return fault;
	}
	return NULL;
}

/* ---- text ---- */

static const char *
any(struct span value)
{
	(void)value;
	return NULL;
}

static const char *
text(struct span value)
{
	return text_is_utf8((const char *)value.data, value.length)
	    ? NULL
	    : "not UTF-8 without control characters";
}

static const char *
lines(struct span value)
{
	uint32_t point;

	while (value.length > 0)
		if (!text_take(&value, &point) || (text_is_control(point) &&
		    point != '\t' && point != '\r' && point != '\n'))
			return "not UTF-8 without control characters other "
			       "than tabs and line ends";
	return NULL;
}

static const char *
labeled(struct span value)
{
	struct span rest = value;

	if (span_trim(take_part(&rest, ';')).length == 0)
		return "nothing stands before the label";
	return text(value);
}

static const char *
codec(struct span item)
{
	return signet_name_is_good(item)
	    ? NULL
	    : "not a list of names without white space";
}

/* ---- numbers and codes ---- */

static const char *
phone_label(struct span label)
{
	uint32_t point;

	for (int count = 0; label.length > 0; count++)
		if (count == PHONE_LABEL_LIMIT || !text_take(&label, &point) ||
		    text_is_control(point) || text_is_white_space(point))
			return "the label is not up to 16 characters of UTF-8 "
			       "without white space";
	return NULL;
}

static bool
is_number(struct span text)
{
	return all_are(text, is_digit, 1, SIZE_MAX);
}

static const char *
phone(struct span value)
{
	if (!is_number(take_part(&value, ';')))
		return "not a number in digits alone";
	return phone_label(span_trim(value));
}

static bool
is_alphanumeric(uint8_t octet)
{
	return is_letter(octet) || is_digit(octet);
}

static const char *
language(struct span item)
{
	const char *fault = "not a list of language tags like en-US";
	bool ends_well = item.data[item.length - 1] != '-';

	if (!all_are(take_part(&item, '-'), is_letter, 2, 3))
		return fault;
	while (item.length > 0)
		if (!all_are(take_part(&item, '-'), is_alphanumeric, 1, 8))
			return fault;
	return ends_well ? NULL : fault;
}

static const char *
currency(struct span item)
{
	return all_are(item, is_upper, 3, 3)
	    ? NULL
	    : "not a list of currency codes of three capital letters";
}

static bool
is_symbol(uint8_t octet)
{
	return is_upper(octet) || is_digit(octet);
}

static bool
is_graphic(uint8_t octet)
{
	return octet > ' ' && octet < 0x7f;
}

static const char *
cryptocurrency(struct span item)
{
	if (all_are(take_part(&item, ':'), is_symbol, 3, 3) &&
	    all_are(span_trim(item), is_graphic, 1, SIZE_MAX))
		return NULL;
	return "not a list like BTC: address, each a symbol of three "
	       "capital letters or digits";
}

static const char *
size_limit(struct span value)
{
	uint64_t octets;

	if (!span_number(value, UINT64_MAX, &octets))
		return "not a number of up to 18 digits";
	return octets >= SIZE_LIMIT_LEAST ? NULL
	                                  : "less than 1048576 octets";
}

/* ---- names ---- */

static const char *
website(struct span value)
{
	return signet_content_url(value, false);
}

static const char *
secure_location(struct span value)
{
	return signet_content_url(value, true);
}

static const char *
address(struct span value)
{
	char normal[ADDRESS_SIZE];

	return address_normalize(value, normal) ? NULL : "not a mail address";
}

static const char *
host(struct span item)
{
	char normal[DOMAIN_SIZE];

	return domain_normalize(item, normal) ? NULL : "not a list of hosts";
}

static bool
is_base32(uint8_t octet)
{
	return (octet >= 'a' && octet <= 'z') ||
	    (octet >= '2' && octet <= '7');
}

static const char *
onion(struct span item)
{
	const char *suffix = ".onion";
	char normal[DOMAIN_SIZE];
	struct span name, label = {NULL, 0};

	if (domain_normalize(item, normal)) {
		name = span_string(normal);
		while (name.length > strlen(suffix))
			label = take_part(&name, '.');
		if (span_equal_string(name, suffix + 1) &&
		    (all_are(label, is_base32, ONION_OLD, ONION_OLD) ||
		    all_are(label, is_base32, ONION_NEW, ONION_NEW)))
			return NULL;
	}
	return "not a list of onion hosts";
}

static const char *
certificate(struct span item)
{
	uint8_t signature[CRYPTO_SIGNATURE];

	if (item.length > 2 && item.data[item.length - 1] == '=' &&
	    item.data[item.length - 2] == '=')
		item.length -= 2;
	return base64_decode_exact(item, signature, sizeof(signature))
	    ? NULL
	    : "not a list of signatures of 64 octets in base64";
}

static const char *
endorsement(struct span value)
{
	struct span rest = span_slice(value, CRYPTO_SIGNATURE, SIZE_MAX);

	if (address(take_part(&rest, ';')) == NULL &&
	    signet_is_fingerprint(rest))
		return NULL;
	return "not a signature, the signer's address, a semicolon and a core "
	       "fingerprint";
}

/* ---- images, and the table ---- */

static const char *
image(struct span value)
{
	struct signet_image ignored;

	return signet_content_image(value, &ignored);
}

/* By the content column of field.def; fields without a rule are not
 * informational. Each item of a list is judged. */
static const struct {
	const char *(*judge)(struct span value);
	bool is_list;
} rules[] = {
    [SIGNET_CONTENT_TEXT] = {text, false},
    [SIGNET_CONTENT_LINES] = {lines, false},
    [SIGNET_CONTENT_LABELED] = {labeled, false},
    [SIGNET_CONTENT_PHONE] = {phone, false},
    [SIGNET_CONTENT_LANGUAGES] = {language, true},
    [SIGNET_CONTENT_CURRENCIES] = {currency, true},
    [SIGNET_CONTENT_CRYPTOCURRENCIES] = {cryptocurrency, true},
    [SIGNET_CONTENT_SIZE_LIMIT] = {size_limit, false},
    [SIGNET_CONTENT_CODECS] = {codec, true},
    [SIGNET_CONTENT_WEBSITE] = {website, false},
    [SIGNET_CONTENT_SECURE_LOCATION] = {secure_location, false},
    [SIGNET_CONTENT_ADDRESS] = {address, false},
    [SIGNET_CONTENT_ADDRESSES] = {address, true},
    [SIGNET_CONTENT_HOSTS] = {host, true},
    [SIGNET_CONTENT_ONIONS] = {onion, true},
    [SIGNET_CONTENT_CERTIFICATES] = {certificate, true},
    [SIGNET_CONTENT_ENDORSEMENT] = {endorsement, false},
    [SIGNET_CONTENT_OPEN] = {any, false},
    [SIGNET_CONTENT_UNDEFINED] = {any, false},
    [SIGNET_CONTENT_IMAGE] = {image, false},
};

bool
signet_content_is_informational(enum signet_content content)
{
	return (size_t)content < sizeof(rules) / sizeof(rules[0]) &&
	    rules[content].judge != NULL;
}

/* What counts of a value that breaks its rule. */
static struct span
good_part(enum signet_content content, struct span value)
{
	struct span number = take_part(&value, ';');

	return content == SIGNET_CONTENT_PHONE && is_number(number)
	    ? number
	    : span_of(NULL, 0);
}

const char *
signet_content_fault(enum signet_content content, struct span value,
    struct span *used)
{
	const char *fault;

	*used = value;
	if (value.length == 0 || !signet_content_is_informational(content))
		return NULL;
	fault = rules[content].is_list
	    ? each_item(value, rules[content].judge)
	    : rules[content].judge(value);
	if (fault != NULL)
		*used = good_part(content, value);
	return fault;
}
