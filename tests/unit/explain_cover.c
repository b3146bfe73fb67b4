/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/explain_cover.h"

enum { TEXT_LIMIT = 1 << 24 };

/* A plaintext is as long as what it is the plaintext of, and is told of
 * whole. */
static void
end_inside(struct cover *cover)
{
	assert_int_equal(cover->inside_at, cover->inside_ends);
	cover->inside_at = cover->inside_ends = 0;
}

static void
check_element(void *context, const struct explain_element *element)
{
	struct cover *cover = context;

	assert_true(element->octets.length > 0);
	assert_true(element->what[0] != '\0');
	for (const char *c = element->what; *c != '\0'; c++)
		assert_in_range(*c, ' ', '~');
	assert_true(element->rule[0] == 'S' || element->rule[0] == 'M');
	if (element->inside) {
		assert_int_equal(element->offset, cover->inside_at);
		cover->inside_at += element->octets.length;
		cover->inside_ends = cover->last.length;
		assert_true(cover->inside_at <= cover->inside_ends);
	} else {
		end_inside(cover);
		assert_int_equal(element->offset, cover->at);
		if (cover->last.length > 0)
			assert_ptr_equal(element->octets.data,
			    cover->last.data + cover->last.length);
		cover->at += element->octets.length;
		cover->last = element->octets;
	}
	cover->count++;
	buffer_printf(&cover->text, "%s%zu %zu %s [%s]\n",
	    element->inside ? "+" : "", element->offset,
	    element->octets.length, element->what, element->rule);
}

void
cover_start(struct cover *cover)
{
	*cover = (struct cover){
	    .explainer = {check_element, cover},
	    .text = buffer_make(TEXT_LIMIT),
	};
}

void
cover_end(struct cover *cover, struct span whole)
{
	end_inside(cover);
	assert_int_equal(cover->at, whole.length);
	if (whole.length > 0)
		assert_memory_equal(cover->last.data + cover->last.length -
		    whole.length, whole.data, whole.length);
}

void
cover_free(struct cover *cover)
{
	buffer_free(&cover->text);
}
