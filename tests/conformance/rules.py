# SPDX-License-Identifier: BSD-2-Clause
"""The list of rules, and what they may use."""
import importlib
import os

from session import Failed, Server, Skipped

RULES = []
NEEDS = {
    "domain": "--domain, a domain that the server serves",
    "address": "--address, a user of it who has a signet",
    "origin": "--origin and --domain, for a transaction",
    "message": "--message, a message that may be delivered",
    "names": "--name, a host name that a certificate is for",
    "dual": "--dual, a port in dual-protocol mode",
    "idle": "--idle, seconds that a session may be silent",
    "end": "--end, seconds after which a silent session has ended",
}
NOBODY = "A" * 85 + "w"  # a fingerprint that nothing has


class Rule:
    def __init__(self, name, number, section, says, needs, check):
        self.name, self.number, self.section = name, number, section
        self.says, self.needs, self.check = says, needs, check


def rule(number, section, says, *needs):
    """Registers the function as a rule: the number of its reading (doc/dmtp.md
    calls them D1 to D14), the section of Part 7, and what it says."""
    def register(check):
        RULES.append(Rule(check.__name__.replace("_", "-"), number, section,
                          says, needs, check))
        return check
    return register


def load():
    """Fills RULES, in the order of the report."""
    for name in ("tls", "dual", "lines", "signets", "mail", "last"):
        importlib.import_module(f"rules_{name}")


class World:
    """What a rule gets: the server and what is known about it."""

    def __init__(self, options):
        self.server = Server(options.host, options.port, options.patience,
                             (options.name or [options.host])[0])
        self.domain, self.address = options.domain, options.address
        self.names, self.idle = options.name, options.idle
        self.dual, self.end = options.dual, options.end
        self.origin = options.origin and options.origin.split("=", 1)
        self.message, self.answers = options.message, options.answer
        self.known = {}
        if self.address and not self.domain:
            self.domain = self.address.split("@")[1]

    def has(self, need):
        if need == "origin":
            return bool(self.origin and self.domain)
        return bool(getattr(self, need))

    def session(self):
        return self.server.session()

    def once(self, key, make):
        """What several rules ask for is asked once."""
        if key not in self.known:
            self.known[key] = make()
        return self.known[key]

    def stranger(self):
        """An address of the domain that nobody has."""
        return f"nobody-{os.urandom(6).hex()}@{self.domain}"

    @staticmethod
    def nowhere():
        """A domain that cannot exist (RFC 2606)."""
        return f"d{os.urandom(6).hex()}.invalid"


def run(options, out=print):
    """Tries the rules; returns how many passed, failed and were skipped."""
    world = World(options)
    counts = {"PASS": 0, "FAIL": 0, "SKIP": 0}
    for each in RULES:
        if options.only and each.name not in options.only:
            continue
        missing = [need for need in each.needs if not world.has(need)]
        verdict, why = "PASS", ""
        try:
            if missing:
                raise Skipped("needs " + NEEDS[missing[0]])
            each.check(world)
        except Failed as failed:
            verdict, why = "FAIL", str(failed)
        except Skipped as skipped:
            verdict, why = "SKIP", str(skipped)
        except OSError as error:
            verdict, why = "FAIL", f"the connection broke: {error}"
        counts[verdict] += 1
        out(f"{verdict} {each.number:3} {each.name}: {each.says} "
            f"[{each.section}]" + (f": {why}" if why else ""))
    out(f"{counts['PASS']} passed, {counts['FAIL']} failed, "
        f"{counts['SKIP']} skipped")
    return counts
