# SPDX-License-Identifier: BSD-2-Clause
"""What strangers and bad peers do to a DMTP server: one class each, that does
it once. `soak.py` has a thread for each, which calls once() at its pace until
the end. None of them may take down the server, keep honest mail from
it for good, or make it grow; what it answers is counted, and only where an
answer would be wrong is it a complaint."""
import random
import socket
import ssl
import struct
import time

import objects
from session import Failed, Session, Server, client_context

PATIENCE = 40


class Target:
    """The server, and what of its site a peer of it knows."""

    def __init__(self, address, port, origin, origin_fingerprint, destination,
                 user, message):
        self.address, self.port = address, port
        self.origin, self.origin_fingerprint = origin, origin_fingerprint
        self.destination, self.user = destination, user
        self.message = message  # sealed, and delivered before
        self.destination_fingerprint = ""


def source():
    """An address of a stranger."""
    return (f"127.{random.randint(100, 199)}.{random.randint(0, 255)}."
            f"{random.randint(1, 254)}")


class From(Server):
    """The server as seen from a source address."""

    def __init__(self, target, address):
        super().__init__(target.address, target.port, PATIENCE)
        self.source = address

    def connect(self, port=None):
        plain = socket.create_connection(
            (self.host, port or self.port), self.patience, (self.source, 0))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return plain


def reset(sock):
    """Ends a connection by RST."""
    if isinstance(sock, ssl.SSLSocket):
        sock = socket.socket(fileno=sock.detach())
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    sock.close()


def is_closed(plain):
    plain.setblocking(False)
    try:
        return not plain.recv(1)
    except BlockingIOError:
        return False
    except OSError:
        return True


