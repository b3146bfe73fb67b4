/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"

/*
 * config_doc man | sample
 *
 * Prints what config.def says, as the manual page dimegate.conf(5) or as the
 * sample file, in which every setting stands with its default behind a '#'.
 */

enum { WIDTH = 78 };

static const struct {
	enum config_program letter;
	const char *name;
} programs[] = {
    {CONFIG_MILTER, "dime-milter"},
    {CONFIG_POLICYD, "dime-policyd"},
    {CONFIG_DMTPD, "dmtpd"},
    {CONFIG_DIMECTL, "dimectl"},
};

enum { PROGRAMS = sizeof(programs) / sizeof(programs[0]) };

static bool
is_type(const struct config_row *row, const char *type)
{
	return strcmp(row->type, type) == 0;
}

/* "dime-milter and dmtpd". */
static const char *
readers(const struct config_row *row)
{
	static char text[80];
	size_t left = strlen(row->programs);

	text[0] = '\0';
	for (size_t i = 0; i < PROGRAMS; i++) {
		if (strchr(row->programs, (char)programs[i].letter) == NULL)
			continue;
		strcat(text, programs[i].name);
		left--;
		strcat(text, left > 1 ? ", " : left == 1 ? " and " : "");
	}
	return text;
}

/* The default as it would stand in the file, double quotes as `quote`. Of a
 * CHOICE it is the first word. */
static void
print_value(const struct config_row *row, const char *quote)
{
	const char *preset = row->preset == NULL ? "{}" : row->preset;
	const char *end = is_type(row, "CHOICE")
	    ? preset + strcspn(preset, "|")
	    : preset + strlen(preset);
	bool is_string = !is_type(row, "LIST") && !is_type(row, "NUMBER") &&
	    !is_type(row, "FLAG");

	fputs(is_string ? quote : "", stdout);
	for (; preset != end; preset++) {
		if (*preset == '"')
			fputs(quote, stdout);
		else
			putchar(*preset);
	}
	fputs(is_string ? quote : "", stdout);
	putchar('\n');
}

/* "One of a, b and c." */
static const char *
choices(const char *words)
{
	static char text[200];

	strcpy(text, "One of ");
	while (words[strcspn(words, "|")] != '\0') {
		const size_t length = strcspn(words, "|");

		strncat(text, words, length);
		words += length + 1;
		strcat(text, strchr(words, '|') == NULL ? " and " : ", ");
	}
	strcat(text, words);
	strcat(text, ".");
	return text;
}

/* "A whole number from 1 to 120." and the like. */
static const char *
nature(const struct config_row *row)
{
	static char text[100];

	if (is_type(row, "NUMBER")) {
		snprintf(text, sizeof(text),
		    "A whole number from %lld to %lld.", (long long)row->least,
		    (long long)row->most);
		return text;
	}
	if (is_type(row, "FLAG"))
		return "true or false.";
	if (is_type(row, "LIST"))
		return "A list.";
	if (is_type(row, "CHOICE"))
		return choices(row->preset);
	if (is_type(row, "SECRET"))
		return "The path of a secret, which no other users may read.";
	if (is_type(row, "READ"))
		return "The path of a file.";
	return row->least > 0 ? "A string, not empty." : "A string.";
}

/* Prints words with `prefix` before each line, no line wider than WIDTH. */
static void
print_wrapped(const char *prefix, const char *text)
{
	size_t column = 0;

	while (*text != '\0') {
		size_t length = strcspn(text, " ");

		if (column > 0 && column + 1 + length > WIDTH) {
			putchar('\n');
			column = 0;
		}
		if (column == 0)
			column = (size_t)printf("%s", prefix);
		else
			column += (size_t)printf(" ");
		column += (size_t)printf("%.*s", (int)length, text);
		text += length;
		text += strspn(text, " ");
	}
	putchar('\n');
}

/* ---- the sample ---- */

static void
print_sample_row(const struct config_row *row)
{
	char line[200];

	putchar('\n');
	print_wrapped("# ", row->help);
	snprintf(line, sizeof(line), "%s Read by %s%s.", nature(row),
	    readers(row), row->reloadable ? ", on SIGHUP too" : "");
	print_wrapped("# ", line);
	printf("#%s = ", row->name);
	print_value(row, "\"");
}

