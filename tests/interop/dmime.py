# SPDX-License-Identifier: BSD-2-Clause
"""D/MIME messages (Part 6 of the specification): sealing and opening. See
dime.py."""
import base64
import hashlib
import os
import re
import zlib

from dime import (EncryptionKey, Refused, aes_decrypt, aes_encrypt, dearmor,
                  is_point, number, require, unbase64, verifies, xor)
from libdime import libdime_tree, read_signet

AUTHOR, ORIGIN, DESTINATION, RECIPIENT = ACTORS = "AODR"
ACCESS = {3: "AR", 4: "AOR", 5: "ADR", 33: "AR", 34: "AR", 65: "AR",
          66: "AR", 67: "AR", 129: "AR", 130: "AR", 131: "AR", 225: "AOR",
          226: "AOR", 248: "AODR", 249: "AODR", 255: "AODR"}
REQUIRED = {2, 4, 5, 33, 225, 226, 255}
DISPLAY, ATTACHMENTS = {65, 66, 67}, {129, 130, 131}
CONTENT = DISPLAY | ATTACHMENTS
SIGNATURES = {225, 226, 248, 249, 255}
MESSAGE_LABEL = "ENCRYPTED MESSAGE"
ALTERNATE_PADDING, ALTERNATE_KEY, GZIP, CONTINUED = 1, 2, 4, 128
SEGMENT = 16777131
COMMON = [b"Date", b"To", b"CC", b"From", b"Organization", b"Subject"]


def padding(length, flags, pad, libdime):
    """The numbers of padding octets that a pad octet may stand for (M7)."""
    if flags & ALTERNATE_PADDING:
        align = -(69 + length) % 16
        return [align + 16 * pad] + (
            [16 + 16 * pad] if libdime and not align else [])
    return [0, 256] if pad == 0 else [pad]


def payload(key, data, flags=0, pad=None, octets=None, length=None,
            count=None):
    """The plaintext of an encrypted chunk (M6), padded to at least 256 octets.
    Tests choose, or lie with, `pad`, `octets` (what the padding consists of),
    `length` (of the data) and `count` (of octets of padding)."""
    size = 69 + len(data)
    align = -size % 16
    blocks = max(0, 256 - size - align) // 16
    if pad is None:
        pad = blocks if flags & ALTERNATE_PADDING else align + 16 * blocks
    if count is None:
        count = padding(len(data), flags, pad, False)[0]
    fill = number(pad if octets is None else octets, 1) * count
    signed = (number(len(data) if length is None else length, 3) +
              number(flags, 1) + number(pad, 1) + data + fill)
    return key.sign(signed) + signed


def chunk(kind, data, slots=b""):
    return number(kind, 1) + number(len(data), 3) + data + slots


def frame(chunks, tracing=None):
    body = b"".join(chunks)
    block = (b"" if tracing is None else
             number(1837, 2) + number(len(tracing), 2) + tracing)
    return block + number(1847, 2) + number(len(body), 4) + body


def gzip(data):
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


class Party:
    """One side: a user with keys and signet, and the organization's."""

    def __init__(self, user, user_signet, org, org_signet):
        self.user, self.org = user, org
        self.user_signet = user_signet and read_signet(user_signet)
        self.org_signet = read_signet(org_signet)
        self.domain = self.org_signet.name


def envelope(first, address, address_print, second, domain, domain_print):
    return (b"%s: <%s>\r\n%s-Signet: [%s]\r\n%s: <%s>\r\n%s-Signet: [%s]\r\n" %
            (first, address, first, address_print, second, domain, second,
             domain_print))


