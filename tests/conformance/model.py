# SPDX-License-Identifier: BSD-2-Clause
"""A DMTP server that keeps every rule, and breaks those that it is told to:
what the tester is tested with. It has one domain, one user with a chain of
three signets, and knows one origin. Its signets have random keys, and an
"organizational signature" is the SHA-512 of what stands before it."""
import hashlib
import os
import re
import socket
import ssl
import struct
import threading

from objects import (CORE, MESSAGE, ORG, SIGNATURE_CHUNK, USER, WHOLE, Signet,
                     armor, dearmor, identifier)
from session import LINE_LIMIT, SUITE, Failed

DOMAIN, ADDRESS, ORIGIN = "model.test", "ann@model.test", "origin.test"
ORIGIN_PRINT = "B" * 85 + "A"
SIZE = 60000
SILENCE = 2  # seconds
VERBS = ["DATA", "EHLO", "HELO", "HELP", "HIST", "MAIL", "MODE", "NOOP",
         "QUIT", "RCPT", "RSET", "SGNT", "STARTTLS", "VERB", "VRFY"]
TEXTS = {214: "HELP", 250: "OK", 270: "OK", 280: "OK", 290: "OK",
         271: "ORGANIZATIONAL SIGNET CURRENT", 281: "USER SIGNET CURRENT",
         354: "READY TO RECEIVE MESSAGE", 431: "DESTINATION LIMITS EXCEEDED",
         451: "DATA CORRUPTED", 470: "ORIGIN SIGNET UNAVAILABLE",
         500: "COMMAND SYNTAX ERROR", 501: "ARGUMENT SYNTAX ERROR",
         502: "COMMAND DISABLED", 503: "INVALID COMMAND SEQUENCE",
         510: "INVALID RECIPIENT", 552: "MESSAGE TOO LARGE",
         575: "INVALID ORIGIN SIGNET", 576: "SIGNET UNAVAILABLE",
         578: "INVALID ORIGIN SIGNATURE", 586: "INVALID RECIPIENT SIGNET"}
HOST = r"<(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*|\[[0-9a-f.:]+\])>"
NAME = r"<((?:[a-z0-9+-]+@)?[a-z0-9-]+(?:\.[a-z0-9-]+)+)>"
PRINT = r"\[([A-Za-z0-9+/]{85}[AQgw])\]"
GRAMMAR = {
    "EHLO": f" {HOST}", "HELO": f" {HOST}", "NOOP": ".*", "VERB": ".*",
    "STARTTLS": ".*", "MAIL":
    rf" FROM=<([a-z0-9-]+(?:\.[a-z0-9-]+)+)> FINGERPRINT={PRINT}"
    r"(?: SIZE=(\d+))?", "RCPT":
    rf" TO=<([a-z0-9-]+(?:\.[a-z0-9-]+)+)> FINGERPRINT={PRINT}",
    "SGNT": f" FOR={NAME}(?: FINGERPRINT={PRINT})?",
    "VRFY": f" FOR={NAME} FINGERPRINT={PRINT}",
    "HIST": rf" FOR=<([a-z0-9-]+@[^ ]+)>(?: START={PRINT})?"
            rf"(?: STOP={PRINT})?"}


# ---- what it has ----

def make_signet(magic):
    fields = [(1, os.urandom(32)), (2, os.urandom(33))]
    if magic == ORG:
        fields = [(1, os.urandom(32)), (3, os.urandom(33))]
    else:
        fields += [(5, os.urandom(64)), (6, os.urandom(64))]
    body = b"".join(bytes([kind]) + value for kind, value in fields)
    name = (DOMAIN if magic == ORG else ADDRESS).encode()
    body += (b"\x10\x05Model" + bytes([253]) + os.urandom(64) + b"\xfe" +
             len(name).to_bytes(2, "big") + name + bytes([255]) +
             os.urandom(64))
    return (magic.to_bytes(2, "big") + len(body).to_bytes(3, "big") + body)


def make_core(octets):
    body = b"".join(whole for kind, whole in Signet(USER, octets).fields
                    if kind <= CORE)
    return USER.to_bytes(2, "big") + len(body).to_bytes(3, "big") + body


