/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/text.h"
#include "dime/signet.h"

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
		if ((rows[i].content == SIGNET_CONTENT_TEXT ||
		    rows[i].content == SIGNET_CONTENT_IMAGE) &&
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

/* The characters beyond ASCII that Unicode calls White_Space; text_is_utf8()
 * has refused U+0085. */
static bool
has_white_space(struct span text)
{
	static const char *const spaces[] = {
	    " ", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
	    "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85",
	    "\xe2\x80\x86", "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89",
	    "\xe2\x80\x8a", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf",
	    "\xe2\x81\x9f", "\xe3\x80\x80",
	};

	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
		if (memmem(text.data, text.length, spaces[i],
		    strlen(spaces[i])) != NULL)
			return true;
	return false;
}

bool
signet_name_is_good(struct span name)
{
	return name.length >= 1 && name.length <= UINT8_MAX &&
	    text_is_utf8((const char *)name.data, name.length) &&
	    !has_white_space(name);
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
	    crypto_ed25519_is_good(signet_key(value));
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
