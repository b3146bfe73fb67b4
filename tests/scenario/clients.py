#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Conversations that ordinary clients have, octet for octet as they send them:

	clients.py ADDRESS PORT CLIENT NAME WORD

Prints what the server says until it closes. CLIENT is the address to connect from,
NAME one of the conversations below, WORD goes into the mail.
"""
import socket
import sys

PATIENCE = 60
HELLO = "EHLO client.test"
ENVELOPE = ["MAIL FROM:<dave@gamma.test>", "RCPT TO:<bob@beta.test>"]


def letter(word):
    return ("From: Dave <dave@gamma.test>\r\nTo: bob@beta.test\r\n"
            "Date: Thu, 06 Jul 2023 12:00:00 +0200\r\n"
            f"Message-ID: <{word}@gamma.test>\r\nSubject: {word}\r\n\r\n"
            f"Text of {word}.\r\n")


def lines(*commands):
    return "".join(command + "\r\n" for command in commands)


def chunks(word):
    text = letter(word)
    return (f"BDAT 30\r\n{text[:30]}"
            f"BDAT {len(text) - 30}\r\n{text[30:]}BDAT 0 LAST\r\n")


# Each is a list of what is sent; before each piece but the first a reply is read,
# of which the number says how many. None closes the client's direction.
CONVERSATIONS = {
    # One command at a time, in another case, with blanks.
    "patient": lambda word: [
        (1, lines(HELLO)), (1, lines("noop")), (1, lines("NOOP  x y")),
        (1, lines("mail from:<dave@gamma.test> size=500")),
        (1, lines("RCPT TO: <bob@beta.test>")), (1, lines("DATA")),
        (1, letter(word) + ".\r\n"), (1, lines("QUIT"))],
    "pipelined": lambda word: [
        (1, lines(HELLO)), (1, lines(*ENVELOPE, "DATA")),
        (3, letter(word) + ".\r\nQUIT\r\n")],
    # Everything that can be said without hearing, in one packet.
    "chunks": lambda word: [
        (1, lines(HELLO)), (1, lines(*ENVELOPE) + chunks(word) + "QUIT\r\n")],
    # Two letters, with what comes between them.
    "twice": lambda word: [
        (1, lines("HELO client.test")),
        (1, lines("RSET", *ENVELOPE, "DATA")),
        (4, letter(word) + ".\r\n"), (1, lines("RSET", *ENVELOPE, "DATA")),
        (4, letter(word) + ".\r\n"), (1, lines("QUIT"))],
    # It has nothing more to say, and wants to hear everything.
    "half-closed": lambda word: [
        (1, lines(HELLO)), (1, lines(*ENVELOPE) + chunks(word) + "QUIT\r\n"),
        (0, None)],
    # Whatever is wrong.
    "wrong": lambda word: [
        (1, lines("FROB")), (1, lines("")), (1, lines("HELO")),
        (1, lines("MAIL FROM:<dave@gamma.test>")), (1, lines("VRFY bob")),
        (1, lines("EXPN bob")), (1, lines("HELP")), (1, lines("VERB")),
        (1, lines("ETRN beta.test")), (1, lines("AUTH PLAIN")),
        (1, lines(HELLO)), (1, lines("RCPT TO:<bob@beta.test>")),
        (1, lines("DATA")), (1, lines("MAIL FROM:dave@@")),
        (1, lines("MAIL FROM:<dave@gamma.test> FROB=1")),
        (1, lines("RCPT TO:<dave@elsewhere.test>")),
        (1, lines("RCPT TO:<nobody@beta.test>")), (1, lines("DATA")),
        (1, lines("STARTTLS now")), (1, lines("x" * 3000)),
        (1, lines("NOOP \xe4")), (1, lines("QUIT"))],
    # Line ends that some programs send.
    "bare": lambda word: [
        (1, HELLO + "\n"), (1, "NOOP\n"), (1, "RSET\r\r\n"), (1, "QUIT\n")],
    # Gone in the middle of a letter: nothing is delivered.
    "cut": lambda word: [
        (1, lines(HELLO)), (1, lines(*ENVELOPE, "DATA")),
        (3, letter(word)), (0, None)],
}


class Connection:
    def __init__(self, address, port, client):
        self.socket = socket.create_connection((address, port), PATIENCE,
                                               (client, 0))
        self.reader = self.socket.makefile("rb")

    def hear_line(self):
        line = self.reader.readline()
        if line:
            print(line.decode("latin-1"), end="")
        return line

    def hear(self):
        while (line := self.hear_line()) and line[3:4] == b"-":
            pass


def main():
    address, port, client, name, word = sys.argv[1:]
    connection = Connection(address, int(port), client)
    for replies, octets in CONVERSATIONS[name](word):
        for _ in range(replies):
            connection.hear()
        if octets is None:
            connection.socket.shutdown(socket.SHUT_WR)
        else:
            connection.socket.sendall(octets.encode("latin-1"))
    while connection.hear_line():
        pass


main()
