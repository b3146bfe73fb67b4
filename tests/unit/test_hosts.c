/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "policy/anchor.h"
#include "policy/hosts.h"

/* ---- which addresses may be connected to ---- */

static const struct public_case {
	const char *address;
	bool public;
} public_cases[] = {
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

static void
public_addresses(void **state)
{
	uint8_t octets[16];

	for (size_t i = 0; i < COUNT(public_cases); i++) {
		const struct public_case *test = &public_cases[i];
		const bool six = strchr(test->address, ':') != NULL;

		unit_case(test->address);
		assert_int_equal(inet_pton(six ? AF_INET6 : AF_INET,
		                     test->address, octets), 1);
		assert_int_equal(hosts_is_public(span_of(octets, six ? 16 : 4)),
		    test->public);
	}
	unit_case("other lengths");
	assert_false(hosts_is_public(span_of(octets, 0)));
	assert_false(hosts_is_public(span_of(octets, 5)));
}

/* ---- a domain's hosts ---- */

/* mxN has the addresses N.N.N.N and 192.168.0.N; mx0 has none, and mx7 is
 * bogus. The domain's MX hosts are mx1 and mx2, and mx3 before them. */
static enum dns_answer mx_answer = DNS_PRESENT_INSECURE;

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

	const struct span mx[] = {
	    span_of((const uint8_t *)"\0\12\3mx1\4beta\4test", 17),
	    span_of((const uint8_t *)"\0\12\3mx2\4beta\4test", 17),
	    span_of((const uint8_t *)"\0\5\3mx3\4beta\4test", 17)};

	++*(int *)context;
	if (type == DNS_TYPE_MX)
		done(done_context, mx_answer != DNS_PRESENT_INSECURE
		        ? dns_reply_new(mx_answer, "")
		        : dns_reply_copy(mx_answer, mx, COUNT(mx)));
	else if (type == DNS_TYPE_AAAA || number == 0)
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

static struct facts_host hosts[FACTS_HOSTS_MAX];
static size_t count;
static int dns_asked;
static const struct dns_source scripted = {&dns_asked, ask, NULL, NULL};

static int
find(const struct record *record, enum hosts_stage stage, bool flag)
{
	const struct config config = {.peer_port = 26, .peer_mx_port = 25,
	    .peer_submission_port = 587, .allow_private_addresses = flag,
	    .try_domain_itself = flag};
	const struct hosts_wish wish = {&scripted, &config, "beta.test",
	    record, stage};
	struct fault fault = {0};
	int err = hosts_find(&wish, deadline_in(1000), hosts, &count, &fault);

	assert_int_equal(err == 0, fault.text[0] == '\0');
	return err;
}

static void
finds_dx_hosts(void **state)
{
	struct record *record = calloc(1, sizeof(*record));

	assert_non_null(record);
	unit_case("none");
	assert_int_equal(find(record, HOSTS_DX, false), ERR_UNREACHABLE);
	assert_int_equal(count, 0);

	unit_case("private addresses are left out");
	hosts_of(record, "1");
	assert_int_equal(find(record, HOSTS_DX, false), 0);
	assert_int_equal(count, 1);
	assert_string_equal(hosts[0].name, "mx1.beta.test");
	assert_int_equal(hosts[0].port, 26);
	assert_false(hosts[0].dual);
	assert_int_equal(hosts[0].address_count, 1);
	assert_string_equal(hosts[0].addresses[0], "1.1.1.1");

	unit_case("unless allowed");
	assert_int_equal(find(record, HOSTS_DX, true), 0);
	assert_int_equal(hosts[0].address_count, 2);
	assert_string_equal(hosts[0].addresses[1], "192.168.0.1");

	unit_case("hosts without one are, too");
	hosts_of(record, "102");
	assert_int_equal(find(record, HOSTS_DX, false), 0);
	assert_int_equal(count, 2);
	hosts_of(record, "0");
	assert_int_equal(find(record, HOSTS_DX, false), ERR_UNREACHABLE);

	unit_case("but not those that may have one");
	hosts_of(record, "17");
	assert_int_equal(find(record, HOSTS_DX, false), 0);
	assert_int_equal(count, 2);
	assert_int_equal(hosts[0].address_count + hosts[1].address_count, 1);
	assert_string_equal(hosts[hosts[0].address_count].name,
	    "mx7.beta.test");
	hosts_of(record, "07");
	assert_int_equal(find(record, HOSTS_DX, false), ERR_DNS);
	assert_int_equal(count, 0);

	unit_case("a host that is named twice is one");
	hosts_of(record, "1121");
	assert_int_equal(find(record, HOSTS_DX, false), 0);
	assert_int_equal(count, 2);

	unit_case("only so many of many are asked for");
	dns_asked = 0;
	hosts_of(record, "12345689a");
	assert_int_equal(find(record, HOSTS_DX, false), 0);
	assert_int_equal(count, HOSTS_WANTED);
	assert_int_equal(dns_asked, 2 * HOSTS_WANTED);
	free(record);
}

static void
dx_hosts_come_in_random_order(void **state)
{
	struct record *record = calloc(1, sizeof(*record));
	bool first[4] = {false};

	assert_non_null(record);
	hosts_of(record, "123");
	for (int i = 0; i < 200; i++) {
		assert_int_equal(find(record, HOSTS_DX, false), 0);
		assert_int_equal(count, 3);
		first[hosts[0].name[2] - '0'] = true;
	}
	assert_true(first[1] && first[2] && first[3]);
	free(record);
}

static void
finds_mx_hosts(void **state)
{
	bool second[4] = {false};

	for (int i = 0; i < 200; i++) {
		assert_int_equal(find(NULL, HOSTS_MX, false), 0);
		assert_int_equal(count, 6);
		for (size_t j = 0; j < count; j++) {
			assert_true(hosts[j].dual);
			assert_int_equal(hosts[j].port, j < 3 ? 25 : 587);
			assert_string_equal(hosts[j].name,
			    hosts[j % 3].name);
		}
		unit_case("by preference");
		assert_string_equal(hosts[0].name, "mx3.beta.test");
		second[hosts[1].name[2] - '0'] = true;
	}
	unit_case("those that are alike in random order");
	assert_true(second[1] && second[2]);
	unit_case("none");
	mx_answer = DNS_ABSENT_PROVEN;
	assert_int_equal(find(NULL, HOSTS_MX, false), ERR_UNREACHABLE);
	unit_case("who knows");
	mx_answer = DNS_BOGUS;
	assert_int_equal(find(NULL, HOSTS_MX, false), ERR_DNS);
	mx_answer = DNS_UNREACHABLE;
	assert_int_equal(find(NULL, HOSTS_MX, false), ERR_DNS);
	mx_answer = DNS_PRESENT_INSECURE;
}

static void
finds_the_domain_itself(void **state)
{
	static const unsigned int ports[] = {26, 25, 587};

	assert_int_equal(find(NULL, HOSTS_DOMAIN, false), 0);
	assert_int_equal(count, 0);
	assert_int_equal(find(NULL, HOSTS_DOMAIN, true), 0);
	assert_int_equal(count, COUNT(ports));
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(hosts[i].name, "beta.test");
		assert_int_equal(hosts[i].port, ports[i]);
		assert_int_equal(hosts[i].dual, i > 0);
	}
}

