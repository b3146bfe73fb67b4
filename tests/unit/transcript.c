/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/transcript.h"

enum { LIMIT = 1 << 20 };

void
transcript_run(const struct transcript_engine *engine, struct span text,
    size_t cut, struct buffer *output, struct buffer *events)
{
	bool open = true;

	buffer_reset(output);
	buffer_reset(events);
	engine->start();
	if (cut == SIZE_MAX) {
		for (size_t i = 0; i < text.length && open; i++)
			open = engine->feed(span_slice(text, i, 1), events);
	} else if (engine->feed(span_slice(text, 0, cut), events)) {
		engine->feed(span_slice(text, cut, text.length), events);
	}
	engine->end(output);
}

/* Code and what follows it, of every line. */
static void
codes_of(struct span output, struct buffer *codes)
{
	struct span line;

	buffer_reset(codes);
	while (span_next_line(&output, &line)) {
		assert_true(line.length >= 4);
		buffer_append_span(codes, span_slice(line, 0, 4));
	}
}

void
transcript_run_all(const struct transcript_engine *engine,
    const struct transcript *cases, size_t count)
{
	struct buffer output = buffer_make(LIMIT);
	struct buffer events = buffer_make(LIMIT);
	struct buffer codes = buffer_make(LIMIT);

	for (size_t i = 0; i < count; i++) {
		struct span text = span_string(cases[i].text);

		unit_case(cases[i].name);
		for (size_t cut = 0; cut <= text.length + 1; cut++) {
			transcript_run(engine, text,
			    cut > text.length ? SIZE_MAX : cut, &output,
			    &events);
			codes_of(buffer_span(&output), &codes);
			assert_string_equal(buffer_string(&codes),
			    cases[i].codes);
			assert_string_equal(buffer_string(&events),
			    cases[i].events);
		}
	}
	buffer_free(&output);
	buffer_free(&events);
	buffer_free(&codes);
}
