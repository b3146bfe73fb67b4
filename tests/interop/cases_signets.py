# SPDX-License-Identifier: BSD-2-Clause
"""Signets and key files: each side reads what the other makes; what S1 - S16
accept and refuse, signed anew by those who have the keys."""
import json
import os

from bad_keys import bad_encryption_keys, bad_signing_keys
from dime import (L, LABELS, ORDER, ORG, ORG_KEYS, SSR, USER, OrgKeys, Signet,
                  SigningKey, UserKeys, armor, container, encode, field,
                  length_octets, number, sign_fields, sign_request)


class Signets:
    def __init__(self, battery):
        self.battery = battery
        self.org, self.user, self.old = OrgKeys(), UserKeys(), UserKeys()
        self.soks = {p: SigningKey() for p in (1, 2, 4, 8, 9, 17)}
        self.org.soks = list(self.soks.items())
        self.org_signet = self.org.signet(b"alpha.test")
        battery.path("org.signet", self.org_signet)
        self.old_signet = sign_request(
            self.old.request(), self.org.signing, b"alice@alpha.test")
        battery.path("old.signet", self.old_signet)

    def org_case(self, name, accept, data):
        self.battery.path("case.signet", data)
        self.battery.case(f"organization: {name}", accept,
                          ["signet", "verify", "case.signet"],
                          mine=lambda: Signet(data).verify_org())

    def user_case(self, name, accept, data, previous=False):
        self.battery.path("case.signet", data)
        org = Signet(self.org_signet)
        old = Signet(self.old_signet) if previous else None
        words = ["signet", "verify", "case.signet"]
        words += ["--previous", "old.signet"] if previous else []
        if data[:2] != number(SSR, 2):
            words += ["--org", "org.signet"]
        self.battery.case(f"user: {name}", accept, words,
                          mine=lambda: Signet(data).verify_user(org, old))

    def user_fields(self, extra=(), address=b"alice@alpha.test", key=None,
                    **request):
        return sign_fields(self.user.request_fields(**request),
                           key or self.org.signing, address, extra)


def encode_odd(magic, fields):
    """As encode(), with octets of the test's own between the fields."""
    body = b""
    for item in fields:
        if isinstance(item, bytes):
            body += item
            continue
        kind, value, *name = item
        value = value(body) if callable(value) else value
        body += field(magic, kind, value, *name)
    return container(magic, body)


INFORMATION = [
    (16, b"Alpha"), (17, b"\xff\xfe not UTF-8"), (18, b""), (19, b"X"),
    (20, b"1"), (21, b"1; A"), (21, b"no number"), (21, b"2"), (22, b"en-US;"),
    (23, b"EUR"), (24, b"BTC: x"), (25, b"motto"), (26, b""), (27, b"5"),
    (28, b"unknown"), (28, b"and again"), (92, b"\0" * 255), (101, b""),
    (159, b"x"), (160, b"no URL"), (161, b"\0" * 65535), (161, b""),
    (199, b"")]
OWN = {ORG: [(200, b"abuse@alpha.test"), (202, b"x"), (211, b""), (212, b"x"),
             (250, b"y"), (250, b"z")],
       USER: [(200, b"x@y.test"), (201, b"cv"), (202, b"a"), (202, b"b"),
              (203, b"x"), (212, b""), (250, b"y"), (250, b"z")]}
LAST = [(251, b"value", b"Name"), (251, b"", b"Name"), (251, b"x", b""),
        (251, b"x", b"with space"), (251, b"\0" * 65535, b"\xff"),
        (252, b"no picture")]


def org_accepted(t):
    fields = t.org.fields
    cases = {
        "plain": t.org_signet,
        "all kinds of information": encode(ORG, fields(
            b"alpha.test", INFORMATION + OWN[ORG] + LAST)),
        "unknown types 93 to 100": encode(ORG, fields(
            b"alpha.test", [(k, b"x") for k in range(93, 101)])),
        "an image of a megabyte": encode(ORG, fields(
            b"alpha.test", [(252, b"\0" * 1048576)])),
        "an identifier in A-labels": encode(ORG, fields(
            b"xn--bcher-kva.example")),
        "an SOK with an impossible key is ignored": encode(ORG, fields(
            b"alpha.test", [(2, b"\1" + bytes(32))])),
        "full form": Signet(t.org_signet).split("full"),
        "armored": armor(LABELS[ORG], t.org_signet),
    }
    for options in ({"padding": False}, {"checksum": False}, {"dashes": 4}):
        cases[f"armor {options}"] = armor(LABELS[ORG], t.org_signet, **options)
    cases["armor, CRLF"] = armor(LABELS[ORG], t.org_signet).replace(
        b"\n", b"\r\n")
    for name, data in cases.items():
        t.org_case(name, True, data)


