#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A DMTP peer that chooses the node which it speaks to:

	nodes.py ADDRESS SOURCE send ORIGIN FINGERPRINT DOMAIN FINGERPRINT <ARMOR
	nodes.py ADDRESS SOURCE mail ORIGIN FINGERPRINT TIMES

`send` prints the last reply to a whole transaction. `mail` says MAIL so often, and
prints how often it was accepted before a 450.
"""
import socket
import sys

sys.path.insert(0, sys.path[0] + "/../conformance")
from session import Failed, Server  # noqa: E402

PORT, PATIENCE = 26, 60


class Peer(Server):
    """A server that is spoken to from an address of our choice."""

    def __init__(self, host, source):
        super().__init__(host, PORT, PATIENCE)
        self.source = source

    def connect(self, port=None):
        return socket.create_connection(
            (self.host, self.port), self.patience, (self.source, 0))


def ask(session, line, *codes):
    session.say(line)
    reply = session.hear()
    if reply.code not in codes:
        raise Failed(f"{line}: {reply}")
    return reply


def say_mail(session, origin, fingerprint, *codes):
    return ask(session, f"MAIL FROM=<{origin}> FINGERPRINT=[{fingerprint}]",
               *codes)


def send(session, origin, fingerprint, domain, destination):
    say_mail(session, origin, fingerprint, 250)
    ask(session, f"RCPT TO=<{domain}> FINGERPRINT=[{destination}]", 250)
    ask(session, "DATA", 354)
    session.send(sys.stdin.buffer.read())
    return ask(session, ".", *range(200, 600))


def mail(session, origin, fingerprint, times):
    count, code = 0, 250
    while code == 250 and count < int(times):
        code = say_mail(session, origin, fingerprint, 250, 450).code
        count += code == 250
    return count


def main(host, source, verb, *rest):
    with Peer(host, source).session() as session:
        ask(session, "EHLO <peer.test>", 250)
        print({"send": send, "mail": mail}[verb](session, *rest))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Failed as failure:
        sys.exit(str(failure))
