/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/text.h"
#include "dime/signet.h"

enum { WHO_ORG = 1, WHO_USER = 2, WHO_BOTH = WHO_ORG | WHO_USER };

static const struct signet_field_row rows[] = {
#define FIELD(who, type, label, repeats, length_octets, fixed, content)        \
	{WHO_##who, type, label, repeats, length_octets, fixed,                \
	    SIGNET_CONTENT_##content},
#include "dime/field.def"
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static bool
is_for(const struct signet_field_row *row, enum signet_magic magic)
{
	return (row->who & (magic == SIGNET_ORG ? WHO_ORG : WHO_USER)) != 0;
}

const struct signet_field_row *
signet_field_row(enum signet_magic magic, uint8_t type)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].type == type && is_for(&rows[i], magic))
			return &rows[i];
	return NULL;
}

const struct signet_field_row *
signet_field_by_label(enum signet_magic magic, struct span label)
{
	for (size_t i = 0; i < ROWS; i++)
		if ((rows[i].content == SIGNET_CONTENT_TEXT ||
		    rows[i].content == SIGNET_CONTENT_IMAGE) &&
		    is_for(&rows[i], magic) &&
		    span_equal_string(label, rows[i].label))
			return &rows[i];
	return NULL;
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

	return value.length == 1 + CRYPTO_SIGN_PUBLIC &&
	    (value.data[0] & needed) != 0 &&
	    (value.data[0] & ~known) == 0 &&
	    crypto_ed25519_is_good(value.data + 1);
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
