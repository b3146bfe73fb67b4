/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "dime/explain.h"

struct explanation
explain_start(const struct explainer *explainer, struct span whole, bool inside)
{
	return (struct explanation){explainer, whole, 0, inside};
}

/* Cuts the next octets off and tells of them. */
static struct span
take(struct explanation *explanation, size_t length,
    struct explain_element *element)
{
	element->inside = explanation->inside;
	element->offset = explanation->offset;
	element->octets = span_slice(explanation->rest, 0, length);
	explanation->rest = span_slice(explanation->rest, length, SIZE_MAX);
	explanation->offset += element->octets.length;
	if (element->octets.length > 0)
		explanation->explainer->element(
		    explanation->explainer->context, element);
	return element->octets;
}

struct span
explain_next(struct explanation *explanation, size_t length, const char *rule,
    const char *format, ...)
{
	struct explain_element element = {.rule = rule};
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(element.what, sizeof(element.what), format, arguments);
	va_end(arguments);
	text_make_plain(element.what);
	return take(explanation, length, &element);
}

struct span
explain_readable(struct explanation *explanation, size_t length,
    const char *rule, const char *what)
{
	struct explain_element element = {.rule = rule, .readable = true};

	snprintf(element.what, sizeof(element.what), "%s", what);
	return take(explanation, length, &element);
}
