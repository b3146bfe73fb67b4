# SPDX-License-Identifier: BSD-2-Clause
"""Header blocks: spellings, folds, octets, sizes, and ends."""
from mail import TEXT, entity, lines, mail

LABELS = ("Date", "To", "CC", "From", "Organization", "Subject")

# How one of the common fields may be written.
SPELLINGS = {
    "lower case": lambda label: lines(f"{label.lower()}: value"),
    "upper case": lambda label: lines(f"{label.upper()}: value"),
    "space before the colon": lambda label: lines(f"{label} : value"),
    "tab before the colon": lambda label: lines(f"{label}\t: value"),
    "no space": lambda label: lines(f"{label}:value"),
    "two spaces": lambda label: lines(f"{label}:  value"),
    "tab": lambda label: lines(f"{label}:\tvalue"),
    "trailing spaces": lambda label: lines(f"{label}: value \t "),
    "empty": lambda label: lines(f"{label}:"),
    "empty with a space": lambda label: lines(f"{label}: "),
    "value on the fold": lambda label: lines(f"{label}:", " value"),
    "value on the second fold": lambda label: lines(f"{label}:", " ", "\tva"),
    "folded": lambda label: lines(f"{label}: va", " lue"),
    "folded with a tab": lambda label: lines(f"{label}: va", "\tlue"),
    "folded with lf": lambda label: octets_lf(f"{label}: va", " lue"),
    "fold of white space": lambda label: lines(f"{label}: va", " \t ", " lue"),
    "ends in a fold of white space":
        lambda label: lines(f"{label}: value", " "),
    "fold of 8-bit": lambda label: lines(f"{label}: va", b" \xfc\xff\x80"),
    "utf-8": lambda label: lines(f"{label}: \u20ac Gr\u00fc\u00dfe \U0001f511"),
    "latin-1": lambda label: lines(label.encode() + b": Gr\xfc\xdfe"),
    "encoded word": lambda label: lines(f"{label}: =?utf-8?q?Gr=C3=BC=C3=9F?="),
    "nul": lambda label: lines(f"{label}: a\0b"),
    "bare cr": lambda label: lines(f"{label}: a\rb"),
    "cr at the end": lambda label: lines(f"{label}: a\r\r"),
    "fold of cr": lambda label: lines(f"{label}: a", " \r", " b"),
    "twice": lambda label: lines(f"{label}: one", f"{label}: two"),
    "twice with others between":
        lambda label: lines(f"{label}: one", "X: y", f"{label}: one", "X: y"),
    "long": lambda label: lines(f"{label}: {'v' * 2000}"),
}


def octets_lf(*texts):
    return b"".join(text.encode() + b"\n" for text in texts)


def spellings():
    for name, spell in SPELLINGS.items():
        yield f"common {name}", \
            b"".join(spell(label) for label in LABELS) + b"\r\n" + TEXT
        yield f"subject {name}", \
            lines("X-One: 1") + spell("Subject") + lines("X-Two: 2", "") + TEXT


def orders():
    for i, label in enumerate(LABELS):
        turned = LABELS[i:] + LABELS[:i]
        yield f"order from {label.lower()}", \
            entity(*(f"{each}: value of {each}" for each in turned))
        yield f"only {label.lower()}", entity(f"{label}: value")
    yield "reversed between others", entity(
        *(f"{each}: v\r\nX-{i}: v" for i, each in enumerate(LABELS[::-1])))
    yield "no common", entity("X: y", "Received: from x by y; z")


