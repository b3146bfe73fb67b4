/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <stdio.h>

#include <netinet/in.h>

#include "dmtpd/backoff.h"
#include "dmtpd/front.h"
#include "dmtpd/share.h"
#include "dmtpd/transit.h"
#include "dmtpd/underway.h"

#define TYPE "Content-Type: application/vnd.dime-message\r\n"
#define ARMOR "-----BEGIN ENCRYPTED MESSAGE-----\r\nAAAA\r\n"
#define RECEIVED                                                               \
	"Received: from mail.alpha.test (localhost [127.0.0.1])\r\n"           \
	"\tby mail.alpha.test (Postfix) with ESMTP id 4Wx1Yz\r\n"              \
	"\tfor <bob@beta.test>; Mon, 1 Jan 2024 00:00:00 +0000 (UTC)\r\n"

static void
transit_table(void **state)
{
	static const struct {
		const char *name, *mail;
		bool good;
		const char *queue;
	} cases[] = {
	    {"as we write it", "MIME-Version: 1.0\r\n" TYPE "\r\n" ARMOR, true,
	        ""},
	    {"from the queue", RECEIVED "MIME-Version: 1.0\r\n" TYPE "\r\n"
	        ARMOR, true, "4Wx1Yz"},
	    {"topmost Received counts", RECEIVED
	        "Received: by x (Postfix) id OTHER; now\r\n" TYPE "\r\n" ARMOR,
	        true, "4Wx1Yz"},
	    {"Received without id", "Received: by x; now\r\n" TYPE "\r\n" ARMOR,
	        true, ""},
	    {"id with odd octets", "Received: by x id A1\"b; now\r\n" TYPE
	        "\r\n" ARMOR, true, "A1"},
	    {"LF line ends", "Content-Type: application/vnd.dime-message\n\n"
	        ARMOR, true, ""},
	    {"names and types without case",
	        "CONTENT-TYPE:Application/VND.dime-MESSAGE\r\n\r\n" ARMOR, true,
	        ""},
	    {"parameter", "Content-Type: application/vnd.dime-message; a=b"
	        "\r\n\r\n" ARMOR, true, ""},
	    {"folded", "Content-Type:\r\n application/vnd.dime-message\r\n\r\n"
	        ARMOR, false, ""},
	    {"empty line in front", "\r\n" TYPE "\r\n" ARMOR, false, ""},
	    {"naked", "Subject: hello\r\n\r\nhello\r\n", false, ""},
	    {"naked with the type", TYPE "\r\nhello\r\n", false, ""},
	    {"armor with another type", "Content-Type: text/plain\r\n\r\n"
	        ARMOR, false, ""},
	    {"two types", TYPE "Content-Type: text/plain\r\n\r\n" ARMOR, false,
	        ""},
	    {"the type twice", TYPE TYPE "\r\n" ARMOR, false, ""},
	    {"a longer type", "Content-Type: application/vnd.dime-messages"
	        "\r\n\r\n" ARMOR, false, ""},
	    {"header only", TYPE, false, ""},
	    {"header and empty line only", TYPE "\r\n", false, ""},
	    {"nothing", "", false, ""},
	};
	struct transit transit;
	struct fault fault;

	for (size_t i = 0; i < COUNT(cases); i++) {
		int err = transit_read(span_string(cases[i].mail), &transit,
		    &fault);

		unit_case(cases[i].name);
		assert_int_equal(err, cases[i].good ? 0 : ERR_FORMAT);
		assert_string_equal(transit.queue, cases[i].queue);
		if (cases[i].good)
			assert_true(span_equal_string(transit.armor, ARMOR));
	}
}

