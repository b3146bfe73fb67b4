# SPDX-License-Identifier: BSD-2-Clause
"""MAIL, RCPT and DATA."""
from objects import armored, badly_signed, identifier, unsigned
from rules import NOBODY, World, rule
from rules_lines import HELLO, PRINT
from rules_signets import org
from session import Failed, Skipped

LOOKUP = 250    # seconds: MAIL is answered within 4 minutes
ACCEPTING = 480  # and a message within 8
SIZE_TRIED = 32 << 20
REFUSED = (470, 570, 575)


class Transaction:
    """A session after EHLO that knows the lines of a transaction."""

    def __init__(self, world):
        self.session = world.session()
        self.hello = self.session.expect(HELLO, 250)
        origin, fingerprint = world.origin or ("", "")
        self.mail_line = f"MAIL FROM=<{origin}> FINGERPRINT=[{fingerprint}]"
        if world.domain:
            self.rcpt_line = (f"RCPT TO=<{world.domain}> "
                              f"FINGERPRINT=[{org(world).fingerprint()}]")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.session.socket.close()

    def mail(self, line=None, codes=(250,)):
        return self.session.expect(line or self.mail_line, *codes,
                                   patience=LOOKUP)

    def rcpt(self, *codes):
        self.session.expect(self.rcpt_line, *(codes or (250,)))

    def data(self, text, end=".\n", patience=None):
        self.mail()
        self.rcpt()
        self.session.expect("DATA", 354)
        self.session.send(text.encode("ascii") + end.encode())
        return self.session.hear(patience)

    def over(self):
        """No transaction is open."""
        self.session.expect("DATA", 503)
        self.session.still_there()


# ---- MAIL ----

@rule("D4", "MAIL", "an origin that cannot be had is 470, 570 or 575, and "
      "nothing begins")
def mail_nowhere(world):
    with Transaction(world) as transaction:
        transaction.mail(f"MAIL FROM=<{World.nowhere()}> {PRINT}", REFUSED)
        transaction.session.expect(f"RCPT TO=<client.invalid> {PRINT}", 503)


@rule("D4", "MAIL", "MAIL wants FROM=<domain>, then FINGERPRINT=[...]")
def mail_arguments(world):
    with Transaction(world) as transaction:
        for arguments in ("", " FROM=<client.invalid>", f" {PRINT}",
                          f" {PRINT} FROM=<client.invalid>",
                          f" FROM=<a@client.invalid> {PRINT}",
                          f" FROM=<> {PRINT}", ":<a@client.invalid>"):
            transaction.session.expect("MAIL" + arguments, 500 if
                                       arguments.startswith(":") else 501)


@rule("D4", "SIZE", "a SIZE that is too large is 552")
def mail_size(world):
    with Transaction(world) as transaction:
        sizes = [text[5:] for text in transaction.hello.texts
                 if text.startswith("SIZE ")]
        if not sizes:
            raise Skipped("not offered")
        transaction.mail(f"MAIL FROM=<client.invalid> {PRINT} "
                         f"SIZE={int(sizes[0]) + 1}", (552,))


@rule("D4", "MAIL", "an origin with its fingerprint is 250", "origin")
def mail(world):
    with Transaction(world) as transaction:
        transaction.mail()


@rule("D4", "MAIL", "an origin with another fingerprint is not", "origin")
def mail_print(world):
    with Transaction(world) as transaction:
        transaction.mail(f"MAIL FROM=<{world.origin[0]}> {PRINT}", REFUSED)
        transaction.over()


@rule("D4", "MAIL", "MAIL drops the transaction, even when it is refused",
      "origin")
def mail_drops(world):
    wrong = [(f"MAIL FROM=<{World.nowhere()}> {PRINT}", REFUSED),
             ("MAIL", (501,)), (None, (250,))]
    for line, codes in wrong:
        with Transaction(world) as transaction:
            transaction.mail()
            transaction.rcpt()
            transaction.mail(line, codes)
            transaction.over()


# ---- RCPT ----

@rule("D5", "RCPT", "a domain of the server with its fingerprint is 250",
      "origin")
def rcpt(world):
    with Transaction(world) as transaction:
        transaction.mail()
        transaction.rcpt()


@rule("D5", "RCPT", "a second RCPT is 431, and the transaction stands",
      "origin")
def rcpt_twice(world):
    with Transaction(world) as transaction:
        transaction.mail()
        transaction.rcpt()
        transaction.rcpt(431)
        transaction.session.expect("DATA", 354)


@rule("D5", "RCPT", "another fingerprint is 576 and drops the transaction",
      "origin")
def rcpt_print(world):
    with Transaction(world) as transaction:
        transaction.mail()
        reply = transaction.session.expect(f"RCPT TO=<{world.domain}> {PRINT}",
                                           576)
        if not reply.text.startswith("INVALID DESTINATION SIGNET"):
            raise Failed(f"the text was {reply.text!r}")
        transaction.rcpt(503)


@rule("D5", "RCPT", "a foreign domain is 510, and the transaction stands",
      "origin")
def rcpt_domain(world):
    with Transaction(world) as transaction:
        transaction.mail()
        transaction.session.expect(f"RCPT TO=<{World.nowhere()}> {PRINT}", 510)
        transaction.rcpt()


@rule("D5", "RCPT", "RCPT wants TO=<domain>, no mailbox, then "
      "FINGERPRINT=[...], or is 501", "origin")
