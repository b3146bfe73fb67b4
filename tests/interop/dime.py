# SPDX-License-Identifier: BSD-2-Clause
"""DIME's file formats a second time, written from the specification and from
doc/, without a look at lib/dime: this file has the primitives, armor, signets
and key files (doc/signets.md), dmime.py the messages (doc/dmime.md), record.py
management records (doc/record.md). Small rather than fast, and no place for
real keys.

A reader raises Refused for whatever may not be accepted. Writers make what the
specification says; tests make other things out of the same parts.
"""
import base64
import hashlib
import os
import re
import unicodedata

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey, Ed25519PublicKey)
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import (
    Encoding, PublicFormat)


class Refused(Exception):
    pass


def require(condition, why):
    if not condition:
        raise Refused(why)


def number(value, octets):
    return value.to_bytes(octets, "big")


# ---- Ed25519, secp256k1, AES ----

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ORDER = 2**256 - 0x14551231950B75FC4402DA1732FC9BEBF  # of secp256k1


def ed_add(a, b):
    """Adds two points of the Edwards curve in projective coordinates."""
    (x1, y1, z1), (x2, y2, z2) = a, b
    product = z1 * z2 % P
    square = product * product % P
    x, y = x1 * x2 % P, y1 * y2 % P
    e = D * x * y % P
    f, g = square - e, square + e
    return (product * f * ((x1 + y1) * (x2 + y2) - x - y) % P,
            product * g * (y + x) % P, f * g % P)


def ed_multiply(scalar, point):
    sum_ = (0, 1, 1)
    while scalar:
        if scalar & 1:
            sum_ = ed_add(sum_, point)
        point = ed_add(point, point)
        scalar >>= 1
    return sum_


def ed_is_identity(point):
    return point[0] == 0 and (point[1] - point[2]) % P == 0


def ed_decode(octets):
    """The point that 32 octets encode, or None. RFC 8032, 5.1.3."""
    y = int.from_bytes(octets, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square or x == 0 and sign:
        return None
    return (P - x if x & 1 != sign else x, y, 1)


def ed_encode(point):
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def is_signing_key(octets):
    """S15: canonical, on the curve, and a multiple of the base point as every
    public key of RFC 8032 is, which those of small order are not."""
    point = ed_decode(octets)
    return (len(octets) == 32 and point is not None and
            not ed_is_identity(point) and
            ed_is_identity(ed_multiply(L, point)))


def is_point(octets):
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), octets)
    except ValueError:
        return False
    return len(octets) == 33


def verifies(key, signature, data):
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


class SigningKey:
    def __init__(self, seed=None):
        self.seed = seed or os.urandom(32)
        self.key = Ed25519PrivateKey.from_private_bytes(self.seed)
        self.public = self.key.public_key().public_bytes(
            Encoding.Raw, PublicFormat.Raw)

    def sign(self, data):
        return self.key.sign(data)


class EncryptionKey:
    def __init__(self, scalar=None):
        secret = (int.from_bytes(scalar, "big") if scalar else
                  ec.generate_private_key(
                      ec.SECP256K1()).private_numbers().private_value)
        require(0 < secret < ORDER, "no private key")
        self.key = ec.derive_private_key(secret, ec.SECP256K1())
        self.scalar = number(secret, 32)
        self.public = self.key.public_key().public_bytes(
            Encoding.X962, PublicFormat.CompressedPoint)

    def kek(self, point):
        """The key encryption key that is shared with a point (M4)."""
        other = ec.EllipticCurvePublicKey.from_encoded_point(
            ec.SECP256K1(), point)
        h = hashlib.sha512(self.key.exchange(ec.ECDH(), other)).digest()
        return h[32:], xor(h[:16], h[16:32])


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def aes_encrypt(key, iv, data):
    cipher = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return cipher.update(data) + cipher.finalize()


def aes_decrypt(key, iv, data):
    cipher = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    return cipher.update(data) + cipher.finalize()


# ---- armor ----

def crc24(data):
    crc = 0xB704CE
    for octet in data:
        crc ^= octet << 16
        for _ in range(8):
            crc = crc << 1 ^ (0x1864CFB if crc & 0x800000 else 0)
    return number(crc, 3)