static void
count_of_sealings(void **state)
{
	static const struct {
		const char *field;
		unsigned int count;
		bool good;
	} cases[] = {
	    {"", 0, true},
	    {"Dimegate-Resealed: 1\r\n", 1, true},
	    {"DIMEGATE-RESEALED:99\r\n", 99, true},
	    {"X-Dimegate-Resealed: 5\r\n", 0, true},
	    {"Dimegate-Resealed: 0\r\n", 0, false},
	    {"Dimegate-Resealed: 100\r\n", 0, false},
	    {"Dimegate-Resealed: -1\r\n", 0, false},
	    {"Dimegate-Resealed: 1 1\r\n", 0, false},
	    {"Dimegate-Resealed:\r\n", 0, false},
	    {"Dimegate-Resealed: 1\r\nDimegate-Resealed: 1\r\n", 0, false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char mail[512];
		struct transit transit;
		int err;

		unit_case(cases[i].field);
		snprintf(mail, sizeof(mail), "%s%s\r\n%s", cases[i].field,
		    TYPE, ARMOR);
		err = transit_read(span_string(mail), &transit, NULL);
		assert_int_equal(err, cases[i].good ? 0 : ERR_FORMAT);
		if (cases[i].good)
			assert_int_equal(transit.resealed, cases[i].count);
	}
}

static void
transit_head_is_read(void **state)
{
	char mail[256];
	struct transit transit;

	snprintf(mail, sizeof(mail), "%s%s", transit_head, ARMOR);
	assert_int_equal(transit_read(span_string(mail), &transit, NULL), 0);
	/* 48 octets a line of 64 columns and CR LF. */
	assert_true(transit_armor_size(48000) >= 1000 * 66 + 70);
	assert_true(transit_armor_size(48000) < 1000 * 66 + 400);
	assert_true(transit_binary_size(1048576) > 1048576);
}

static int64_t moved_time;

static int64_t
moved(const struct clock *clock)
{
	return moved_time;
}

static void
backoff_times(void **state)
{
	static const struct clock clock = {moved, moved};
	static const int64_t pauses[] = {5000, 10000, 20000, 40000, 60000,
	    60000};
	struct backoff *backoff = backoff_new(&clock);
	int err;

	assert_non_null(backoff);
	moved_time = 1000;
	assert_true(backoff_may_try(backoff, "a", &err));
	assert_true(backoff_may_try(backoff, "a", &err));
	for (size_t i = 0; i < COUNT(pauses); i++) {
		backoff_failed(backoff, "a", ERR_UNREACHABLE);
		/* Others that were under way do not count again. */
		backoff_failed(backoff, "a", ERR_UNREACHABLE);
		moved_time += pauses[i] - 1;
		assert_false(backoff_may_try(backoff, "a", &err));
		assert_int_equal(err, ERR_UNREACHABLE);
		assert_true(backoff_may_try(backoff, "b", &err));
		moved_time += 1;
		assert_true(backoff_may_try(backoff, "a", &err));
		assert_false(backoff_may_try(backoff, "a", &err));
	}
	/* Whoever tried and never said what came of it. */
	moved_time += 60000;
	assert_true(backoff_may_try(backoff, "a", &err));
	backoff_succeeded(backoff, "a");
	assert_true(backoff_may_try(backoff, "a", &err));
	assert_true(backoff_may_try(backoff, "a", &err));
	backoff_failed(backoff, "a", ERR_UNREACHABLE);
	moved_time += 5000;
	assert_true(backoff_may_try(backoff, "a", &err));
	backoff_free(backoff);
}

/* Full, it forgets whose time is over first. */
static void
backoff_is_bounded(void **state)
{
	static const struct clock clock = {moved, moved};
	struct backoff *backoff = backoff_new(&clock);
	char host[16];
	int err;

	moved_time = 0;
	for (int i = 0; i < 1025; i++) {
		snprintf(host, sizeof(host), "host%d", i);
		backoff_failed(backoff, host, ERR_UNREACHABLE);
		moved_time++;
	}
	assert_true(backoff_may_try(backoff, "host0", &err));
	assert_false(backoff_may_try(backoff, "host1", &err));
	assert_false(backoff_may_try(backoff, "host1024", &err));
	backoff_free(backoff);
}

static void
underway_once(void **state)
{
	struct underway *underway = underway_new();
	struct underway_item a, b, again;

	assert_true(underway_enter(underway, &a, "A"));
	assert_true(underway_enter(underway, &b, "B"));
	assert_false(underway_enter(underway, &again, "A"));
	underway_leave(underway, &a);
	assert_true(underway_enter(underway, &again, "A"));
	assert_false(underway_enter(underway, &a, "B"));
	underway_leave(underway, &b);
	underway_leave(underway, &again);
	underway_free(underway);
}

/* A holder of a source of IPv4; 0: of one that is not counted. */
static struct share_holder
holder_of(int family, uint8_t source)
{
	return (struct share_holder){.source = {family, {192, 0, 2, source}}};
}

static void
share_table(void **state)
{
	enum { LIMIT = 120, HOLDERS = 6 };
	static const struct {
		const char *name;
		size_t holder, amount;
		bool may;
	} steps[] = {
	    {"one alone: half", 0, 61, false},
	    {"one alone: half", 0, 60, true},
	    {"the same source again: nothing", 1, 1, false},
	    {"another: half of the rest", 2, 31, false},
	    {"another: half of the rest", 2, 30, true},
	    {"not counted: by itself", 3, 16, false},
	    {"not counted: by itself", 3, 15, true},
	    {"not counted, another: not with that one", 4, 8, false},
	    {"not counted, another: not with that one", 4, 7, true},
	    {"who has too much by now gets no more", 0, 61, false},
	    {"but may have as much", 0, 60, true},
	    {"or less", 0, 20, true},
	    {"the same source: together half", 1, 5, true},
	    {"the same source: together half", 1, 7, true},
	    {"the same source: together half", 1, 60, false},
	    {"nothing is not too much", 5, 0, true},
	    {"back", 0, 0, true},
	    {"back", 2, 0, true},
	    {"back", 3, 0, true},
	    {"back", 4, 0, true},
	    {"back", 1, 0, true},
	    {"more than there is", 5, 121, false},
	    {"all that one can have", 5, 60, true},
	    {"back", 5, 0, true},
	};
	struct share_holder holders[HOLDERS] = {holder_of(AF_INET, 1),
	    holder_of(AF_INET, 1), holder_of(AF_INET, 2), holder_of(0, 0),
	    holder_of(0, 0), holder_of(AF_INET, 1)};
	struct share share;

	share_start(&share);
	for (size_t i = 0; i < COUNT(steps); i++) {
		struct share_holder *holder = &holders[steps[i].holder];
		size_t before = holder->held;

		unit_case(steps[i].name);
		assert_int_equal(share_hold(&share, holder, steps[i].amount,
		    LIMIT), steps[i].may);
		assert_int_equal(holder->held, steps[i].may ? steps[i].amount
		                                            : before);
	}
	assert_int_equal(share.held, 0);
	assert_null(share.first);
	share_end(&share);
}

static void
route_table(void **state)
{
	static const struct {
		const char *text;
		int family; /* of Postfix's address; 0: refused */
		const char *why;
	} cases[] = {
	    {"0.0.0.0@25=127.0.0.1@10025", AF_INET, ""},
	    {"::@25=::1@10025", AF_INET6, ""},
	    {"192.0.2.1@25=127.0.0.1@25", AF_INET, ""},
	    {"0.0.0.0@65535=127.0.0.1@1", AF_INET, ""},
	    {"", 0, "not ADDRESS@PORT=POSTFIX@PORT"},
	    {"=", 0, "not ADDRESS@PORT=POSTFIX@PORT"},
	    {"0.0.0.0@25", 0, "not ADDRESS@PORT=POSTFIX@PORT"},
	    {"0.0.0.0=127.0.0.1", 0, "not ADDRESS@PORT=POSTFIX@PORT"},
	    {"0.0.0.0@25=", 0, "not ADDRESS@PORT=POSTFIX@PORT"},
	    {"@25=127.0.0.1@10025", 0, "not ADDRESS@PORT=POSTFIX@PORT"},
	    {"mx.a.test@25=127.0.0.1@10025", 0,
	        "not ADDRESS@PORT=POSTFIX@PORT"},
	    {"0.0.0.0@0=127.0.0.1@10025", 0, "not ADDRESS@PORT=POSTFIX@PORT"},
	    {"0.0.0.0@25=127.0.0.1@65536", 0, "not ADDRESS@PORT=POSTFIX@PORT"},
	    {"0.0.0.0@25 =127.0.0.1@10025", 0, "not ADDRESS@PORT=POSTFIX@PORT"},
	    {"0.0.0.0@25=127.0.0.1@25", 0, "leads back to dmtpd itself"},
	    {"::@25=::1@25", 0, "leads back to dmtpd itself"},
	    {"127.0.0.1@25=127.0.0.1@25", 0, "leads back to dmtpd itself"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct front_route route = {0};
		struct fault fault = {0};
		char wanted[FAULT_TEXT_SIZE] = "";
		int err = front_route_read(cases[i].text, &route, &fault);

		unit_case(cases[i].text);
		assert_int_equal(err, cases[i].family == 0 ? ERR_CONFIG : 0);
		assert_int_equal(err == 0 ? route.postfix.ss_family : 0,
		    cases[i].family);
		if (err != 0)
			snprintf(wanted, sizeof(wanted),
			    "dual_protocol: %s: %s",
			    cases[i].text, cases[i].why);
		assert_string_equal(fault.text, wanted);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(transit_table),
	    cmocka_unit_test(count_of_sealings),
	    cmocka_unit_test(transit_head_is_read),
	    cmocka_unit_test(backoff_times),
	    cmocka_unit_test(backoff_is_bounded),
	    cmocka_unit_test(underway_once),
	    cmocka_unit_test(share_table),
	    cmocka_unit_test(route_table),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
