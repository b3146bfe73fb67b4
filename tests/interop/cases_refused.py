# SPDX-License-Identifier: BSD-2-Clause
"""D/MIME messages that must be refused: changed in one point, and signed anew
by whoever has the keys, so that this point alone is wrong (M1 - M19)."""
import gzip as gzip_module
import zlib

from cases_messages import (HEAD, MAIL, ROLES, Messages, forge, out, plain, put,
                            tail)
from cases_signets import flipped, non_canonical
from dime import SigningKey, armor, number
from dmime import (ACCESS, ALTERNATE_KEY, CONTENT, CONTINUED, GZIP,
                   MESSAGE_LABEL, Sealer, chunk, covered, envelope, frame, gzip,
                   payload, seal_mail)


# ---- frame and armor ----


def wrong_checksum(text):
    at = text.index(b"\n=") + 2
    return text[:at] + (b"B" if text[at:at + 1] == b"A" else b"A") + (
        text[at + 1:])


def framed(t):
    chunks = seal_mail(t.sealer(), MAIL)
    wire = frame(chunks)
    for name, text in {
            "another label": armor("USER SIGNET", wire),
            "another checksum": wrong_checksum(armor(MESSAGE_LABEL, wire)),
            "a checksum of other length": armor(MESSAGE_LABEL, wire).replace(
                b"\n=", b"\n=A"),
            "text before": b"x\n" + armor(MESSAGE_LABEL, wire),
            "text after": armor(MESSAGE_LABEL, wire) + b"x\n",
            "no END": armor(MESSAGE_LABEL, wire).split(b"-----END")[0],
            "no BEGIN": armor(MESSAGE_LABEL, wire).split(b"\n", 1)[1],
            "three dashes": armor(MESSAGE_LABEL, wire, dashes=3),
            "six dashes": armor(MESSAGE_LABEL, wire, dashes=6),
            "END of others": armor(MESSAGE_LABEL, wire).replace(
                b"END ENCRYPTED MESSAGE", b"END USER SIGNET"),
            "an octet that is not base64": armor(
                MESSAGE_LABEL, wire).replace(b"-\nB", b"-\n*"),
            "padding inside": armor(MESSAGE_LABEL, wire, False, False).replace(
                b"-\nBz", b"-\nBz==\n"),
            "two messages": armor(MESSAGE_LABEL, wire) * 2}.items():
        t.broken(f"armor: {name}", text)
    size = len(wire) - 6
    body = wire[6:]
    for name, data in {
            "empty": b"", "two octets": wire[:2], "header alone": wire[:6],
            "no chunks": frame([]), "magic 1848": number(1848, 2) + wire[2:],
            "size too small": wire[:2] + number(size - 1, 4) + body,
            "size too large": wire[:2] + number(size + 1, 4) + body,
            "size of ones": wire[:2] + b"\xff" * 4 + body,
            "octet after it": wire + b"\0", "cut off": wire[:-1],
            "two tracing blocks": number(1837, 2) + b"\0\1x" +
            frame(chunks, b"y"),
            "tracing block beyond the end": number(1837, 2) + b"\xff\xff" +
            wire, "tracing block alone": number(1837, 2) + b"\0\1x",
            "tracing block after it": wire + number(1837, 2) + b"\0\1x",
            "a chunk beyond the end": frame(
                chunks[:-1] + [b"\xff\xff\xff\xff" + chunks[-1][4:]]),
            "three octets of a chunk": frame(chunks + [b"\xff\0\0"]),
            }.items():
        t.broken(f"frame: {name}", data)
    for i in range(len(chunks)):
        t.broken(f"cut before chunk {chunks[i][0]}", frame(chunks[:i]))
        t.case(f"a bit of chunk {chunks[i][0]} flipped", False, frame(
            chunks[:i] + [flipped(chunks[i], 24)] + chunks[i + 1:]))


