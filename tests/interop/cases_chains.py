# SPDX-License-Identifier: BSD-2-Clause
"""Custody (S7): requests with every field that dimectl signs or not, and chains
of signets, each linked to the one before."""
import os

from dime import (LABELS, SSR, USER, OrgKeys, Refused, Signet, SigningKey,
                  UserKeys, armor, encode, require, sign_fields, sign_request)

ADDRESS = b"alice@alpha.test"


def verify_chain(org, links, current):
    """The first link is trusted; each other one, and `current` unless it is the
    last link, carries custody by the one before."""
    require(links, "no signets")
    for signet in links:
        require(signet.magic == USER, "not a user's")
        signet.signed(5, [signet.get(1)])
    if len(links) == 1 or links[-1].below(7) != current.below(7):
        links = [*links, current]
    for before, after in zip(links, links[1:]):
        require(after.get(4) is not None, "no custody signature")
        after.signed(4, [before.get(1)])
    current.verify_user(org)


class Chains:
    def __init__(self, battery):
        self.battery = battery
        self.org = OrgKeys()
        self.org_signet = self.org.signet(b"alpha.test")
        battery.path("org.signet", self.org_signet)
        battery.path("org.key", self.org.file())
        self.users = [UserKeys() for _ in range(20)]
        self.links = [self.sign(user, self.users[i - 1] if i else None)
                      for i, user in enumerate(self.users)]

    def sign(self, user, previous):
        return sign_request(user.request(previous=previous), self.org.signing,
                            ADDRESS)

    def case(self, name, accept, links, current, form=bytes):
        self.battery.path("case.signet", current)
        self.battery.path("case.chain", b"".join(form(x) for x in links))
        self.battery.case(f"chain: {name}", accept, [
            "signet", "verify", "case.signet", "--org", "org.signet",
            "--previous", "case.chain"], mine=lambda: verify_chain(
                Signet(self.org_signet), [Signet(x) for x in links],
                Signet(current)))

    def sign_case(self, name, accept, request, previous=None):
        path = self.battery.path("case.out")
        words = ["signet", "sign", "case.ssr", "--org-key", "org.key",
                 "--org-signet", "org.signet", "--address", "alice@alpha.test",
                 "--out", path]
        self.battery.path("case.ssr", request)
        if previous is not None:
            self.battery.path("case.previous", previous)
            words += ["--previous", "case.previous"]
        self.battery.case(f"signing: {name}", accept, words)
        if not accept:
            return
        made, asked = Signet(self.battery.read("case.out")), Signet(request)
        os.unlink(path)
        try:
            made.verify_user(Signet(self.org_signet),
                             previous and Signet(previous))
            require(made.below(6) == asked.body, "other fields")
            self.battery.verdict(f"signed: {name}", None)
        except Refused as refused:
            self.battery.verdict(f"signed: {name}", str(refused))


def armored(signet):
    return armor(LABELS[USER], signet)


def core(signet):
    return Signet(signet).split("core")


def good_chains(t):
    links = t.links
    for form in (bytes, armored, core):
        for count in (1, 2, 19):
            t.case(f"{count}, {form.__name__}", True, links[:count],
                   links[count], form)
        t.case(f"20 with the last, {form.__name__}", True, links, links[-1],
               form)
    t.case("from the middle", True, links[5:9], links[9])
    t.case("to a core", True, links[:2], core(links[2]))


def bad_chains(t):
    links, last = t.links, t.links[5]
    foreign = UserKeys()
    stranger = t.sign(foreign, None)
    request = t.users[3].request_fields(previous=t.users[2])
    by_another = encode(USER, sign_fields(
        [*request[:-1], (5, SigningKey().sign)], t.org.signing, ADDRESS))
    for name, chain in {
            "empty": [], "missing link": links[:2] + links[3:5],
            "missing last": links[:4],
            "swapped": [*links[:2], links[3], links[2], links[4]],
            "backwards": links[4::-1], "one twice": links[:1] + links[:5],
            "foreign first": [stranger, *links[1:5]],
            "foreign link": [*links[:3], stranger, *links[3:5]],
            "foreign last": [*links[:5], stranger], "another's": [stranger],
            "beyond it": links[:7],
            "no custody": [*links[:3], t.sign(t.users[3], None), links[4]],
            "custody by another": [
                *links[:3], t.sign(t.users[3], foreign), links[4]],
            "signed by another": [*links[:3], by_another, links[4]],
            "first signed by another": [by_another, links[4]],
            "an organization": [*links[:4], t.org_signet],
            "a request": [*links[:4], t.users[4].request(
                previous=t.users[3])]}.items():
        t.case(name, False, chain, last)
    t.case("itself alone", False, links[5:6], last)


def requests(t):
    old, new, other = t.users[0], UserKeys(), UserKeys()
    first = t.links[0]
    alternate = b"\4\1" + b"\2" * 67
    t.sign_case("first", True, new.request())
    t.sign_case("alternate key", True, new.request(alternate=alternate))
    t.sign_case("custody", True, new.request(previous=old), first)
    t.sign_case("custody and alternate key", True, new.request(
        previous=old, alternate=alternate), first)
    t.sign_case("custody, previous core", True, new.request(
        previous=old), core(first))
    t.sign_case("custody, no previous", False, new.request(previous=old))
    t.sign_case("previous, no custody", False, new.request(), first)
    t.sign_case("previous, no custody, alternate key", False, new.request(
        alternate=alternate), first)
    t.sign_case("custody by another", False, new.request(previous=other),
                first)
    fields = new.request_fields(previous=old)
    t.sign_case("custody of fewer fields", False, encode(SSR, [
        *fields[:2], (3, alternate), (4, old.signing.sign(
            Signet(new.request()).below(3))), fields[-1]]), first)
    t.sign_case("signed before custody", False, encode(SSR, [
        *fields[:3], (5, new.signing.sign(Signet(new.request()).below(3)))]),
                first)


def run(battery):
    t = Chains(battery)
    good_chains(t)
    bad_chains(t)
    requests(t)
