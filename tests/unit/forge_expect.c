/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/forge_expect.h"

void
forge_start_content(struct forge *forge)
{
	forge_start(forge);
	forge_envelope(forge);
	forge_common(forge);
}

void
forge_text(struct forge *forge, uint8_t type, const char *text, uint8_t flags)
{
	size_t length = strlen(text), padding = (16 - (69 + length) % 16) % 16;
	struct forge_payload how = {.flags = flags, .pad = (uint8_t)padding,
	    .padding = padding, .fill = (uint8_t)padding};

	forge_chunk(forge, type, span_string(text), &how);
}

void
forge_expect(struct forge *forge, int err, const char *mime_or_words)
{
	struct message_parties parties = world_parties();
	struct buffer opened = buffer_make(WORLD_LIMIT);
	struct fault fault = {0};
	int found = world_open_fault(forge_end(forge), &parties, &opened,
	    &fault);

	if (err != 0)
		refusal_expect(found, &fault, err, "%s", mime_or_words);
	else if (found != 0)
		fail_msg("%s", fault.text);
	else
		assert_true(span_equal_string(buffer_span(&opened),
		    mime_or_words));
	buffer_free(&opened);
	forge_free(forge);
}