def order(t, case):
    s = t.sealer()
    chunks = tail(s, s.data(67, b"a"), s.data(131, b"b"))
    whole = s.finish(chunks, bounce=(248, 249))
    kinds = [c[0] for c in whole]
    for i in range(len(whole) - 1):
        # Signed over what results, so that only its order is wrong.
        swapped = list(whole)
        swapped[i], swapped[i + 1] = swapped[i + 1], swapped[i]
        if i < len(chunks) - 1:
            swapped = s.finish(swapped[:len(chunks)], bounce=(248, 249))
        t.broken(f"{kinds[i]} after {kinds[i + 1]}", frame(swapped))
    for i, kind in enumerate(kinds):
        if kind not in CONTENT:
            body = whole[:i + 1] + whole[i:]
            if i < len(chunks):
                body = s.finish(body[:len(chunks) + 1], bounce=(248, 249))
            t.broken(f"{kind} twice", frame(body))
    for kind in (2, 4, 5, 33):
        case(f"without {kind}", lambda s, k=kind: out(plain(s), k))
    for kind in (225, 226, 255):
        t.broken(f"without {kind}", frame(out(whole, kind)))
    case("display after attachments", lambda s: tail(
        s, s.data(67, b"a"), s.data(131, b"b"), s.data(67, b"c")))
    case("content before 33", lambda s: s.envelope() + [
        s.data(67, b"a"), s.data(33, b"\r\n")])
    case("content before 34", lambda s: s.envelope() + [
        s.data(33, b"\r\n"), s.data(67, b"a"), s.data(34, b"X: y\r\n")])
    t.broken("content after 225", frame(
        whole[:-4] + [s.data(67, b"a")] + whole[-4:]))
    t.broken("content after 255", frame(whole + [s.data(67, b"a")]))
    t.broken("chunk 0 twice", frame([chunk(0, b"x")] * 2 + whole))
    t.broken("chunk 0 after 2", frame(
        whole[:1] + [chunk(0, b"x")] + whole[1:]))
    t.broken("chunk 0 last", frame(whole + [chunk(0, b"x")]))
    t.broken("chunk 0 with a slot", frame(
        [chunk(0, b"x", bytes(64))] + whole))
    for kind in (1, 32, 64, 128, 224):
        at = next(i for i, k in enumerate(kinds) if k > kind)
        for data in (b"", bytes(80)):
            t.broken(f"section {kind} as a chunk of {len(data)}", frame(
                whole[:at] + [chunk(kind, data)] + whole[at:]))
    for kind in (6, 31, 35, 68, 127, 132, 223, 227, 247, 250, 254):
        at = next(i for i, k in enumerate(kinds) if k > kind)
        t.broken(f"unknown chunk {kind}", frame(
            whole[:at] + [s.chunk(kind, payload(s.author, b"x"), "AR")] +
            whole[at:]))
    case("3 without slots", lambda s: plain(s)[:1] + [chunk(3, bytes(96))] +
         plain(s)[1:])
    for name, point in (("of 32", s.ephemeral.public[:32]),
                        ("of 34", s.ephemeral.public + b"x"),
                        ("off the curve", b"\2" + bytes(31) + b"\5"),
                        ("of zeros", bytes(33)), ("empty", b"")):
        case(f"chunk 2 {name}", lambda s, p=point: put(plain(s), chunk(2, p)))


