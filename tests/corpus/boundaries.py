# SPDX-License-Identifier: BSD-2-Clause
"""How a Content-Type says its boundary, and the type itself."""
from mail import IMAGE, TEXT, entity, join, mail, text

BODY = join("a", text(), text("two"), entity(IMAGE), preamble="pre\r\n")

# All of these mean the boundary a.
SAID = {
    "token": "multipart/mixed; boundary=a",
    "quoted": 'multipart/mixed; boundary="a"',
    "quoted pair": 'multipart/mixed; boundary="\\a"',
    "no space": "multipart/mixed;boundary=a",
    "upper case": "MULTIPART/MIXED; BOUNDARY=a",
    "spaces at the equals sign": "multipart/mixed; boundary = a",
    "trailing semicolon": "multipart/mixed; boundary=a;",
    "other parameters first":
        "multipart/mixed; charset=utf-8; x=\"; boundary=b\"; boundary=a",
    "other parameters last":
        "multipart/mixed; boundary=a; type=text; start=\"<x@y>\"",
    "folded": "multipart/mixed;\r\n boundary=a",
    "folded with a tab": "multipart/mixed;\r\n\tboundary=\"a\"",
    "folded at the type": "\r\n multipart/mixed;\r\n boundary=a",
    "folded twice": "multipart/mixed;\r\n\t\r\n boundary=a",
    "folded with lf": "multipart/mixed;\n boundary=a",
    "comment before": "(hi) multipart/mixed; boundary=a",
    "comment behind": "multipart/mixed; boundary=a (hi)",
    "comment between": "multipart/mixed (one); (two (three)) boundary=a",
    "comment with a boundary": "multipart/mixed; (boundary=b) boundary=a",
    "unknown subtype": "multipart/x-papers; boundary=a",
    "trailing space in quotes": 'multipart/mixed; boundary="a "',
}

# Boundaries that are unusual in themselves.
ODD = {
    "dashes": "----",
    "like a closing one": "--a--",
    "equals sign": "=_a",
    "apple": "Apple-Mail=_1D3F-4A",
    "outlook": "----=_NextPart_000_0001_01D.2",
    "all characters": "'()+_,-./:=?",
    "space within": "a b  c",
    "one octet": "x",
    "70 octets": "b" * 70,
    "semicolon": "a;b",
    "backslash": "a\\\\b",
    "quote": 'a\\"b',
    "at sign": "a@b<c>[d]",
    "like a field": "X: y",
    "8-bit": "a\u00fcb",
}


def said():
    for name, value in SAID.items():
        yield name, mail(f"Content-Type: {value}", body=BODY)


def odd():
    for name, boundary in ODD.items():
        meant = boundary.replace("\\\\", "\0").replace("\\", "")
        meant = meant.replace("\0", "\\")
        body = join(meant, text(), entity(IMAGE), preamble="pre\r\n")
        yield f"odd {name}", mail(
            f'Content-Type: multipart/mixed; boundary="{boundary}"', body=body)


def unquoted():
    for name in ("=_a", "a/b", "a?b", "a:b", "a@b"):
        yield f"not quoted {name.replace('/', 'slash')}", mail(
            f"Content-Type: multipart/mixed; boundary={name}; x=y",
            body=join(name, text(), entity(IMAGE)))


def none():
    for name, value in {
            "no boundary": "multipart/mixed",
            "empty boundary": "multipart/mixed; boundary=",
            "empty quoted boundary": 'multipart/mixed; boundary=""',
            "not a multipart": "text/plain; boundary=a",
            "quote that does not end": 'multipart/mixed; boundary="a',
            "comment that does not end": "multipart/mixed; (boundary=a",
            "another boundary": "multipart/mixed; boundary=b",
            "rfc822": "message/rfc822; boundary=a",
            "no type at all": "",
            "no slash": "multipart; boundary=a",
            "no subtype": "multipart/; boundary=a",
            "two types": "text/plain multipart/mixed; boundary=a",
    }.items():
        yield name, mail(f"Content-Type: {value}", body=BODY)


