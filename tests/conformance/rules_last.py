# SPDX-License-Identifier: BSD-2-Clause
"""What is known only when all else has been said."""
import select
import time

from rules import rule
from rules_mail import Transaction
from session import Failed


def stays_silent(sockets, seconds):
    """Nothing comes from any of the sockets, no end either."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        ready, _, _ = select.select(sockets, [], [], left)
        if ready:
            raise Failed(f"after {seconds - left:.0f} seconds it was ended")


@rule("D10", "TIMEOUTS", "sessions may be silent for a while", "idle")
def idle(world):
    with world.session() as plain:
        sessions = [plain]
        if world.has("origin"):
            transaction = Transaction(world)
            transaction.mail()
            sessions.append(transaction.session)
        stays_silent([each.socket for each in sessions], world.idle)
        for each in sessions:
            each.still_there()
            each.socket.close()


@rule("D10", "TIMEOUTS", "a message may stop for a while, and go on", "idle",
      "origin")
def idle_data(world):
    with Transaction(world) as transaction:
        transaction.mail()
        transaction.rcpt()
        transaction.session.expect("DATA", 354)
        transaction.session.send(b"no mess")
        stays_silent([transaction.session.socket], world.idle)
        transaction.session.send(b"age\n.\n")
        if (reply := transaction.session.hear()).code != 451:
            raise Failed(f"the reply was {reply}")
        transaction.over()


@rule("D10", "TERMINATION", "a session that the server ends is told so with "
      "421, then TLS is shut down", "end")
def end_told(world):
    with world.session() as session:
        reply = session.hear(world.end)
        if reply.code != 421:
            raise Failed(f"it said {reply}")
        session.hear_end()


@rule("D2", "COMMANDS AND REPLIES", "each code has the text that Part 7 gives it")
def reply_texts(world):
    with world.session() as session:
        session.expect("FROB", 500)
        session.expect("SGNT", 501)
        session.expect("DATA", 503)
    if world.server.odd_texts:
        raise Failed(world.server.odd_texts[0])


@rule("D1", "LINE BASED PROTOCOL",
      "the server's own lines end with LF, have 512 octets at most, all 01-7F")
def line_own(world):
    with world.session() as session:
        session.expect("HELP", 214, 502)
        session.expect("EHLO <client.invalid>", 250)
    if world.server.violations:
        raise Failed(world.server.violations[0])
