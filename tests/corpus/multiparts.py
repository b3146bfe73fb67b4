# SPDX-License-Identifier: BSD-2-Clause
"""Mails as programs make them, and nests that none makes."""
from mail import ATTACHED, HTML, IMAGE, LETTER, PLAIN, TEXT, entity, join, \
    kind, lines, mail, multipart, multipart_mail, noise, text

PAGE = entity(HTML, body=lines("<p>Bring the papers.</p>"))
PICTURE = entity(IMAGE, "Content-ID: <x@y>", body=noise("picture", 500))
PAPERS = entity("Content-Type: application/pdf", ATTACHED,
                "Content-Transfer-Encoding: base64", body=lines("JVBERi0x"))
BOTH = multipart("alternative", "alt", text(), PAGE)
SHOWN = multipart("related", "rel", PAGE, PICTURE)


def usual():
    yield "alternative", multipart_mail("alternative", "a", text(), PAGE)
    yield "related", multipart_mail("related", "a", PAGE, PICTURE)
    yield "mixed", multipart_mail("mixed", "a", text(), PAPERS)
    yield "alternative in mixed", multipart_mail("mixed", "a", BOTH, PAPERS)
    yield "related in alternative", \
        multipart_mail("alternative", "a", text(), SHOWN)
    yield "all three", multipart_mail(
        "mixed", "a", multipart("alternative", "b", text(), SHOWN), PAPERS)
    yield "alternative in related", \
        multipart_mail("related", "a", BOTH, PICTURE, PICTURE)
    yield "digest", multipart_mail(
        "digest", "a", b"\r\n" + mail(), b"\r\n" + mail(), text())
    yield "digest with types", multipart_mail(
        "digest", "a", entity(LETTER, body=mail()), entity(PLAIN))
    yield "list digest", multipart_mail(
        "mixed", "a", text(), multipart("digest", "b", b"\r\n" + mail()),
        text("footer"))
    yield "report", multipart_mail(
        "report", "a", text("It failed."),
        entity("Content-Type: message/delivery-status",
               body=lines("Reporting-MTA: dns; x", "", "Action: failed")),
        entity("Content-Type: text/rfc822-headers", body=lines("To: x")))
    yield "report with the mail", multipart_mail(
        "report", "a", text(), entity(LETTER, body=mail(body=TEXT)))
    yield "signed", multipart_mail(
        "signed", "a", text(),
        entity("Content-Type: application/pgp-signature", body=lines("iQ==")))
    yield "signed mixed", multipart_mail(
        "signed", "a", multipart("mixed", "b", BOTH, PAPERS),
        entity("Content-Type: application/pkcs7-signature", ATTACHED))
    yield "encrypted", multipart_mail(
        "encrypted", "a",
        entity("Content-Type: application/pgp-encrypted",
               body=lines("Version: 1")),
        entity("Content-Type: application/octet-stream", body=lines("hQ==")))
    yield "form data", multipart_mail(
        "form-data", "a", entity("Content-Disposition: form-data; name=x"))
    yield "parallel", multipart_mail("parallel", "a", text(), PICTURE)


def attachments():
    yield "attachment before text", multipart_mail("mixed", "a", PAPERS, text())
    yield "picture before text", multipart_mail("mixed", "a", PICTURE, text())
    yield "attachment between", \
        multipart_mail("mixed", "a", text(), PAPERS, BOTH, text())
    yield "attached text", \
        multipart_mail("mixed", "a", text(), entity(PLAIN, ATTACHED), text())
    yield "attached alternative", multipart_mail(
        "mixed", "a", text(), multipart("alternative", "b", text(), PAGE,
                                        fields=[ATTACHED]), text())
    yield "attached in alternative", multipart_mail(
        "alternative", "a", text(), entity(HTML, ATTACHED), PAGE)
    yield "attached in related", multipart_mail(
        "related", "a", PAGE, PICTURE, PAPERS, PICTURE)
    yield "picture in mixed in related", multipart_mail(
        "related", "a", PAGE, multipart("mixed", "b", PICTURE, PICTURE))
    yield "picture in mixed in alternative in mixed", multipart_mail(
        "mixed", "a", multipart("alternative", "b", text(), multipart(
            "mixed", "c", PAGE, PICTURE)), PICTURE)
    yield "all attached", multipart_mail("mixed", "a", PAPERS, PAPERS, PAPERS)
    yield "alternative behind an attachment", multipart_mail(
        "mixed", "a", PAPERS, multipart("mixed", "b", text(), BOTH), SHOWN)
    yield "multipart without parts", multipart_mail(
        "mixed", "a", text(), multipart("mixed", "b"), text())
    yield "multipart without boundary", multipart_mail(
        "mixed", "a", text(), entity("Content-Type: multipart/mixed"), text())


