/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "policy/anchor.h"
#include "policy/hosts.h"

/* ---- which addresses may be connected to ---- */

static void
public_addresses(void **state)
{
	static const struct {
		const char *address;
		bool public;
	} cases[] = {
	    {"8.8.8.8", true},
	    {"193.0.0.1", true},
	    {"0.0.0.0", false},
	    {"0.1.2.3", false},
	    {"9.255.255.255", true},
	    {"10.0.0.1", false},
	    {"11.0.0.0", true},
	    {"100.63.255.255", true},
	    {"100.64.0.1", false},
	    {"100.127.255.255", false},
	    {"100.128.0.0", true},
	    {"127.0.0.1", false},
	    {"169.254.169.254", false},
	    {"172.15.255.255", true},
	    {"172.16.0.1", false},
	    {"172.31.255.255", false},
	    {"172.32.0.0", true},
	    {"192.0.0.8", false},
	    {"192.0.2.1", false},
	    {"192.168.1.1", false},
	    {"192.169.0.0", true},
	    {"198.18.0.1", false},
	    {"198.19.255.255", false},
	    {"198.51.100.1", false},
	    {"203.0.113.1", false},
	    {"223.255.255.255", true},
	    {"224.0.0.1", false},
	    {"255.255.255.255", false},
	    {"2a00:1450::1", true},
	    {"2001:4860:4860::8888", true},
	    {"::", false},
	    {"::1", false},
	    {"::ffff:8.8.8.8", false},
	    {"64:ff9b::808:808", false},
	    {"100::1", false},
	    {"2001::1", false},
	    {"2001:1ff::1", false},
	    {"2001:200::1", true},
	    {"2001:db8::1", false},
	    {"2002:7f00:1::1", false},
	    {"3fff:1000::1", true},
	    {"3fff:0fff::1", false},
	    {"3fff::1", false},
	    {"fc00::1", false},
	    {"fd12::1", false},
	    {"fe80::1", false},
	    {"ff02::1", false},
	};
	uint8_t octets[16];

	for (size_t i = 0; i < COUNT(cases); i++) {
		const bool six = strchr(cases[i].address, ':') != NULL;

		unit_case(cases[i].address);
		assert_int_equal(inet_pton(six ? AF_INET6 : AF_INET,
		                     cases[i].address, octets), 1);
		assert_int_equal(hosts_is_public(span_of(octets, six ? 16 : 4)),
		    cases[i].public);
	}
	unit_case("other lengths");
	assert_false(hosts_is_public(span_of(octets, 0)));
	assert_false(hosts_is_public(span_of(octets, 5)));
}

/* ---- a record's hosts ---- */

/* mxN has the addresses N.N.N.N and 192.168.0.N; mx7 is bogus. */
static void
ask(void *context, const char *name, enum dns_type type, dns_done *done,
    void *done_context)
{
	const uint8_t number = (uint8_t)(name[2] - '0');
	const uint8_t public[4] = {number, number, number, number};
	const uint8_t private[4] = {192, 168, 0, number};
	const uint8_t odd[5] = {8, 8, 8, 8, 8};
	const struct span data[] = {span_of(public, 4), span_of(private, 4),
	    span_of(odd, 5)};

	++*(int *)context;
	if (type == DNS_TYPE_AAAA)
		done(done_context, dns_reply_new(DNS_ABSENT_PROVEN, ""));
	else if (number == 7)
		done(done_context, dns_reply_new(DNS_BOGUS, "forged"));
	else
		done(done_context,
		    dns_reply_copy(DNS_PRESENT_INSECURE, data, COUNT(data)));
}

static void
hosts_of(struct record *record, const char *numbers)
{
	record->deliver_count = 0;
	for (; *numbers != '\0'; numbers++)
		snprintf(record->deliver[record->deliver_count++], DOMAIN_SIZE,
		    "mx%c.beta.test", *numbers);
}

