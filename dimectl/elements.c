/* SPDX-License-Identifier: BSD-2-Clause */
#include "dimectl/elements.h"
#include "dimectl/output.h"

enum {
	/* Octets on a line: all of them, or some at both ends. */
	HEX_WHOLE = 12,
	HEX_HEAD = 8,
	HEX_TAIL = 4,
	HEX_COLUMNS = 2 * HEX_WHOLE + 2,
	HEX_JSON = 64,
	TEXT_MOST = 160, /* of octets that are shown as text */
};

static void
append_hex(struct buffer *out, struct span octets)
{
	for (size_t i = 0; i < octets.length; i++)
		buffer_printf(out, "%02x", octets.data[i]);
}

/* The octets in hex, abbreviated. */
static void
append_short_hex(struct buffer *out, struct span octets)
{
	if (octets.length <= HEX_WHOLE) {
		append_hex(out, octets);
		return;
	}
	append_hex(out, span_slice(octets, 0, HEX_HEAD));
	buffer_append_string(out, "..");
	append_hex(out, span_slice(octets, octets.length - HEX_TAIL,
	    HEX_TAIL));
}

static void
append_short_text(struct buffer *out, struct span text)
{
	output_escaped(out, span_slice(text, 0, TEXT_MOST));
	if (text.length > TEXT_MOST)
		buffer_append_string(out, "..");
}

static void
print_element(void *context, const struct explain_element *element)
{
	struct elements *elements = context;
	struct buffer *out = &elements->ctl->output;
	char offset[24];
	size_t start;

	if (out->length == 0)
		buffer_printf(out, "   offset   length  %-*s  what [rule of "
		    "%s]\n", HEX_COLUMNS, "octets", elements->document);
	snprintf(offset, sizeof(offset), "%s%zu", element->inside ? "+" : "",
	    element->offset);
	buffer_printf(out, "%9s %8zu  ", offset, element->octets.length);
	start = out->length;
	append_short_hex(out, element->octets);
	buffer_printf(out, "%*s  %s",
	    (int)(HEX_COLUMNS - (out->length - start)), "", element->what);
	if (element->readable) {
		buffer_append_string(out, ": \"");
		append_short_text(out, element->octets);
		buffer_append_string(out, "\"");
	}
	buffer_printf(out, " [%s]\n", element->rule);
}

/* A JSON string of what `append` makes of the octets. */
static json_t *
string_of(void (*append)(struct buffer *, struct span), struct span octets)
{
	struct buffer text = buffer_make(SIZE_MAX / 2);
	const char *string;
	json_t *value;

	append(&text, octets);
	string = buffer_string(&text);
	value = string == NULL ? NULL : json_string(string);
	buffer_free(&text);
	return value;
}

static void
list_element(void *context, const struct explain_element *element)
{
	struct elements *elements = context;
	json_t *object = json_pack("{sI sI sb ss ss so}",
	    "offset", (json_int_t)element->offset,
	    "length", (json_int_t)element->octets.length,
	    "inside", element->inside,
	    "what", element->what,
	    "rule", element->rule,
	    "octets", string_of(append_hex,
	        span_slice(element->octets, 0, HEX_JSON)));

	if (object != NULL && element->readable &&
	    json_object_set_new(object, "text", string_of(append_short_text,
	    element->octets)) != 0) {
		json_decref(object);
		object = NULL;
	}
	if (json_array_append_new(elements->list, object) != 0)
		elements->without_memory = true;
}

void
elements_start(struct elements *elements, struct dimectl *ctl,
    const char *document)
{
	*elements = (struct elements){
	    .explainer = {ctl->json ? list_element : print_element, elements},
	    .ctl = ctl,
	    .document = document,
	};
	if (!ctl->json)
		return;
	elements->list = json_array();
	elements->without_memory = elements->list == NULL;
}

int
elements_end(struct elements *elements)
{
	struct dimectl *ctl = elements->ctl;

	if (elements->without_memory) {
		json_decref(elements->list);
		return fault_set(&ctl->fault, ERR_MEMORY, "out of memory");
	}
	if (!ctl->json)
		return 0;
	return output_json(ctl, json_pack("{so}", "elements",
	    elements->list));
}