class Abuse:
    pause = 1.0  # seconds between two of them, on the average

    def __init__(self, target, note):
        self.target, self.note = target, note

    def name(self):
        return type(self).__name__

    def session(self, address=None):
        return Session(From(self.target, address or source()))

    def plain(self, address=None):
        return From(self.target, address or source()).connect()

    def until(self, seconds, stopping):
        """Seconds of it, in steps, until the end."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not stopping.wait(1):
            yield

    def transaction(self, session):
        target = self.target
        session.expect("EHLO <stranger.test>", 250)
        session.expect(f"MAIL FROM=<{target.origin}> "
                       f"FINGERPRINT=[{target.origin_fingerprint}]", 250)
        session.expect(f"RCPT TO=<{target.destination}> "
                       f"FINGERPRINT=[{target.destination_fingerprint}]", 250)
        session.expect("DATA", 354)


class SlowHandshake(Abuse):
    """A ClientHello, an octet a second."""

    def once(self, stopping):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        half = client_context().wrap_bio(incoming, outgoing)
        try:
            half.do_handshake()
        except ssl.SSLWantReadError:
            pass
        hello = outgoing.read()
        with_them = [self.plain() for _ in range(20)]
        at = 0
        for _ in self.until(90, stopping):
            for each in with_them:
                try:
                    each.sendall(hello[at:at + 1])
                except OSError:
                    self.note("closed by the server")
            at += 1
        for each in with_them:
            each.close()


class SlowLine(Abuse):
    """Sessions with a line that never ends, an octet a second."""

    def once(self, stopping):
        sessions = [self.session() for _ in range(15)]
        for _ in self.until(120, stopping):
            for each in sessions:
                try:
                    each.send(b"N")
                except Failed:
                    self.note("closed by the server")
        for each in sessions:
            each.socket.close()


class Silent(Abuse):
    """Connections without a handshake."""

    def once(self, stopping):
        silent = [self.plain() for _ in range(100)]
        for _ in self.until(75, stopping):
            pass
        for each in silent:
            each.close()


class Flood(Abuse):
    """More connections than the server takes, from many sources, and then more
    than it takes from one."""

    pause = 30

    def once(self, stopping):
        held = []
        try:
            for number in range(1100):
                held.append(self.plain(
                    f"127.50.{number // 40}.{number % 40 + 1}"))
            for _ in range(80):
                held.append(self.plain("127.51.0.1"))
        except OSError:
            self.note("refused")
        for _ in self.until(8, stopping):
            pass
        for each in held:
            self.note("closed by the server" if is_closed(each) else "held")
            each.close()


class Garbage(Abuse):
    """What is no message."""

    pause = 0.7

    def once(self, stopping):
        with self.session() as session:
            self.transaction(session)
            session.send(random.randbytes(random.randint(1, 20000))
                         .replace(b"\n", b"") + b"\n.\n")
            reply = session.hear()
            self.note(reply.code)
            if reply.code not in (451, 552):
                raise Failed(f"garbage was answered {reply}")
            session.still_there()


class Aborted(Abuse):
    """Megabytes of a message, and then a reset."""

    pause = 4

    def once(self, stopping):
        session = self.session()
        self.transaction(session)
        line = b"A" * 64 + b"\n"
        session.say("-----BEGIN ENCRYPTED MESSAGE-----")
        for _ in range(random.randint(1, 12)):
            session.send(line * 16000)
        reset(session.socket)
        self.note("reset")


class BadSignature(Abuse):
    pause = 0.7

    def once(self, stopping):
        with self.session() as session:
            self.transaction(session)
            session.send(objects.armored(
                objects.badly_signed(self.target.message)).encode() + b".\n")
            reply = session.hear()
            self.note(reply.code)
            if reply.code != 578:
                raise Failed(f"a bad signature was answered {reply}")


class Replay(Abuse):
    """A message that was delivered before."""

    pause = 0.7

    def once(self, stopping):
        with self.session() as session:
            self.transaction(session)
            session.send(objects.armored(self.target.message).encode() +
                         b".\n")
            reply = session.hear()
            self.note(reply.code)
            if reply.code not in (255, 450):
                raise Failed(f"a replayed message was answered {reply}")


class Invented(Abuse):
    """Origins that there are not, several in a session."""

    pause = 0.3

    def once(self, stopping):
        with self.session() as session:
            session.expect("EHLO <stranger.test>", 250)
            for _ in range(5):
                name = f"invented{random.randrange(10 ** 9)}.test"
                fingerprint = objects.base64_bare(random.randbytes(64))
                reply = session.ask(
                    f"MAIL FROM=<{name}> FINGERPRINT=[{fingerprint}]")
                self.note(reply.code)
                if reply.code not in (450, 470, 575):
                    raise Failed(f"an invented origin was answered {reply}")


class Questions(Abuse):
    """Signets, from one source that asks for more than it may."""

    pause = 5

    def once(self, stopping):
        target = self.target
        fingerprint = objects.base64_bare(random.randbytes(64))
        with self.session("127.52.0.1") as session:
            for number in range(200):
                reply = session.ask(random.choice([
                    f"SGNT FOR=<{target.user}>",
                    f"SGNT FOR=<{target.destination}>",
                    f"SGNT FOR=<nobody{number}@{target.destination}>",
                    f"VRFY FOR=<{target.user}> FINGERPRINT=[{fingerprint}]",
                ]))
                self.note(reply.code)
                if stopping.is_set():
                    break


class Reset(Abuse):
    """A reset in the middle of whatever it is."""

    pause = 0.4

    def once(self, stopping):
        step = random.randrange(4)
        if step == 0:
            return reset(self.plain())
        session = self.session()
        if step >= 2:
            self.transaction(session)
        if step == 3:
            session.send(b"-----BEGIN ENCRYPTED MESSAGE-----\nAAAA\n")
        reset(session.socket)
        return self.note(f"at {step}")


class Nonsense(Abuse):
    """Lines that are no commands."""

    def once(self, stopping):
        with self.session() as session:
            for _ in range(20):
                session.send(random.randbytes(random.randint(1, 700))
                             .replace(b"\n", b"") + b"\n")
                self.note(session.hear().code)


ALL = (SlowHandshake, SlowLine, Silent, Flood, Garbage, Aborted, BadSignature,
       Replay, Invented, Questions, Reset, Nonsense)