def without(fields, *kinds):
    return [f for f in fields if f[0] not in kinds]


def replaced(fields, kind, value):
    return [(kind, value) if f[0] == kind else f for f in fields]


def doubled(fields, kind):
    at = [f[0] for f in fields].index(kind)
    return fields[:at + 1] + fields[at:]


def swapped(fields, first, second):
    kinds = [f[0] for f in fields]
    a, b = kinds.index(first), kinds.index(second)
    fields = list(fields)
    fields[a], fields[b] = fields[b], fields[a]
    return fields


def flipped(data, at, bit=1):
    return data[:at] + bytes([data[at] ^ bit]) + data[at + 1:]


def non_canonical(sign):
    """The same signature with S + L, which also solves the equation."""
    def signer(data):
        signature = sign(data)
        s = int.from_bytes(signature[32:], "little") + L
        return signature[:32] + s.to_bytes(32, "little")
    return signer


DOMAINS = [b"Alpha.test", b"alpha.TEST", b"", b"test", b"alpha.test.",
           b".alpha.test", b"alpha..test", b"-a.test", b"a-.test", b"a b.test",
           b"alice@alpha.test", b"192.0.2.1", b"[192.0.2.1]", b"alpha.test\0",
           "b\u00fccher.test".encode(), b"a" * 64 + b".test",
           b"a." * 126 + b"test", b"a\r\n.test"]


def org_refused(t):
    plain = t.org.fields(b"alpha.test")
    rich = t.org.fields(b"alpha.test", [(16, b"A"), (17, b"B"), (28, b"C"),
                                        (160, b"D"), (200, b"E"), (252, b"F")])
    foreign, sok = SigningKey(), t.soks[1]
    data = t.org_signet
    size = len(data) - 5
    cases = {
        "empty": b"", "header alone": data[:5],
        "no fields": container(ORG, b""),
        "cut off": data[:-1], "octets after it": data + b"\0",
        "length too small": data[:2] + number(size - 1, 3) + data[5:],
        "length too large": data[:2] + number(size + 1, 3) + data[5:],
        "magic 1777": number(1777, 2) + data[2:],
        "magic of a user signet": number(USER, 2) + data[2:],
        "253 by another": encode(ORG, replaced(plain, 253, foreign.sign)),
        "255 by another": encode(ORG, replaced(plain, 255, foreign.sign)),
        "253 by an SOK": encode(ORG, replaced(plain, 253, sok.sign)),
        "255 by an SOK": encode(ORG, replaced(plain, 255, sok.sign)),
        "253 of zeros": encode(ORG, replaced(plain, 253, bytes(64))),
        "255 of zeros": encode(ORG, replaced(plain, 255, bytes(64))),
        "253 with S not canonical": encode(ORG, replaced(
            plain, 253, non_canonical(t.org.signing.sign))),
        "255 with S not canonical": encode(ORG, replaced(
            plain, 255, non_canonical(t.org.signing.sign))),
        "254 without 255": encode(ORG, without(plain, 255)),
        "255 without 254": encode(ORG, without(plain, 254)),
        "254 and 255 without 253": encode(ORG, without(plain, 253)),
        "information without 253": encode(ORG, without(rich, 253, 254, 255)),
        "core form, which nobody signed": encode(
            ORG, without(plain, 253, 254, 255)),
        "32 octets of encryption key": encode_odd(ORG, [
            plain[0], b"\3" + t.org.encryption.public[:32], *plain[-3:]]),
        "field 252 beyond the end": container(
            ORG, b"".join(field(ORG, *f) for f in plain[:1]) +
            b"\xfc\xff\xff\xff"),
        "a label of others": armor(LABELS[USER], data),
        "armor with another checksum": armor(LABELS[ORG], data).replace(
            b"\n=", b"\n=A"),
        "armor with text before": b"hello\n" + armor(LABELS[ORG], data),
        "armor with text after": armor(LABELS[ORG], data) + b"hello\n",
        "armor without END": armor(LABELS[ORG], data).split(b"-----END")[0],
        "armor with three dashes": armor(LABELS[ORG], data, dashes=3),
    }
    for kind in (1, 3, 253, 255, 254):
        cases[f"without {kind}"] = encode(ORG, without(rich, kind))
    for kind in (1, 3, 16, 160, 200, 252, 253, 254, 255):
        cases[f"{kind} twice"] = encode(ORG, doubled(rich, kind))
    for pair in ((1, 2), (2, 3), (16, 17), (17, 28), (28, 160), (3, 16),
                 (252, 253), (253, 254), (254, 255)):
        cases[f"{pair[0]} and {pair[1]} swapped"] = encode(
            ORG, swapped(rich, *pair))
    for kind in (0, *range(4, 16)):
        at = len(plain) - 3 if kind else 0
        for length in (b"\1", b"\0\1"):
            octets = number(kind, 1) + length + b"x"
            cases[f"reserved field {octets!r}"] = encode_odd(
                ORG, plain[:at] + [octets] + plain[at:])
    for domain in DOMAINS:
        cases[f"identifier {domain[:40]!r}"] = encode(
            ORG, replaced(plain, 254, domain))
    for name, key in bad_signing_keys():
        cases[f"POK {name}"] = encode(ORG, replaced(plain, 1, key))
    for name, key in bad_encryption_keys():
        cases[f"encryption key: {name}"] = encode(ORG, replaced(plain, 3, key))
    start = 5
    for kind, value, *_ in plain:
        cases[f"a bit of field {kind} flipped"] = flipped(
            data, start + length_octets(ORG, kind) + 20)
        start += len(field(ORG, kind, bytes(64) if callable(value) else value))
    for name, octets in cases.items():
        t.org_case(name, False, octets)


