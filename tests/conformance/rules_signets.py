# SPDX-License-Identifier: BSD-2-Clause
"""SGNT, VRFY and HIST. None of them waits for HELO."""
import objects
from objects import CORE, ORG, USER, Signet, dearmor, dearmor_all
from rules import NOBODY, World, rule
from session import Failed

PRINT = f"FINGERPRINT=[{NOBODY}]"


def listed(reply, magic):
    """The one signet of a listing, complete."""
    if not reply.text.startswith("OK"):
        raise Failed(f"the listing ends with {reply.text!r}, not OK")
    signet = Signet(magic, dearmor(magic, reply.listing))
    if signet.last != 255:
        raise Failed(f"its last field is {signet.last}: not a full signet")
    return signet


def ask(world, line, code, magic):
    with world.session() as session:
        return listed(session.expect(line, code), magic)


def org(world):
    return world.once("org", lambda: ask(
        world, f"SGNT FOR=<{world.domain}>", 270, ORG))


def user(world):
    return world.once("user", lambda: ask(
        world, f"SGNT FOR=<{world.address}>", 280, USER))


def refused(world, *lines):
    with world.session() as session:
        for line in lines:
            reply = session.expect(line, 576)
            if not reply.text.startswith("SIGNET UNAVAILABLE"):
                raise Failed(f"{line[:40]!r} was answered {reply}")


# ---- SGNT ----

@rule("D7", "SGNT",
      "SGNT gives the current organizational signet in 270 lines", "domain")
def sgnt_org(world):
    org(world)


@rule("D7", "SGNT", "SGNT with a fingerprint gives the signet that has it",
      "domain")
def sgnt_org_print(world):
    wanted = org(world).fingerprint()
    got = ask(world, f"SGNT FOR=<{world.domain}> FINGERPRINT=[{wanted}]", 270,
              ORG)
    if got.fingerprint() != wanted:
        raise Failed("it gave another")


@rule("D9", "SGNT", "SGNT with a fingerprint that none has is 576", "domain")
def sgnt_org_unknown(world):
    refused(world, f"SGNT FOR=<{world.domain}> {PRINT}")


@rule("D9", "SGNT", "no signets of others: 576")
def sgnt_foreign(world):
    refused(world, f"SGNT FOR=<{World.nowhere()}>",
            f"SGNT FOR=<somebody@{World.nowhere()}>")


@rule("D7", "SGNT", "SGNT gives a user's full signet in 280 lines", "address")
def sgnt_user(world):
    user(world)


@rule("D7", "SGNT", "a user's signet is found by its core fingerprint, and "
      "given in full", "address")
def sgnt_user_core(world):
    wanted = user(world).fingerprint(CORE)
    got = ask(world, f"SGNT FOR=<{world.address}> FINGERPRINT=[{wanted}]", 280,
              USER)
    if got.fingerprint(CORE) != wanted:
        raise Failed("it gave another")


@rule("D7", "SGNT", "a user's signet is found by its full fingerprint",
      "address")
def sgnt_user_full(world):
    wanted = user(world).fingerprint()
    got = ask(world, f"SGNT FOR=<{world.address}> FINGERPRINT=[{wanted}]", 280,
              USER)
    if got.fingerprint() != wanted:
        raise Failed("it gave another")


@rule("D9", "SGNT", "an address that does not exist is 576", "domain")
def sgnt_unknown(world):
    refused(world, f"SGNT FOR=<{world.stranger()}>")


# ---- VRFY ----

@rule("D7", "VRFY", "271 for the current organizational signet", "domain")
def vrfy_org(world):
    wanted = org(world).fingerprint()
    with world.session() as session:
        reply = session.expect(
            f"VRFY FOR=<{world.domain}> FINGERPRINT=[{wanted}]", 271)
    if not reply.text.startswith("ORGANIZATIONAL SIGNET CURRENT"):
        raise Failed(f"the text was {reply.text!r}")


@rule("D7", "VRFY", "the current organizational signet for another fingerprint",
      "domain")
