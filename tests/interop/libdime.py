# SPDX-License-Identifier: BSD-2-Clause
"""The dialect of the earlier implementation, libdime, a second time: signets
and key files in its layout, its tree signature, and a reader of messages that
takes what libdime itself takes and nothing else. Written from a description of
what libdime puts on the wire, without a look at lib/dime. See dime.py."""
import hashlib

from dime import (ORG, SSR, USER, PERMISSION, Refused, Signet, base64_bare,
                  container, dearmor, is_address, is_domain, is_point,
                  is_signing_key, number, require, verifies)

ORG_FILE, USER_FILE = 1952, 2013
FORMAT = b"\x40"  # before an Ed25519 key
LABELS = {SSR: "ORGANIZATIONAL SIGNET", ORG: "ORGANIZATIONAL SIGNET",
          USER: "USER SIGNET", ORG_FILE: "ORGANIZATIONAL KEY",
          USER_FILE: "USER KEY"}
SIZES = {ORG: {1: 33, 2: 34, 3: 33, 4: 64, 253: 64, 255: 64},
         USER: {1: 33, 2: 33, 4: 64, 5: 64, 6: 64, 253: 64, 255: 64}}
SIZES[SSR] = SIZES[USER]
BOTH = {*range(16, 28), 160, *range(251, 256)}
DEFINED = {ORG: BOTH | {1, 2, 3, 4, *range(200, 212)},
           USER: BOTH | {*range(1, 7), *range(93, 100), *range(200, 203)}}
DEFINED[SSR] = DEFINED[USER]
REPEATED = {ORG: {2, 21, 251}, USER: {3, 21, 202, 251}, SSR: {3}}


def length_octets(magic, kind):
    if kind in (253, 255) or kind in (4, 5, 6) and kind in SIZES[magic]:
        return 0
    if kind == 1 or (magic, kind) in ((ORG, 2), (SSR, 3)) or kind == 254:
        return 1
    if kind in (2, 3):
        return 2
    require(16 <= kind, f"field {kind} is reserved")
    return 1 if kind < 160 else 2 if kind < 252 else 3


def field(magic, kind, value, name=b""):
    octets = length_octets(magic, kind)
    named = number(len(name), 1) + name if kind == 251 else b""
    return (number(kind, 1) + named +
            (number(len(value), octets) if octets else b"") + value)


def encode(magic, fields):
    """As dime.encode()."""
    body = b""
    for kind, value, *name in fields:
        value = value(body) if callable(value) else value
        body += field(magic, kind, value, *name)
    return container(magic, body)


def org_fields(keys, domain, extra=()):
    """The fields of an organization's signet; `keys` is a dime.OrgKeys."""
    sign = keys.signing.sign
    return [(1, FORMAT + keys.signing.public),
            *((2, number(p, 1) + FORMAT + key.public) for p, key in keys.soks),
            (3, keys.encryption.public), (4, sign), *extra, (253, sign),
            (254, domain), (255, sign)]


def request_fields(keys, previous=None, alternate=None):
    fields = [(1, FORMAT + keys.signing.public), (2, keys.encryption.public)]
    if alternate is not None:
        fields.append((3, alternate))
    if previous is not None:
        fields.append((4, previous.signing.sign))
    return fields + [(5, keys.signing.sign)]


def user_fields(keys, signer, address, extra=(), **request):
    return [*request_fields(keys, **request), (6, signer.sign), *extra,
            (253, signer.sign), (254, address), (255, signer.sign)]


def key_file(magic, keys):
    scalar = keys.encryption.scalar
    return container(magic, b"\x01\x20" + keys.signing.seed +
                     (b"\x03" if magic == ORG_FILE else b"\x02") +
                     b"\x00\x20" + scalar)


def read_key_file(data, magic):
    """(seed, scalar)."""
    label, data = dearmor(data)
    require(label in (None, LABELS[magic]), "label of the armor")
    seed, scalar = data[7:39], data[42:74]
    second = b"\x03\x00\x20" if magic == ORG_FILE else b"\x02\x00\x20"
    require(data == container(magic, b"\x01\x20" + seed + second + scalar) and
            len(data) == 74, "not a key file")
    return seed, scalar


