# SPDX-License-Identifier: BSD-2-Clause
"""Public keys that nobody may accept (S15)."""
from dime import P, SigningKey, ed_add, ed_decode, ed_encode

# A point of order 8; its multiples are all points of small order.
ORDER_8 = ed_decode(bytes.fromhex(
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"))


def bad_signing_keys():
    point = (0, 1, 1)
    for i in range(8):
        yield f"of small order, {i} times a point of order 8", ed_encode(point)
        point = ed_add(point, ORDER_8)
    yield "of small order and not canonical", (P + 1).to_bytes(32, "little")
    yield "0 with its sign set", (1 | 1 << 255).to_bytes(32, "little")
    for y in range(P + 2, P + 19):
        if ed_decode((y - P).to_bytes(32, "little")):
            yield f"not canonical, p + {y - P}", y.to_bytes(32, "little")
    yield "not on the curve", next(
        octets for octets in (y.to_bytes(32, "little") for y in range(2, 99))
        if ed_decode(octets) is None)
    yield "of mixed order", ed_encode(
        ed_add(ed_decode(SigningKey().public), ORDER_8))
    yield "of ones", b"\xff" * 32


def bad_encryption_keys():
    yield "zero", bytes(33)
    yield "infinity padded", b"\0" + b"\1" * 32
    yield "uncompressed form", b"\4" + b"\1" * 32
    yield "hybrid form", b"\6" + b"\1" * 32
    yield "x not on the curve", b"\2" + bytes(31) + b"\5"
    yield "x beyond the field", b"\2" + b"\xff" * 32