static void
mx_data(void **state)
{
#define MX(text) {(const uint8_t *)(text), sizeof(text) - 1}
	static const struct {
		const char *name;
		struct span data;
		const char *host; /* NULL: none */
		unsigned int preference;
	} cases[] = {
	    {"one", MX("\1\2\2mx\4test\0"), "mx.test", 258},
	    {"upper case", MX("\0\0\2MX\4Test\0"), "mx.test", 0},
	    {"null MX", MX("\0\0\0"), NULL, 0},
	    {"single label", MX("\0\0\2mx\0"), NULL, 0},
	    {"empty", MX(""), NULL, 0},
	    {"no name", MX("\0\1"), NULL, 0},
	    {"cut in a label", MX("\0\1\2mx\4tes"), NULL, 0},
	    {"no root label", MX("\0\1\2mx\4test"), NULL, 0},
	    {"more behind it", MX("\0\1\2mx\4test\0x"), NULL, 0},
	    {"compressed", MX("\0\1\2mx\300\14"), NULL, 0},
	    {"no host name", MX("\0\1\2m \4test\0"), NULL, 0},
	    {"NUL in a label", MX("\0\1\2m\0\4test\0"), NULL, 0},
	    {"an address",
	     MX("\0\1\3" "127" "\1" "0" "\1" "0" "\1" "1" "\0"), NULL, 0},
	};
#undef MX
	uint8_t endless[600];
	char name[DOMAIN_SIZE];
	unsigned int preference;

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		assert_int_equal(hosts_read_mx(cases[i].data, &preference,
		                     name), cases[i].host != NULL);
		if (cases[i].host == NULL)
			continue;
		assert_string_equal(name, cases[i].host);
		assert_int_equal(preference, cases[i].preference);
	}
	unit_case("longer than a name can be");
	for (size_t i = 0; i < sizeof(endless); i++)
		endless[i] = i % 2 == 0 ? 1 : 'a';
	endless[sizeof(endless) - 2] = 0;
	assert_false(hosts_read_mx(span_of(endless, sizeof(endless) - 1),
	    &preference, name));
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
	    cmocka_unit_test(finds_dx_hosts),
	    cmocka_unit_test(dx_hosts_come_in_random_order),
	    cmocka_unit_test(finds_mx_hosts),
	    cmocka_unit_test(finds_the_domain_itself),
	    cmocka_unit_test(mx_data),
	    cmocka_unit_test(late_replies),
	    cmocka_unit_test(anchor_files),
	    cmocka_unit_test(anchors_of_their_own),
	};

	return cmocka_run_group_tests_name("hosts", tests, unit_start,
	    unit_end);
}