def payloads(case):
    body = b"Bring them.\r\n"
    def content(name, kind=67, says=b"", data=body, **options):
        case(name, lambda s: put(plain(s), s.data(kind, data, **options)),
             says=says)
    for flag in (8, 16, 32, 64):
        for kind in (4, 5, 33, 34, 67):
            content(f"reserved flag {flag} in {kind}", kind, flags=flag)
    for kind in (33, 67):
        content(f"alternate key for {kind}", kind, b"alternate",
                flags=ALTERNATE_KEY)
    for kind in (4, 5, 33, 34, 67):
        content(f"no data in {kind}", kind, data=b"", pad=11)
    content("no data, as its length says", length=0)
    content("no data, alternate padding", data=b"", flags=1, pad=1)
    content("length one short", length=len(body) - 1)
    content("length one over", length=len(body) + 1)
    content("length beyond the payload", length=4096)
    content("length of ones", length=0xFFFFFF)
    content("padding of other octets", octets=0)
    content("padding one less", octets=173)
    content("16 octets of padding too many", pad=14, count=30)
    content("16 octets of padding too few", pad=30, count=14)
    content("256 octets with pad octet 16", pad=16, count=256, data=b"x" * 11)
    content("512 octets with pad octet 0", pad=0, count=512, data=b"x" * 11)
    content("16 octets with pad octet 0", pad=0, count=16, data=b"x" * 11)
    content("256 octets with pad octet 0 and another value", pad=0, count=256,
            octets=1, data=b"x" * 11)
    content("alternate padding, a block missing", flags=1, pad=2, count=30)
    content("alternate padding, a block more", flags=1, pad=1, count=46)
    content("alternate padding, a block for what is aligned", flags=1, pad=1,
            count=32, data=b"x" * 11)
    content("alternate padding of other octets", flags=1, pad=1, octets=0)
    case("last octet of padding differs", lambda s: put(plain(s), s.chunk(
        67, resign(s, flipped(payload(s.author, body), -1)))))
    case("first octet of padding differs", lambda s: put(plain(s), s.chunk(
        67, resign(s, flipped(payload(s.author, body), 69 + len(body))))))
    def odd(s, size):
        chunks = plain(s)
        data = chunks[-1]
        inner = data[4:-128]
        inner = inner + bytes(size) if size > 0 else inner[:size]
        return chunks[:-1] + [chunk(67, inner, data[-128:])]
    for size in (1, 15, -1, -15, 16, -16):
        case(f"payload {size:+} octets", lambda s, n=size: odd(s, n))
    for size in (0, 16, 64):
        case(f"payload of {size}", lambda s, n=size: plain(s)[:-1] + [
            s.chunk(67, bytes(n))])
    for kind in (4, 33, 34, 67):
        case(f"plaintext signature of {kind} by another", lambda s, k=kind: put(
            plain(s), s.chunk(k, payload(SigningKey(), s.origin_lines() if k ==
                                         4 else b"To: x\r\n"))))
    case("plaintext signature of zeros", lambda s: put(plain(s), s.chunk(
        67, bytes(64) + payload(s.author, body)[64:])))
    case("plaintext signature with S not canonical", lambda s: put(
        plain(s), s.chunk(67, non_canonical(s.author.sign)(
            payload(s.author, body)[64:]) + payload(s.author, body)[64:])))
    case("plaintext signature over the data alone", lambda s: put(
        plain(s), s.chunk(67, s.author.sign(body) +
                          payload(s.author, body)[64:])))


def resign(s, plaintext):
    return s.author.sign(plaintext[64:]) + plaintext[64:]


def continuation(case):
    def pieces(name, *flags, kinds=None):
        case(name, lambda s: tail(s, *(
            s.data(k, gzip(b"x") if f & GZIP else b"x", flags=f)
            for f, k in zip(flags, kinds or [67] * len(flags)))))
    go = CONTINUED
    pieces("five pieces of what one holds", go, go, go, go, 0)
    pieces("nine pieces", *[go] * 8, 0)
    pieces("gzip only in the first piece", go | GZIP, 0)
    pieces("gzip only in the last piece", go, GZIP)
    pieces("alternate padding only in the first piece", go | 1, 0)
    pieces("alternate padding only in the last piece", go, 1)
    pieces("no last piece", go)
    pieces("no last piece after two", go, go)
    pieces("continued by another type", go, 0, kinds=[67, 66])
    pieces("continued in the attachments", go, 0, kinds=[67, 131])
    case("gzip in five pieces", lambda s: tail(
        s, *s.segment(67, bytes(range(256)), GZIP, 5)))
    case("34 in five pieces", lambda s: s.envelope() + [
        s.data(33, b"\r\n"), *s.segment(34, b"X-Abcd: abcde\r\n", 0, 5)])
    for kind in (4, 5, 33):
        def split(s, kind=kind):
            data = {4: s.origin_lines(), 5: s.destination_lines(),
                    33: b"To: bob@beta.test\r\n"}[kind]
            result = []
            for c in plain(s):
                result += s.segment(kind, data, 0, 2) if c[0] == kind else [c]
            return result
        case(f"{kind} in two pieces", split)
        case(f"{kind} with the continuation flag", lambda s, k=kind: put(
            plain(s), s.data(k, b"To: b\r\n" if k == 33 else s.origin_lines()
                             if k == 4 else s.destination_lines(), flags=go)))
    case("34 continued by content", lambda s: s.envelope() + [
        s.data(33, b"\r\n"), s.data(34, b"X: y\r\n", flags=go),
        s.data(67, b"x")])
    case("34 twice, not continued", lambda s: s.envelope() + [
        s.data(33, b"\r\n"), s.data(34, b"X: y\r\n"), s.data(34, b"Z: y\r\n")])


