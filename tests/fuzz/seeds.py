#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes the inputs that no writer of ours makes: usage: seeds.py CORPUS

What is odd about each stands in its name. Run behind tests/fuzz/seeds, whose
signets and messages it takes to pieces.
"""
import base64
import hashlib
import os
import struct
import sys
import zlib

corpus = sys.argv[1]


def put(harness, name, content):
    directory = os.path.join(corpus, "fuzz_" + harness)
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, name), "wb") as file:
        file.write(content)


def get(harness, name):
    with open(os.path.join(corpus, "fuzz_" + harness, name), "rb") as file:
        return file.read()


def u24(number):
    return number.to_bytes(3, "big")


def fields_of(binary):
    """The field octets of a signet of ours, cut where its fields are."""
    fixed = {1: 32, 4: 64, 5: 64, 6: 64, 253: 64, 255: 64,
             2: 33, 3: 33}
    at, fields = 5, []
    while at < len(binary):
        type_ = binary[at]
        length = fixed.get(type_)
        if length is None:
            length = 2 + int.from_bytes(binary[at + 1:at + 3], "big")
        fields.append(binary[at:at + 1 + length])
        at += 1 + length
    return fields


# ---- decrypted payloads: fuzz_payload.c says what the octets mean ----

ENVELOPE, METADATA, DISPLAY, BY_SOK, TREE, AUTHOR, BY_USERS_SOK, ALTERNATE = (
    1 << bit for bit in range(8))
OTHER_FILL, BY_ANOTHER = 64, 128
COMMON = (33, b"\r\n")


def chunk(type_, data, flags=0, pad=0, blocks=0, length_by=0):
    return (bytes([type_, flags, pad, blocks, length_by & 255]) +
            struct.pack(">H", len(data)) + data)


def payload(name, *chunks, bits=ENVELOPE):
    put("payload", name, bytes([bits]) + b"".join(
        chunk(*c[:2], **c[2] if len(c) > 2 else {}) for c in chunks))


def member(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


def envelope(type_, *lines):
    return type_, b"".join(line + b"\r\n" for line in lines)


FINGERPRINT = b"A" * 86
AUTHOR_LINES = (b"Author: <alice@alpha.test>", b"Author-Signet: [%s]" %
                FINGERPRINT, b"Destination: <beta.test>",
                b"Destination-Signet: [%s]" % FINGERPRINT)
HELLO = (67, b"hello")

payload("signed", COMMON, HELLO, bits=ENVELOPE | METADATA | DISPLAY | BY_SOK)
payload("alternate-chunk", COMMON, HELLO, bits=ENVELOPE | ALTERNATE)
payload("tree-by-another", COMMON, HELLO, bits=ENVELOPE | TREE)
payload("author-by-another", COMMON, HELLO, bits=ENVELOPE | AUTHOR)
payload("origin-by-wrong-sok", COMMON, HELLO, bits=ENVELOPE | BY_USERS_SOK)
for flag in 2, 8, 16, 32, 64:
    payload("flag-%d" % flag, COMMON, (67, b"hello", {"flags": flag}))
payload("pad-256", COMMON, (67, b"hello world", {"blocks": 16}))
payload("pad-wrong", COMMON, (67, b"hello", {"pad": 7}))
payload("fill-wrong", COMMON, (67, b"hello", {"blocks": OTHER_FILL}))
payload("alternate-padding", COMMON,
        (67, b"hello", {"flags": 1, "pad": 2, "blocks": 2}))
payload("chunk-by-another", COMMON, (67, b"hello", {"blocks": BY_ANOTHER}))
payload("length-0", COMMON, (67, b"hello", {"length_by": -5}))
payload("length-past", COMMON, (67, b"hello", {"length_by": 100}))
payload("gzip-second-member", COMMON,
        (67, member(b"hello") + member(b"x"), {"flags": 4}))
payload("gzip-cut", COMMON, (67, member(b"hello")[:-3], {"flags": 4}))
payload("gzip-pieces", COMMON, (67, member(b"hello")[:9], {"flags": 132}),
        (67, member(b"hello")[9:], {"flags": 4}))
payload("gzip-piece-behind", COMMON, (67, member(b"hello"), {"flags": 132}),
        (67, b"x", {"flags": 4}))
payload("pieces-other-flags", COMMON, (67, b"a", {"flags": 128}),
        (67, member(b"b"), {"flags": 4}))
payload("pieces-not-needed", COMMON,
        *[(67, b"a", {"flags": 128})] * 4, HELLO)
payload("pieces-other-type", COMMON, (67, b"a", {"flags": 128}), (131, b"b"))
payload("piece-last", COMMON, (67, b"a", {"flags": 128}))
payload("all-types", COMMON, (34, b"X: y\r\n"), (65, b"a"), (66, b"b"),
        (67, b"c"), (129, b"d"), (130, b"e"), (131, b"f"))
payload("headers-twice", COMMON, (34, b"X: y\r\n"), (34, b"X: y\r\n"))
payload("headers-no-field", COMMON, (34, b"X: y\r\n\r\nbody"))
payload("headers-run-on", COMMON, (34, b"Return-Path: <>\r\n"
        b"DIME-Layout: end=none\r\nX: y\r\n"), (67, b"Z: a\r\n"))
payload("envelope-bomb", (4, member(b"a" * 4000), {"flags": 4}),
        (5, b"x"), COMMON, bits=0)
payload("envelope-short", envelope(4, *AUTHOR_LINES[:3]), (5, b"x"), COMMON,
        bits=0)
payload("envelope-foreign", envelope(4, *AUTHOR_LINES),
        (5, b"Recipient: <"), COMMON, bits=0)
for line, text in (1, b"Author: alice@alpha.test"), (1, b"Author: <alice"), \
        (2, b"Author-Signet: [AAAA]"), (3, b"Destination: <>"), \
        (4, b"Destination-Signet: [%s]x" % FINGERPRINT), (5, b"more"):
    lines = list(AUTHOR_LINES)
    lines[line - 1:line] = [text]
    payload("envelope-line-%d-%d" % (line, len(text)), envelope(4, *lines),
            (5, b"x"), COMMON, bits=0)

core = base64.b64encode(hashlib.sha512(b"".join(
    fields_of(get("signet", "user"))[:4])).digest()).rstrip(b"=")
for name, domain, end in ("domain", b"gamma.test", b""), \
        ("fingerprint", b"beta.test", b""), ("behind", b"beta.test", b"x"), \
        ("no-domain", b"-", b""):
    payload("envelope-other-" + name, envelope(4,
            b"Author: <alice+tag@alpha.test>", b"Author-Signet: [%s]" % core,
            b"Destination: <%s>" % domain, AUTHOR_LINES[3], end),
            (5, b"x"), COMMON, bits=0)

# ---- header blocks: fuzz_headers.c; the first octet is the length of 33 ----

OURS = b"Return-Path: <>\r\nDIME-Layout: "


def headers(name, common, others):
    put("headers", name, bytes([len(common)]) + common + others)


SUBJECT = b"Subject: x\r\n"
headers("common-lf", b"Subject: x\n", b"")
headers("common-cr", b"Subject: \rx\r\n", b"")
headers("common-nul", b"Subject: \0x\r\n", b"")
headers("common-order", b"Subject: x\r\nTo: y\r\n", b"")
headers("common-no-colon", b"Subject\r\n", b"")
headers("common-no-space", b"Subject:x\r\n", b"")
headers("common-empty-value", b"Subject:\r\nX: y\r\n", b"")
headers("no-sender", SUBJECT, b"Return-Path: alice\r\nX: y\r\n")
headers("bad-sender", SUBJECT, b"Return-Path: <a b>\r\nX: y\r\n")
headers("folded-sender", SUBJECT, b"Return-Path: <>\r\n x\r\nX: y\r\n")
headers("other-first", SUBJECT, b"Other: <>\r\nX: y\r\n\r\n")
headers("bad-others", SUBJECT, b"X: y\r\nno field\r\n")
for name, items in (
        ("none", b""), ("end-unknown", b"end=x"), ("end-missing", b"Subject@0"),
        ("no-place", b"end=crlf"), ("item-empty", b"end=crlf;"),
        ("no-number", b"end=crlf;Subject@"), ("place-far", b"end=lf;Subject@9"),
        ("twice", b"end=lf;Subject@0;Subject@0"),
        ("unknown-label", b"end=lf;X@0"), ("absent-label", b"end=lf;To@0"),
        ("no-at", b"end=lf;Subject=0"),
        ("base64", b"end=lf;Subject@1=U3ViamVjdDogeA0K"),
        ("base64-other", b"end=lf;Subject@0=VG86IHgNCg"),
        ("base64-bad", b"end=lf;Subject@0=U"),
        ("base64-two", b"end=lf;Subject@0=U3ViamVjdDogeA0KWDogeQ0K"),
        ("base64-no-end", b"end=lf;Subject@1=U3ViamVjdDogeA"),
        ("other-value", b"end=lf;Subject@0=U3ViamVjdDogeQ0K")):
    headers("layout-" + name, SUBJECT, OURS + items + b"\r\nX: y\r\n")
headers("layout-two", b"To: y\r\nSubject: x\r\n",
        OURS + b"end=none; Subject@1; To@0\r\nX: y\r\n")
headers("block-odd", b"", b"Subject:\tx\r y\r\n\0z\r\n \n\tw\rx: y\r\n\r\n")
headers("block-lf", b"", b"To : x\n y\nsubject:\nX\x7f: z\n")

# ---- signets ----


def signet(name, magic, fields):
    content = b"".join(fields)
    put("signet", name, struct.pack(">H", magic) + u24(len(content)) + content)


ORG, USER, SSR = 1776, 1789, 1215
org = fields_of(get("signet", "org"))
user = fields_of(get("signet", "user"))
head = [f for f in org if f[0] <= 3]
tail = [f for f in org if f[0] >= 253]
SMALL = b"\1" + bytes(31)
INFORMATION = [
    b"\x10\4Name", b"\x11\0", b"\x15\1" b"1", b"\x15\1" b"2", b"\x1b\7" b"1048576",
    b"\x1c\1?", b"\xa0\0\x13https://alpha.test/", b"\xa1\0\1?",
    b"\xc8\0\4a@b.", b"\xfb\1V\0\1\xff", b"\xfb\0\0\0", b"\xfc\0\0\3PNG"]
signet("all-kinds", ORG, head + INFORMATION + tail)
signet("org-core", ORG, head)
signet("org-full", ORG, head + tail[:1])
signet("org-empty", ORG, [])
signet("org-no-key", ORG, head[:-1] + tail)
signet("org-unsigned-text", ORG, head + INFORMATION[:1])
signet("org-no-identifier", ORG, head + [tail[0], tail[2]])
signet("org-unsigned-identifier", ORG, head + tail[:2])
signet("org-order", ORG, head + INFORMATION[1::-1] + tail)
signet("org-twice", ORG, head + INFORMATION[:1] * 2 + tail)
signet("org-reserved", ORG, head + [b"\x09\1x"] + tail)
signet("org-small-order", ORG, [b"\1" + SMALL] + head[1:] + tail)
signet("org-off-curve", ORG, head[:-1] + [b"\3\2" + b"\xff" * 32] + tail)
signet("org-soks", ORG, [head[0], b"\2\x11" + head[0][1:], b"\2\x08" +
       head[0][1:], b"\2\1" + SMALL] + head[-1:] + tail)
signet("org-too-many-soks", ORG, [head[0]] + [b"\2\1" + head[0][1:]] * 65)
signet("org-past-end", ORG, head + [b"\x10\xffx"])
signet("org-upper-case", ORG, head + [tail[0], b"\xfe\0\x0aAlpha.test", tail[2]])
signet("user-core", USER, user[:4])
signet("user-no-organization", USER, user[:3])
signet("user-not-own", USER, [head[0]] + user[1:])
signet("user-alternate", USER, user[:2] + [b"\3\3\1\1k"] + user[2:])
signet("user-alternate-short", USER, user[:2] + [b"\3\1\1"] + user[2:])
signet("user-custody", USER, user[:2] + [b"\4" + bytes(64)] + user[2:])
signet("user-elsewhere", USER, user[:5] + [b"\xfe\0\3a@b", user[6]])
signet("ssr", SSR, user[:3])
signet("ssr-custody", SSR, user[:2] + [b"\4" + bytes(64)] + user[2:3])
signet("ssr-longer", SSR, user[:4])
signet("keys", 1952, head)
for label in b"USER KEYS", b"ORGANIZATIONAL SIGNET":
    put("signet", "armor-" + label.decode().lower().replace(" ", "-"),
        b"-----BEGIN %s-----\n%s-----END %s-----\n" %
        (label, base64.encodebytes(get("signet", "user")), label))

LIBDIME_ORG = [b"\1\x21\x40" + head[0][1:], b"\2\x22\1\x40" + head[0][1:],
               b"\3\0\x21" + head[-1][1:], b"\4" + bytes(64)]
LIBDIME_USER = [b"\1\x21\x40" + user[0][1:], b"\2\0\x21" + user[1][1:],
                b"\5" + bytes(64), b"\6" + bytes(64)]
IDENTIFIER = b"\xfe\x0aalpha.test"
signet("libdime-org", ORG, LIBDIME_ORG + INFORMATION + [
    tail[0], IDENTIFIER, tail[2]])
signet("libdime-org-core", ORG, LIBDIME_ORG)
signet("libdime-org-unsigned", ORG, LIBDIME_ORG[:3] + tail[:1])
signet("libdime-org-length", ORG, LIBDIME_ORG[:1] + [b"\3\0\x20" +
       head[-1][1:-1]] + LIBDIME_ORG[3:])
signet("libdime-org-format", ORG, LIBDIME_ORG[:1] + [
    b"\2\x22\1\x41" + head[0][1:]] + LIBDIME_ORG[2:])
signet("libdime-user", USER, LIBDIME_USER + [tail[0]])
signet("libdime-user-alternate", USER, LIBDIME_USER[:2] + [b"\3\0\1k"] +
       LIBDIME_USER[2:])
signet("libdime-ssr", SSR, LIBDIME_USER[:2] + [b"\3\1k", LIBDIME_USER[2]])

# ---- key files ----

KEY = b"k" * 32
for name, magic, content in (
        ("empty", 2013, b""), ("user", 2013, b"\1" + KEY + b"\2" + KEY),
        ("org", 1952, b"\1" + KEY + b"\3" + KEY),
        ("org-sok", 1952, b"\1" + KEY + b"\2\7" + KEY + b"\3" + KEY),
        ("user-sok", 2013, b"\1" + KEY + b"\2\7" + KEY + b"\2" + KEY),
        ("order", 1952, b"\3" + KEY + b"\1" + KEY),
        ("sok-elsewhere", 1952, b"\1" + KEY + b"\4\7" + KEY + b"\3" + KEY),
        ("scalar-0", 2013, b"\1" + KEY + b"\2" + bytes(32)),
        ("org-scalar-0", 1952, b"\1" + KEY + b"\3" + bytes(32)),
        ("org-no-scalar", 1952, b"\1" + KEY + b"\2" + KEY),
        ("libdime-user", 2013, b"\1\x20" + KEY + b"\2\0\x20" + KEY),
        ("libdime-org", 1952, b"\1\x20" + KEY + b"\3\0\x20" + KEY),
        ("libdime-length", 2013, b"\1\x20" + KEY + b"\2\0\x21" + KEY),
        ("soks", 1952, b"\1" + KEY + (b"\2\7" + KEY) * 65 + b"\3" + KEY),
        ("magic", 1776, b"\1" + KEY + b"\2" + KEY)):
    binary = struct.pack(">H", magic) + u24(len(content)) + content
    put("keyfile", "binary-" + name, binary)
    if name == "user":
        put("keyfile", "length", binary + b"x")
        put("keyfile", "other-label", b"-----BEGIN ORGANIZATIONAL KEYS-----\n"
            b"%s-----END ORGANIZATIONAL KEYS-----\n" %
            base64.encodebytes(binary))

# ---- armor ----

BEGIN, END = b"-----BEGIN USER SIGNET-----\n", b"-----END USER SIGNET-----\n"
for name, text in (
        ("blank", b" \t\r\n"), ("loose", b"\r\n----BEGIN USER KEYS----\r\n\r\n"
         b"MTIz \t\r\nMQ==\r\n----END USER KEYS----\n\n"),
        ("three-dashes", b"---BEGIN USER SIGNET-----\nMQ\n" + END),
        ("label", b"-----BEGIN %s-----\n" % (b"A" * 80)),
        ("other-end", BEGIN + b"MQ\n-----END USER KEYS-----\n"),
        ("header", BEGIN + b"Version: 1\n\nMQ\n" + END),
        ("behind-checksum", BEGIN + b"MQ\n=AAAA\nMQ\n" + END),
        ("checksum", BEGIN + b"MQ==\n=AAAA\n" + END),
        ("checksum-bad", BEGIN + b"MQ==\n=A=AA\n" + END),
        ("within-octet", BEGIN + b"MTIzN\n" + END),
        ("unused-bits", BEGIN + b"MTIzNB\n" + END),
        ("padding-inside", BEGIN + b"MQ==\nMTIz\n" + END),
        ("padding-short", BEGIN + b"MQ=\n" + END),
        ("behind", BEGIN + b"MQ==\n" + END + b"more\n"),
        ("short-label", b"-----BEGIN KEYS-----\n"),
        ("dashes", b"------BEGIN USER SIGNET-----\nMQ\n" + END),
        ("dashes-behind", b"-----BEGIN USER SIGNET---\nMQ\n" + END),
        ("begin-twice", BEGIN + BEGIN + b"MQ\n" + END),
        ("padding-more", BEGIN + b"MTIz\n====\n" + END),
        ("empty", BEGIN + END)):
    put("armor", name, text)

# ---- mails to be cut: the others in this directory are written by hand ----

for name, text in (
        ("bare-boundary", b"Content-Type:\tmultipart/mixed; boundary=a(b)\n\n"
         b"--a\nContent-Type: multipart/mixed; boundary=b\"c\"\n\t folded\n\n"
         b"--b\n\nx\n--a--\n"),
        ("quote-cut", b"Content-Type: multipart/mixed; boundary=\"a\\"),
        ("disposition-twice", b"Content-Type: multipart/mixed; boundary=a\n\n"
         b"--a\nContent-Disposition: inline\nContent-Disposition: attachment\n"
         b"Content-Type: te\xffxt/plain\n\nx\n--a--")):
    put("mime", name, text)

# ---- records ----

POK = b"pok=iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w"
for name, text in (
        ("separators", POK + b"\tpol=strict;sub=explicit\r\nexp=1;;dx=a.test"),
        ("again", b"ver=1 ver=2 pol=mixed pol=strict sub=loose sub=relaxed "
         b"exp=3 exp=4 " + POK), ("relaxed", b"sub=relaxed " + POK),
        ("ignored", b"pol=weak sub=no exp=0 exp=36501 dx=a syn=-.test word "
         b"exp=123456789012345678901 x=y " + POK),
        ("literals", POK + b" dx=[IPv6:2001:db8::1]"),
        ("literal", POK + b" dx=[192.0.2.1]"), ("ipv4", POK + b" syn=192.0.2.1."),
        ("tls-short", POK + b" tls=AAAA"), ("version", b"ver=2 " + POK),
        ("tls", POK + b" tls=" + b"A" * 86 + b" TLS=" + b"B" * 85 + b"A"),
        ("many", POK + b"".join(b" %s dx=d%d.test syn=s%d.test tls=%s" %
         (POK, i, i, b"A" * 86) for i in range(33))),
        ("long", POK + b" " * 16384), ("control", POK + b" \1"),
        ("unicode", POK + b" \xc3\xa9"), ("unused-bits", b"pok=" + b"A" * 42 + b"B"),
        ("small-order", b"pok=AQ" + b"A" * 41), ("empty", b""),
        ("long-value", b"dx=" + b"a" * 60 + b" " + POK)):
    put("record", "odd-" + name, text)

# ---- message frames ----

plain = get("message", "plain")


def frame(content):
    return struct.pack(">HI", 1847, len(content)) + content


def chunks_of(binary):
    slots = {2: 0, 4: 3, 5: 3, 225: 3, 226: 3, 248: 4, 249: 4, 255: 4}
    at, chunks = 6, []
    while at < len(binary):
        size = (4 + int.from_bytes(binary[at + 1:at + 4], "big") +
                64 * slots.get(binary[at], 2))
        chunks.append(binary[at:at + size])
        at += size
    return chunks


pieces = chunks_of(plain)
put("message", "trace", frame(b"\0\0\0\3abc" + b"".join(pieces)))
put("message", "trace-twice", frame(bytes(8) + b"".join(pieces)))
put("message", "unknown", frame(pieces[0] + b"\1\0\0\0" + b"".join(pieces[1:])))
put("message", "order", frame(b"".join(pieces[1::-1] + pieces[2:])))
put("message", "section", frame(b"".join(pieces[:3] + pieces[4:] + pieces[3:4])))
put("message", "twice", frame(b"".join(pieces[:1] + pieces)))
put("message", "unsigned", frame(b"".join(pieces[:-1])))
put("message", "no-point", frame(b"\2\0\0\x21" + bytes(33) + b"".join(pieces[1:])))
put("message", "short-payload", frame(pieces[0] + b"\4\0\0\x10" + bytes(208) +
    b"".join(pieces[2:])))
put("message", "short-signature", frame(b"".join(pieces[:-1]) + b"\xff\0\0\1" +
    bytes(257)))
put("message", "alternate", frame(pieces[0] + b"\3\0\0\1k" + bytes(128) +
    b"".join(pieces[1:])))
put("message", "size", plain + b"x")
put("message", "armor-of-nothing", b"-----BEGIN ENCRYPTED MESSAGE-----\n"
    b"-----END ENCRYPTED MESSAGE-----\n")
put("message", "armor-of-signet", get("armor", "user-signet"))
put("message", "armored", get("armor", "plain"))

# ---- tallies of other nodes ----


def tally(*counts, number=1, made=1700000000):
    return struct.pack(">16sQQ", b"node", number, made) + b"".join(
        struct.pack(">BQI", *count) for count in counts)


put("tally", "one", tally((0, 1, 1)))
put("tally", "each", tally((0, 1, 1), (1, 1, 60), (2, 1, 1000)))
put("tally", "many", tally(*((1, i, i) for i in range(256))))
put("tally", "most", tally((1, 2**64 - 1, 2**32 - 1)))
put("tally", "none", tally())
put("tally", "old", tally((1, 1, 1), made=0))
put("tally", "future", tally((1, 1, 1), made=2**64 - 1))
put("tally", "last", tally((1, 1, 1), number=2**64 - 1))
put("tally", "not-a-rate", tally((0, 1, 1), (3, 1, 1), (1, 1, 1)))
put("tally", "cut", tally((0, 1, 1))[:-1])
put("tally", "head-cut", tally()[:-1])
