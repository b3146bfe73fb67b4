/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/server_world.h"

#include <stdio.h>
#include <unistd.h>

#include <sys/stat.h>
#include <sys/un.h>

/* What a server listens on. */

static void
unix_socket_table(void **state)
{
	static const struct {
		const char *name, *path, *group, *complaint;
	} cases[] = {
	    {"empty path", "", "", "1 to 107 octets"},
	    {"too long",
	     "/tmp/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "",
	     "1 to 107 octets"},
	    {"no directory", "/nowhere/s", "", "/nowhere/s: bind: No such"},
	    {"a file", "/etc/passwd", "", "exists and is not a socket"},
	    {"unknown group", NULL, "no such group", "no group \"no such"},
	    {"group number too large", NULL, "4294967295", "no group"},
	};
	struct server_limits limits = {0};
	struct server *server = make(&limits);

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fault fault = {0};

		unit_case(cases[i].name);
		assert_int_equal(server_listen_unix(server,
		    cases[i].path != NULL ? cases[i].path : path, 0600,
		    cases[i].group, echo, NULL, &fault), ERR_CREATE);
		assert_non_null(strstr(fault.text, cases[i].complaint));
		assert_int_equal(access(path, F_OK), -1);
	}
	server_free(server);
}

static void
unix_socket_owner_and_mode(void **state)
{
	struct server_limits limits = {0};
	struct server *server = make(&limits);
	struct stat status;
	char group[16];

	snprintf(group, sizeof(group), "%u", (unsigned int)getegid());
	assert_int_equal(server_listen_unix(server, path, 0642, group, echo,
	    NULL, NULL), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0642);
	assert_int_equal(status.st_gid, getegid());
	server_free(server);
}

static void
stale_and_living_sockets(void **state)
{
	struct server_limits limits = {0};
	struct server *first = make(&limits), *second = make(&limits);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct fault fault = {0};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	/* What a process that was killed leaves behind. */
	strcpy(address.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
	    sizeof(address)), 0);
	close(fd);
	listen_unix(first);
	assert_int_equal(server_listen_unix(second, path, 0600, "", echo, NULL,
	    &fault), ERR_CREATE);
	assert_non_null(strstr(fault.text, "another process answers"));
	/* A socket that somebody else put there in the meantime stays. */
	unlink(path);
	listen_unix(second);
	server_free(first);
	assert_int_equal(access(path, F_OK), 0);
	server_free(second);
	assert_int_equal(access(path, F_OK), -1);
}

static void
tcp_addresses(void **state)
{
	struct server_limits limits = {0};
	struct server *server = make(&limits);
	struct fault fault = {0};
	char text[32];
	unsigned int port = listen_tcp(server, "127.0.0.1");

	assert_int_equal(server_listen_tcp(server, "127.0.0.1", port, echo,
	    NULL, &fault), ERR_CREATE);
	snprintf(text, sizeof(text), "127.0.0.1, port %u: bind: ", port);
	assert_non_null(strstr(fault.text, text));
	assert_int_equal(server_listen_tcp(server, "localhost", port, echo,
	    NULL, &fault), ERR_CREATE);
	assert_non_null(strstr(fault.text, "not a numeric address"));
	assert_int_equal(server_listen_tcp(server, "192.0.2.1", port, echo,
	    NULL, &fault), ERR_CREATE);
	/* Either there is IPv6, side by side, or it is passed over. */
	assert_int_equal(server_listen_tcp(server, "::", port, echo, NULL,
	    &fault), 0);
	server_free(server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(unix_socket_table),
	    cmocka_unit_test(unix_socket_owner_and_mode),
	    cmocka_unit_test(stale_and_living_sockets),
	    cmocka_unit_test(tcp_addresses),
	};

	return cmocka_run_group_tests(tests, server_world_start,
	    server_world_end);
}