def others():
    yield "our own names", mail(
        "Return-Path: <mallory@alpha.test>", "DIME-Layout: end=lf; Subject@0",
        "Return-Path: <>")
    yield "our own names first", entity(
        "Return-Path: <mallory@alpha.test>", "DIME-Layout: end=lf; To@7",
        "To: x", "Subject: y")
    yield "layout without return path", entity("DIME-Layout: end=none")
    yield "1000 fields", mail(*(f"X-Field-{i}: {i}" for i in range(1000)))
    yield "1000 subjects", entity(*(f"Subject: {i}" for i in range(1000)))
    yield "long line", mail("X-Long: " + "x" * 100000)
    yield "long name", mail("X" * 5000 + ": y")
    yield "1000 folds", mail("References:", *(f" <{i}@x>" for i in range(1000)))
    yield "name alone", mail("X:", "Y: ", "Z:\t")
    yield "odd names", mail("X!#$%&'*+-.^_`|~: y", '"X"(y)<z>@[w]/?=: v')
    yield "8-bit others", mail(b"X: \x80\xff\xfe", "Y: \u00e9")
    yield "nul in another", mail("X: a\0\0b", "Y: \0")
    yield "control octets", mail("X: \x01\x02\x7f\x1b[2J\x0b\x0c")
    yield "8-bit fold in another", mail("X: y", b"\t\xff", b" \x80 ")
    yield "folds of white space in another", mail("X: y", " ", "\t", " \t z")
    yield "bare cr in another", mail("X: a\rSubject: b\r\r")
    yield "colon in the value", mail("X: a: b: c", "Y::: x")
    yield "received", mail(
        "Received: from a.test (a.test [192.0.2.1])", "\tby b.test (Postfix)",
        " with ESMTPS id 1", "\tfor <bob@beta.test>; Tue, 24 Nov 2026")


def mixed_line_ends():
    for name, data in dict(spellings()).items():
        if name.startswith("common") and name.endswith(("case", "folded")):
            yield f"lf {name}", data.replace(b"\r\n", b"\n")
    yield "lf and crlf by turns", \
        b"To: x\nFrom: y\r\nX: z\nSubject: w\r\n v\n u\r\n\n" + TEXT
    yield "empty line is lf", lines("To: x", "Subject: y") + b"\n" + TEXT
    yield "empty line is crlf behind lf", b"To: x\nSubject: y\n\r\n" + TEXT
    yield "two empty lines", mail(body=b"\r\n" + TEXT)
    yield "lf behind the end", mail(body=b"\n" + TEXT)
    yield "cr behind the end", mail(body=b"\r" + TEXT)


def ends():
    """Where the header ends otherwise than by an empty line."""
    head = lines("To: bob@beta.test", "Subject: Papers")
    yield "empty input", b""
    yield "empty line alone", b"\r\n"
    yield "lf alone", b"\n"
    yield "cr alone", b"\r"
    yield "nul alone", b"\0"
    yield "colon alone", b":"
    yield "one letter", b"x"
    yield "no body", head + b"\r\n"
    yield "no empty line", head
    yield "no last line end", head[:-2]
    yield "last field ends in cr", head[:-1]
    yield "last field ends in a fold", head + b" "
    yield "last field of white space", head + b" \t\r\n"
    yield "one field not ended", b"Subject: x"
    yield "name without value", b"Subject:"
    yield "other field not ended", head + b"X: y"
    yield "body alone", TEXT * 3
    yield "body behind an empty line", b"\r\n" + TEXT
    yield "begins with white space", b" \r\n" + head + b"\r\n" + TEXT
    yield "begins with a fold", b" X: y\r\n" + head + b"\r\n" + TEXT
    yield "line without a colon", head + lines("nothing") + head + TEXT
    yield "line of white space in a name", head + lines("X Y: z") + TEXT
    yield "8-bit in a name", head + lines(b"X\xff: z") + TEXT
    yield "nul in a name", head + lines(b"X\0: z") + TEXT
    yield "nothing before the colon", head + lines(": z") + TEXT
    yield "space before a colon", head + b"X" + b" " * 300 + b": y\r\n\r\nz"
    yield "mbox line first", lines("From alice Tue Nov 24 2026") + head + TEXT
    yield "mbox line within", head + lines("From alice Tue Nov 24") + TEXT
    yield "quoted mbox line", head + lines(">From alice: x") + TEXT
    yield "mbox line in the body", \
        mail(body=lines("From alice Tue Nov 24 2026", ">From x", ".", ".."))
    yield "begins with a mark", b"\xef\xbb\xbf" + head + b"\r\n" + TEXT
    yield "utf-16", "To: bob\r\n\r\nx".encode("utf-16")


def messages():
    for family in (spellings, orders, others, mixed_line_ends, ends):
        yield from family()
