#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A name server of unsigned zones that behaves badly, each in its own way.

usage: odd_server.py PORTFILE

Listens on a free UDP port of the loopback address, and writes its number. There
is no TCP. All names are empty (no data).

  slow.test    answers after a while
  cut.test     answers that the answer does not fit, try TCP
  silent.test  does not answer
  garbage.test answers with what is no DNS message
  refused.test, servfail.test   say so
"""
import os
import socket
import struct
import sys
import threading

SLOW = 0.8  # seconds
QR_AA, TC, SERVFAIL, REFUSED = 0x8400, 0x0200, 2, 5


def name(labels):
    return b"".join(bytes([len(x)]) + x for x in labels) + b"\0"


def read_question(query):
    """The labels, and the octets of the question."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].lower())
        at += 1 + query[at]
    return labels, query[12:at + 5]


def answer(query, flags):
    labels, question = read_question(query)
    zone = name(labels[-2:])
    soa = zone + name([b"root"]) + struct.pack(">5I", 1, 3600, 600, 86400, 60)
    authority = b"" if flags else zone + struct.pack(
        ">HHIH", 6, 1, 60, len(soa)) + soa
    return query[:2] + struct.pack(
        ">5H", QR_AA | flags, 1, 0, 1 if authority else 0,
        0) + question + authority


def serve(server):
    while True:
        query, sender = server.recvfrom(4096)
        zone = read_question(query)[0][-2]
        if zone == b"slow":
            threading.Timer(SLOW, server.sendto,
                            (answer(query, 0), sender)).start()
        elif zone == b"cut":
            server.sendto(answer(query, TC), sender)
        elif zone == b"refused":
            server.sendto(answer(query, REFUSED), sender)
        elif zone == b"servfail":
            server.sendto(answer(query, SERVFAIL), sender)
        elif zone == b"garbage":
            server.sendto(b"garbage", sender)


def main():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    with open(sys.argv[1] + ".new", "w") as file:
        file.write("%d\n" % server.getsockname()[1])
    os.rename(sys.argv[1] + ".new", sys.argv[1])
    serve(server)


main()