def bomb(size):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(size >> 20)) + (
        packer.flush())


def compressed(t, case):
    good = gzip(b"Bring them.\r\n" * 20)
    def content(name, data, kind=67):
        case(name, lambda s: put(plain(s), s.data(kind, data, flags=GZIP)))
    for kind in (33, 34, 67):
        content(f"gzip flag on other data in {kind}", b"To: bob\r\n", kind)
    content("one octet with the gzip flag", b"\x1f")
    content("gzip cut off", good[:-1])
    content("gzip cut in its data", good[:-12])
    content("gzip header alone", good[:10])
    content("an octet after the member", good + b"\0")
    content("two members", good + good)
    content("gzip with another CRC", flipped(good, -8))
    content("gzip with another size", flipped(good, -1))
    content("zlib's format", zlib.compress(b"x" * 99))
    content("raw deflate", zlib.compress(b"x" * 99)[2:-4])
    content("gzip of another method", flipped(good, 2))
    large = bomb(129 << 20)
    for kind in (4, 5, 33, 34, 67, 131):
        if kind == 131:
            case("gzip bomb in 131", lambda s: tail(s, s.data(
                131, large, flags=GZIP)))
        else:
            content(f"gzip bomb in {kind}", large, kind)
    case("129 small bombs", lambda s: tail(s, *[
        s.data(131, bomb(1 << 20), flags=GZIP)] * 129))
    small = bomb(2 << 20)
    for kind in (4, 33, 34, 67):
        s = t.sealer()
        t.case(f"gzip of 2 MiB in {kind}, --max-size 1000", False, frame(
            s.finish(put(plain(s), s.data(kind, small, flags=GZIP)))),
            options=["--max-size", "1000"], limit=1000)
    named = gzip_module.compress(b"named", mtime=0)
    s = t.sealer()
    t.case("gzip by another packer", True, frame(s.finish(put(
        plain(s), s.data(67, named, flags=GZIP)))), HEAD + b"\r\nnamed")
    mail = HEAD + b"\r\n" + b"x" * 5000
    for limit, ok in ((len(mail), True), (len(mail) - 1, False)):
        for flags in (0, GZIP):
            s = t.sealer()
            wire = frame(s.finish(tail(s, *s.segment(67, b"x" * 5000, flags))))
            t.case(f"--max-size {limit - len(mail):+}, flags {flags}", ok, wire,
                   mail, options=["--max-size", str(limit)],
                   limit=5000 if ok else 4999)


