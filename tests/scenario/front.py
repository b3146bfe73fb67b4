#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What ordinary SMTP programs cannot do, said to dmtpd's front:

	front.py ADDRESS PORT elevate HOST DOMAIN
	front.py ADDRESS PORT secured HOST SENDER RECIPIENT <MESSAGE
	front.py ADDRESS PORT early
	front.py ADDRESS PORT patient SENDER RECIPIENT <MESSAGE

Prints the replies and exits 1, with a sentence, when one is another than it
should be. The client's address is 127.0.30.1, as gamma.test's Postfix has it.
"""
import socket
import ssl
import sys

CLIENT = "127.0.30.1"
PATIENCE = 60


class Session:
    def __init__(self, address, port):
        self.socket = socket.create_connection(
            (address, port), PATIENCE, (CLIENT, 0))
        self.reader = self.socket.makefile("rb")

    def hear(self, code):
        """A reply, as a list of its lines without their code."""
        lines = []
        while True:
            line = self.reader.readline()
            print(line.decode().rstrip())
            if not line.startswith(b"%d" % code):
                sys.exit(f"{code} was expected and {line} came")
            lines.append(line[4:].decode().rstrip())
            if line[3:4] != b"-":
                return lines

    def say(self, line, code):
        print(line)
        self.socket.sendall(line.encode() + b"\r\n")
        return self.hear(code)

    def start_tls(self, host, mode):
        self.say(f"STARTTLS <{host}> MODE={mode}", 220)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.socket = context.wrap_socket(self.socket, server_hostname=host)
        self.reader = self.socket.makefile("rb")
        if self.socket.cipher()[0] != "ECDHE-RSA-AES256-GCM-SHA384":
            sys.exit(f"the suite is {self.socket.cipher()}")

    def send(self, sender, recipient):
        self.say(f"MAIL FROM:<{sender}>", 250)
        self.say(f"RCPT TO:<{recipient}>", 250)
        self.say("DATA", 354)
        for line in sys.stdin.buffer:
            line = line.rstrip(b"\n")
            self.socket.sendall(
                (b"." if line.startswith(b".") else b"") + line + b"\r\n")
        self.say(".", 250)


def expect(what, condition):
    if not condition:
        sys.exit(what)


def greet(session):
    expect("the banner has no DMTP", "DMTP" in session.hear(220)[-1].split())
    expect("MODE", session.say("MODE", 250) == ["OK ESMTP"])


def elevate(session, host, domain):
    greet(session)
    expect("EHLO has no DMTP", "DMTP" in session.say("EHLO peer.test", 250))
    session.start_tls(host, "DMTP")
    expect("mode", session.hear(250) == ["OK DMTP"])
    expect("MODE", session.say("MODE", 250) == ["OK DMTP"])
    lines = session.say("EHLO <peer.test>", 250)
    expect("EHLO still has DMTP", not {"DMTP", "STARTTLS"} & set(lines))
    expect("no signet", len(session.say(f"SGNT FOR=<{domain}>", 270)) > 3)
    session.say("QUIT", 221)


def secured(session, host, sender, recipient):
    greet(session)
    session.start_tls(host, "SMTP")
    expect("mode", session.hear(250) == ["OK ESMTP"])
    session.say("SGNT FOR=<beta.test>", 501)
    lines = session.say("EHLO secured.test", 250)
    expect("EHLO still has DMTP", not {"DMTP", "STARTTLS"} & set(lines))
    session.send(sender, recipient)
    session.say("QUIT", 221)


def early(session):
    """What postscreen then does is in its log."""
    session.socket.sendall(b"EHLO early.test\r\nQUIT\r\n")
    while session.reader.readline():
        pass


def patient(session, sender, recipient):
    """postscreen teases with the first line of its greeting."""
    lines = session.hear(220)
    expect("no teaser", len(lines) == 2)
    for line in lines:
        expect(f"no DMTP in: {line}", "DMTP" in line.split())
    session.say("EHLO patient.test", 250)
    session.send(sender, recipient)
    session.say("QUIT", 221)


def main():
    address, port, what, *arguments = sys.argv[1:]
    {"elevate": elevate, "secured": secured, "early": early,
     "patient": patient}[what](Session(address, int(port)), *arguments)


main()
