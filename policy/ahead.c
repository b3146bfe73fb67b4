/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "policy/ahead.h"
#include "policy/suffix.h"

enum {
	RECORDS = DOMAIN_WALK,
	SIGNETS = 4,
	NAMES = RECORDS + SIGNETS,
	NAME_SIZE = ADDRESS_SIZE + 2 * SIGNET_FINGERPRINT_SIZE + 4,
	KEY_SIZE = NAME_SIZE + 4,
};

/* Something put aside. */
struct aside {
	struct memory_value value; /* first */
	const struct clock *clock;
	bool found;
	int64_t expires;
	size_t length;
	uint8_t payload[];
};

/* "c", the kind, a colon and the name. */
static struct span
memory_key(const char *kind, struct span name, char out[static KEY_SIZE])
{
	int length = snprintf(out, KEY_SIZE, "c%s:%.*s", kind,
	    (int)name.length, (const char *)name.data);

	return span_of(out,
	    length < KEY_SIZE ? (size_t)length : (size_t)KEY_SIZE - 1);
}

/* ---- putting aside ---- */

static void
destroy(struct memory_value *value)
{
	free(value);
}

static void
put_aside(struct policyd *policyd, const struct cache_item *item)
{
	const size_t length = item->found ? item->payload.length : 0;
	const size_t octets = sizeof(struct aside) + length;
	struct aside *aside = calloc(1, octets);
	char key[KEY_SIZE];

	if (aside == NULL)
		return;
	memory_value_start(&aside->value, octets,
	    clock_wall(policyd->clock) + AHEAD_SECONDS, destroy);
	aside->clock = policyd->clock;
	aside->found = item->found;
	aside->expires = item->expires;
	aside->length = length;
	if (length > 0)
		memcpy(aside->payload, item->payload.data, length);
	memory_put(policyd->memory, memory_key(item->kind, item->name, key),
	    &aside->value);
	memory_release(&aside->value);
}

struct wish {
	const char *kind;
	char name[NAME_SIZE];
};

struct wishes {
	size_t count;
	struct wish all[NAMES];
};

static void
wish(struct wishes *wishes, const char *kind, const char *name,
    const char *fingerprint)
{
	struct wish *wish = &wishes->all[wishes->count++];

	wish->kind = kind;
	snprintf(wish->name, sizeof(wish->name), "%s%s%s", name,
	    *fingerprint == '\0' ? "" : " ", fingerprint);
}

/* The records from the domain up to its organization, and their signets. */
static void
wish_for(struct wishes *wishes, const struct policyd *policyd,
    const char *name, const char *fingerprint)
{
	const char *at = strchr(name, '@');
	const char *domain = at == NULL ? name : at + 1;
	const char *organization =
	    suffixes_organization(policyd->suffixes, domain);
	const char *above = domain;

	while (wishes->count < RECORDS - 1 && above < organization) {
		wish(wishes, "r", above, "");
		above = strchr(above, '.') + 1;
	}
	wish(wishes, "r", organization, "");
	wish(wishes, "o", organization, "");
	if (domain != organization)
		wish(wishes, "o", domain, "");
	if (at != NULL)
		wish(wishes, "u", name, "");
	if (*fingerprint != '\0')
		wish(wishes, at == NULL ? "o" : "u", name, fingerprint);
}

static bool
is_known(const struct policyd *policyd, const char *name)
{
	const char *at = strchr(name, '@');
	char key[DOMAIN_SIZE + 2];
	struct memory_value *value = memory_look(policyd->memory,
	    domain_key('r', at == NULL ? name : at + 1, key, sizeof(key)));

	memory_release(value);
	return value != NULL;
}

void
ahead_read(struct policyd *policyd, const char *name, const char *fingerprint)
{
	struct cache_item items[NAMES];
	struct wishes *wishes;

	if (policyd->cache == NULL || is_known(policyd, name))
		return;
	wishes = calloc(1, sizeof(*wishes));
	if (wishes == NULL)
		return;
	wish_for(wishes, policyd, name, fingerprint);
	for (size_t i = 0; i < wishes->count; i++)
		items[i] = (struct cache_item){.kind = wishes->all[i].kind,
		    .name = span_string(wishes->all[i].name),
		    .payload = buffer_make(SIGNET_MAX_LENGTH)};
	cache_get_all(policyd->cache, items, wishes->count);
	for (size_t i = 0; i < wishes->count; i++) {
		put_aside(policyd, &items[i]);
		buffer_free(&items[i].payload);
	}
	free(wishes);
}

/* ---- taking ---- */

bool
ahead_get(struct memory *memory, struct cache *cache, const char *kind,
    struct span name, struct buffer *payload, int64_t *expires)
{
	struct aside *aside;
	char key[KEY_SIZE];
	bool found;

	if (cache == NULL)
		return false;
	aside = (struct aside *)memory_look(memory,
	    memory_key(kind, name, key));
	if (aside == NULL)
		return cache_get(cache, kind, name, payload, expires);
	memory_drop(memory, memory_key(kind, name, key));
	found = aside->found && aside->expires > clock_wall(aside->clock);
	if (found) {
		buffer_append(payload, aside->payload, aside->length);
		*expires = aside->expires;
		found = payload->error == 0;
	}
	memory_release(&aside->value);
	return found;
}

static bool
is_aside(void *context, struct span key)
{
	return key.length > 0 && key.data[0] == 'c';
}

void
ahead_drop(struct memory *memory)
{
	memory_drop_matching(memory, is_aside, NULL);
}
