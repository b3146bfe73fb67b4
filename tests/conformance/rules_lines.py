# SPDX-License-Identifier: BSD-2-Clause
"""Lines, verbs, arguments, and the commands that are always there."""
import re

from rules import NOBODY, rule
from session import LINE_LIMIT, Failed

VERBS = ["DATA", "EHLO", "HELO", "HELP", "HIST", "MAIL", "MODE", "NOOP",
         "QUIT", "RCPT", "RSET", "SGNT", "VRFY"]
HELLO = "EHLO <client.invalid>"
PRINT = f"FINGERPRINT=[{NOBODY}]"


def answers(world, lines, code, *before):
    """Each line is answered so, and the session goes on."""
    with world.session() as session:
        for line in before:
            session.expect(line, 250)
        for line in lines:
            session.expect(line, code)
            session.still_there()


def noop(length, end=b"\n"):
    return b"NOOP " + b"x" * (length - 5 - len(end)) + end[:-1]


# ---- lines ----

@rule("D1", "LINE BASED PROTOCOL", "CR LF ends a line as well")
def line_crlf(world):
    answers(world, ["NOOP\r", "MODE\r"], 250)


@rule("D1", "LINE BASED PROTOCOL", "lines of 512 octets are taken")
def line_512(world):
    answers(world, [noop(LINE_LIMIT), noop(LINE_LIMIT, b"\r\n")], 250)


@rule("D1", "LINE BASED PROTOCOL", "longer lines are 500")
def line_513(world):
    answers(world, [noop(LINE_LIMIT + 1), noop(100000)], 500)


@rule("D1", "LINE BASED PROTOCOL", "octets other than 01-7F are 500")
def line_octets(world):
    answers(world, [b"NOOP \x80", b"NOOP \xff", b"NOOP a\0b"], 500)


@rule("D1", "LINE BASED PROTOCOL", "octets 01-7F are taken")
def line_ascii(world):
    answers(world, [b"NOOP " + bytes(
        octet for octet in range(1, 128) if octet not in b"\r\n")], 250)


@rule("D1", "LINE BASED PROTOCOL", "a CR that ends no line is 500")
def line_cr(world):
    answers(world, [b"NOOP a\rb", b"NOOP\r\r"], 500)


# ---- commands and replies ----

@rule("D2", "COMMANDS AND REPLIES", "unknown verbs and empty lines are 500")
def verb_unknown(world):
    answers(world, ["FROB", "", "NOOPS", "NOO", " NOOP", "NOOP\tx"], 500)


@rule("D2", "COMMANDS AND REPLIES", "verbs and domains count without case")
def verb_case(world):
    answers(world, ["noop", "Rset", "heLO <Client.INVALID>"], 250)


@rule("D2", "COMMANDS AND REPLIES", "names stand in <>, fingerprints in []")
def argument_brackets(world):
    answers(world, ["SGNT FOR=client.invalid", "SGNT FOR=<client.invalid",
                    "SGNT FOR=[client.invalid]", "HELO client.invalid",
                    f"VRFY FOR=<client.invalid> FINGERPRINT={NOBODY}",
                    f"VRFY FOR=<client.invalid> FINGERPRINT=<{NOBODY}>"], 501)


@rule("D2", "COMMANDS AND REPLIES",
      "exactly one space stands before each argument")
def argument_space(world):
    answers(world, ["HELO  <client.invalid>", "HELO <client.invalid> ",
                    f"VRFY FOR=<client.invalid>  {PRINT}",
                    "SGNT FOR = <client.invalid>"], 501)


@rule("D2", "COMMANDS AND REPLIES", "fingerprints have 86 characters of base64")
def argument_fingerprint(world):
    ask = "VRFY FOR=<client.invalid> FINGERPRINT=[{}]".format
    answers(world, [ask(NOBODY[1:]), ask(NOBODY + "A"), ask(NOBODY[:-1] + "*"),
                    ask(NOBODY + "=="), ask("")], 501)


@rule("D2", "COMMANDS AND REPLIES", "arguments come in their order, once")
def argument_order(world):
    answers(world, [f"VRFY {PRINT} FOR=<client.invalid>",
                    "SGNT FOR=<client.invalid> FOR=<client.invalid>",
                    "SGNT FOR=<client.invalid> COLOUR=<red>",
                    "HIST FOR=<a@client.invalid> "
                    f"STOP=[{NOBODY}] START=[{NOBODY}]"], 501)


@rule("D2", "COMMANDS AND REPLIES", "an argument that is missing is 501")
def argument_missing(world):
    answers(world, ["SGNT", "VRFY", "HIST", "VRFY FOR=<client.invalid>",
                    f"SGNT {PRINT}", f"HIST START=[{NOBODY}]"], 501)