def lines(t, case):
    """Chunks 4 and 5 that say other things (M13, M14)."""
    s = t.sealer()
    for kind, good in ((4, s.origin_lines()), (5, s.destination_lines())):
        rows = good.split(b"\r\n")[:4]
        user, org = (b"Author", b"Destination") if kind == 4 else (
            b"Recipient", b"Origin")
        core = rows[1][rows[1].index(b"[") + 1:-1]
        full = (t.alice if kind == 4 else t.bob).user_signet.fingerprint("full")
        end = b"\r\n"
        variants = {
            "a fifth line": good + b"X: y\r\n",
            "an empty line after it": good + b"\r\n",
            "a space after it": good + b" ", "NUL after it": good + b"\0",
            "an empty line before it": b"\r\n" + good,
            "three lines": end.join(rows[:3]) + end,
            "no last CRLF": good[:-2], "no last LF": good[:-1],
            "LF": good.replace(b"\r\n", b"\n"),
            "labels in lower case": good.replace(user, user.lower()),
            "labels in upper case": good.replace(org, org.upper()),
            "the first two lines swapped": end.join(
                [rows[1], rows[0], *rows[2:]]) + end,
            "the pairs swapped": end.join(rows[2:] + rows[:2]) + end,
            "a line twice": end.join([rows[0], *rows]) + end,
            "two spaces": good.replace(b": ", b":  ", 1),
            "no space": good.replace(b": ", b":", 1),
            "a space at a line's end": good.replace(b"\r\n", b" \r\n", 1),
            "a folded line": good.replace(b": ", b":\r\n ", 1),
            "no brackets": good.replace(b"<", b"").replace(b">", b""),
            "no square brackets": good.replace(b"[", b"").replace(b"]", b""),
            "the full fingerprint": good.replace(core, full),
            "a fingerprint with padding": good.replace(core, core + b"=="),
            "a fingerprint cut short": good.replace(core, core[:-1]),
            "an empty fingerprint": good.replace(core, b""),
            "another user's fingerprint": good.replace(
                core, t.carol.user_signet.fingerprint("core")),
            "another organization's fingerprint": good.replace(
                rows[3][-87:-1], core),
            "another user": good.replace(b"alice@", b"malice@").replace(
                b"bob@", b"rob@"),
            "another domain": good.replace(b"<alpha.test>", b"<beta.test>")
            if kind == 5 else good.replace(b"<beta.test>", b"<alpha.test>"),
            "a subdomain": good.replace(b"<alpha", b"<sub.alpha").replace(
                b"<beta", b"<sub.beta"),
            "an empty address": good.replace(b"<alice@alpha.test>", b"<>")
            .replace(b"<bob@beta.test>", b"<>"),
            "NUL in the address": good.replace(b".test>", b".test\0>", 1),
            "the lines of the other chunk": s.destination_lines()
            if kind == 4 else s.origin_lines(),
        }
        for name, text in variants.items():
            def edit(s, text=text, kind=kind):
                return put(plain(s), s.data(kind, text))
            case(f"chunk {kind}: {name}", edit)
            case(f"chunk {kind}: {name}, for the server", edit,
                 "O" if kind == 4 else "D")
    carol = envelope(b"Recipient", b"carol@beta.test",
                     t.carol.user_signet.fingerprint("core"), b"Origin",
                     b"alpha.test", t.alice.org_signet.fingerprint("org"))
    case("chunk 5 names another recipient", lambda s: put(
        plain(s), s.data(5, carol)))
    wire = frame(seal_mail(Sealer(t.alice, t.carol), MAIL))
    t.case("for carol", True, wire, receiver="carol")
    t.case("for carol, opened by bob", False, wire)
    wire = frame(seal_mail(Sealer(t.mallory, t.bob), MAIL))
    t.case("from mallory", True, wire, sender="mallory")
    t.case("from mallory, as if from alice", False, wire)


def signatures(t, case):
    foreign = SigningKey()
    signers = {"another": foreign, "the author": t.alice.user.signing,
               "the destination": t.bob.org.signing,
               "the recipient": t.bob.user.signing,
               "a SOK for users": t.soks[1], "a SOK for TLS": t.soks[4],
               "a SOK for software": t.soks[8],
               "a SOK with a reserved bit": t.soks[18]}
    for kind in (248, 249, 255):
        for name, signer in signers.items():
            s = t.sealer()
            wire = frame(forge(s, plain(s), kind, signer, (248, 249)))
            for role in "RAOD" if name == "another" else "R":
                t.case(f"{kind} by {name}, for the {ROLES[role]}", False, wire,
                       role=role)
        for role in "RD":
            case(f"{kind} of zeros, for the {ROLES[role]}", plain, role,
                 bounce=(248, 249), zero=(kind,))
    for kind in (225, 226):
        case(f"{kind} of zeros", plain, zero=(kind,))
        for role in "AO":
            case(f"{kind} of zeros, for the {ROLES[role]}", plain, role,
                 zero=(kind,))
        s = t.sealer()
        t.case(f"{kind} by the origin", False, frame(
            forge(s, plain(s), kind, t.alice.org.signing)))
    for kind in (225, 226, 248, 249, 255):
        class Odd:
            """Signs as canonical signatures may not look."""
            def __init__(self, key):
                self.sign = non_canonical(key.sign)
        s = t.sealer()
        key = s.author if kind < 248 else s.origin
        t.case(f"{kind} with S not canonical", False, frame(
            forge(s, plain(s), kind, Odd(key), (248, 249))))
    # Each signature covers what it should and nothing less.
    for wrong, fewer in ((225, 2), (225, 67), (226, 225), (248, 34), (249, 67),
                         (255, 226), (255, 249)):
        s = t.sealer()
        chunks = plain(s)
        for kind in (225, 226, 248, 249, 255):
            signed = out(chunks, fewer) if kind == wrong else chunks
            signer = s.author if kind < 248 else s.origin
            chunks.append(s.chunk(kind, signer.sign(covered(kind, signed))))
        t.case(f"{wrong} that leaves out {fewer}", False, frame(chunks),
               says=b"chunk %d" % wrong)
    def tree_of_octets(s):
        chunks = plain(s)
        return chunks + [s.chunk(225, s.author.sign(b"".join(chunks)))]
    s = t.sealer()
    chunks = tree_of_octets(s)
    for kind in (226, 255):
        signer = s.author if kind < 248 else s.origin
        chunks.append(s.chunk(kind, signer.sign(covered(kind, chunks))))
    t.case("225 over the chunks instead of their hashes", False, frame(chunks))


