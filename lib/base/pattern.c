/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/pattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A pattern in normal form: an address, a domain, or a dot and a domain. */
enum { ITEM_SIZE = ADDRESS_SIZE };

/* ".test" is no domain behind a dot, but what is below it are domains. */
static bool
read_suffix(const char *text, char out[static ITEM_SIZE])
{
	char below[DOMAIN_SIZE + 2];

	if (snprintf(below, sizeof(below), "x%s", text) >= (int)sizeof(below) ||
	    !domain_normalize(span_string(below), out))
		return false;
	memmove(out, out + 1, strlen(out));
	return true;
}

/* `*` may stand in an address, but who writes it means something else. */
static bool
read_item(const char *text, char out[static ITEM_SIZE])
{
	if (strchr(text, '*') != NULL)
		return false;
	if (*text == '.')
		return read_suffix(text, out);
	if (strchr(text, '@') != NULL)
		return address_normalize(span_string(text), out);
	return domain_normalize(span_string(text), out);
}

bool
pattern_is_valid(const char *text)
{
	char item[ITEM_SIZE];

	return strcmp(text, "*") == 0 || strcmp(text, "<>") == 0 ||
	    read_item(text, item);
}

/* ---- a set ---- */

static int
compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
add(struct pattern_set *set, const char *text, struct fault *fault)
{
	char item[ITEM_SIZE];

	if (strcmp(text, "*") == 0) {
		set->any = true;
		return 0;
	}
	if (strcmp(text, "<>") == 0) {
		set->null = true;
		return 0;
	}
	if (!read_item(text, item))
		return fault_set(fault, ERR_CONFIG, "\"%s\" is not *, <>, an "
		    "address, a domain or a domain behind a dot", text);
	set->items[set->count] = strdup(item);
	if (set->items[set->count] == NULL)
		return fault_set(fault, ERR_MEMORY, "out of memory");
	set->count++;
	return 0;
}

int
pattern_set_make(const char *const *texts, size_t count,
    struct pattern_set *set, struct fault *fault)
{
	int err = 0;

	*set = (struct pattern_set){.any = count == 0};
	set->items = calloc(count + 1, sizeof(*set->items));
	if (set->items == NULL)
		return fault_set(fault, ERR_MEMORY, "out of memory");
	for (size_t i = 0; i < count && err == 0; i++)
		err = add(set, texts[i], fault);
	qsort(set->items, set->count, sizeof(*set->items), compare);
	return err;
}

void
pattern_set_free(struct pattern_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		free(set->items[i]);
	free(set->items);
	*set = (struct pattern_set){0};
}

/* ---- names ---- */

void
pattern_name_read(const char *text, struct pattern_name *out)
{
	const char *at = strrchr(text, '@');

	*out = (struct pattern_name){0};
	out->null = *text == '\0' || strcmp(text, "<>") == 0;
	if (!out->null &&
	    domain_normalize(span_string(at == NULL ? text : at + 1),
	    out->domain) && at != NULL)
		address_normalize(span_string(text), out->address);
}

static const char *
find(const struct pattern_set *set, const char *item)
{
	char **found = set->count == 0
	    ? NULL
	    : bsearch(&item, set->items, set->count, sizeof(*set->items),
	        compare);

	return found == NULL ? NULL : *found;
}

/* The pattern that has every name below a domain's parent, and so below and at
 * the domain. */
static const char *
find_above(const struct pattern_set *set, const char *domain)
{
	const char *found = NULL;

	while (found == NULL && (domain = strchr(domain, '.')) != NULL) {
		found = find(set, domain);
		domain++;
	}
	return found;
}

static const char *
find_domain(const struct pattern_set *set, const char *domain)
{
	const char *found = find(set, domain);

	return found != NULL ? found : find_above(set, domain);
}

static const char *
find_address(const struct pattern_set *set, const char *address)
{
	char plain[ADDRESS_SIZE];
	const char *found = find(set, address);

	if (found == NULL) {
		address_strip_tag(address, plain);
		found = find(set, plain);
	}
	return found != NULL ? found
	                     : find_domain(set, address_domain(address));
}

bool
pattern_set_has(const struct pattern_set *set,
    const struct pattern_name *name, const char **matched)
{
	const char *found = NULL;

	if (name->null)
		found = set->null ? "<>" : NULL;
	else if (name->address[0] != '\0')
		found = find_address(set, name->address);
	else if (name->domain[0] != '\0')
		found = find_domain(set, name->domain);
	if (found == NULL && set->any)
		found = "*";
	if (matched != NULL)
		*matched = found;
	return found != NULL;
}

/* ---- sets ---- */

/* Whether the set has every name that the item has. */
static bool
covers_item(const struct pattern_set *set, const char *item)
{
	if (set->any)
		return true;
	if (*item == '.')
		return find(set, item) != NULL ||
		    find_above(set, item + 1) != NULL;
	return strchr(item, '@') != NULL ? find_address(set, item) != NULL
	                                 : find_domain(set, item) != NULL;
}

bool
pattern_set_covers(const struct pattern_set *outer,
    const struct pattern_set *inner)
{
	if (outer->any)
		return true;
	if (inner->any || (inner->null && !outer->null))
		return false;
	for (size_t i = 0; i < inner->count; i++)
		if (!covers_item(outer, inner->items[i]))
			return false;
	return true;
}

/* Of two items that share a name, one has all that the other has. */
bool
pattern_set_meets(const struct pattern_set *a, const struct pattern_set *b)
{
	if (a->any || b->any || (a->null && b->null))
		return true;
	for (size_t i = 0; i < a->count; i++)
		if (covers_item(b, a->items[i]))
			return true;
	for (size_t i = 0; i < b->count; i++)
		if (covers_item(a, b->items[i]))
			return true;
	return false;
}