static void
print_sample_rules(void)
{
	size_t count;
	const struct config_rule_row *rows = config_rule_rows(&count);

	fputs("\n# Rules of this site, of which the first that matches counts; "
	      "see\n# dimegate.conf(5). The keys of a rule:\n",
	    stdout);
	for (size_t i = 0; i < count; i++) {
		char line[800];

		snprintf(line, sizeof(line), "%s: %s %s", rows[i].name,
		    rows[i].words == NULL ? "A list of patterns."
		                          : choices(rows[i].words),
		    rows[i].help);
		print_wrapped("# ", line);
	}
	fputs("#\n"
	      "#rule \"law firms\" {\n"
	      "#	to = {\"law.example\", \".law.example\"}\n"
	      "#	mode = \"required\"\n"
	      "#	on_dns_error = \"reject\"\n"
	      "#}\n",
	    stdout);
}

static void
print_sample(const struct config_row *rows, size_t count)
{
	fputs("# /etc/dimegate/dimegate.conf: see dimegate.conf(5).\n"
	      "#\n"
	      "# Every setting stands here with its default; take the '#' away "
	      "to change one.\n"
	      "# At least `domains` has to be set.\n",
	    stdout);
	for (size_t i = 0; i < count; i++)
		print_sample_row(&rows[i]);
	print_sample_rules();
}

/* ---- the manual page ---- */

static const char man_head[] =
    ".\\\" SPDX-License-Identifier: BSD-2-Clause\n"
    ".\\\" Made from lib/base/config.def; do not edit.\n"
    ".Dd November 22, 2026\n"
    ".Dt DIMEGATE.CONF 5\n"
    ".Os\n"
    ".Sh NAME\n"
    ".Nm dimegate.conf\n"
    ".Nd configuration of Dimegate\n"
    ".Sh DESCRIPTION\n"
    "One file serves\n"
    ".Xr dime-milter 8 ,\n"
    ".Xr dime-policyd 8 ,\n"
    ".Xr dmtpd 8\n"
    "and\n"
    ".Xr dimectl 8 ;\n"
    "each takes what concerns it and passes over what concerns the others.\n"
    "It holds lines of the form\n"
    ".Pp\n"
    ".Dl name = value\n"
    ".Pp\n"
    "Strings stand in double quotes, lists in braces with commas between the\n"
    "items, numbers and\n"
    ".Cm true\n"
    "or\n"
    ".Cm false\n"
    "as they are.\n"
    "What follows a\n"
    ".Sq #\n"
    "is a comment.\n"
    "A setting that is not in the file has its default.\n"
    ".Pp\n"
    "A file with an unknown setting, a value of the wrong type or outside its\n"
    "range, or the path of a file that cannot be read is refused with the name\n"
    "of the file, the line and the setting.\n"
    "The daemons' option\n"
    ".Fl n\n"
    "makes this check, and that of the keys and certificates they need, and\n"
    "nothing else.\n"
    "On\n"
    ".Dv SIGHUP\n"
    "a running program reads the file again and puts into force what is marked\n"
    "below as read\n"
    ".Dq on SIGHUP too .\n"
    "A file that is refused then is noted in the log and changes nothing.\n"
    ".Pp\n"
    "Files with secrets must not be accessible to others, and at most readable\n"
    "for their group; the one with the master key is for its owner alone.\n"
    ".Sh SETTINGS\n"
    ".Bl -tag -width 4n\n";