def twice():
    yield "type twice multipart first", mail(
        "Content-Type: multipart/mixed; boundary=a", "Content-Type: text/plain",
        body=BODY)
    yield "type twice text first", mail(
        "Content-Type: text/plain", "Content-Type: multipart/mixed; boundary=a",
        body=BODY)
    yield "boundary twice", mail(
        "Content-Type: multipart/mixed; boundary=a; boundary=b", body=BODY)
    yield "boundary twice the same", mail(
        "Content-Type: multipart/mixed; boundary=a; boundary=a", body=BODY)


def split():
    yield "continued", mail("Content-Type: multipart/mixed;"
                            " boundary*0=a; boundary*1=b",
                            body=join("ab", text(), text()))
    yield "encoded", mail("Content-Type: multipart/mixed;"
                          " boundary*=us-ascii'en'a%62",
                          body=join("ab", text(), text()))
    yield "continued in another order", mail(
        "Content-Type: multipart/mixed; boundary*1=b; boundary*0=\"a\"",
        body=join("ab", text(), text()))
    yield "continued and encoded", mail(
        "Content-Type: multipart/mixed;\r\n boundary*0*=us-ascii'en'%61;"
        "\r\n boundary*1=b;\r\n boundary*2*=c%64",
        body=join("abcd", text(), text()))
    yield "encoded word", mail("Content-Type: multipart/mixed;"
                               ' boundary="=?us-ascii?q?a?="',
                               body=join("=?us-ascii?q?a?=", text(), text()))
    yield "71 octets", mail(
        f"Content-Type: multipart/mixed; boundary={'b' * 71}",
        body=join("b" * 71, text(), text()))
    yield "1000 octets", mail(
        f"Content-Type: multipart/mixed; boundary={'b' * 1000}",
        body=join("b" * 1000, text(), text()))


def types():
    """Types of parts that decide where attachments begin."""
    for name, value in {
            "empty": "Content-Type:",
            "no slash": "Content-Type: image",
            "no subtype": "Content-Type: image/",
            "no type": "Content-Type: /png",
            "upper case": "Content-Type: TEXT/Plain",
            "texts": "Content-Type: texts/plain",
            "comments": "Content-Type: (a) text (b) / (c) plain (d)",
            "folded": "Content-Type:\r\n text/plain;\r\n charset=x",
            "twice": "Content-Type: text/plain\r\nContent-Type: image/png",
            "space before the colon": "Content-Type : image/png",
            "delivery status": "Content-Type: message/delivery-status",
            "headers only": "Content-Type: text/rfc822-headers",
            "external": "Content-Type: message/external-body; access-type=x",
            "octets": "Content-Type: application/octet-stream",
    }.items():
        yield f"part {name}", mail(
            "Content-Type: multipart/mixed; boundary=a",
            body=join("a", text(), entity(value), text()))
    for name, value in {
            "attachment": "attachment",
            "upper case": "ATTACHMENT; x=y",
            "inline": "inline; filename=attachment",
            "comment": "(x) attachment",
            "folded": "\r\n attachment",
            "unknown": "papers",
            "attachments": "attachments",
            "quoted": '"attachment"',
            "empty": "",
            "parameter only": "; attachment",
            "twice": "inline\r\nContent-Disposition: attachment",
    }.items():
        yield f"disposition {name}", mail(
            "Content-Type: multipart/mixed; boundary=a",
            body=join("a", text(), entity(f"Content-Disposition: {value}"),
                      text()))
    yield "attached as a whole", mail(
        "Content-Type: multipart/mixed; boundary=a",
        "Content-Disposition: attachment", body=BODY)
    yield "transfer encoded", mail(
        "Content-Type: multipart/mixed; boundary=a",
        "Content-Transfer-Encoding: base64", body=BODY)
    yield "image alone", mail(IMAGE, body=TEXT)


def messages():
    for family in (said, odd, unquoted, none, twice, split, types):
        yield from family()