def letters():
    for name, within in {
            "plain": mail(), "multipart": multipart_mail(
                "mixed", "in", BOTH, PAPERS),
            "same boundary": multipart_mail("mixed", "a", text(), text()),
            "empty": b"", "header only": lines("Subject: x"),
            "body only": TEXT, "letter": mail(LETTER, body=mail()),
            "never closed": multipart_mail("mixed", "in", text(),
                                           closed=False)}.items():
        yield f"letter {name}", multipart_mail(
            "mixed", "a", text(), entity(LETTER, body=within), text("two"))
        yield f"letter alone {name}", mail(LETTER, body=within)
    yield "letter attached", multipart_mail(
        "mixed", "a", text(), entity(LETTER, ATTACHED, body=mail()))
    yield "letter in alternative", multipart_mail(
        "alternative", "a", text(), entity(LETTER, body=multipart_mail(
            "mixed", "in", BOTH)), PAGE)
    yield "letter in base64", multipart_mail(
        "mixed", "a", text(), entity(
            LETTER, "Content-Transfer-Encoding: base64",
            body=lines("VG86IHg=")))
    yield "letter first", multipart_mail(
        "mixed", "a", entity(LETTER, body=mail()), text())


def margins():
    pre, epi = lines("pre", "--", ""), lines("", "epi")
    yield "margins everywhere", multipart_mail(
        "mixed", "a", multipart("alternative", "b", text(), PAGE, preamble=pre,
                                epilogue=epi), PAPERS,
        preamble=pre, epilogue=epi)
    yield "margins of alternative", multipart_mail(
        "alternative", "a", text(), PAGE, preamble=pre, epilogue=epi)
    yield "margins with delimiters of others", multipart_mail(
        "mixed", "a",
        multipart("mixed", "b", text(), epilogue=lines("--c", "")),
        multipart("mixed", "c", text()), preamble=lines("--b", "", "--c--"),
        epilogue=lines("--b--"))
    yield "long preamble", multipart_mail(
        "mixed", "a", text(), preamble=TEXT * 5000, epilogue=TEXT * 5000)
    yield "8-bit preamble", mail(
        kind("mixed", "a"), body=b"\xff\0\r\n" + join("a", text(), text()))


def nests():
    for depth in (2, 5, 10, 20, 30, 31, 32, 33, 40):
        for subtype in ("mixed", "alternative"):
            part = text()
            for level in range(depth, 1, -1):
                part = multipart(subtype, f"n{level}", text("before"), part,
                                 text("behind"))
            yield f"{depth} deep {subtype}", multipart_mail(
                subtype, "n1", part, text("last"))
    part = text()
    for level in range(40, 1, -1):
        part = multipart("mixed", f"n{level}.", part, closed=False)
    yield "40 deep never closed", \
        multipart_mail("mixed", "n1.", part, closed=False)
    part = mail()
    for level in range(12):
        part = multipart_mail("mixed", f"l{level}", text(), entity(
            LETTER, body=part))
    yield "12 letters deep", part
    yield "wide and deep", multipart_mail("mixed", "a", *(
        multipart("alternative", f"b{i}", text(), multipart(
            "related", f"c{i}", PAGE, PICTURE)) for i in range(40)))


def many():
    for count in (998, 999, 1000, 1001, 3000):
        yield f"{count} parts", multipart_mail("mixed", "a", *[text()] * count)
    yield "999 parts and a preamble", multipart_mail(
        "mixed", "a", *[text()] * 999, preamble=TEXT)
    yield "600 multiparts", multipart_mail("mixed", "a", *[BOTH] * 600)


def messages():
    for family in (usual, attachments, letters, margins, nests, many):
        yield from family()