static const char man_rules[] =
    ".El\n"
    ".Sh RULES\n"
    "A rule says for some mail what this site wants beyond the policies of the\n"
    "two domains.\n"
    "It is a section with a name of its own:\n"
    ".Bd -literal -offset indent\n"
    "rule \\(dqlaw firms\\(dq {\n"
    "        to = {\\(dqlaw.example\\(dq, \\(dq.law.example\\(dq}\n"
    "        mode = \\(dqrequired\\(dq\n"
    "        on_dns_error = \\(dqreject\\(dq\n"
    "}\n"
    ".Ed\n"
    ".Pp\n"
    "The first rule whose\n"
    ".Cm from\n"
    "matches the envelope sender and whose\n"
    ".Cm to\n"
    "matches the recipient counts, for mail that leaves and for naked mail that\n"
    "comes in; mail that comes in by DMTP is judged by its signatures.\n"
    "No rule lets mail go naked that the policy table would not.\n"
    "The patterns are:\n"
    ".Bl -tag -width \"user@domain\"\n"
    ".It Li *\n"
    "anybody\n"
    ".It Li <>\n"
    "the null sender\n"
    ".It Ar user Ns Li @ Ns Ar domain\n"
    "this address, with any\n"
    ".Li + Ns Ar tag\n"
    ".It Ar domain\n"
    "every address at exactly this domain\n"
    ".It Li \\&. Ns Ar domain\n"
    "every address at a name below it\n"
    ".El\n"
    ".Pp\n"
    "Postfix asks for the recipient or for the sender of a message, never for\n"
    "both.\n"
    "A rule with\n"
    ".Cm mode No = Cm required\n"
    "can therefore name senders or recipients, not both, and one that sets\n"
    ".Cm on_no_signet\n"
    "to\n"
    ".Cm tempfail\n"
    "or\n"
    ".Cm reject\n"
    "no senders, unless all its recipients are of this site; and an earlier\n"
    "rule that names the other side takes nothing from it.\n"
    "What cannot hold is refused;\n"
    "a rule that never counts is warned of in the log.\n"
    ".Bl -tag -width 4n\n";

static const char man_tail[] =
    ".El\n"
    ".Sh FILES\n"
    ".Bl -tag -width 4n\n"
    ".It Pa " SYSCONFDIR "/dimegate/dimegate.conf\n"
    "What programs read without the option\n"
    ".Fl c .\n"
    ".El\n"
    ".Sh EXAMPLES\n"
    "Enough for one domain, all else as it is:\n"
    ".Bd -literal -offset indent\n"
    "domains = {\"example.org\"}\n"
    "socket_group = \"postfix\"\n"
    ".Ed\n"
    ".Sh SEE ALSO\n"
    ".Xr dime-milter 8 ,\n"
    ".Xr dime-policyd 8 ,\n"
    ".Xr dimectl 8 ,\n"
    ".Xr dmtpd 8\n";

/* The help texts are plain: only a backslash, or a control character of roff at
 * the start of a line, would mean something. */
static void
print_roff(const char *text)
{
	for (const char *at = text; *at != '\0'; at++) {
		if (at == text && (*at == '.' || *at == '\''))
			fputs("\\&", stdout);
		if (*at == '\\')
			fputs("\\e", stdout);
		else
			putchar(*at);
		/* A sentence, a line. */
		if (*at == '.' && at[1] == ' ' && isupper((unsigned char)at[2])) {
			putchar('\n');
			at++;
		}
	}
	putchar('\n');
}

static void
print_man_row(const struct config_row *row)
{
	printf(".It Ic %s Li = ", row->name);
	print_value(row, "\\(dq");
	print_roff(row->help);
	print_roff(nature(row));
	printf("Read by %s%s.\n", readers(row),
	    row->reloadable ? ", on SIGHUP too" : "");
}

static void
print_man_rules(void)
{
	size_t count;
	const struct config_rule_row *rows = config_rule_rows(&count);

	fputs(man_rules, stdout);
	for (size_t i = 0; i < count; i++) {
		printf(".It Cm %s\n", rows[i].name);
		print_roff(rows[i].words == NULL ? "A list of patterns."
		                                 : choices(rows[i].words));
		print_roff(rows[i].help);
	}
}

static void
print_man(const struct config_row *rows, size_t count)
{
	fputs(man_head, stdout);
	for (size_t i = 0; i < count; i++)
		print_man_row(&rows[i]);
	print_man_rules();
	fputs(man_tail, stdout);
}

int
main(int argc, char **argv)
{
	size_t count;
	const struct config_row *rows = config_rows(&count);

	if (argc == 2 && strcmp(argv[1], "man") == 0) {
		print_man(rows, count);
	} else if (argc == 2 && strcmp(argv[1], "sample") == 0) {
		print_sample(rows, count);
	} else {
		fprintf(stderr, "usage: config_doc man | sample\n");
		return EXIT_FAILURE;
	}
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