static void
finds_hosts(void **state)
{
	struct record *record = calloc(1, sizeof(*record));
	struct facts_host hosts[HOSTS_WANTED];
	int asked = 0;
	const struct dns_source dns = {&asked, ask, NULL, NULL};
	struct fault fault;
	size_t count;

	assert_non_null(record);
	unit_case("none");
	assert_int_equal(hosts_find(&dns, record, false, deadline_in(1000),
	                     hosts, &count, &fault), ERR_UNREACHABLE);
	assert_int_equal(count, 0);

	unit_case("private addresses are left out");
	hosts_of(record, "1");
	assert_int_equal(hosts_find(&dns, record, false, deadline_in(1000),
	                     hosts, &count, &fault), 0);
	assert_int_equal(count, 1);
	assert_string_equal(hosts[0].name, "mx1.beta.test");
	assert_int_equal(hosts[0].address_count, 1);
	assert_string_equal(hosts[0].addresses[0], "1.1.1.1");

	unit_case("unless allowed");
	assert_int_equal(hosts_find(&dns, record, true, deadline_in(1000),
	                     hosts, &count, &fault), 0);
	assert_int_equal(hosts[0].address_count, 2);
	assert_string_equal(hosts[0].addresses[1], "192.168.0.1");

	unit_case("hosts without one are, too");
	hosts_of(record, "172");
	assert_int_equal(hosts_find(&dns, record, false, deadline_in(1000),
	                     hosts, &count, &fault), 0);
	assert_int_equal(count, 2);
	hosts_of(record, "7");
	assert_int_equal(hosts_find(&dns, record, false, deadline_in(1000),
	                     hosts, &count, &fault), ERR_UNREACHABLE);

	unit_case("only so many of many are asked for");
	asked = 0;
	hosts_of(record, "111111111");
	assert_int_equal(hosts_find(&dns, record, false, deadline_in(1000),
	                     hosts, &count, &fault), 0);
	assert_int_equal(count, HOSTS_WANTED);
	assert_int_equal(asked, 2 * HOSTS_WANTED);
	free(record);
}

static void
hosts_come_in_random_order(void **state)
{
	struct record *record = calloc(1, sizeof(*record));
	struct facts_host hosts[HOSTS_WANTED];
	bool first[4] = {false};
	int asked = 0;
	const struct dns_source dns = {&asked, ask, NULL, NULL};
	size_t count;

	assert_non_null(record);
	hosts_of(record, "123");
	for (int i = 0; i < 200; i++) {
		assert_int_equal(hosts_find(&dns, record, false,
		                     deadline_in(1000), hosts, &count, NULL),
		    0);
		assert_int_equal(count, 3);
		first[hosts[0].name[2] - '0'] = true;
	}
	assert_true(first[1] && first[2] && first[3]);
	free(record);
}

/* ---- replies that come late, or never ---- */

static struct {
	dns_done *done;
	void *context;
} late[2];

static void
ask_late(void *context, const char *name, enum dns_type type, dns_done *done,
    void *done_context)
{
	const size_t i = (size_t)(*(int *)context)++;

	late[i].done = done;
	late[i].context = done_context;
	if (i == 0)
		done(done_context, dns_reply_new(DNS_ABSENT_PROVEN, ""));
}

static void
late_replies(void **state)
{
	const struct dns_question questions[] = {
	    {"a.test", DNS_TYPE_A}, {"b.test", DNS_TYPE_A}};
	struct dns_reply *replies[2];
	int asked = 0;
	const struct dns_source dns = {&asked, ask_late, NULL, NULL};

	assert_int_equal(dns_ask_all(&dns, questions, 2, deadline_in(20),
	                     replies), 0);
	assert_non_null(replies[0]);
	assert_null(replies[1]);
	dns_reply_free(replies[0]);
	unit_case("it comes after all, and is nobody's: no leak, no crash");
	late[1].done(late[1].context, dns_reply_new(DNS_BOGUS, "late"));
}

/* ---- trust anchors ---- */

