/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/cursor.h"
#include "cache/cache_value.h"

enum { VERSION = 1 };

static void
write_hex(const uint8_t mac[static CRYPTO_MAC], char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < CRYPTO_MAC; i++) {
		*out++ = digits[mac[i] >> 4];
		*out++ = digits[mac[i] & 15];
	}
	*out = '\0';
}

/*
 * An HMAC over kind and name, which no kind can be mistaken in since its length
 * goes first. Names, values and secrets are told apart by their first octet.
 */
bool
cache_value_key(struct mac_key *site, const char *kind, struct span name,
    char out[static CACHE_KEY_SIZE])
{
	static const char prefix[] = "dime:1:";
	const size_t length = strlen(kind);
	const uint8_t start[] = {'n', (uint8_t)length};
	const struct span parts[] = {span_of(start, sizeof(start)),
	    span_of(kind, length), name};
	uint8_t mac[CRYPTO_MAC];
	char *at = out;

	if (length > CACHE_KIND_LIMIT || name.length > CACHE_NAME_LIMIT ||
	    !mac_key_make(site, parts, 3, mac))
		return false;
	memcpy(at, prefix, sizeof(prefix) - 1);
	at += sizeof(prefix) - 1;
	memcpy(at, kind, length);
	at += length;
	*at++ = ':';
	write_hex(mac, at);
	return true;
}

/* The MAC of a value, which also covers where it is kept. False without
 * memory. */
static bool
make_mac(struct mac_key *site, const char *key, struct span value,
    uint8_t mac[static CRYPTO_MAC])
{
	const size_t length = strlen(key);
	const uint8_t start[] = {'v', (uint8_t)length};
	const struct span parts[] = {span_of(start, sizeof(start)),
	    span_of(key, length), value};

	return mac_key_make(site, parts, 3, mac);
}

enum cache_verdict
cache_value_open(struct mac_key *site, const char *key, struct span value,
    int64_t now, struct span *payload, int64_t *expires)
{
	struct cursor cursor;
	uint8_t mac[CRYPTO_MAC];
	uint64_t until;

	if (value.length < CACHE_VALUE_OVERHEAD ||
	    value.length > CACHE_VALUE_OVERHEAD + CACHE_PAYLOAD_LIMIT)
		return CACHE_TAMPERED;
	if (!make_mac(site, key,
	        span_slice(value, 0, value.length - CRYPTO_MAC), mac))
		return CACHE_ODD;
	if (!crypto_equal(mac, value.data + value.length - CRYPTO_MAC,
	        CRYPTO_MAC))
		return CACHE_TAMPERED;
	cursor = cursor_start(value);
	if (cursor_u8(&cursor) != VERSION)
		return CACHE_ODD;
	until = cursor_u64(&cursor);
	if (until > INT64_MAX || (int64_t)until <= now)
		return CACHE_ODD;
	*expires = (int64_t)until;
	*payload = cursor_take(&cursor, value.length - CACHE_VALUE_OVERHEAD);
	return CACHE_GOOD;
}

bool
cache_value_close(struct mac_key *site, const char *key, struct span payload,
    int64_t expires, struct buffer *out)
{
	const size_t start = out->length;
	uint8_t mac[CRYPTO_MAC];

	if (payload.length > CACHE_PAYLOAD_LIMIT)
		return false;
	buffer_u8(out, VERSION);
	buffer_u64(out, (uint64_t)expires);
	buffer_append_span(out, payload);
	if (out->error != 0 ||
	    !make_mac(site, key,
	        span_slice(buffer_span(out), start, out->length), mac))
		return false;
	buffer_append(out, mac, sizeof(mac));
	return out->error == 0;
}

bool
cache_value_secret(struct mac_key *site, const char *label,
    uint8_t out[static CRYPTO_MAC])
{
	const size_t length = strlen(label);
	const uint8_t start[] = {'s', (uint8_t)length};
	const struct span parts[] = {span_of(start, sizeof(start)),
	    span_of(label, length)};

	return length <= UINT8_MAX &&
	    mac_key_make(site, parts, 2, out);
}