def slots(t, case):
    def swap(data, count, i, j):
        """A chunk with two of its slots swapped."""
        body, table = data[:-64 * count], data[-64 * count:]
        parts = [table[k:k + 64] for k in range(0, len(table), 64)]
        parts[i], parts[j] = parts[j], parts[i]
        return body + b"".join(parts)
    for kind in (4, 5, 33, 34, 67):
        n = len(ACCESS[kind])
        case(f"slots of {kind} swapped", lambda s, k=kind, n=n: [
            swap(c, n, 0, n - 1) if c[0] == k else c for c in plain(s)])
    for kind in (225, 226, 248, 249, 255):
        n = len(ACCESS[kind])
        s = t.sealer()
        chunks = []
        for c in s.finish(plain(s), bounce=(248, 249)):
            chunks.append(swap(c, n, 0, n - 1) if c[0] == kind else c)
        t.case(f"slots of {kind} swapped", False, frame(chunks), role="A")
    for kind in (4, 33, 67):
        text = payload(t.alice.user.signing, t.sealer().origin_lines())
        for actors in ("", "A", "R", "AODR"):
            case(f"slots of {kind}: {actors}", lambda s, k=kind, a=actors: put(
                plain(s), s.chunk(k, text, a)))
    case("slots of other chunks", lambda s: plain(s)[:-1] + [
        s.data(67, b"x")[:-128] + plain(s)[3][-128:]])


def header_lies(case):
    """Chunks 33 and 34 that would put other things into the mail."""
    def both(name, common, others=None):
        case(f"headers: {name}", lambda s: s.envelope() + [
            s.data(33, common)] + ([s.data(34, others)] if others else []) + [
                s.data(67, b"x")])
    layout = b"Return-Path: <a@b.test>\r\nDIME-Layout: "
    both("33 ends the header", b"To: b\r\n\r\nSubject: s\r\n")
    both("33 is no field", b"no field\r\n")
    both("33 without CRLF", b"To: b")
    both("34 ends the header", b"To: b\r\n", b"X: y\r\n\r\nZ: y\r\n")
    both("34 is no field", b"To: b\r\n", b"no field\r\n")
    both("an unknown end", b"To: b\r\n", layout + b"end=cr; To@0\r\n")
    both("a field that 33 lacks", b"To: b\r\n",
         layout + b"end=crlf; To@0; Date@0\r\n")
    both("a field of 33 that it lacks", b"To: b\r\nSubject: s\r\n",
         layout + b"end=crlf; To@0\r\n")
    both("a position beyond the others", b"To: b\r\n",
         layout + b"end=crlf; To@7\r\nX: y\r\n")
    both("other octets than 33", b"To: b\r\n",
         layout + b"end=crlf; To@0=VG86IGMNCg==\r\n")
    both("octets of another field", b"To: b\r\n",
         layout + b"end=crlf; To@0=Q0M6IGINCg==\r\n")
    both("two fields in one", b"To: b\r\n",
         layout + b"end=crlf; To@0=VG86IGINClg6IHkNCg==\r\n")
    both("no base64", b"To: b\r\n", layout + b"end=crlf; To@0=*\r\n")


def run(battery):
    t = Messages(battery)

    def case(name, edit, role="R", says=b"", **finish):
        s = t.sealer()
        t.case(name, False, frame(s.finish(edit(s), **finish)), role=role,
               says=says)

    framed(t)
    order(t, case)
    payloads(case)
    continuation(case)
    compressed(t, case)
    lines(t, case)
    signatures(t, case)
    slots(t, case)
    header_lies(case)
