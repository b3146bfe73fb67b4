# SPDX-License-Identifier: BSD-2-Clause
"""Bodies: octets, lines, sizes."""
import base64

from mail import IMAGE, PLAIN, TEXT, entity, lines, mail, multipart_mail, \
    noise, text

CHUNK = 16777131  # what one chunk can hold
BASE64 = "Content-Transfer-Encoding: base64"


def octets():
    yield "all octets", mail(body=bytes(range(256)) * 4)
    yield "nul", mail(body=b"a\0b\r\n\0\0\r\n\0")
    yield "nul alone", mail(body=b"\0")
    yield "8-bit", mail(body="Gr\u00fc\u00dfe\r\n".encode("latin-1"))
    yield "utf-8", mail("Content-Type: text/plain; charset=utf-8",
                        body="\u20ac \U0001f511 \u202e\r\n")
    yield "utf-16", mail(body="\ufeffpapers\n".encode("utf-16"))
    yield "nul in a part", multipart_mail(
        "mixed", "a", entity(PLAIN, body=b"a\0\r\n"), entity(
            IMAGE, body=bytes(range(256)) + b"\r\n"))
    yield "binary part with delimiters", multipart_mail(
        "mixed", "a", entity(IMAGE, body=b"\0--a\r\n\0\n--ax\n\r--a\r\n"))


def line_ends():
    yield "empty", mail(body=b"")
    yield "one octet", mail(body=b"x")
    yield "crlf", mail(body=b"\r\n")
    yield "lf", mail(body=b"\n")
    yield "cr", mail(body=b"\r")
    yield "no last line end", mail(body=b"one\r\ntwo")
    yield "ends in cr", mail(body=b"one\r\ntwo\r")
    yield "bare lf", mail(body=b"one\ntwo\n\nthree\n")
    yield "bare cr", mail(body=b"one\rtwo\r\rthree\r")
    yield "mixed line ends", mail(body=b"a\nb\r\nc\rd\r\r\ne\n\rf\r\n\n\r\n")
    yield "1000 empty lines", mail(body=b"\r\n" * 1000)
    yield "trailing white space", mail(body=b"a \t \r\n \r\n\t\r\n-- \r\n")
    yield "dots", mail(body=lines(".", "..", ". x", "...", "."))
    yield "commands", mail(body=lines("QUIT", ".", "MAIL FROM:<x>"))
    yield "armor", mail(body=lines("-----BEGIN ENCRYPTED MESSAGE-----", "AAAA",
                                   "-----END ENCRYPTED MESSAGE-----"))


def long_lines():
    yield "100 kB line", mail(body=b"x" * 100000 + b"\r\n")
    yield "100 kB line without end", mail(body=b"x" * 100000)
    yield "998 and 999", mail(body=lines("x" * 998, "y" * 999, "z" * 1000))
    yield "100 kB of dashes", mail("Content-Type: multipart/mixed; boundary=-",
                                   body=b"-" * 100000)
    yield "100 kB line in a part", multipart_mail(
        "mixed", "a", entity(PLAIN, body=lines("x" * 100000)), entity(
            IMAGE, body=lines("--a" * 33333)))
    yield "100 kB of short lines", mail(body=b"\n" * 100000)
    yield "100 kB of delimiters", mail(
        "Content-Type: multipart/mixed; boundary=a",
        body=b"--a\r\n\r\n" * 20000)


def sizes():
    """Around a block of the cipher, the shortest payload, a pad octet."""
    for size in (10, 11, 12, 26, 27, 28, 186, 187, 188, 202, 203, 255, 256,
                 4095, 4096, 65535, 65536, 65537):
        yield f"noise of {size}", mail(body=noise("size", size))
    for size in (1000, 100000, 1000000):
        yield f"text of {size}", mail(body=(TEXT * (size // 10))[:size])
    yield "noise and then text", mail(
        body=noise("first", 65536) + TEXT * 20000)
    yield "text and then noise", mail(
        body=TEXT * 4000 + noise("behind", 300000))
    yield "one letter a million times", mail(body=b"a" * 1000000)
    yield "noise in base64", multipart_mail(
        "mixed", "a", text(), entity(IMAGE, BASE64, body=armored(60000)))


def armored(size):
    return base64.encodebytes(noise("base64", size)).replace(b"\n", b"\r\n")


def chunk_borders():
    for name, size in {"one chunk": CHUNK, "one octet over": CHUNK + 1}.items():
        yield f"noise of {name}", mail(body=noise("chunk", size))
    yield "text over a chunk", mail(body=TEXT * (CHUNK // len(TEXT) + 9))
    yield "64 MiB", multipart_mail(
        "mixed", "a", text(), entity(IMAGE, body=noise("64 MiB", 64 << 20)),
        text("two"))


def messages():
    for family in (octets, line_ends, long_lines, sizes, chunk_borders):
        yield from family()
