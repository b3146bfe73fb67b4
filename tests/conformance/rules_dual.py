# SPDX-License-Identifier: BSD-2-Clause
"""A port on which SMTP is spoken too, and STARTTLS leads to DMTP."""
import ssl

from rules import World, rule
from rules_lines import PRINT
from session import SUITE, Failed, Session, client_context
from rules_tls import OTHER_SUITES


class Clear:
    """The connection in clear, greeted; say() and hear() as in a session."""

    def __init__(self, world):
        self.session = Session.__new__(Session)
        self.session.server, self.session.waiting = world.server, b""
        self.session.socket = world.server.connect(world.dual)
        # SMTP's lines are not DMTP's.
        self.session.judge = lambda line: None
        self.session.judge_text = lambda reply: reply
        self.banner = self.session.hear()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.session.socket.close()

    def ask(self, line):
        self.session.send(line.encode() + b"\r\n")
        return self.session.hear()

    def start_tls(self, name, mode, context=None, behind=b""):
        """The session in TLS and what it is greeted with."""
        self.session.send(f"STARTTLS <{name}> MODE={mode}\r\n".encode()
                          + behind)
        reply = self.session.hear()
        if reply.code // 100 != 2:
            raise Failed(f"STARTTLS was answered {reply}")
        self.session.socket = (context or client_context()).wrap_socket(
            self.session.socket, suppress_ragged_eofs=False)
        return self.session.hear()


@rule("D13", "DUAL PROTOCOL HOSTS", "the banner is 220 and has DMTP", "dual")
def dual_banner(world):
    with Clear(world) as clear:
        if clear.banner.code != 220 or not any(
                "DMTP" in text.split() for text in clear.banner.texts):
            raise Failed(str(clear.banner))


@rule("D3", "EHLO", "EHLO before TLS lists DMTP and STARTTLS", "dual")
def dual_ehlo(world):
    with Clear(world) as clear:
        words = {text.split()[0] for text in clear.ask(
            "EHLO client.invalid").texts if text}
        for word in ("DMTP", "STARTTLS"):
            if word not in words:
                raise Failed(f"no {word}")


def is_mode(reply, mode):
    return reply.code == 250 and reply.text.split()[:2] == ["OK", mode]


@rule("D13", "MODE", "MODE before TLS is 250 OK ESMTP", "dual")
def dual_mode(world):
    with Clear(world) as clear:
        if not is_mode(reply := clear.ask("MODE"), "ESMTP"):
            raise Failed(str(reply))


@rule("D2", "GLOBAL COMMANDS", "HELO, RSET, NOOP and QUIT are there before TLS",
      "dual")
def dual_global(world):
    with Clear(world) as clear:
        for line, code in (("NOOP", 250), ("RSET", 250),
                           ("HELO client.invalid", 250), ("QUIT", 221)):
            if (reply := clear.ask(line)).code != code:
                raise Failed(f"{line} was answered {reply}")


@rule("D13", "MODE", "no other command of DMTP's is accepted before TLS",
      "dual")
def dual_early(world):
    with Clear(world) as clear:
        clear.ask("EHLO client.invalid")
        for line in ("SGNT FOR=<client.invalid>",
                     "HIST FOR=<a@client.invalid>",
                     f"VRFY FOR=<client.invalid> {PRINT}",
                     f"MAIL FROM=<client.invalid> {PRINT}"):
            if (reply := clear.ask(line)).code not in (500, 501, 502, 503):
                raise Failed(f"{line[:20]} was answered {reply}")


@rule("D13", "DUAL PROTOCOL HOSTS",
      "nothing that was said before TLS counts in it", "dual")
def dual_reset(world):
    with Clear(world) as clear:
        clear.ask("EHLO client.invalid")
        clear.start_tls(world.server.name, "DMTP")
        clear.session.expect(f"MAIL FROM=<client.invalid> {PRINT}", 503)


@rule("D11", "CERTIFICATES", "for another host STARTTLS has the default "
      "certificate", "dual")
def dual_default(world):
    with Clear(world) as clear:
        try:
            clear.start_tls(World.nowhere(), "DMTP")
        except OSError as error:
            raise Failed(f"no handshake: {error}") from None
        clear.session.still_there()


@rule("D13", "DUAL PROTOCOL HOSTS",
      "STARTTLS MODE=DMTP leads to TLS, 250 OK DMTP, and DMTP", "dual")
def dual_dmtp(world):
    with Clear(world) as clear:
        greeting = clear.start_tls(world.server.name, "DMTP")
        if not is_mode(greeting, "DMTP"):
            raise Failed(f"it is greeted with {greeting}")
        clear.session.still_there()
        if clear.session.socket.cipher()[0] != SUITE:
            raise Failed(f"the suite is {clear.session.socket.cipher()[0]}")
        words = set(clear.session.expect("EHLO <client.invalid>", 250).texts)
        if {"DMTP", "STARTTLS"} & words:
            raise Failed("EHLO still lists DMTP or STARTTLS")


@rule("D11", "DUAL PROTOCOL HOSTS",
      "MODE=DMTP comes to nothing with other suites", "dual")
def dual_suite(world):
    with Clear(world) as clear:
        try:
            clear.start_tls(world.server.name, "DMTP",
                            client_context(OTHER_SUITES))
        except (ssl.SSLError, OSError):
            return
        raise Failed("the handshake succeeded")


@rule("D11", "CERTIFICATES", "a host that STARTTLS names has its own "
      "certificate", "dual", "names")
def dual_name(world):
    for name in world.names:
        with Clear(world) as clear:
            clear.start_tls(name, "DMTP")
            shown = clear.session.socket.getpeercert(binary_form=True)
        with world.server.handshake(name=name) as tls:
            if tls.getpeercert(binary_form=True) != shown:
                raise Failed(f"{name}: another than on the port for DMTP")


@rule("D13", "DUAL PROTOCOL HOSTS",
      "what is sent in clear behind STARTTLS is not taken for said in TLS",
      "dual")
def dual_clear(world):
    with Clear(world) as clear:
        try:
            clear.start_tls(world.server.name, "DMTP", behind=b"HELP\r\n")
        except (Failed, OSError):
            return  # closed: it must be one or the other
        clear.session.still_there()


@rule("D13", "DUAL PROTOCOL HOSTS",
      "MODE=SMTP leads to 250 OK ESMTP, where DMTP's commands are 501", "dual")
def dual_smtp(world):
    with Clear(world) as clear:
        greeting = clear.start_tls(world.server.name, "SMTP")
        if not is_mode(greeting, "ESMTP"):
            raise Failed(f"it is greeted with {greeting}")
        for line in ("SGNT FOR=<client.invalid>",
                     "HIST FOR=<a@client.invalid>",
                     f"VRFY FOR=<client.invalid> {PRINT}",
                     f"MAIL FROM=<client.invalid> {PRINT}"):
            if (reply := clear.ask(line)).code != 501:
                raise Failed(f"{line[:20]} was answered {reply}")
        if not is_mode(reply := clear.ask("MODE"), "ESMTP"):
            raise Failed(f"MODE was answered {reply}")
