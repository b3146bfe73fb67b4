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


@rule("D1", "LINE BASED PROTOCOL",
      "the server's own lines end with LF, have 512 octets at most, all 01-7F")
def line_own(world):
    with world.session() as session:
        session.expect("HELP", 214, 502)
        session.expect("EHLO <client.invalid>", 250)
    if world.server.violations:
        raise Failed(world.server.violations[0])