def unbase64(text):
    """Strict: no unused bits set, padding only at the end, or left out."""
    bare = re.sub(rb"={0,2}$", b"", text)
    padded = bare + b"=" * (-len(bare) % 4)
    require(len(bare) % 4 != 1 and (bare == text or padded == text),
            "base64 of that length")
    require(re.fullmatch(rb"[A-Za-z0-9+/]*", bare), "no base64")
    data = base64.b64decode(padded)
    require(base64.b64encode(data) == padded, "unused bits of base64 are set")
    return data


def base64_bare(data):
    return base64.b64encode(data).rstrip(b"=")


def armor(label, data, padding=True, checksum=True, dashes=5, columns=64):
    text = base64.b64encode(data) if padding else base64_bare(data)
    lines = [text[i:i + columns] for i in range(0, len(text), columns)]
    if checksum:
        lines.append(b"=" + base64.b64encode(crc24(data)))
    edge, label = b"-" * dashes, label.encode()
    return b"\n".join([edge + b"BEGIN " + label + edge, *lines,
                       edge + b"END " + label + edge, b""])


def dearmor(text):
    """(label, data); data that is not armored has the label None."""
    if not text.lstrip().startswith(b"----"):
        return None, text
    lines = [line.rstrip() for line in text.strip().split(b"\n")]
    lines = [line for line in lines if line]
    begin = re.fullmatch(rb"-{4,5}BEGIN ([A-Z /]+?)-{4,5}", lines[0])
    require(begin, "no BEGIN line")
    end = re.fullmatch(rb"-{4,5}END ([A-Z /]+?)-{4,5}", lines[-1])
    require(end and end[1] == begin[1], "no END line that fits")
    body, checksum = lines[1:-1], None
    if body and re.fullmatch(rb"=[^=]{4}", body[-1]):
        checksum = unbase64(body.pop()[1:])
    data = unbase64(b"".join(body))
    require(checksum is None or checksum == crc24(data), "checksum")
    return begin[1].decode(), data


# ---- signets ----

SSR, ORG, USER, ORG_KEYS, USER_KEYS = 1215, 1776, 1789, 1952, 2013
LABELS = {SSR: "SIGNET SIGNING REQUEST", ORG: "ORGANIZATIONAL SIGNET",
          USER: "USER SIGNET", ORG_KEYS: "ORGANIZATIONAL KEYS",
          USER_KEYS: "USER KEYS"}
USER_FIXED = {1: 32, 2: 33, 4: 64, 5: 64, 6: 64, 253: 64, 255: 64}
FIXED = {SSR: USER_FIXED, USER: USER_FIXED,
         ORG: {1: 32, 2: 33, 3: 33, 253: 64, 255: 64},
         ORG_KEYS: {1: 32, 2: 33, 3: 32}, USER_KEYS: {1: 32, 2: 32}}
DEFINED = {ORG: {*range(1, 4), *range(16, 28), 160, *range(200, 212),
                 *range(251, 256)},
           USER: {*range(1, 7), *range(16, 28), *range(93, 101), 160,
                  *range(200, 203), *range(251, 256)}}
REPEATED = {ORG: {2, 21, 251}, USER: {21, 202, 251}}
PERMISSION = {"users": 1, "messages": 2, "tls": 4}


def length_octets(magic, kind):
    """How many octets the length of a field's value has (S2 - S4)."""
    if kind in FIXED[magic]:
        return 0
    if magic in (SSR, USER) and kind == 3 or 16 <= kind <= 159:
        return 1
    if 160 <= kind <= 251 or kind == 254:
        return 2
    require(kind == 252, f"field {kind} is reserved")
    return 3


def field(magic, kind, value, name=b""):
    octets = length_octets(magic, kind)
    named = number(len(name), 1) + name if kind == 251 else b""
    return (number(kind, 1) + named +
            (number(len(value), octets) if octets else b"") + value)


def container(magic, body):
    return number(magic, 2) + number(len(body), 3) + body