@rule("D2", "GLOBAL COMMANDS", "MODE, RSET, HELP and QUIT have no argument")
def argument_none(world):
    answers(world, ["MODE DMTP", "RSET x", "QUIT now", "QUIT "], 501)


# ---- the commands that are always there ----

@rule("D2", "HELO", "HELO <domain> is 250 OK in one line, at any time")
def helo(world):
    with world.session() as session:
        for host in ("a.invalid", "b.invalid"):
            reply = session.expect(f"HELO <{host}>", 250)
            if len(reply.texts) > 1 or not reply.text.startswith("OK"):
                raise Failed(f"the reply was {reply.texts}")


@rule("D2", "HELO", "address literals are taken")
def helo_literal(world):
    answers(world, ["HELO <[192.0.2.1]>", "EHLO <[2001:db8::1]>"], 250)


@rule("D2", "HELO", "HELO and EHLO without a host are 501")
def helo_bare(world):
    answers(world, ["HELO", "EHLO", "HELO <>", "EHLO <a.invalid> <b.invalid>"],
            501)


@rule("D2", "HELO", "a host name is fully qualified, or 501")
def helo_short(world):
    answers(world, ["HELO <client>", "EHLO <client>", "EHLO <192.0.2.1>",
                    "HELO <a@client.invalid>"], 501)


@rule("D3", "EHLO", "EHLO lists extensions, a keyword a line, then says OK")
def ehlo(world):
    with world.session() as session:
        texts = session.expect(HELLO, 250).texts
    if not texts[-1].startswith("OK"):
        raise Failed(f"its last line is {texts[-1]!r}")
    for text in texts[:-1]:
        if not re.fullmatch(r"[A-Z0-9-]+( [!-~]+)*", text) or (
                text.startswith("SIZE") and
                not re.fullmatch(r"SIZE \d+", text)):
            raise Failed(f"it lists {text!r}")


@rule("D3", "EHLO", "EHLO within TLS lists neither DMTP nor STARTTLS")
def ehlo_dual(world):
    with world.session() as session:
        words = [text.split(" ")[0]
                 for text in session.expect(HELLO, 250).texts[:-1]]
    if {"DMTP", "STARTTLS"} & set(words):
        raise Failed(f"it lists {' '.join(words)}")


@rule("D13", "MODE", "MODE says 250 OK DMTP")
def mode(world):
    with world.session() as session:
        session.still_there()


@rule("D2", "RSET", "RSET is 250 OK, at any time")
def rset(world):
    answers(world, ["RSET", HELLO, "RSET", "RSET"], 250)


@rule("D2", "NOOP", "NOOP takes anything and is 250 OK")
def noop_anything(world):
    answers(world, ["NOOP", "NOOP ", "NOOP  a <b> [c] =d"], 250)


@rule("D2", "HELP", "HELP lists the verbs in order of the alphabet, or is 502")
def help_list(world):
    with world.session() as session:
        reply = session.expect("HELP", 214, 502)
    if reply.code == 502:
        return
    verbs = [text.split(" ")[0] for text in reply.texts]
    if not set(VERBS) <= set(verbs) or verbs != sorted(verbs):
        raise Failed(f"it lists {' '.join(verbs)}")


@rule("D2", "GLOBAL COMMANDS", "VERB, which is defined nowhere, is 502")
def verb(world):
    answers(world, ["VERB", "VERB ON"], 502)


@rule("D13", "DUAL PROTOCOL HOSTS", "STARTTLS is no command within TLS")
def starttls(world):
    with world.session() as session:
        session.expect("STARTTLS <client.invalid> MODE=DMTP", 500, 501, 502,
                       503)
        session.still_there()


# ---- sequence ----

@rule("D2", "MESSAGE TRANSFER COMMANDS",
      "MAIL, RCPT and DATA before HELO are 503, whatever their arguments")
def sequence_helo(world):
    answers(world, [f"MAIL FROM=<client.invalid> {PRINT}", "MAIL",
                    f"RCPT TO=<client.invalid> {PRINT}", "RCPT", "DATA",
                    "DATA x"], 503)


@rule("D2", "MESSAGE TRANSFER COMMANDS", "a HELO that is refused is none")
def sequence_refused(world):
    with world.session() as session:
        session.expect("HELO", 501)
        session.expect(f"MAIL FROM=<client.invalid> {PRINT}", 503)


@rule("D2", "MESSAGE TRANSFER COMMANDS",
      "RCPT and DATA before MAIL are 503, whatever their arguments")
def sequence_mail(world):
    answers(world, [f"RCPT TO=<client.invalid> {PRINT}", "RCPT x", "DATA",
                    "DATA x"], 503, HELLO)