def make_message(text):
    body = b"\x02" + (33).to_bytes(3, "big") + b"\2" * 33 + text
    size = (len(body) + SIGNATURE_CHUNK).to_bytes(4, "big")
    octets = MESSAGE.to_bytes(2, "big") + size + body
    return (octets + b"\xff\0\0\x40" + hashlib.sha512(octets).digest() +
            bytes(256))


def is_message(octets):
    return (octets[:2] == MESSAGE.to_bytes(2, "big") and
            int.from_bytes(octets[2:6], "big") == len(octets) - 6)


def is_signed(octets):
    cut = len(octets) - SIGNATURE_CHUNK
    return (cut > 6 and octets[cut:cut + 4] == b"\xff\0\0\x40" and
            octets[cut + 4:cut + 68] == hashlib.sha512(octets[:cut]).digest())


class Model:
    """`certificates` maps SNI names to (certificate, key) files; "" is the
    default."""

    def __init__(self, certificates, faults=()):
        self.faults, self.delivered = set(faults), set()
        self.org = make_signet(ORG)
        self.users = [make_signet(USER) for _ in range(3)]
        self.contexts = {name: self.context(*files)
                         for name, files in certificates.items()}
        self.contexts[""].sni_callback = self.choose
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def breaks(self, fault):
        return fault in self.faults

    def context(self, certificate, key):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = context.maximum_version = (
            ssl.TLSVersion.TLSv1_2)
        suite = SUITE
        if self.breaks("other suite"):
            suite += ":ECDHE-RSA-AES128-GCM-SHA256"
        if self.breaks("wrong suite"):
            suite = "ECDHE-RSA-AES128-GCM-SHA256"
        if self.breaks("other version"):
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_3
        context.set_ciphers(suite + ":@SECLEVEL=0")
        context.options |= ssl.OP_NO_RENEGOTIATION
        if not self.breaks("ticket"):
            context.options |= ssl.OP_NO_TICKET
        context.load_cert_chain(certificate, key)
        return context

    def choose(self, tls, name, _):
        if self.breaks("no names"):
            return ssl.ALERT_DESCRIPTION_INTERNAL_ERROR
        if self.breaks("strict names") and name not in self.contexts:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        if name in self.contexts and not self.breaks("one certificate"):
            tls.context = self.contexts[name]
        return None

    def accept(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(plain,),
                             daemon=True).start()

    def serve(self, plain):
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.breaks("clear") and self.serve_clear(plain):
                return
            with self.contexts[""].wrap_socket(
                    plain, server_side=True) as tls:
                tls.settimeout(SILENCE)
                Conversation(self, tls).run()
        except (OSError, ValueError):
            pass
        finally:
            plain.close()

    @staticmethod
    def serve_clear(plain):
        """True when the client does not begin with a TLS handshake."""
        if plain.recv(1, socket.MSG_PEEK) == b"\x16":
            return False
        plain.sendall(b"220 <model.test> DMTP\n")
        while plain.recv(65536):
            pass
        return True

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Conversation:
    def __init__(self, model, tls):
        self.model, self.tls, self.breaks = model, tls, model.breaks
        self.state, self.errors, self.waiting = "start", 0, b""
        self.origin = None

    # ---- lines ----

    def say(self, code, *texts, last=None):
        if self.breaks("other texts") and code == 503:
            last = "NOT NOW"
        texts = [*texts, TEXTS[code] if last is None else last]
        end = "\r\n" if self.breaks("CR LF") else "\n"
        self.tls.sendall("".join(
            f"{code}{'-' if i + 1 < len(texts) else ' '}{text}{end}"
            for i, text in enumerate(texts)).encode())

    def read_line(self):
        while b"\n" not in self.waiting:
            try:
                octets = self.tls.recv(65536)
            except TimeoutError:
                self.leave()
            if not octets:
                raise OSError
            if self.breaks("packets") and b"\n" not in octets:
                octets += b"\n"
            self.waiting += octets
        line, self.waiting = self.waiting.split(b"\n", 1)
        return line

    def error_in(self, line):
        if len(line) + 1 > LINE_LIMIT and not self.breaks("long lines"):
            return True
        if line.endswith(b"\r") and not self.breaks("no CR LF"):
            line = line[:-1]
        return (b"\r" in line and not self.breaks("stray CR") or
                bool(re.search(rb"[\0\x80-\xff]", line)) and
                not self.breaks("8-bit") or
                b"\x07" in line and self.breaks("no controls") or
                len(line) > 500 and self.breaks("short lines"))

    def run(self, greeting="220 <model.test> DMTP"):
        if self.breaks("SMTP greeting"):
            greeting = "220 model.test ESMTP"
        self.say(int(greeting[:3]), last=greeting[4:])
        if self.breaks("impatient"):
            return
        while True:
            line = self.read_line()
            if self.error_in(line):
                self.fail(500)
            elif self.command(line.rstrip(b"\r").decode("latin-1")):
                return self.goodbye()

    def goodbye(self):
        self.say(221, last="SEE YOU" if self.breaks("QUIT text") else "BYE")
        if self.breaks("goes on"):
            self.say(250)
        if self.breaks("resets"):
            self.tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                struct.pack("ii", 1, 0))
        elif not self.breaks("cuts"):
            self.end_cleanly()

    def leave(self):
        if not self.breaks("leaves silently"):
            self.say(421, last="CLOSING CONNECTION")
            self.end_cleanly()
        raise OSError

    def end_cleanly(self):
        """Says goodbye in TLS, then takes what still comes, so that nothing
        that was said is lost."""
        self.tls.settimeout(None)
        try:
            self.tls.unwrap()
        except OSError:
            pass  # the client had more to say
        while os.read(self.tls.fileno(), 65536):
            pass

    def fail(self, code):
        self.errors += 1
        if self.breaks("loses patience") and self.errors > 20:
            raise OSError
        self.say(code)

    # ---- commands ----

    def command(self, line):
        """True when it was QUIT."""
        verb, arguments = re.fullmatch(r"([^ ]*)(.*)", line).groups()
        known = verb if self.breaks("case") else verb.upper()
        if self.breaks("tabs"):
            known = known.split("\t")[0]
        if known not in VERBS:
            self.fail(500)
            return False
        if self.is_early(known) and not (
                self.breaks("arguments first") and not arguments):
            self.fail(431 if known == "RCPT" and self.state == "rcpt" else 503)
            return False
        if known == "MAIL" and not self.breaks("MAIL keeps"):
            self.drop()
        pattern = GRAMMAR.get(known, "")
        if known in ("HELO", "EHLO"):
            pattern = self.host_pattern(pattern)
        if known == "RCPT" and self.breaks("mailboxes"):
            pattern = f" TO={NAME} FINGERPRINT={PRINT}"
        if known in ("SGNT", "VRFY", "HIST") and not arguments and (
                self.breaks("no arguments")):
            self.say(576)
            return False
        if known == "HIST" and self.breaks("HIST of domains"):
            pattern = f" FOR={NAME}()()"
        given = arguments if known == "NOOP" else self.lenient(arguments)
        match = re.fullmatch(pattern, given, re.I)
        if not match and not (self.breaks("any argument") and
                              not pattern and known != "DATA"):
            self.fail(501)
            return False
        getattr(self, known.lower())(*(match.groups() if match else ()))
        return known == "QUIT"

    def host_pattern(self, pattern):
        if self.breaks("no literals"):
            return " <[a-z.]+>"
        if self.breaks("short names"):
            return " <[a-z0-9.:\\[\\]@-]+>"
        return f"(?:{pattern})?" if self.breaks("empty HELO") else pattern

    def is_early(self, verb):
        if verb == "MAIL":
            return self.state == "start" and not self.breaks("no HELO")
        wanted = {"RCPT": ("mail",), "DATA": ("rcpt",)}.get(verb)
        if verb == "RCPT" and self.breaks("many RCPT"):
            wanted = ("mail", "rcpt")
        if verb == "DATA" and self.breaks("early DATA"):
            wanted = ("mail", "rcpt")
        return wanted is not None and self.state not in wanted

    def lenient(self, text):
        if self.breaks("bare names"):
            text = re.sub(r"=([^<[ ]+)$", r"=<\1>", text)
            text = re.sub(r"^ ([a-z.]+)$", r" <\1>", text)
        if self.breaks("spaces"):
            text = " " + re.sub(" += +", "=", " ".join(text.split()))
            text = text.rstrip()
        if self.breaks("any fingerprint"):
            text = re.sub(r"\[[^]]*\]", f"[{ORIGIN_PRINT}]", text)
        if self.breaks("any order"):
            words = sorted(set(text.split()), key=lambda word: (
                not word.startswith(("FOR", "FROM", "TO")), word))
            text = "".join(" " + word for word in words
                           if not word.startswith("COLOUR"))
        return text

    def drop(self):
        self.state = "start" if self.state == "start" else "helo"

    def helo(self):
        self.state = "helo" if self.state == "start" else self.state
        self.say(250, last="pleased" if self.breaks("HELO text") else None)

    def ehlo(self):
        if self.breaks("EHLO forgets"):
            self.drop()
        extra = ["STARTTLS"] if self.breaks("dual") else []
        extra += ["size?"] if self.breaks("odd keyword") else []
        self.state = "helo" if self.state == "start" else self.state
        self.say(250, *extra, "PIPELINING", f"SIZE {SIZE}")

    def mode(self):
        self.say(250, last="OK ESMTP" if self.breaks("mode") else "OK DMTP")

    def rset(self):
        if self.breaks("RSET all"):
            self.state = "start"
        if not self.breaks("RSET nothing"):
            self.drop()
        self.say(503 if self.breaks("RSET refused") else 250)

    def noop(self):
        if self.breaks("NOOP drops"):
            self.drop()
        self.say(501 if self.breaks("NOOP refused") else 250)

    def help(self):
        verbs = [verb for verb in VERBS if verb not in ("STARTTLS", "VERB")]
        if self.breaks("HELP order"):
            verbs.reverse()
        while self.breaks("endless line"):
            self.tls.sendall(b"x" * (1 << 20))
        while self.breaks("endless reply"):
            self.tls.sendall((b"214-" + b"x" * 500 + b"\n") * 1000)
        self.say(214, *verbs[:-1], last=verbs[-1])

    def quit(self):
        pass

    def verb(self):
        self.say(250 if self.breaks("VERB") else 502)

    def starttls(self):
        self.say(250 if self.breaks("STARTTLS") else 502)

    # ---- signets ----

    def listing(self, code, magic, *signets):
        text = "".join(armor(magic, octets) for octets in signets)
        if self.breaks("damaged armor"):
            text = text.replace("A", "B", 40)
        if self.breaks("END is last"):
            lines = text.strip().split("\n")
            self.say(code, *lines[:-1], last=lines[-1])
        else:
            self.say(code, *text.strip().split("\n"))

    def find(self, name, fingerprint):
        """The signet that is meant, or None."""
        magic = USER if "@" in name else ORG
        has = {DOMAIN: [self.model.org], ADDRESS: self.model.users}
        signets = has.get(name.lower(), [])
        if self.breaks("serves all") and not signets:
            signets = has[ADDRESS if magic == USER else DOMAIN]
        lasts = [WHOLE] if magic == ORG else [CORE, WHOLE]
        if self.breaks("print not found") and magic == ORG:
            lasts = [CORE]
        if self.breaks("no core"):
            lasts = [WHOLE]
        if self.breaks("no full"):
            lasts = [CORE] if magic == USER else [WHOLE]
        if fingerprint is None or self.breaks("ignores fingerprints"):
            return signets[-1] if signets else None
        return next((octets for octets in signets if fingerprint in [
            Signet(magic, octets).fingerprint(last) for last in lasts]), None)

    def sgnt(self, name, fingerprint):
        signet = self.find(name, fingerprint)
        if signet is None:
            return self.say(576, last="NO" if self.breaks("576 text")
                            else None)
        if "@" not in name:
            return self.listing(270, ORG, signet)
        if self.breaks("only cores"):
            signet = make_core(signet)
        return self.listing(280, USER, signet)

    def vrfy(self, name, fingerprint):
        current = self.find(name, None)
        if current is None:
            return self.say(576)
        magic = USER if "@" in name else ORG
        signet = Signet(magic, current)
        last = CORE if magic == USER else WHOLE
        if magic == USER and fingerprint == signet.fingerprint() and (
                not self.breaks("VRFY full")):
            return self.say(501)
        if (fingerprint == signet.fingerprint(last) and
                not self.breaks("never current") or
                self.breaks("always current")):
            return self.say(281 if magic == USER else 271,
                            last="YES" if self.breaks("VRFY text") else None)
        return self.listing(280 if magic == USER else 270, magic, current)

    def hist(self, name, start, stop):
        if name.lower() != ADDRESS:
            return self.say(290 if self.breaks("empty history") else 576)
        cores = [make_core(octets) for octets in self.model.users]
        prints = [Signet(USER, core).fingerprint(CORE) for core in cores]
        if self.breaks("no arguments of HIST"):
            start = stop = None
        outside = ({start, stop} - {None}) - set(prints)
        first = prints.index(start) if start in prints else 0
        last = prints.index(stop) if stop in prints else len(prints) - 1
        if (outside or first > last) and not self.breaks("HIST guesses"):
            return self.say(576)
        if self.breaks("exclusive"):
            first += 1
        if self.breaks("newest first"):
            cores.reverse()
        if self.breaks("full history"):
            cores = self.model.users
        if last < first:
            return self.say(290)
        return self.listing(290, USER, *cores[first:last + 1])

    # ---- messages ----

    def mail(self, domain, fingerprint, size):
        if size and int(size) > SIZE and not self.breaks("no SIZE"):
            return self.say(552)
        known = domain.lower() == ORIGIN and (
            fingerprint == ORIGIN_PRINT or self.breaks("any origin print"))
        if not known and not self.breaks("any origin"):
            return self.say(575)
        if self.breaks("no origin"):
            return self.say(470)
        self.state = "mail"
        return self.say(250)

    def rcpt(self, domain, fingerprint):
        if domain.lower() != DOMAIN:
            if self.breaks("510 drops"):
                self.drop()
            return self.say(510)
        if fingerprint != Signet(ORG, self.model.org).fingerprint() and (
                not self.breaks("any RCPT print")):
            if not self.breaks("576 keeps"):
                self.drop()
            return self.say(576, last="INVALID DESTINATION SIGNET")
        if self.breaks("no RCPT"):
            return self.say(510)
        self.state = "rcpt"
        return self.say(250)

    def read_message(self):
        octets = b""
        if self.breaks("hurried"):
            self.tls.settimeout(0.1)
        while True:
            line = self.read_line()
            if line == b"." or line == b".\r" and (
                    not self.breaks("only LF")):
                return octets
            octets += line + b"\n"

    def data(self):
        self.say(354)
        if not self.breaks("DATA keeps"):
            self.drop()
        text = self.read_message()
        if len(text) > SIZE and not self.breaks("any size"):
            return self.say(552)
        try:
            if self.breaks("five dashes") and text[:5] != b"-----":
                return self.say(451)
            octets = dearmor(MESSAGE, text.decode("latin-1"))
        except Failed:
            return self.say(250 if self.breaks("takes all") else 451)
        if not is_message(octets):
            return self.say(451)
        return self.judge(octets)

    def judge(self, octets):
        has_one = octets[-SIGNATURE_CHUNK:][:1] == b"\xff"
        if not is_signed(octets) and not (
                self.breaks("no signature needed") and not has_one or
                self.breaks("any signature") and has_one):
            return self.say(578)
        if b"stale" in octets and not self.breaks("stale"):
            return self.say(586)
        code, word = 254, "ACCEPTED"
        if octets in self.model.delivered:
            code, word = 255, "DUPLICATE"
        self.model.delivered.add(octets)
        print_ = identifier(octets)
        if self.breaks("254 alone") and code == 254 or (
                self.breaks("255 alone") and code == 255):
            print_ = print_[:-1]
        return self.say(code, last=f"{word}={print_}")