class LibdimeSignet:
    layout = "libdime"

    def __init__(self, data):
        label, data = dearmor(data)
        require(len(data) >= 5, "shorter than a header")
        self.magic, self.data, self.body = (
            int.from_bytes(data[:2], "big"), data, data[5:])
        require(self.magic in SIZES, "magic number")
        require(label in (None, LABELS[self.magic]) or self.magic == SSR and
                label == "SIGNET SIGNING REQUEST", "label of the armor")
        require(int.from_bytes(data[2:5], "big") == len(self.body), "length")
        self.list = list(self.fields())
        self.is_user = self.magic != ORG
        self.check([kind for kind, *_ in self.list])

    def fields(self):
        rest = self.body
        while rest:
            start, kind = rest, rest[0]
            at = 1
            if kind == 251:
                require(len(rest) > 1, "cut off")
                at += 1 + rest[1]
            octets, size = (length_octets(self.magic, kind),
                            SIZES[self.magic].get(kind))
            if octets:
                length = int.from_bytes(rest[at:at + octets], "big")
                require(size in (None, length), f"length of field {kind}")
                size = length
            end = at + octets + size
            require(end <= len(rest), f"field {kind} is cut off")
            yield kind, rest[at + octets:end], start[:end]
            rest = rest[end:]

    def check(self, kinds):
        for before, after in zip(kinds, kinds[1:]):
            require(before < after or before == after and
                    (after in REPEATED[self.magic] or
                     after not in DEFINED[self.magic]), f"order of {after}")
        needed = {SSR: {1, 2, 5}, USER: {1, 2, 5, 6}, ORG: {1, 3, 4}}[
            self.magic]
        last = max(kinds, default=0)
        require(self.magic != SSR or last <= 5, "more than a request")
        if last > 253:
            needed |= {253, 254, 255}
        elif last > 6:
            needed |= {253}
        require(needed <= set(kinds), "a field is missing")
        for key in self.all(1) + ([] if self.is_user else self.all(2)):
            require(key[-33:-32] == FORMAT, "format of a key")
        require(is_signing_key(self.signing_key), "field 1 is no key")
        require(is_point(self.encryption_key), "no point")
        self.name = self.get(254)
        require(self.name is None or (is_address if self.is_user else
                                      is_domain)(self.name), "identifier")

    def all(self, kind):
        return [value for k, value, _ in self.list if k == kind]

    def get(self, kind):
        return next(iter(self.all(kind)), None)

    def below(self, kind):
        return b"".join(whole for k, _, whole in self.list if k < kind)

    @property
    def signing_key(self):
        return self.get(1)[1:]

    @property
    def encryption_key(self):
        return self.get(2 if self.is_user else 3)

    @property
    def in_envelope(self):
        return self.fingerprint("core")

    def keys_for(self, work):
        return [self.signing_key] + [
            sok[2:] for sok in self.all(2)
            if sok[0] & PERMISSION[work] and sok[0] < 16 and
            is_signing_key(sok[2:])]

    def signed(self, kind, keys):
        value = self.get(kind)
        require(value is None or any(verifies(key, value, self.below(kind))
                                     for key in keys), f"signature {kind}")

    def verify_org(self):
        require(not self.is_user and self.get(253), "not an organization's")
        for kind in (4, 253, 255):
            self.signed(kind, [self.signing_key])
        return self

    def verify_user(self, org=None, previous=None):
        require(self.is_user, "not a user's")
        self.signed(5, [self.signing_key])
        if previous is not None:
            require(self.get(4) is not None, "no custody signature")
            self.signed(4, [previous.signing_key])
        if self.magic == USER:
            for kind in (6, 253, 255):
                self.signed(kind, org.keys_for("users"))
            require(self.name is None or
                    (b"." + self.name.split(b"@")[1]).endswith(
                        b"." + org.name), "another organization's address")
        return self

    def core_end(self):
        return 7 if self.is_user else 5

    def fingerprint(self, which):
        octets = self.below(self.core_end() if which == "core" else 254)
        return base64_bare(hashlib.sha512(octets).digest())

    def split(self, which):
        return container(self.magic, self.below(
            self.core_end() if which == "core" else 254))


