/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/text.h"
#include "crypto/base64.h"
#include "dimectl/output.h"

int
output_json(struct dimectl *ctl, json_t *value)
{
	char *text = value == NULL ? NULL : json_dumps(value,
	    JSON_INDENT(2) | JSON_ENSURE_ASCII);

	json_decref(value);
	if (text == NULL)
		return fault_set(&ctl->fault, ERR_MEMORY, "out of memory");
	buffer_printf(&ctl->output, "%s\n", text);
	free(text);
	return 0;
}

void
output_base64(struct buffer *out, struct span octets)
{
	char *text = malloc(BASE64_LENGTH(octets.length) + 1);

	if (text == NULL) {
		out->error = ERR_MEMORY;
		return;
	}
	base64_encode(octets, text);
	buffer_append_string(out, text);
	free(text);
}

json_t *
output_json_base64(struct span octets)
{
	char *text = malloc(BASE64_LENGTH(octets.length) + 1);
	json_t *value;

	if (text == NULL)
		return NULL;
	base64_encode(octets, text);
	value = json_string(text);
	free(text);
	return value;
}

bool
output_is_text(struct span octets)
{
	uint32_t point;

	while (octets.length > 0)
		if (!text_take(&octets, &point) || (text_is_control(point) &&
		    point != '\t' && point != '\r' && point != '\n'))
			return false;
	return true;
}

void
output_text(struct buffer *out, struct span text)
{
	struct span rest = text;
	uint32_t point;

	while (rest.length > 0) {
		if (!text_take(&text, &point)) {
			buffer_printf(out, "<%02X>", rest.data[0]);
			text = span_slice(rest, 1, SIZE_MAX);
		} else if (text_is_invisible(point)) {
			buffer_printf(out, "<U+%04X>", point);
		} else {
			buffer_append(out, rest.data,
			    rest.length - text.length);
		}
		rest = text;
	}
}

void
output_escaped(struct buffer *out, struct span octets)
{
	static const char plain[] = "\\\"\r\n\t", letters[] = "\\\"rnt";

	for (size_t i = 0; i < octets.length; i++) {
		uint8_t octet = octets.data[i];
		const char *found = octet == 0 ? NULL : strchr(plain, octet);

		if (found != NULL)
			buffer_printf(out, "\\%c", letters[found - plain]);
		else if (octet >= 0x20 && octet <= 0x7e)
			buffer_u8(out, octet);
		else
			buffer_printf(out, "\\x%02x", octet);
	}
}

/* ---- a record ---- */

static json_t *
json_keys(const uint8_t *octets, size_t length, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array,
		    output_json_base64(span_of(octets + i * length, length)));
	return array;
}

static json_t *
json_hosts(const char (*hosts)[DOMAIN_SIZE], size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_string(hosts[i]));
	return array;
}

json_t *
output_json_record(const struct record *record)
{
	return json_pack("{si so so ss ss si so so}",
	    "version", (int)record->version,
	    "pok", json_keys(record->poks[0], CRYPTO_SIGN_PUBLIC,
	    record->pok_count),
	    "tls", json_keys(record->tls[0], CRYPTO_SIGNATURE,
	    record->tls_count),
	    "policy", record_policy_name(record->policy),
	    "subdomain", record_subdomain_name(record->subdomain),
	    "expiry", (int)record->expiry,
	    "deliver", json_hosts(record->deliver, record->deliver_count),
	    "syndicates", json_hosts(record->syndicates,
	    record->syndicate_count));
}