def vrfy_org_stale(world):
    got = ask(world, f"VRFY FOR=<{world.domain}> {PRINT}", 270, ORG)
    if got.fingerprint() != org(world).fingerprint():
        raise Failed("it gave another than SGNT")


@rule("D7", "VRFY", "281 for the core fingerprint of a user's current signet",
      "address")
def vrfy_user(world):
    wanted = user(world).fingerprint(CORE)
    with world.session() as session:
        reply = session.expect(
            f"VRFY FOR=<{world.address}> FINGERPRINT=[{wanted}]", 281)
    if not reply.text.startswith("USER SIGNET CURRENT"):
        raise Failed(f"the text was {reply.text!r}")


@rule("D7", "VRFY", "the user's current signet for another fingerprint",
      "address")
def vrfy_user_stale(world):
    got = ask(world, f"VRFY FOR=<{world.address}> {PRINT}", 280, USER)
    if got.fingerprint() != user(world).fingerprint():
        raise Failed("it gave another than SGNT")


@rule("D8", "VRFY", "a user's full fingerprint is 501", "address")
def vrfy_user_full(world):
    wanted = user(world).fingerprint()
    with world.session() as session:
        session.expect(f"VRFY FOR=<{world.address}> FINGERPRINT=[{wanted}]",
                       501)


@rule("D9", "VRFY", "an address or domain that is not there is 576", "domain")
def vrfy_unknown(world):
    refused(world, f"VRFY FOR=<{world.stranger()}> {PRINT}",
            f"VRFY FOR=<{World.nowhere()}> {PRINT}")


# ---- HIST ----

def history(world, *arguments):
    """The core fingerprints that HIST lists, in its order."""
    line = " ".join([f"HIST FOR=<{world.address}>", *arguments])
    with world.session() as session:
        reply = session.expect(line, 290)
    if not reply.text.startswith("OK"):
        raise Failed(f"the listing ends with {reply.text!r}, not OK")
    signets = [Signet(USER, octets)
               for octets in dearmor_all(USER, reply.listing)]
    for signet in signets:
        objects.require(signet.last <= CORE, "it lists more than cores")
    return [signet.fingerprint(CORE) for signet in signets]


def chain(world):
    return world.once("chain", lambda: history(world))


@rule("D8", "HIST", "HIST lists the cores of the chain, the current one last",
      "address")
def hist(world):
    prints = chain(world)
    if not prints or prints[-1] != user(world).fingerprint(CORE):
        raise Failed("the last is not the current signet")
    if len(set(prints)) != len(prints):
        raise Failed("it lists one twice")


@rule("D8", "HIST", "HIST begins with START, ends with STOP, both included",
      "address")
def hist_part(world):
    prints = chain(world)
    for first in {0, len(prints) // 2, len(prints) - 1}:
        start = f"START=[{prints[first]}]"
        if history(world, start) != prints[first:]:
            raise Failed("not what follows START")
        stop = f"STOP=[{prints[first]}]"
        if history(world, stop) != prints[:first + 1]:
            raise Failed("not what leads to STOP")
        if history(world, start, stop) != prints[first:first + 1]:
            raise Failed("not the one from START to STOP")


@rule("D8", "HIST", "fingerprints outside of the chain are 576", "address")
def hist_outside(world):
    prints = chain(world)
    lines = [f"HIST FOR=<{world.address}> START=[{NOBODY}]",
             f"HIST FOR=<{world.address}> STOP=[{NOBODY}]"]
    if len(prints) > 1:
        lines.append(f"HIST FOR=<{world.address}> START=[{prints[-1]}] "
                     f"STOP=[{prints[0]}]")
    refused(world, *lines)


@rule("D8", "HIST", "HIST of a domain is 501")
def hist_domain(world):
    with world.session() as session:
        session.expect("HIST FOR=<client.invalid>", 501)
        session.still_there()


@rule("D8", "HIST", "HIST of an address that is not there is 576", "domain")
def hist_unknown(world):
    refused(world, f"HIST FOR=<{world.stranger()}>",
            f"HIST FOR=<somebody@{World.nowhere()}>")