def read_signet(data):
    """A signet of either layout: standard first."""
    try:
        return Signet(data)
    except Refused:
        if dearmor(data)[1][5:8] != b"\x01\x21" + FORMAT:
            raise
    return LibdimeSignet(data)


def libdime_tree(wholes):
    """What libdime signs in chunk 225: the hash of chunk 5 is overwritten by
    the next one, and the buffer ends in zeros."""
    hashes = [hashlib.sha512(whole).digest() for whole in wholes
              if 2 <= whole[0] <= 131 and whole[0] != 5]
    return b"".join(hashes) + bytes(64)


# ---- libdime's own reader ----

SLOTS = {2: "", 4: "AOR", 5: "ADR", 33: "AR", 34: "AR", 67: "AR", 131: "AR",
         225: "AOR", 226: "AOR", 248: "AODR", 249: "AODR", 255: "AODR"}
STOCK_LABELS = [b"Date: ", b"To: ", b"CC: ", b"From: ", b"Organization: ",
                b"Subject: "]


class StockReader:
    """Reads a message as the recipient with libdime does: all or nothing. Then
    `common`, `headers`, `display` and `attachments` hold what it hands out."""

    def __init__(self, data, key, author, origin, decrypt):
        self.author, self.origin = author.signing_key, origin.signing_key
        self.chunks = list(self.cut(data))
        kek = key.kek(self.payload_of(2))
        self.read = lambda item: decrypt(item, SLOTS[item[0]].index("R"), kek)
        require({2, 4, 5, 33, 34, 67, 225, 226, 255} <=
                {kind for kind, *_ in self.chunks}, "not complete")
        self.check_signatures()
        self.common = self.check_common(self.data_of(33)[0])
        self.headers = self.data_of(34)[0]
        self.display, self.attachments = self.data_of(67), self.data_of(131)
        self.envelopes = self.data_of(4) + self.data_of(5)
        for text in self.envelopes:
            require(text.count(b"\r\n") == 4 and all(
                0x20 <= c < 0x7f for c in text.replace(b"\r\n", b"")),
                "envelope")

    @staticmethod
    def cut(data):
        require(data[:2] == number(1847, 2) and
                data[2:6] == number(len(data) - 6, 4), "header")
        at = 6
        while at < len(data):
            kind = data[at]
            require(kind in SLOTS, f"chunk type {kind}")
            size = int.from_bytes(data[at + 1:at + 4], "big")
            end = at + 4 + size + 64 * len(SLOTS[kind])
            require(end <= len(data), "cut off")
            yield (kind, data[at + 4:at + 4 + size],
                   data[at + 4 + size:end], data[at:end])
            at = end

    def payload_of(self, kind):
        return next(item[1] for item in self.chunks if item[0] == kind)

    def check_signatures(self):
        wholes = [item[3] for item in self.chunks]
        last = {226: 225, 248: 34, 249: 67, 255: 249}
        for item in self.chunks:
            if item[0] < 225:
                continue
            octets = libdime_tree(wholes) if item[0] == 225 else b"".join(
                whole for whole in wholes if whole[0] <= last[item[0]])
            key = self.author if item[0] < 248 else self.origin
            require(verifies(key, self.read(item), octets),
                    f"signature in chunk {item[0]}")

    def data_of(self, wanted):
        result = []
        for item in self.chunks:
            if item[0] != wanted:
                continue
            plain = self.read(item)
            require(verifies(self.author, plain[:64], plain[64:]), "signature")
            length, pad = int.from_bytes(plain[64:67], "big"), plain[68]
            fill = plain[69 + length:]
            require(len(fill) % 256 == pad and
                    fill == number(pad, 1) * len(fill), "padding")
            require(plain[67] == 0, "flags, which libdime leaves to its user")
            result.append(plain[69:69 + length])
        return result

    @staticmethod
    def check_common(text):
        seen = []
        for line in text.split(b"\r\n")[:-1]:
            label = next((p for p in STOCK_LABELS if line.startswith(p)), None)
            require(label and label not in seen, f"common header {line!r}")
            seen.append(label)
        require(text.endswith(b"\r\n"), "common headers")
        return text