def encode(magic, fields):
    """A signet or key file of (type, value[, name]). A value that is a
    function makes a signature out of all octets before it."""
    body = b""
    for kind, value, *name in fields:
        if callable(value):
            value = value(body)
        body += field(magic, kind, value, *name)
    return container(magic, body)


class Fields:
    """What a container of fields holds. `list` has (type, value, whole)."""

    def __init__(self, data, magics):
        label, data = dearmor(data)
        require(len(data) >= 5, "shorter than a header")
        self.magic = int.from_bytes(data[:2], "big")
        self.data, self.body, self.list = data, data[5:], []
        require(self.magic in magics, "magic number")
        require(label in (None, LABELS[self.magic]), "label of the armor")
        require(int.from_bytes(data[2:5], "big") == len(self.body), "length")
        at = 0
        while at < len(self.body):
            start, kind = at, self.body[at]
            at += 1
            if kind == 251:
                require(at < len(self.body), "field 251 is cut off")
                at += 1 + self.body[at]
            octets = length_octets(self.magic, kind)
            size = FIXED[self.magic].get(kind)
            if size is None:
                size = int.from_bytes(self.body[at:at + octets], "big")
            at += octets
            require(at + size <= len(self.body), f"field {kind} is cut off")
            self.list.append((kind, self.body[at:at + size],
                              self.body[start:at + size]))
            at += size

    def all(self, kind):
        return [value for k, value, _ in self.list if k == kind]

    def get(self, kind):
        return next(iter(self.all(kind)), None)

    def below(self, kind):
        """The octets of all fields with a lower type (S8)."""
        return b"".join(whole for k, _, whole in self.list if k < kind)


class Signet(Fields):
    layout = "standard"

    def __init__(self, data):
        super().__init__(data, (SSR, ORG, USER))
        self.is_user = self.magic != ORG
        layout = USER if self.is_user else ORG
        core = 6 if self.is_user else 3
        kinds = [kind for kind, *_ in self.list]
        for before, after in zip(kinds, kinds[1:]):
            require(before < after or before == after and
                    (after in REPEATED[layout] or
                     after not in DEFINED[layout]), f"order of {after}")
        if self.magic == SSR:
            require(max(kinds, default=0) <= 5, "more than a request")
            needed = {1, 2, 5}
        else:
            needed = {1, 2, 5, 6} if self.is_user else {1, 3}
        if set(kinds) & {254, 255}:
            needed |= {253, 254, 255}
        elif max(kinds, default=0) > core:
            needed |= {253}
        require(needed <= set(kinds), "a field is missing")
        require(is_signing_key(self.get(1)), "field 1 is no key")
        require(is_point(self.get(2 if self.is_user else 3)), "no point")
        require(self.get(3) is None or len(self.get(3)) != 1, "field 3")
        self.name = self.get(254)
        require(self.name is None or (is_address if self.is_user else
                                      is_domain)(self.name), "identifier")

    @property
    def signing_key(self):
        return self.get(1)

    @property
    def encryption_key(self):
        return self.get(2 if self.is_user else 3)

    @property
    def in_envelope(self):
        """The fingerprint that stands in envelopes (S11)."""
        return self.fingerprint("core" if self.is_user else "org")

    def keys_for(self, work):
        """POK and permitted SOKs of an organization (S9)."""
        return [self.get(1)] + [
            sok[1:] for sok in self.all(2)
            if sok[0] & PERMISSION[work] and sok[0] < 16 and
            is_signing_key(sok[1:])]

    def signed(self, kind, keys):
        """Whether a signature field, if there, is by one of these keys."""
        value = self.get(kind)
        require(value is None or any(
            verifies(key, value, self.below(kind)) for key in keys),
            f"signature in field {kind}")

    def verify_org(self, poks=None):
        require(self.magic == ORG, "not an organization's")
        require(poks is None or self.get(1) in poks, "another POK")
        require(self.get(253) is not None, "nobody signed it")
        self.signed(253, [self.get(1)])
        self.signed(255, [self.get(1)])
        return self

    def verify_user(self, org=None, previous=None):
        require(self.is_user, "not a user's")
        self.signed(5, [self.get(1)])
        if previous is not None:
            require(self.get(4) is not None, "no custody signature")
            self.signed(4, [previous.get(1)])
        if self.magic == USER:
            keys = org.keys_for("users")
            for kind in (6, 253, 255):
                self.signed(kind, keys)
            require(self.name is None or
                    is_within(self.name.split(b"@")[1], org.name),
                    "another organization's address")
        return self

    def fingerprint(self, which):
        """S10, S11. `which` is org, core or full."""
        require(self.magic != SSR, "a request has no fingerprint")
        octets = self.below(7 if which == "core" else 254)
        return base64_bare(hashlib.sha512(octets).digest())

    def split(self, which):
        return container(self.magic, self.below(7 if which == "core" else 254))


