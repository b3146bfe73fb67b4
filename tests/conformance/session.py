# SPDX-License-Identifier: BSD-2-Clause
"""A DMTP session with the server under test: TLS, lines, replies. A Session
says exactly what it is told to, and notes whatever the server's lines have
that Part 7 forbids."""
import re
import socket
import ssl

SUITE = "ECDHE-RSA-AES256-GCM-SHA384"
LINE_LIMIT = 512  # octets with the line end
# What Part 7 says behind each code; 476 and 576 are said of two things.
TEXTS = {
    221: ["BYE"], 250: ["OK"], 254: ["ACCEPTED="], 255: ["DUPLICATE="],
    271: ["ORGANIZATIONAL SIGNET CURRENT"], 281: ["USER SIGNET CURRENT"],
    354: ["READY TO RECEIVE MESSAGE"], 431: ["DESTINATION LIMITS EXCEEDED"],
    450: ["ACCESS DENIED"], 451: ["DATA CORRUPTED"],
    470: ["ORIGIN SIGNET UNAVAILABLE"], 500: ["COMMAND SYNTAX ERROR"],
    501: ["ARGUMENT SYNTAX ERROR"], 502: ["COMMAND DISABLED"],
    503: ["INVALID COMMAND SEQUENCE"], 510: ["INVALID RECIPIENT"],
    570: ["ORIGIN SIGNET UNAVAILABLE"], 575: ["INVALID ORIGIN SIGNET"],
    476: ["SIGNET TEMPORARILY UNAVAILABLE"],
    576: ["INVALID DESTINATION SIGNET", "SIGNET UNAVAILABLE"],
    578: ["INVALID ORIGIN SIGNATURE"], 586: ["INVALID RECIPIENT SIGNET"],
}
# Octets of a line, and of a reply, beyond which nothing more is read.
ENDLESS_LINE, ENDLESS_REPLY = 1 << 20, 32 << 20


class Failed(Exception):
    """The server breaks the rule; the text says how."""


class Skipped(Exception):
    """The rule cannot be tried; the text says why."""


def client_context(ciphers=SUITE, version=ssl.TLSVersion.TLSv1_2):
    """A client that takes any certificate: the rules judge it. SECLEVEL=0, so
    that a key that is too short can be seen at all."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    # Python would take a connection that is cut for one that was shut down.
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    return context


class Reply:
    """`code` is a number, `texts` has one text a line without the code."""

    def __init__(self, code, texts):
        self.code, self.texts = code, texts

    @property
    def text(self):
        return self.texts[-1]

    @property
    def listing(self):
        """The lines before the last one, as they were before the code."""
        return "".join(text + "\n" for text in self.texts[:-1])

    def __str__(self):
        return f"{self.code} {self.text}"


class Server:
    """Where the server is, and what its lines had that they may not have."""

    def __init__(self, host, port, patience=30, name=None):
        self.host, self.port, self.patience = host, port, patience
        self.name = name
        self.violations, self.odd_texts = [], []

    def connect(self, port=None):
        plain = socket.create_connection((self.host, port or self.port),
                                         self.patience)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return plain

    def handshake(self, context=None, name=None):
        """The TLS socket. A handshake that fails is ssl.SSLError or OSError."""
        plain = self.connect()
        try:
            return (context or client_context()).wrap_socket(
                plain, server_hostname=name or self.name,
                suppress_ragged_eofs=False)
        except BaseException:
            plain.close()
            raise

    def session(self):
        return Session(self)


class Session:
    """Use it with `with`; it begins with the greeting read."""

    def __init__(self, server):
        self.server, self.waiting = server, b""
        try:
            self.socket = server.handshake()
        except OSError as error:
            raise Failed(f"no TLS session: {error}") from None
        try:
            self.greeting = self.hear()
        except Failed:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    # ---- saying ----

    def send(self, octets):
        try:
            self.socket.sendall(octets)
        except OSError as error:
            raise Failed(f"the session broke: {error}") from None

    def say(self, *lines):
        self.send(b"".join(
            (line.encode("ascii") if isinstance(line, str) else line) + b"\n"
            for line in lines))

    # ---- hearing ----

    def read_line(self, patience=None):
        self.socket.settimeout(patience or self.server.patience)
        while b"\n" not in self.waiting:
            try:
                octets = self.socket.recv(65536)
            except TimeoutError:
                raise Failed("no reply in time") from None
            except OSError as error:
                raise Failed(f"the session broke: {error}") from None
            if not octets:
                raise Failed("the server closed the session")
            self.waiting += octets
            if len(self.waiting) > ENDLESS_LINE:
                raise Failed("a line that does not end")
        line, self.waiting = self.waiting.split(b"\n", 1)
        self.judge(line)
        return line.rstrip(b"\r").decode("latin-1")

    def judge(self, line):
        for wrong, what in (
                (b"\r" in line, "a CR"),
                (len(line) >= LINE_LIMIT, f"over {LINE_LIMIT} octets"),
                (re.search(rb"[\0\x80-\xff]", line), "octets outside 01-7F")):
            if wrong:
                self.server.violations.append(f"{what}: {line[:40]!r}")

    def judge_text(self, reply):
        wanted = TEXTS.get(reply.code, [""])
        if not reply.text.startswith(tuple(wanted)):
            self.server.odd_texts.append(f"{reply}, not {wanted[0]}")
        return reply

    def hear(self, patience=None):
        code, texts, size = None, [], 0
        while True:
            line = self.read_line(patience)
            size += len(line) + 1
            if size > ENDLESS_REPLY:
                raise Failed("a reply that does not end")
            match = re.fullmatch(r"(\d{3})(?:([ -])(.*))?", line)
            if not match or code not in (None, match[1]):
                raise Failed(f"not a line of a reply: {line[:60]!r}")
            code = match[1]
            texts.append(match[3] or "")
            if match[2] != "-":
                return self.judge_text(Reply(int(code), texts))

    def ask(self, line, patience=None):
        self.say(line)
        return self.hear(patience)

    def expect(self, line, *codes, patience=None):
        reply = self.ask(line, patience)
        if reply.code not in codes:
            shown = line if isinstance(line, str) else line.decode("latin-1")
            raise Failed(f"{shown[:48]!r} was answered {reply}, not "
                         + " or ".join(map(str, codes)))
        return reply

    # ---- what comes up again and again ----

    def still_there(self):
        """The session goes on, and no reply is left over: only MODE is
        answered so."""
        reply = self.ask("MODE")
        if reply.code != 250 or not reply.text.startswith("OK DMTP"):
            raise Failed(f"after that, MODE was answered {reply}")

    def hear_end(self):
        """The server shuts TLS down cleanly, and says nothing more."""
        self.socket.settimeout(self.server.patience)
        try:
            octets = self.waiting or self.socket.recv(65536)
        except TimeoutError:
            raise Failed("the connection stays open") from None
        except OSError as error:
            raise Failed(f"no clean TLS shutdown: {error}") from None
        if octets:
            raise Failed(f"and then came {octets[:40]!r}")
