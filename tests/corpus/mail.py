# SPDX-License-Identifier: BSD-2-Clause
"""Mails, their parts and multiparts, as octets."""
import hashlib

TEXT = b"Bring the papers.\r\n"
PLAIN = "Content-Type: text/plain"
HTML = "Content-Type: text/html; charset=utf-8"
IMAGE = "Content-Type: image/png"
LETTER = "Content-Type: message/rfc822"
ATTACHED = "Content-Disposition: attachment; filename=papers"


def octets(text):
    return text if isinstance(text, bytes) else text.encode()


def lines(*texts):
    """Each of the texts, ended by CRLF."""
    return b"".join(octets(text) + b"\r\n" for text in texts)


def entity(*fields, body=TEXT):
    """A part, or a mail: header fields, the empty line, the body."""
    return lines(*fields) + b"\r\n" + octets(body)


def mail(*fields, body=TEXT):
    return entity("From: alice@alpha.test", "To: bob@beta.test",
                  "Subject: Papers", "Date: Tue, 24 Nov 2026 10:00:00 +0000",
                  "MIME-Version: 1.0", *fields, body=body)


def join(boundary, *parts, preamble="", epilogue="", closed=True):
    """The body of a multipart. A part's last line end becomes the CRLF that
    belongs to the delimiter behind it."""
    body = octets(preamble)
    for part in parts:
        body += lines(f"--{boundary}") + part
    if closed:
        body += lines(f"--{boundary}--")
    return body + octets(epilogue)


def kind(subtype, boundary, *parameters):
    return "; ".join((f"Content-Type: multipart/{subtype}",
                      f'boundary="{boundary}"', *parameters))


def multipart(subtype, boundary, *parts, fields=(), **rest):
    """A multipart as a part."""
    return entity(kind(subtype, boundary), *fields,
                  body=join(boundary, *parts, **rest))


def multipart_mail(subtype, boundary, *parts, fields=(), **rest):
    return mail(kind(subtype, boundary), *fields,
                body=join(boundary, *parts, **rest))


def text(words="one"):
    return entity(PLAIN, body=lines(words))


def noise(name, length):
    """Octets that no compressor shrinks."""
    return hashlib.shake_256(name.encode()).digest(length)