def user_accepted(t):
    request = t.user.request()
    rotated = t.user.request(previous=t.old)
    plain = sign_request(request, t.org.signing, b"alice@alpha.test")
    cases = {
        "request": request, "request after a rotation": rotated,
        "request with an alternate key": t.user.request(alternate=b"\1\1key"),
        "plain": plain,
        "with an alternate key": encode(USER, t.user_fields(
            alternate=b"\0\1" + b"\2" * 67)),
        "an empty alternate key": encode(USER, t.user_fields(alternate=b"")),
        "all kinds of information": encode(USER, t.user_fields(
            [f for f in INFORMATION if f[0] < 93] +
            [(k, b"x") for k in range(93, 101)] +
            [f for f in INFORMATION if f[0] > 100] + OWN[USER] + LAST)),
        "armored": armor(LABELS[USER], plain),
        "full form": Signet(plain).split("full"),
        "core form": Signet(plain).split("core"),
        "custody not asked for": sign_request(
            rotated, t.org.signing, b"alice@alpha.test"),
    }
    for permissions in (1, 9):
        cases[f"by an SOK with permissions {permissions}"] = encode(
            USER, t.user_fields(key=t.soks[permissions]))
    for address in (b"alice@sub.alpha.test", b"a.b+c=d/e!#$%&'*?^_`{|}~-@"
                    b"alpha.test", "j\u00f6rg@alpha.test".encode(),
                    "\u00c9mile@alpha.test".encode(),
                    b"a" * 64 + b"@alpha.test", b"1@alpha.test"):
        cases[f"identifier {address!r}"] = encode(
            USER, t.user_fields(address=address))
    for name, data in cases.items():
        t.user_case(name, True, data)
    t.user_case("custody", True, cases["custody not asked for"], previous=True)


ADDRESSES = [b"Alice@alpha.test", b"alice@Alpha.test", b"alice", b"",
             b"@alpha.test", b"alice@", b"alpha.test", b"alice@beta.test",
             b"alice@evilalpha.test", b"alice@test", b"alice@alpha.test.",
             b'"alice"@alpha.test', b"al ice@alpha.test", b".alice@alpha.test",
             b"alice.@alpha.test", b"al..ice@alpha.test", b"a@b@alpha.test",
             b"a" * 65 + b"@alpha.test", b"alice\0@alpha.test",
             b"\xff@alpha.test", b"alice\r\n@alpha.test",
             b"<alice@alpha.test>",
             b"alice@alpha.test.beta.test", b"a,b@alpha.test"]