def rcpt_arguments(world):
    with Transaction(world) as transaction:
        transaction.mail()
        for arguments in ("", f" TO=<{world.domain}>", f" {PRINT}",
                          f" {PRINT} TO=<{world.domain}>",
                          f" TO=<a@{world.domain}> {PRINT}",
                          f" FROM=<{world.domain}> {PRINT}"):
            transaction.session.expect("RCPT" + arguments, 501)
        transaction.rcpt()


# ---- the transaction ----

@rule("D2", "MESSAGE TRANSFER COMMANDS", "DATA before RCPT is 503", "origin")
def data_early(world):
    with Transaction(world) as transaction:
        transaction.mail()
        transaction.session.expect("DATA", 503)
        transaction.rcpt()


@rule("D2", "RSET", "RSET ends a transaction and keeps the host name",
      "origin")
def rset_drops(world):
    with Transaction(world) as transaction:
        transaction.mail()
        transaction.rcpt()
        transaction.session.expect("RSET", 250)
        transaction.over()
        transaction.mail()


@rule("D2", "GLOBAL COMMANDS", "other commands leave a transaction alone",
      "origin")
def transaction_stands(world):
    with Transaction(world) as transaction:
        transaction.mail()
        transaction.session.expect("NOOP", 250)
        transaction.session.expect("FROB", 500)
        transaction.session.expect(f"SGNT FOR=<{world.domain}>", 270)
        transaction.rcpt()
        transaction.session.expect("HELP", 214, 502)
        transaction.session.expect("DATA x", 501)
        transaction.session.expect("DATA", 354)


# ---- DATA ----

@rule("D6", "DATA", "what is no message is 451, and the transaction is over",
      "origin")
def data_garbage(world):
    for text in ("", "no message\n", "QUIT\n..\n.x\n"):
        with Transaction(world) as transaction:
            reply = transaction.data(text)
            if reply.code != 451:
                raise Failed(f"{text!r} was answered {reply}")
            transaction.over()


@rule("D1", "DATA", "CR LF . CR LF ends a message as well", "origin")
def data_crlf(world):
    with Transaction(world) as transaction:
        reply = transaction.data("no message\r\n", ".\r\n")
        if reply.code != 451:
            raise Failed(f"the reply was {reply}")
        transaction.over()


@rule("D4", "SIZE", "a message that is larger than SIZE is 552", "origin")
def data_size(world):
    with Transaction(world) as transaction:
        sizes = [int(text[5:]) for text in transaction.hello.texts
                 if text.startswith("SIZE ")]
        if not sizes or sizes[0] > SIZE_TRIED:
            raise Skipped(f"SIZE is not offered, or over {SIZE_TRIED}")
        line = "A" * 63 + "\n"
        reply = transaction.data(line * (sizes[0] // len(line) + 1))
        if reply.code != 552:
            raise Failed(f"the reply was {reply}")
        transaction.over()


def data_refused(world, binary, code):
    with Transaction(world) as transaction:
        reply = transaction.data(armored(binary), patience=ACCEPTING)
        if reply.code != code:
            raise Failed(f"the reply was {reply}, not {code}")
        transaction.over()


@rule("D6", "DATA", "a message that is cut off or damaged is 451", "origin",
      "message")
def data_damaged(world):
    data_refused(world, world.message[:-64], 451)
    with Transaction(world) as transaction:
        lines = armored(world.message).split("\n")
        lines[1], lines[2] = lines[2], lines[1]
        if transaction.data("\n".join(lines)).code != 451:
            raise Failed("lines of the armor exchanged: not 451")


@rule("D6", "DATA", "an organizational signature that is wrong is 578",
      "origin", "message")
def data_signature(world):
    data_refused(world, badly_signed(world.message), 578)


@rule("D6", "DATA", "an organizational signature that is missing is 578",
      "origin", "message")
def data_unsigned(world):
    data_refused(world, unsigned(world.message), 578)


@rule("D6", "DATA", "messages are refused with the codes that were told")
def data_answers(world):
    if not world.answers or not world.has("origin"):
        raise Skipped("needs --answer, messages that must be refused")
    for code, binary in world.answers:
        data_refused(world, binary, code)


@rule("D6", "DATA", "a message is accepted with 254 and its SHA-512", "origin",
      "message")
def data_accepted(world):
    with Transaction(world) as transaction:
        reply = transaction.data(armored(world.message),
                                 patience=ACCEPTING)
        wanted = identifier(world.message)
        if str(reply) not in (f"254 ACCEPTED={wanted}",
                              f"255 DUPLICATE={wanted}"):
            raise Failed(f"the reply was {reply}")
        transaction.over()


@rule("D6", "DATA", "the lines around a message may have four dashes, as "
      "Part 7 shows them", "origin", "message")
def data_dashes(world):
    with Transaction(world) as transaction:
        text = armored(world.message).replace("-----", "----")
        reply = transaction.data(text, patience=ACCEPTING)
        if reply.code not in (254, 255):
            raise Failed(f"the reply was {reply}")


@rule("D6", "DATA", "the same message again is 255 with its SHA-512", "origin",
      "message")
def data_duplicate(world):
    with Transaction(world) as transaction:
        first, second = [
            transaction.data(armored(world.message), patience=ACCEPTING)
            for _ in range(2)]
    if first.code not in (254, 255):
        raise Failed(f"the message was answered {first}")
    if second.code == 254:
        raise Skipped("this server does not look for duplicates")
    if str(second) != f"255 DUPLICATE={identifier(world.message)}":
        raise Failed(f"the second time it was answered {second}")