def is_domain(octets):
    label = rb"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
    return (len(octets) <= 253 and re.fullmatch(
        rb"(%s\.)+%s" % (label, label), octets) is not None and
        not re.search(rb"(^|\.)[0-9]+$", octets))


def is_address(octets):
    local, at, domain = octets.rpartition(b"@")
    try:
        text = local.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return (at == b"@" and 0 < len(local) <= 64 and local == local.lower() and
            all(re.fullmatch(r"[^\x00-\x20\x7f()<>\[\]:;@\\,\"]+", atom) and
                not any(unicodedata.category(c) in ("Cc", "Zs") for c in atom)
                for atom in text.split(".")) and is_domain(domain))


def is_within(domain, parent):
    return domain == parent or domain.endswith(b"." + parent)


class OrgKeys:
    """The keys of an organization, or one that is read from a 1952 file."""

    def __init__(self, data=None):
        seed = scalar = None
        self.soks = []
        if data:
            file = Fields(data, (ORG_KEYS,))
            kinds = [kind for kind, *_ in file.list]
            require(kinds == [1] + [2] * (len(kinds) - 2) + [3], "fields")
            seed, scalar = file.get(1), file.get(3)
            self.soks = [(s[0], SigningKey(s[1:])) for s in file.all(2)]
        self.signing, self.encryption = SigningKey(seed), EncryptionKey(scalar)

    def file(self):
        data = encode(ORG_KEYS, [
            (1, self.signing.seed),
            *((2, number(p, 1) + key.seed) for p, key in self.soks),
            (3, self.encryption.scalar)])
        return armor(LABELS[ORG_KEYS], data)

    def fields(self, domain, extra=()):
        """The fields of the signet; `extra` has SOKs and informational ones."""
        return [(1, self.signing.public),
                *((2, number(p, 1) + key.public) for p, key in self.soks),
                *(f for f in extra if f[0] < 3), (3, self.encryption.public),
                *(f for f in extra if f[0] > 3), (253, self.signing.sign),
                (254, domain), (255, self.signing.sign)]

    def signet(self, domain, extra=()):
        return encode(ORG, self.fields(domain, extra))


class UserKeys:
    def __init__(self, data=None):
        seed = scalar = None
        if data:
            file = Fields(data, (USER_KEYS,))
            require([kind for kind, *_ in file.list] == [1, 2], "fields")
            seed, scalar = file.get(1), file.get(2)
        self.signing, self.encryption = SigningKey(seed), EncryptionKey(scalar)

    def file(self):
        return armor(LABELS[USER_KEYS], encode(USER_KEYS, [
            (1, self.signing.seed), (2, self.encryption.scalar)]))

    def request_fields(self, previous=None, alternate=None):
        fields = [(1, self.signing.public), (2, self.encryption.public)]
        if alternate is not None:
            fields.append((3, alternate))
        if previous is not None:
            fields.append((4, previous.signing.sign))
        return fields + [(5, self.signing.sign)]

    def request(self, previous=None, alternate=None):
        return encode(SSR, self.request_fields(previous, alternate))


def sign_fields(request, key, address, extra=()):
    """The fields of the user signet that an organization makes of a request's.
    """
    return [*request, (6, key.sign), *extra, (253, key.sign), (254, address),
            (255, key.sign)]


def sign_request(request, key, address, extra=()):
    fields = [(kind, value) for kind, value, _ in Signet(request).list]
    return encode(USER, sign_fields(fields, key, address, extra))