def user_refused(t):
    plain = t.user_fields()
    rich = t.user_fields([(16, b"A"), (28, b"B"), (93, b"C"), (101, b"D"),
                          (160, b"E"), (200, b"F"), (201, b"G"), (252, b"H")])
    custody = t.user_fields(previous=t.old, alternate=b"\1\1x")
    ssr = t.user.request_fields(previous=t.old, alternate=b"\1\1x")
    foreign = SigningKey()
    data = encode(USER, plain)
    cases = {
        "request without 5": encode(SSR, without(ssr, 5)),
        "request signed by another": encode(SSR, replaced(
            ssr, 5, foreign.sign)),
        "request with field 6": encode(SSR, plain[:4]),
        "request with information": encode(SSR, ssr + [(16, b"A")]),
        "request with 253": encode(SSR, ssr + [(253, foreign.sign)]),
        "user signet without 6": encode(USER, without(plain, 6)),
        "user signet of a request": encode(USER, ssr),
        "alternate key of one octet": encode(
            USER, t.user_fields(alternate=b"\1")),
        "5 before a rotation's 4 was added": encode(USER, sign_fields(
            ssr[:2] + [(4, t.old.signing.sign), (
                5, t.user.signing.sign(field(USER, *ssr[0]) +
                                       field(USER, *ssr[1])))],
            t.org.signing, b"alice@alpha.test")),
        "254 without 255": encode(USER, without(plain, 255)),
        "255 without 254": encode(USER, without(plain, 254)),
        "254 and 255 without 253": encode(USER, without(plain, 253)),
        "information without 253": encode(USER, without(rich, 253, 254, 255)),
        "core and 254": encode(USER, without(plain, 253, 255)),
        "armored as an organization's": armor(LABELS[ORG], data),
    }
    for kind in (5, 6, 253, 255):
        for name, sign in (
                ("another", foreign.sign), ("nobody", bytes(64)),
                ("no user SOK", t.soks[2].sign),
                ("a SOK for TLS", t.soks[4].sign),
                ("a SOK for software", t.soks[8].sign),
                ("a SOK with a reserved bit", t.soks[17].sign),
                ("S not canonical", non_canonical(
                    (t.user.signing if kind == 5 else t.org.signing).sign))):
            cases[f"{kind} by {name}"] = encode(
                USER, replaced(plain, kind, sign))
    cases["5 by the organization"] = encode(USER, replaced(
        plain, 5, t.org.signing.sign))
    cases["6 by the user"] = encode(USER, replaced(
        plain, 6, t.user.signing.sign))
    for kind in (1, 2, 5, 6, 253, 254, 255):
        cases[f"without {kind}"] = encode(USER, without(rich, kind))
    for kind in (1, 2, 3, 4, 5, 6):
        cases[f"{kind} twice"] = encode(USER, doubled(custody, kind))
    for kind in (16, 93, 160, 200, 201, 252, 253, 254, 255):
        cases[f"{kind} twice"] = encode(USER, doubled(rich, kind))
    for pair in ((1, 2), (2, 5), (5, 6), (16, 28), (28, 93), (101, 160),
                 (160, 200), (252, 253), (253, 254), (254, 255)):
        cases[f"{pair[0]} and {pair[1]} swapped"] = encode(
            USER, swapped(rich, *pair))
    for kind in (0, *range(7, 16)):
        at = 4 if kind else 0
        cases[f"reserved field {kind}"] = encode_odd(
            USER, plain[:at] + [number(kind, 1) + b"\1x"] + plain[at:])
    for address in ADDRESSES:
        cases[f"identifier {address[:40]!r}"] = encode(
            USER, t.user_fields(address=address))
    for name, key in bad_signing_keys():
        cases[f"signing key {name}"] = encode(USER, replaced(plain, 1, key))
    for name, key in bad_encryption_keys():
        cases[f"encryption key: {name}"] = encode(
            USER, replaced(plain, 2, key))
    for name, octets in cases.items():
        t.user_case(name, False, octets)
    t.user_case("no custody, asked for", False, data, previous=True)
    t.user_case("custody by another", False, encode(USER, replaced(
        custody, 4, foreign.sign)), previous=True)


def key_files(t):
    """Key files that dimectl takes, or not, when it signs a request."""
    battery = t.battery
    battery.path("case.ssr", t.user.request())

    def case(name, accept, data):
        battery.path("case.key", data)
        path = battery.path("case.out")
        battery.case(f"key file: {name}", accept, [
            "signet", "sign", "case.ssr", "--org-key", "case.key",
            "--org-signet", "org.signet", "--address", "alice@alpha.test",
            "--out", path], mine=lambda: OrgKeys(data))
        if accept:
            signet = Signet(battery.read("case.out"))
            signet.verify_user(Signet(t.org_signet))
            os.unlink(path)

    seed, scalar = t.org.signing.seed, t.org.encryption.scalar
    case("armored, with SOKs", True, t.org.file())
    case("binary", True, encode(ORG_KEYS, [(1, seed), (3, scalar)]))
    for name, fields in {
            "without 1": [(3, scalar)], "without 3": [(1, seed)],
            "1 twice": [(1, seed), (1, seed), (3, scalar)],
            "3 twice": [(1, seed), (3, scalar), (3, scalar)],
            "3 first": [(3, scalar), (1, seed)],
            "scalar 0": [(1, seed), (3, bytes(32))],
            "scalar of the group's order": [(1, seed), (3, number(ORDER, 32))],
            "scalar of ones": [(1, seed), (3, b"\xff" * 32)]}.items():
        case(name, False, encode(ORG_KEYS, fields))
    case("octets after it", False, encode(
        ORG_KEYS, [(1, seed), (3, scalar)]) + b"\0")
    case("another field", False, container(ORG_KEYS, field(
        ORG_KEYS, 1, seed) + field(ORG_KEYS, 3, scalar) + b"\4x"))
    case("keys of a user", False, t.user.file())
    case("another armor", False, armor(LABELS[ORG], encode(
        ORG_KEYS, [(1, seed), (3, scalar)])))


