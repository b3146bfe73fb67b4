/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "dmtpd/identities.h"

void
identities_free(struct identities *identities)
{
	free(identities->items);
	free(identities->text);
	*identities = (struct identities){NULL, 0, NULL};
}

/* Copies the entry to `text` and cuts it at its colon. NULL: not of that
 * form. */
static char *
split(const char *entry, char *text, struct tls_identity *out)
{
	const char *colon = strchr(entry, ':');
	size_t length = strlen(entry);

	if (colon == NULL || colon == entry || colon[1] == '\0')
		return NULL;
	memcpy(text, entry, length + 1);
	text[colon - entry] = '\0';
	*out = (struct tls_identity){text, text + (colon - entry) + 1};
	return text + length + 1;
}

int
identities_read(const struct config *config, struct identities *out,
    struct fault *fault)
{
	const struct config_list *list = &config->tls_certificates;
	size_t room = 1;
	char *text;

	for (size_t i = 0; i < list->count; i++)
		room += strlen(list->items[i]) + 1;
	*out = (struct identities){.text = malloc(room),
	    .items = calloc(list->count + 1, sizeof(*out->items))};
	if (out->text == NULL || out->items == NULL)
		return fault_set(fault, ERR_MEMORY, "%s", "");
	out->items[out->count++] = (struct tls_identity){
	    config->tls_certificate, config->tls_key};
	text = out->text;
	for (size_t i = 0; i < list->count; i++) {
		text = split(list->items[i], text, &out->items[out->count++]);
		if (text == NULL)
			return fault_set(fault, ERR_CONFIG,
			    "tls_certificates: \"%s\" is not CERTIFICATE:KEY",
			    list->items[i]);
	}
	return 0;
}
