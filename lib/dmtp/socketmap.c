/* SPDX-License-Identifier: BSD-2-Clause */
#include "dmtp/netstring.h"
#include "dmtp/socketmap.h"

static const char *const names[] = {
    [SOCKETMAP_OK] = "OK",
    [SOCKETMAP_NOTFOUND] = "NOTFOUND",
    [SOCKETMAP_TEMP] = "TEMP",
    [SOCKETMAP_TIMEOUT] = "TIMEOUT",
    [SOCKETMAP_PERM] = "PERM",
};

int
socketmap_read(struct span text, struct socketmap_query *query,
    struct fault *fault)
{
	const uint8_t *space;
	size_t length;

	*query = (struct socketmap_query){{NULL, 0}, {NULL, 0}};
	space = text.length == 0 ? NULL : memchr(text.data, ' ', text.length);
	if (space == NULL)
		return fault_set(fault, ERR_FORMAT,
		    "socketmap query: no space after the map's name");
	length = (size_t)(space - text.data);
	if (length == 0)
		return fault_set(fault, ERR_FORMAT,
		    "socketmap query: the map's name is empty");
	for (size_t i = 0; i < length; i++)
		if (text.data[i] < 0x21 || text.data[i] > 0x7e)
			return fault_set(fault, ERR_FORMAT,
			    "socketmap query: octet %zu of the map's name is "
			    "0x%02x", i, text.data[i]);
	query->map = span_of(text.data, length);
	query->key = span_slice(text, length + 1, text.length);
	return 0;
}

void
socketmap_write(enum socketmap_status status, const char *text,
    struct buffer *out)
{
	struct buffer reply = buffer_make(SOCKETMAP_REPLY_LIMIT);

	if (status == SOCKETMAP_NOTFOUND)
		text = "";
	/* The space is part of the protocol even where nothing follows. */
	buffer_append_string(&reply, names[status]);
	buffer_append_string(&reply, " ");
	buffer_append_string(&reply, text);
	if (reply.error == 0)
		netstring_write(buffer_span(&reply), out);
	else if (reply.error == ERR_TOO_LARGE)
		netstring_write(span_string("TEMP answer too long"), out);
	else
		out->error = reply.error;
	buffer_free(&reply);
}