class Sealer:
    """Makes the chunks of one message from a Party to another."""

    def __init__(self, sender, receiver):
        self.sender, self.receiver = sender, receiver
        self.author, self.origin = sender.user.signing, sender.org.signing
        self.ephemeral = EncryptionKey()
        self.keks = {actor: self.ephemeral.kek(signet.encryption_key)
                     for actor, signet in zip(ACTORS, (
                         sender.user_signet, sender.org_signet,
                         receiver.org_signet, receiver.user_signet))}

    def chunk(self, kind, plaintext, actors=None, secret=None):
        """Encrypts a payload (M5, M6) with slots for the actors that its type
        has, in their order."""
        key, iv = secret or (os.urandom(32), os.urandom(16))
        slots = b""
        for actor in ACCESS[kind] if actors is None else actors:
            mask = os.urandom(16)
            slots += aes_encrypt(*self.keks[actor],
                                 mask + xor(mask, iv) + key)
        return chunk(kind, aes_encrypt(key, iv, plaintext), slots)

    def data(self, kind, data, **options):
        return self.chunk(kind, payload(self.author, data, **options))

    def segment(self, kind, data, flags=0, pieces=1):
        """Data in as many chunks as it needs, or in more (M9)."""
        if flags & GZIP:
            data = gzip(data)
        size = min(SEGMENT, -(-len(data) // pieces))
        parts = [data[i:i + size] for i in range(0, len(data), size)]
        return [self.data(kind, part, flags=flags |
                          (CONTINUED if i < len(parts) - 1 else 0))
                for i, part in enumerate(parts)]

    def origin_lines(self):
        return envelope(b"Author", self.sender.user_signet.name,
                        self.sender.user_signet.in_envelope,
                        b"Destination", self.receiver.domain,
                        self.receiver.org_signet.in_envelope)

    def destination_lines(self):
        return envelope(b"Recipient", self.receiver.user_signet.name,
                        self.receiver.user_signet.in_envelope,
                        b"Origin", self.sender.domain,
                        self.sender.org_signet.in_envelope)

    def envelope(self):
        return [chunk(2, self.ephemeral.public),
                self.data(4, self.origin_lines()),
                self.data(5, self.destination_lines())]

    def finish(self, chunks, bounce=(), zero=(), author=None, origin=None):
        """Appends the signature chunks (M11): 248 and 249 where `bounce` names
        them; 64 zero octets where `zero` does."""
        author, origin = author or self.author, origin or self.origin
        chunks = list(chunks)
        for kind in sorted({225, 226, 255, *bounce}):
            signer = author if kind < 248 else origin
            signature = (bytes(64) if kind in zero else
                         signer.sign(covered(kind, chunks)))
            chunks.append(self.chunk(kind, signature))
        return chunks


def covered(kind, wholes):
    """The octets that signature chunk `kind` signs, of whole chunks (M11)."""
    last = {225: 131, 226: 225, 248: 34, 249: 67, 255: 249}[kind]
    wholes = [whole for whole in wholes if 2 <= whole[0] <= last]
    if kind == 225:
        wholes = [hashlib.sha512(whole).digest() for whole in wholes]
    return b"".join(wholes)


class Message:
    """A parsed message: `chunks` has (type, payload, slots, whole)."""

    def __init__(self, data):
        label, data = dearmor(data)
        require(label in (None, MESSAGE_LABEL), "label of the armor")
        if data[:2] == number(1837, 2):
            data = data[4 + int.from_bytes(data[2:4], "big"):]
        require(data[:2] == number(1847, 2), "magic number")
        require(len(data) >= 6 and
                int.from_bytes(data[2:6], "big") == len(data) - 6, "size")
        self.chunks, at = [], 6
        while at < len(data):
            kind = data[at]
            require(kind in ACCESS or kind in (0, 2), f"chunk type {kind}")
            size = int.from_bytes(data[at + 1:at + 4], "big")
            end = at + 4 + size + 64 * len(ACCESS.get(kind, ""))
            require(len(data) - at >= 4 and end <= len(data), "cut off")
            require(kind != 2 or size == 33, "size of chunk 2")
            require(kind not in SIGNATURES or size == 64, "size of signature")
            require(kind in (0, 2) or kind in SIGNATURES or
                    size >= 80 and size % 16 == 0, "size of payload")
            self.chunks.append((kind, data[at + 4:at + 4 + size],
                                data[at + 4 + size:end], data[at:end]))
            at = end
        self.check_order()
        self.keys = {}

    def check_order(self):
        kinds = [kind for kind, *_ in self.chunks]
        for before, after in zip(kinds, kinds[1:]):
            if after in CONTENT and before in CONTENT:
                require(not (before in ATTACHMENTS and after in DISPLAY),
                        "display after attachments")
            else:
                require(before < after or before == after == 34,
                        f"order of chunk {after}")
        require(REQUIRED <= set(kinds), "a chunk is missing")

    def get(self, kind):
        return [c for c in self.chunks if c[0] == kind]

    def decrypt(self, item, actor, kek):
        """The plaintext of a chunk, for an actor with his KEK."""
        kind, data, slots, _ = item
        at = 64 * ACCESS[kind].index(actor)
        slot = aes_decrypt(*kek, slots[at:at + 64])
        return aes_decrypt(slot[32:], xor(slot[:16], slot[16:32]), data)


class Reader:
    """Opens a message for one actor (M1 - M19). `signets` has one for each
    actor that this one can know."""

    def __init__(self, data, actor, key, signets, limit=128 << 20):
        self.message = Message(data)
        self.actor, self.signets, self.limit = actor, signets, limit
        require(len({signet.layout for signet in signets.values()}) == 1,
                "signets of different layouts")
        point = self.message.get(2)[0][1]
        require(is_point(point), "chunk 2 is no point")
        self.kek = key.kek(point)

    def read(self, item):
        return self.message.decrypt(item, self.actor, self.kek)

    def verify(self, kind, keys, may_be_zero=False):
        for item in self.message.get(kind):
            signature = self.read(item)
            if signature == bytes(64) and may_be_zero:
                continue
            wholes = [c[3] for c in self.message.chunks]
            forms = [covered(kind, wholes)]
            if kind == 225 and self.signets[AUTHOR].layout == "libdime":
                forms.append(libdime_tree(wholes))
            require(any(verifies(key, signature, octets) for key in keys
                        for octets in forms), f"signature in chunk {kind}")

    def verify_organization(self):
        keys = self.signets[ORIGIN].keys_for("messages")
        for kind in (248, 249, 255):
            self.verify(kind, keys, self.actor in (AUTHOR, ORIGIN))

    def verify_author(self):
        for kind in (225, 226):
            self.verify(kind, [self.signets[AUTHOR].signing_key])

    def open_payload(self, item, signed=True):
        """(flags, data) of an encrypted payload, checked (M6 - M8)."""
        plain = self.read(item)
        signature, rest = plain[:64], plain[64:]
        require(not signed or
                verifies(self.signets[AUTHOR].signing_key, signature, rest),
                "plaintext signature")
        length = int.from_bytes(rest[:3], "big")
        flags, pad, data = rest[3], rest[4], rest[5:5 + length]
        fill = rest[5 + length:]
        require(not flags & ~(1 | 2 | 4 | 128), "reserved flag")
        require(not flags & ALTERNATE_KEY, "needs the alternate key")
        require(0 < length == len(data), "data length")
        libdime = self.signets[ORIGIN].layout == "libdime"
        require(len(fill) in padding(length, flags, pad, libdime) and
                fill == number(pad, 1) * len(fill), "padding")
        return flags, data

    def segments(self, kinds, signed=True):
        """The data of all segments of some types, put together (M9)."""
        result, parts = [], []
        for item in self.message.chunks:
            if item[0] not in kinds:
                require(not parts, "a continuation is missing")
                continue
            flags, data = self.open_payload(item, signed)
            parts.append((item[0], flags & ~CONTINUED, data))
            require(parts[0][:2] == parts[-1][:2], "pieces differ")
            if flags & CONTINUED:
                continue
            segment = b"".join(data for *_, data in parts)
            require(len(parts) <= 4 or len(segment) > 4 * SEGMENT,
                    "needlessly many pieces")
            require(item[0] in CONTENT | {34} or len(parts) == 1,
                    "may not be continued")
            require(item[0] in CONTENT or not result, "another segment")
            result.append(self.inflate(segment) if flags & GZIP else segment)
            parts = []
        require(not parts, "a continuation is missing")
        require(sum(map(len, result)) <= self.limit, "too large")
        return result

    def inflate(self, data):
        engine = zlib.decompressobj(31)
        try:
            plain = engine.decompress(data, self.limit + 1)
        except zlib.error as error:
            raise Refused("gzip") from error
        require(len(plain) <= self.limit, "too large")
        require(engine.eof and not engine.unused_data, "not one gzip member")
        return plain

    def check_envelope(self, kind):
        """Chunk 4 or 5 against the signets; returns its octets (M13, M14)."""
        first, user, second, org = (
            (b"Author", AUTHOR, b"Destination", DESTINATION) if kind == 4 else
            (b"Recipient", RECIPIENT, b"Origin", ORIGIN))
        text, = self.segments({kind}, self.actor != DESTINATION)
        pattern = rb"".join(
            rb"%s: <([^<>\r\n]*)>\r\n%s-Signet: \[([^]\r\n]*)\]\r\n" %
            (label, label) for label in (first, second))
        found = re.fullmatch(pattern, text)
        require(found, f"lines of chunk {kind}")
        address, core, domain, print_ = found.groups()
        local, _, host = address.lower().rpartition(b"@")
        untagged = local.split(b"+")[0] + b"@" + host
        if user in self.signets:
            signet = self.signets[user]
            require(signet.name in (address.lower(), untagged) and
                    core == signet.in_envelope, f"user of {kind}")
        signet = self.signets[org]
        require(domain.lower() == signet.name and
                print_ == signet.in_envelope, f"domain of {kind}")
        return text

    def open(self):
        """The mail, octet for octet, or the envelope lines of a server."""
        self.verify_organization()
        if self.actor == DESTINATION:
            return self.check_envelope(5)
        self.verify_author()
        if self.actor == ORIGIN:
            return self.check_envelope(4)
        self.check_envelope(4)
        self.check_envelope(5)
        common, = self.segments({33})
        headers = b"".join(self.segments({34}))
        return (rebuild(common, headers) +
                b"".join(self.segments(CONTENT)))


def open_message(data, actor, key, signets, **options):
    return Reader(data, actor, key, signets, **options).open()


# ---- the header block in chunks 33 and 34 ----

ENDS = {b"crlf": b"\r\n", b"lf": b"\n", b"none": b""}


def header_fields(block):
    """The header fields at the front of a mail, each with all its lines, and
    what follows them."""
    fields = []
    while True:
        found = re.match(
            rb"[!-9;-~]+[ \t]*:[^\n]*(\n[ \t][^\n]*)*(\n|$)", block)
        if not found or not found[0]:
            return fields, block
        fields.append(found[0])
        block = block[found.end():]


def label_of(whole):
    return whole.split(b":", 1)[0].strip().lower()


def unfolded(whole):
    text = re.sub(rb"\r?\n(?=[ \t])", b"", whole.split(b":", 1)[1])
    return re.sub(rb"[\0\r\n]", b" ", text).strip(b" \t")


def write_headers(mail, sender):
    """(data of chunk 33, data of chunk 34, body) of a mail (M15, M16)."""
    fields, rest = header_fields(mail)
    end = next((word for word, octets in ENDS.items()
                if rest.startswith(octets)))
    common, places, others = [], [], []
    for whole in fields:
        label = next((c for c in COMMON if c.lower() == label_of(whole)), None)
        if label is None or label in [c for c, _ in common]:
            others.append(whole)
            continue
        common.append((label, unfolded(whole)))
        places.append(b"%s@%d=%s" % (label, len(others),
                                     base64.b64encode(whole)))
    common.sort(key=lambda item: COMMON.index(item[0]))
    text = b"".join(b"%s: %s\r\n" % item for item in common) or b"\r\n"
    layout = b";\r\n ".join([b"DIME-Layout: end=" + end, *places])
    return (text, b"Return-Path: <%s>\r\n%s\r\n" % (sender, layout) +
            b"".join(others), rest[len(ENDS[end]):])


def rebuild(common, headers):
    """The header block, with its end, of the data of chunks 33 and 34."""
    lines, rest = header_fields(common)
    require(rest == (b"" if lines else b"\r\n") and
            all(label_of(line) in map(bytes.lower, COMMON) and
                line.endswith(b"\r\n") for line in lines), "chunk 33")
    others, rest = header_fields(headers)
    if others and label_of(others[0]) == b"return-path":
        others.pop(0)
    if not others or label_of(others[0]) != b"dime-layout":
        require(rest in (b"", b"\n", b"\r\n"), "chunk 34 ends early")
        return b"".join(re.sub(rb"\r?\n", b"\r\n", f)
                        for f in lines + others) + b"\r\n"
    require(not rest, "chunk 34 ends early")
    words = re.sub(rb"\s", b"", others.pop(0).split(b":", 1)[1]).split(b";")
    require(words[0][:4] == b"end=" and words[0][4:] in ENDS, "layout")
    spelled = {label_of(line): line for line in lines}
    result, taken = [], 0
    for word in words[1:]:
        found = re.fullmatch(rb"([A-Za-z]+)@([0-9]+)(?:=(.*))?", word)
        require(found and taken <= int(found[2]) <= len(others), "layout")
        result += others[taken:int(found[2])]
        taken = int(found[2])
        line = spelled.pop(found[1].lower(), None)
        require(line is not None, "layout has another field")
        result.append(unbase64(found[3]) if found[3] else line)
        require(header_fields(result[-1]) == ([result[-1]], b"") and
                label_of(result[-1]) == found[1].lower() and
                unfolded(result[-1]) == unfolded(line), "layout says another")
    require(not spelled, "layout lacks a field")
    return b"".join(result + others[taken:]) + ENDS[words[0][4:]]


def seal_mail(sealer, mail, **options):
    """The chunks of a mail that stays in one piece, signed."""
    common, headers, body = write_headers(mail, sealer.sender.user_signet.name)
    chunks = sealer.envelope() + [sealer.data(33, common)]
    chunks += sealer.segment(34, headers)
    if body:
        chunks += sealer.segment(67, body)
    return sealer.finish(chunks, **options)
