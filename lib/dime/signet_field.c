/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/text.h"
#include "crypto/verified.h"
#include "dime/signet_content.h"

enum {
	WHO_ORG = 1,
	WHO_SIGNED = 2,
	WHO_REQUEST = 4,
	WHO_USER = WHO_SIGNED | WHO_REQUEST,
	WHO_BOTH = WHO_ORG | WHO_USER,
};

#define FIELD(who, type, label, repeats, length_octets, fixed, content)        \
	{WHO_##who, type, label, repeats, length_octets, fixed,                \
	    SIGNET_CONTENT_##content},
static const struct signet_field_row standard[] = {
#include "dime/field.def"
};

#define FIELD(who, type, label, repeats, length_octets, fixed, content)        \
	{WHO_##who, type, label, repeats, length_octets, fixed,                \
	    SIGNET_CONTENT_##content},
static const struct signet_field_row libdime[] = {
#include "dime/field_libdime.def"
};

static const struct {
	const struct signet_field_row *rows;
	size_t count;
} tables[LAYOUTS] = {
    [LAYOUT_STANDARD] = {standard, sizeof(standard) / sizeof(standard[0])},
    [LAYOUT_LIBDIME] = {libdime, sizeof(libdime) / sizeof(libdime[0])},
};

static bool
is_for(const struct signet_field_row *row, enum signet_magic magic)
{
	int who = magic == SIGNET_ORG ? WHO_ORG
	    : magic == SIGNET_SSR     ? WHO_REQUEST
	                              : WHO_SIGNED;

	return (row->who & who) != 0;
}

const struct signet_field_row *
signet_field_row(enum layout layout, enum signet_magic magic, uint8_t type)
{
	const struct signet_field_row *rows = tables[layout].rows;

	for (size_t i = 0; i < tables[layout].count; i++)
		if (rows[i].type == type && is_for(&rows[i], magic))
			return &rows[i];
	return NULL;
}

const struct signet_field_row *
signet_field_by_label(enum layout layout, enum signet_magic magic,
    struct span label)
{
	const struct signet_field_row *rows = tables[layout].rows;

	for (size_t i = 0; i < tables[layout].count; i++)
		if (signet_content_is_informational(rows[i].content) &&
		    rows[i].content != SIGNET_CONTENT_UNDEFINED &&
		    is_for(&rows[i], magic) &&
		    span_equal_string(label, rows[i].label))
			return &rows[i];
	return NULL;
}

static int
unknown_in_standard(uint8_t type)
{
#define RANGE(first, last, length_octets)                                      \
	if (type >= (first) && type <= (last))                                 \
		return length_octets;
#include "dime/field.def"
	return -1;
}

static int
unknown_in_libdime(uint8_t type)
{
#define RANGE(first, last, length_octets)                                      \
	if (type >= (first) && type <= (last))                                 \
		return length_octets;
#include "dime/field_libdime.def"
	return -1;
}

int
signet_unknown_length(enum layout layout, uint8_t type)
{
	return layout == LAYOUT_LIBDIME ? unknown_in_libdime(type)
	                                : unknown_in_standard(type);
}

const uint8_t *
signet_key(struct span value)
{
	return value.data + value.length - CRYPTO_SIGN_PUBLIC;
}

bool
signet_name_is_good(struct span name)
{
	uint32_t point;

	if (name.length < 1 || name.length > UINT8_MAX)
		return false;
	while (name.length > 0)
		if (!text_take(&name, &point) || text_is_control(point) ||
		    text_is_white_space(point))
			return false;
	return true;
}

bool
signet_sok_is_good(struct span value)
{
	const uint8_t needed = SIGNET_MAY_SIGN_USERS |
	    SIGNET_MAY_SIGN_MESSAGES | SIGNET_MAY_SIGN_TLS;
	const uint8_t known = needed | SIGNET_MAY_SIGN_SOFTWARE;

	return (value.length == 1 + CRYPTO_SIGN_PUBLIC ||
	    value.length == 2 + CRYPTO_SIGN_PUBLIC) &&
	    (value.data[0] & needed) != 0 &&
	    (value.data[0] & ~known) == 0 &&
	    crypto_ed25519_is_good_again(signet_key(value));
}

const char *
signet_kind_name(enum signet_magic magic)
{
	switch (magic) {
	case SIGNET_SSR:
		return "ssr";
	case SIGNET_ORG:
		return "org";
	case SIGNET_USER:
		return "user";
	}
	return "unknown";
}

const char *
signet_kind_words(enum signet_magic magic)
{
	switch (magic) {
	case SIGNET_SSR:
		return "a signing request";
	case SIGNET_ORG:
		return "an organizational signet";
	default:
		return "a user signet";
	}
}

const char *
signet_state_name(enum signet_state state)
{
	static const char *const names[] = {
	    [SIGNET_STATE_SSR] = "ssr",
	    [SIGNET_STATE_CORE] = "core",
	    [SIGNET_STATE_FULL] = "full",
	    [SIGNET_STATE_COMPLETE] = "complete",
	};

	return names[state];
}