def exchanged(t):
    """What dimectl says of Python's signets, and the other way round."""
    battery, words = t.battery, ("--field", "Name=x", "--field", "Other=y")
    plain = Signet(sign_request(
        t.user.request(previous=t.old), t.org.signing, b"alice@alpha.test",
        [(94, b"Boss")]))
    battery.path("plain.signet", plain.data)
    battery.case("fingerprints of a user", True, [
        "signet", "fingerprint", "plain.signet"],
        output=b"core %s\nfull %s\n" % (plain.fingerprint("core"),
                                       plain.fingerprint("full")))
    org = Signet(t.org_signet)
    battery.case("fingerprint of an organization", True, [
        "signet", "fingerprint", "org.signet"],
        output=b"org %s\n" % org.fingerprint("org"))
    for which in ("core", "full"):
        battery.make("signet", "split", "plain.signet", "--to", which, "--out",
                     f"{which}.split")
        split = Signet(battery.read(f"{which}.split"))
        battery.verdict(f"split to {which}", None if split.data ==
                        plain.split(which) else "other octets")
    shown = json.loads(battery.make(
        "signet", "show", "plain.signet", "--json"))["fields"]
    battery.verdict("fields that are shown", None if [
        f["type"] for f in shown] == [f[0] for f in plain.list] else f"{shown}")

    battery.path("sok.key", t.org.file())
    battery.make("keygen", "org", "--domain", "made.test", "--key-out",
                 "made.key", "--signet-out", "made.signet", "--sok",
                 "3:sok.key", *words)
    battery.make("keygen", "user", "--key-out", "one.key", "--ssr-out",
                 "one.ssr")
    battery.make("keygen", "user", "--key-out", "two.key", "--ssr-out",
                 "two.ssr", "--previous-key", "one.key")
    sign = ["--org-key", "made.key", "--org-signet", "made.signet",
            "--address", "u@made.test", *words]
    battery.make("signet", "sign", "one.ssr", *sign, "--out", "one.signet")
    battery.make("signet", "sign", "two.ssr", *sign, "--out", "two.signet",
                 "--previous", "one.signet")
    read_made(battery, t)


def read_made(battery, t):
    def check(name, function):
        try:
            battery.verdict(name, None if function() else "not so")
        except Exception as error:  # any, with its text, is the finding
            battery.verdict(name, f"{type(error).__name__}: {error}")

    made = Signet(battery.read("made.signet"))
    one, two = (Signet(battery.read(f"{n}.signet")) for n in ("one", "two"))
    keys = OrgKeys(battery.read("made.key"))
    user = UserKeys(battery.read("one.key"))
    check("dimectl's organization verifies",
          lambda: made.verify_org([keys.signing.public]))
    check("dimectl's keys are those of its signet", lambda: (
        keys.encryption.public == made.encryption_key and
        user.encryption.public == one.encryption_key and
        user.signing.public == one.get(1)))
    check("dimectl lists the SOK", lambda: made.all(2) == [
        b"\3" + t.org.signing.public])
    check("dimectl's key file lists it too", lambda: [
        (p, key.seed) for p, key in keys.soks] == [(3, t.org.signing.seed)])
    check("dimectl's user verifies", lambda: one.verify_user(made))
    check("dimectl's custody verifies", lambda: two.verify_user(made, one))
    check("dimectl's request verifies",
          lambda: Signet(battery.read("two.ssr")).verify_user(None, one))
    check("dimectl writes key files like ours", lambda: (
        battery.read("one.key") == user.file() and
        battery.read("made.key") == keys.file()))
    check("dimectl writes armor like ours", lambda: (
        battery.read("one.signet") == armor(LABELS[USER], one.data)))
    check("dimectl's fingerprint", lambda: battery.make(
        "signet", "fingerprint", "two.signet") == b"core %s\nfull %s\n" % (
            two.fingerprint("core"), two.fingerprint("full")))


def run(battery):
    t = Signets(battery)
    exchanged(t)
    org_accepted(t)
    org_refused(t)
    user_accepted(t)
    user_refused(t)
    key_files(t)
