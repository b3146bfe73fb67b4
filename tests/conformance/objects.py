# SPDX-License-Identifier: BSD-2-Clause
"""As much of armor, signets and messages as a DMTP client sees: enough for
fingerprints and identifiers, and to damage a message on purpose. No signature
is verified here; `dimectl signet verify` does that."""
import base64
import hashlib
import re

from session import Failed

ORG, USER, MESSAGE = 1776, 1789, 1847
LABELS = {ORG: "ORGANIZATIONAL SIGNET", USER: "USER SIGNET",
          MESSAGE: "ENCRYPTED MESSAGE"}
FIXED = {ORG: {1: 32, 2: 33, 3: 33, 253: 64, 255: 64},
         USER: {1: 32, 2: 33, 4: 64, 5: 64, 6: 64, 253: 64, 255: 64}}
CORE, WHOLE = 6, 253  # the last field that each fingerprint covers
# Chunk 255: type and length, a signature, a slot for each of four actors.
SIGNATURE_CHUNK = 4 + 64 + 4 * 64


def require(condition, why):
    if not condition:
        raise Failed(why)


def base64_bare(octets):
    return base64.b64encode(octets).rstrip(b"=").decode()


def crc24(octets):
    crc = 0xB704CE
    for octet in octets:
        crc ^= octet << 16
        for _ in range(8):
            crc = crc << 1 ^ (0x1864CFB if crc & 0x800000 else 0)
    return crc.to_bytes(3, "big")


def armor(magic, octets):
    text = base64.b64encode(octets).decode()
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    lines.append("=" + base64.b64encode(crc24(octets)).decode())
    return "\n".join([f"-----BEGIN {LABELS[magic]}-----", *lines,
                      f"-----END {LABELS[magic]}-----", ""])


def dearmor(magic, text):
    lines = [line.rstrip() for line in text.split("\n") if line.strip()]
    label = LABELS[magic]
    require(len(lines) > 2 and
            re.fullmatch(f"-{{4,5}}BEGIN {label}-{{4,5}}", lines[0]) and
            re.fullmatch(f"-{{4,5}}END {label}-{{4,5}}", lines[-1]),
            f"not the armor of one {label.lower()}")
    body, checksum = lines[1:-1], None
    if re.fullmatch("=[A-Za-z0-9+/]{4}", body[-1]):
        checksum = base64.b64decode(body.pop()[1:])
    body = "".join(body).rstrip("=")
    require(re.fullmatch("[A-Za-z0-9+/]*", body) and len(body) % 4 != 1,
            "what is in the armor is not base64")
    octets = base64.b64decode(body + "=" * (-len(body) % 4))
    require(checksum in (None, crc24(octets)), "the armor's checksum is wrong")
    return octets


def dearmor_all(magic, text):
    """The objects of a listing of several."""
    return [dearmor(magic, part) for part in
            re.findall(r"-+BEGIN .*?-+END [A-Z ]+-+\n", text, re.S)]


class Signet:
    """A signet's fields as (type, whole octets), in their order."""

    def __init__(self, magic, octets):
        require(octets[:2] == magic.to_bytes(2, "big"), "another magic number")
        body, at, self.fields = octets[5:], 0, []
        require(int.from_bytes(octets[2:5], "big") == len(body),
                "its length is not what it says")
        while at < len(body):
            kind, start = body[at], at
            at += 1
            if kind == 251 and at < len(body):
                at += 1 + body[at]
            if kind in FIXED[magic]:
                at += FIXED[magic][kind]
            else:
                width = 1 if kind < 160 else 3 if kind == 252 else 2
                at += width + int.from_bytes(body[at:at + width], "big")
            require(at <= len(body), f"field {kind} is cut off")
            self.fields.append((kind, body[start:at]))
        kinds = [kind for kind, _ in self.fields]
        require(kinds == sorted(kinds), "its fields are not in order")
        self.last = kinds[-1] if kinds else 0

    def fingerprint(self, last=WHOLE):
        return base64_bare(hashlib.sha512(b"".join(
            whole for kind, whole in self.fields if kind <= last)).digest())


def armored(octets):
    return armor(MESSAGE, octets)


def identifier(octets):
    return base64_bare(hashlib.sha512(octets).digest())


def badly_signed(octets):
    """The message with an octet of the organizational signature changed."""
    at = len(octets) - SIGNATURE_CHUNK + 4
    return octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1:]


def unsigned(octets):
    """The message without chunk 255."""
    start = octets.index(MESSAGE.to_bytes(2, "big"))
    rest = octets[start + 6:-SIGNATURE_CHUNK]
    return octets[:start + 2] + len(rest).to_bytes(4, "big") + rest
