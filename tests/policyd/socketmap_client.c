/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "dmtp/netstring.h"
#include "net/stream.h"

/*
 * usage: socketmap_client SOCKET MAP KEY...
 * Asks as Postfix does, all keys over one connection, and prints the replies.
 */

static int
ask(struct stream *stream, const char *map, const char *key)
{
	const struct deadline deadline = deadline_in(20000);
	struct buffer text = buffer_make(20000), out = buffer_make(20000);
	struct netstring_reader reader;
	bool complete = false;
	uint8_t octets[4096];
	int err;

	buffer_printf(&text, "%s %s", map, key);
	netstring_write(buffer_span(&text), &out);
	netstring_start(&reader, 100000);
	err = stream_write(stream, buffer_span(&out), deadline);
	while (err == 0 && !complete) {
		struct span input = {octets, 0};

		err = stream_read(stream, octets, sizeof(octets),
		    &input.length, deadline);
		if (err == 0 && input.length == 0)
			err = ERR_UNREACHABLE;
		if (err == 0)
			err = netstring_feed(&reader, &input, &complete);
	}
	if (err == 0)
		printf("%.*s\n", (int)netstring_content(&reader).length,
		    (const char *)netstring_content(&reader).data);
	netstring_free(&reader);
	buffer_free(&text);
	buffer_free(&out);
	return err;
}

int
main(int argc, char **argv)
{
	struct stream *stream;
	struct fault fault;
	int err = 0;

	if (argc < 4 || stream_connect_unix(argv[1], deadline_in(5000),
	                    &stream, &fault) != 0)
		return EXIT_FAILURE;
	for (int i = 3; err == 0 && i < argc; i++)
		err = ask(stream, argv[2], argv[i]);
	stream_free(stream);
	return err == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