static void
anchor_files(void **state)
{
	static const struct {
		const char *name, *text;
		int err;
		const char *covered, *uncovered; /* NULL: none to try */
	} cases[] = {
	    {"root key", ". IN DNSKEY 257 3 8 AwEAAa== ; keytag 1\n", 0,
	     "example.com", NULL},
	    {"root DS with TTL",
	     "; comment\n\n.\t86400\tIN\tDS\t20326 8 2 E06D\n", 0, "a.b", NULL},
	    {"site", "test. DS 1 15 2 00\n", 0, "_dime.beta.test", "atest"},
	    {"itself", "beta.test DS 1 15 2 00\n", 0, "Beta.Test",
	     "xbeta.test"},
	    {"two", "a.test. DS 1 15 2 00\nb.test. DS 1 15 2 00\n", 0,
	     "x.b.test", "c.test"},
	    {"over several lines",
	     "test. IN DNSKEY 257 3 15 (\n  AAAA\n\tBBBB ) ; key\n", 0,
	     "x.test", "x.example"},
	    {"empty", "", ERR_CONFIG, NULL, NULL},
	    {"only a comment", "; nothing\n", ERR_CONFIG, NULL, NULL},
	    {"another type", "test. IN A 192.0.2.1\n", ERR_CONFIG, NULL, NULL},
	    {"no type", "test.\n", ERR_CONFIG, NULL, NULL},
	    {"no algorithm", "test. DS 1\n", ERR_CONFIG, NULL, NULL},
	    {"unknown algorithm", "test. DS 1 99 2 00\n", ERR_CONFIG, NULL,
	     NULL},
	    {"DNSKEY with another", "test. DNSKEY 257 3 3 AA\n", ERR_CONFIG,
	     NULL, NULL},
	    {"data without owner", "  IN DS 1 15 2 00\n", ERR_CONFIG, NULL,
	     NULL},
	    {"one bad among good",
	     "test. DS 1 15 2 00\nnonsense here\n", ERR_CONFIG, NULL, NULL},
	};
	char directory[] = "/tmp/dime-anchor-XXXXXX", path[100];
	struct anchors *anchors;
	struct fault fault;

	unit_directory(directory);
	snprintf(path, sizeof(path), "%s/anchor", directory);
	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		assert_int_equal(file_write(path, span_string(cases[i].text),
		                     0600, true, &fault), 0);
		assert_int_equal(anchors_read(path, &anchors, &fault),
		    cases[i].err);
		if (cases[i].err != 0) {
			assert_null(anchors);
			assert_non_null(strstr(fault.text, path));
			continue;
		}
		assert_true(anchors_cover(anchors, cases[i].covered));
		if (cases[i].uncovered != NULL)
			assert_false(
			    anchors_cover(anchors, cases[i].uncovered));
		anchors_free(anchors);
	}
	assert_int_equal(anchors_read("/nonexistent", &anchors, &fault),
	    ERR_NO_FILE);
}

/* Each zone gets a file of its own, with the keys of the list; a file that is
 * there already is left alone, and has the last word. */
static void
anchors_of_their_own(void **state)
{
	static const char list[] = ". IN DS 20326 8 2 E06D ; root\n"
	    "test. DNSKEY 257 3 15 (\n  AAAA ) ; key\nTEST DS 1 15 2 00\n";
	char directory[] = "/tmp/dime-anchor-XXXXXX", path[100];
	struct buffer content = buffer_make(1000);
	struct anchors *anchors;
	struct fault fault;

	unit_directory(directory);
	snprintf(path, sizeof(path), "%s/anchor", directory);
	assert_int_equal(file_write(path, span_string(list), 0600, true, NULL),
	    0);
	assert_int_equal(anchors_read(path, &anchors, NULL), 0);
	assert_null(anchors_file(anchors, 0));
	assert_int_equal(anchors_follow(anchors, directory, true, NULL), 0);
	assert_null(anchors_file(anchors, 0));
	assert_int_equal(anchors_follow(anchors, directory, false, NULL), 0);
	assert_null(anchors_file(anchors, 2));
	snprintf(path, sizeof(path), "%s/test.key", directory);
	assert_string_equal(anchors_file(anchors, 1), path);
	assert_int_equal(file_read(path, &content, NULL), 0);
	assert_string_equal(buffer_string(&content),
	    "test. DNSKEY 257 3 15 (\n  AAAA ) ; key\nTEST DS 1 15 2 00\n");
	buffer_free(&content);

	unit_case("one zone's keys are revoked, the root's are not");
	assert_int_equal(file_write(path, span_string(
	    ";;REVOKED\ntest. DS 1 15 2 00\n"), 0600, true, NULL), 0);
	assert_true(anchors_cover(anchors, "x.test"));
	unit_case("the root's as well");
	assert_int_equal(file_write(anchors_file(anchors, 0), span_string(""),
	    0600, true, NULL), 0);
	assert_false(anchors_cover(anchors, "x.test"));
	assert_int_equal(anchors_follow(anchors, directory, true, &fault),
	    ERR_CONFIG);
	assert_non_null(strstr(fault.text, "root.key"));
	assert_int_equal(anchors_follow(anchors, "/nonexistent", true, &fault),
	    ERR_CREATE);
	anchors_free(anchors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(public_addresses),
	    cmocka_unit_test(finds_hosts),
	    cmocka_unit_test(hosts_come_in_random_order),
	    cmocka_unit_test(late_replies),
	    cmocka_unit_test(anchor_files),
	    cmocka_unit_test(anchors_of_their_own),
	};

	return cmocka_run_group_tests_name("hosts", tests, unit_start,
	    unit_end);
}
