# SPDX-License-Identifier: BSD-2-Clause
"""Delimiter lines: similar, missing, doubled, in odd places."""
from mail import IMAGE, entity, join, lines, mail, multipart, multipart_mail, \
    text

MIXED = "Content-Type: multipart/mixed; boundary=a"

# Bodies of a mail whose boundary is a.
BODIES = {
    "no delimiter": lines("one", "two"),
    "empty body": b"",
    "closing one alone": lines("--a--"),
    "closing one first": lines("--a--", "--a", "", "x"),
    "text before the closing one": lines("x", "--a--", "y"),
    "one without a line end": b"--a",
    "closing one without a line end": lines("--a", "", "x") + b"--a--",
    "cut in the delimiter": lines("--a", "", "x") + b"--a",
    "cut behind the delimiter": lines("--a", "", "x", "--a"),
    "cut in the header": lines("--a", "", "x", "--a") + IMAGE[:-1].encode(),
    "cut behind the header": lines("--a", "", "x", "--a", IMAGE),
    "cut in the body": lines("--a", "", "x", "--a", "") + b"y",
    "cut before the dashes": lines("--a", "", "x") + b"--",
    "spaces behind it": lines("--a  ", "", "x", "--a \t", IMAGE, "", "y",
                              "--a--\t "),
    "space before it": lines("--a", "", " --a", "x", "--a--"),
    "words behind it": lines("--a", "", "--a x", "--a-", "--a--x", "--a -",
                             "--a- -", "--a--"),
    "other case": lines("--a", "", "--A", "x", "--a--"),
    "one dash": lines("--a", "", "-a", "x", "--a--"),
    "three dashes": lines("--a", "", "---a", "x", "--a--"),
    "longer": lines("--a", "", "--aa", "--ab", "x", "--a--"),
    "within a line": lines("--a", "", "x --a", "x--a--", "--a--"),
    "behind a cr": lines("--a", "", "x\r--a", "\r--a", "--a--"),
    "cr behind it": lines("--a", "", "x", "--a\r", "y", "--a--"),
    "nul behind it": lines("--a", "", "x", "--a\0", "y", "--a--"),
    "doubled": lines("--a", "--a", "--a", "", "x", "--a--"),
    "closed twice": lines("--a", "", "x", "--a--", "--a--", "y"),
    "goes on when closed": lines("--a", "", "x", "--a--", "--a", IMAGE, "",
                                 "y", "--a--"),
    "never closed": lines("--a", "", "x", "--a", IMAGE, "", "y"),
    "empty parts": lines("--a", "", "--a", "", "", "--a", "--a--"),
    "empty image": lines("--a", IMAGE, "", "--a--"),
    "header without end": lines("--a", IMAGE, "--a", "", "x", "--a--"),
    "header ended by text": lines("--a", "nothing", IMAGE, "", "x", "--a--"),
    "field and then text": lines("--a", IMAGE, "nothing", "", "x", "--a--"),
    "header of white space": lines("--a", " ", "x", "--a--"),
    "header that starts with a fold": lines("--a", " " + IMAGE, "", "x",
                                            "--a--"),
    "mbox line in a part": lines("--a", "From x", "y", "--a", "", "From x",
                                 "--a--"),
    "no line end before it": b"x--a\r\n" + lines("--a", "", "x", "--a--"),
    "preamble of empty lines": lines("", "", "--a", "", "x", "--a--", "", ""),
    "preamble like a header": lines("X: y", "", "--a", "", "x", "--a--",
                                    "X: y"),
    "preamble of one octet": b"x\r\n" + lines("--a", "", "x", "--a--"),
    "epilogue without a line end": lines("--a", "", "x", "--a--") + b"end",
    "bare lf around it": b"--a\n\nx\n--a\r\n\r\ny\r\n--a\n\nz\n--a--\n",
}


def within():
    """A multipart b in a multipart a."""
    inner = "Content-Type: multipart/mixed; boundary="
    yield "inner never closed", mail(MIXED, body=lines(
        "--a", inner + "b", "", "--b", "", "one", "--a", "", "two", "--a--"))
    yield "inner never opened", mail(MIXED, body=lines(
        "--a", inner + "b", "", "x", "--a", "", "two", "--a--"))
    yield "inner only closed", mail(MIXED, body=lines(
        "--a", inner + "b", "", "--b--", "--b", "", "--a", "", "two", "--a--"))
    yield "outer closed within inner", mail(MIXED, body=lines(
        "--a", inner + "b", "", "--b", "", "one", "--a--", "--b", "", "two"))
    yield "outer never closed", mail(MIXED, body=lines(
        "--a", inner + "b", "", "--b", "", "one", "--b--"))
    yield "inner goes on behind outer", mail(MIXED, body=lines(
        "--a", inner + "b", "", "--b", "", "one", "--a", "", "two", "--b", "",
        "three", "--b--", "--a--"))
    yield "inner goes on when closed", mail(MIXED, body=lines(
        "--a", inner + "b", "", "--b", "", "one", "--b--", "--b", "", "two",
        "--a", "", "three", "--a--"))
    yield "inner header ended by its delimiter", mail(MIXED, body=lines(
        "--a", inner + "b", "--b", "", "one", "--b--", "--a--"))
    for boundary in ("ab", "a-", "a--", "a b"):
        yield f"inner {boundary} is longer", mail(
            MIXED, body=join("a", multipart(
                "mixed", boundary, text(), text("two")), text("three")))
    yield "outer is longer", multipart_mail(
        "mixed", "ab", multipart("mixed", "a", text(), text("two")), text())
    yield "same boundary", multipart_mail(
        "mixed", "a", multipart("mixed", "a", text(), text("two")), text())
    yield "lines of outer in inner", mail(MIXED, body=join("a", multipart(
        "mixed", "b", text(), entity(body=lines("--", "--c", "-b", "--b x")),
        entity(IMAGE), epilogue=lines("--c--", "--")), text("two")))
    yield "crossed", mail(MIXED, body=lines(
        "--a", inner + "b", "", "--b", inner + "c", "", "--c", "", "one",
        "--b--", "--c", "", "--a", "", "two", "--c--", "--a--"))


def messages():
    for name, body in BODIES.items():
        yield name, mail(MIXED, body=body)
    yield from within()
    whole = multipart_mail("mixed", "a", text(), entity(IMAGE))
    yield "bare lf throughout", whole.replace(b"\r\n", b"\n")
    yield "bare cr throughout", whole.replace(b"\r\n", b"\r")
    head, body = whole.split(b"\r\n\r\n", 1)
    yield "cr cr lf", head + b"\r\n\r\n" + body.replace(b"\r\n", b"\r\r\n")
    yield "body of bare lf", head + b"\r\n\r\n" + body.replace(b"\r\n", b"\n")
    yield "body of bare cr", head + b"\r\n\r\n" + body.replace(b"\r\n", b"\r")
