/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/dmtp_script.h"

/* Lines and arguments that no verb has. */

static const char *const verbs[] = {
#define COMMAND(verb, states, aborts, arguments, event, handler) #verb,
#include "dmtp/command.def"
#undef COMMAND
};

/* The codes of all that is said to `line` within a transaction, and to RCPT. */
static void
expect_within(const char *verb, struct span line, const char *codes)
{
	struct buffer text = buffer_make(4000), said = buffer_make(4000);
	struct buffer output = buffer_make(1 << 20);
	struct buffer events = buffer_make(1 << 20);
	struct span rest, reply;

	buffer_append_string(&text, EHLO MAIL);
	buffer_append_string(&text, verb);
	buffer_append_span(&text, line);
	buffer_append_string(&text, "\n" RCPT);
	transcript_run(&dmtp_script, buffer_span(&text), SIZE_MAX, &output,
	    &events);
	rest = buffer_span(&output);
	for (size_t i = 0; span_next_line(&rest, &reply); i++)
		if (i >= 5) /* of the greeting, EHLO and MAIL */
			buffer_append_span(&said, span_slice(reply, 0, 4));
	assert_string_equal(buffer_string(&said), codes);
	buffer_free(&text);
	buffer_free(&said);
	buffer_free(&output);
	buffer_free(&events);
}

/* With no verb does a line that breaks the rules of lines do anything. */
static void
hostile_lines(void **state)
{
	static const struct {
		const char *name;
		struct span text;
	} cases[] = {
#define CASE(name, text) {name, {(const uint8_t *)(text), sizeof(text) - 1}}
	    CASE("8-bit", " \x80"),
	    CASE("8-bit at once", "\xff"),
	    CASE("NUL", " \0"),
	    CASE("NUL at once", "\0"),
	    CASE("CR inside", " a\rb"),
	    CASE("two CR", "\r\r"),
	    CASE("a tab", "\t"),
	    CASE("long", " " LONG500 LONG50),
	    CASE("long, with a good end", " " LONG500 LONG50 " FROM=<a.test>"),
	    CASE("two verbs", "MAIL"),
	    CASE("format", "%s%n"),
#undef CASE
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t j = 0; j < COUNT(verbs); j++) {
			print_message("case: %s %s\n", verbs[j], cases[i].name);
			expect_within(verbs[j], cases[i].text, "500 250 ");
		}
}

/* Arguments that no verb has; only MAIL ends the transaction all the same. */
static void
hostile_arguments(void **state)
{
	static const char *const arguments[] = {" ", "  ", " =", " <>", " []",
	    " FOR", " FOR=", " FOR=<", " FOR=<>", " FOR=<@>", " FOR=<a@>",
	    " FOR=<..>", " TO=<a.test>", " FROM=<a.test>", " FINGERPRINT=[]",
	    " FOR=<a.test> FINGERPRINT=[", " FOR=<a.test> FINGERPRINT=[=]",
	    " FOR=<a.test>" " FINGERPRINT=" F1 " x", " <[::]> <[::]>",
	    " FOR=<%s@%n.test>x", " FOR=<bob@beta.test>,<carol@beta.test>"};

	for (size_t i = 0; i < COUNT(arguments); i++)
		for (size_t j = 0; j < COUNT(verbs); j++) {
			const char *verb = verbs[j], *codes = "501 250 ";

			if (strcmp(verb, "MAIL") == 0)
				codes = "501 503 ";
			else if (strcmp(verb, "DATA") == 0)
				codes = "503 250 ";
			else if (strcmp(verb, "NOOP") == 0)
				codes = "250 250 ";
			else if (strcmp(verb, "VERB") == 0 ||
			    strcmp(verb, "STARTTLS") == 0)
				codes = "502 250 ";
			print_message("case: %s%s\n", verb, arguments[i]);
			expect_within(verb, span_string(arguments[i]), codes);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hostile_lines),
	    cmocka_unit_test(hostile_arguments),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
