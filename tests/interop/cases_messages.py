# SPDX-License-Identifier: BSD-2-Clause
"""D/MIME messages: sealed on either side and opened on the other; all that
M1 - M19 let a writer do. cases_refused.py has what they do not."""
import hashlib

from dime import OrgKeys, SigningKey, UserKeys, armor, sign_request
from dmime import (ACTORS, ALTERNATE_PADDING, CONTENT, CONTINUED, GZIP,
                   MESSAGE_LABEL, SEGMENT, Party, Reader, Sealer, chunk,
                   covered, frame, gzip, payload, seal_mail, write_headers)

ROLES = {"A": "author", "O": "origin", "D": "destination", "R": "recipient"}
HEAD = b"Received: by x\r\nSubject: Papers\r\nX-Odd: 1\r\nTo: bob@beta.test\r\n"
MAIL = HEAD + b"\r\nBring them.\r\nno end"
# The same with its fields where a reader without a layout puts them.
PLAIN = b"To: b\r\nSubject: s\r\nX-A: 1\r\nX-B: 2\r\n\r\nBring them.\r\n"


def party(address, org=None):
    user, org = UserKeys(), org or OrgKeys()
    domain = address.split(b"@")[1]
    return Party(user, sign_request(user.request(), org.signing, address), org,
                 org.signet(domain))


class Messages:
    def __init__(self, battery):
        self.battery = battery
        org = OrgKeys()
        self.soks = {p: SigningKey() for p in (1, 2, 4, 8, 18)}
        org.soks = list(self.soks.items())
        self.alice, self.bob = party(b"alice@alpha.test", org), party(
            b"bob@beta.test")
        self.mallory = party(b"mallory@alpha.test", org)
        self.carol = party(b"carol@beta.test", self.bob.org)
        # Ed25519 is deterministic: the same keys make the same org signet.
        for name in ("alice", "bob", "mallory", "carol"):
            self.write(name, getattr(self, name))

    def write(self, name, side):
        for what, data in (("key", side.user.file()), ("org.key",
                           side.org.file()), ("signet", side.user_signet.data),
                           ("org.signet", side.org_signet.data)):
            self.battery.path(f"{name}.{what}", data)

    def parties(self, sender="alice", receiver="bob"):
        return ["--author", f"{sender}.signet", "--origin",
                f"{sender}.org.signet", "--destination",
                f"{receiver}.org.signet", "--recipient", f"{receiver}.signet"]

    def case(self, name, accept, wire, output=MAIL, role="R", says=b"",
             options=(), sender="alice", receiver="bob", limit=128 << 20):
        """Opens a message on both sides."""
        holder = sender if role in "AO" else receiver
        side = getattr(self, holder)
        keys = side.user if role in "AR" else side.org
        key = holder + (".key" if role in "AR" else ".org.key")
        a, r = getattr(self, sender), getattr(self, receiver)
        signets = dict(zip(ACTORS, (a.user_signet, a.org_signet, r.org_signet,
                                    r.user_signet)))
        self.battery.case(
            f"message: {name}", accept,
            ["message", "open", "--as", ROLES[role], "--key", key, *options,
             *self.parties(sender, receiver)], wire, output,
            lambda: Reader(wire, role, keys.encryption, signets, limit).open(),
            says=says, decode=with_crlf if role in "OD" else bytes)

    def broken(self, name, wire):
        """What nobody's open may take. show may list it, but not fail
        otherwise."""
        self.case(name, False, wire)
        status, _, errors = self.battery.run(
            ["message", "show", "--as", "recipient", "--key", "bob.key"], wire)
        lines = errors.count(b"\n")
        if (status, lines) not in ((0, 0), (65, 1)):
            self.battery.verdict(f"show: {name}", f"{status}: {errors[:300]}")

    def subdomains(self):
        """Users below their organization's domain, and one in UTF-8."""
        self.dave = self.below(self.alice, b"dave@sub.alpha.test")
        self.jorg = self.below(self.bob, "j\u00f6rg@a.b.beta.test".encode())
        self.write("dave", self.dave)
        self.write("jorg", self.jorg)

    @staticmethod
    def below(parent, address):
        user = UserKeys()
        return Party(user, sign_request(
            user.request(), parent.org.signing, address), parent.org,
            parent.org_signet.data)

    def sealer(self):
        return Sealer(self.alice, self.bob)


def with_crlf(text):
    return text.replace(b"\n", b"\r\n")


def plain(s, mail=MAIL):
    """The chunks of a mail before its signatures."""
    common, headers, body = write_headers(mail, b"alice@alpha.test")
    return s.envelope() + [s.data(33, common), s.data(34, headers),
                           s.data(67, body)]


def put(chunks, new):
    """Puts a chunk in the place of the one of its type."""
    return [new if c[0] == new[0] else c for c in chunks]


def out(chunks, kind):
    return [c for c in chunks if c[0] != kind]


def tail(s, *contents):
    """The chunks of MAIL with other content chunks."""
    return plain(s)[:5] + list(contents)


# ---- accepted ----

PARTS = [(65, b"preamble\r\n--a\r\nContent-Type: multipart/alternative; "
          b"boundary=b\r\n\r\n"),
         (66, b"--b\r\nContent-Type: multipart/related; boundary=c\r\n\r\n"),
         (67, b"--c\r\n\r\ntext\r\n--c--\r\n--b--\r\n"),
         (67, b"\0\xff odd octets \r\r\n"),
         (129, b"--a\r\nContent-Type: multipart/mixed; boundary=d\r\n\r\n"),
         (130, b"--d\r\nContent-Type: multipart/alternative; boundary=e\r\n"),
         (131, b"--e\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n"),
         (131, b"--a--\r\nepilogue")]
MULTIPART = HEAD + b"\r\n" + b"".join(data for _, data in PARTS)


def accepted(t):
    def case(name, edit, output=MAIL, finish=None, role="R", **options):
        s = t.sealer()
        chunks = edit(s)
        wire = frame(s.finish(chunks, **finish or {}))
        t.case(name, True, wire, output, role, **options)

    body = MAIL.split(b"\r\n\r\n", 1)[1]
    case("plain", plain)
    case("plain, for its author", plain, role="A")
    case("multipart with all content chunks", lambda s: tail(
        s, *(s.data(k, d) for k, d in PARTS)), MULTIPART)
    case("display chunks in any order", lambda s: tail(
        s, s.data(67, b"a"), s.data(66, b"b"), s.data(65, b"c"),
        s.data(67, b"d")), HEAD + b"\r\nabcd")
    case("attachments in any order, no display", lambda s: tail(
        s, s.data(131, b"a"), s.data(129, b"b"), s.data(130, b"c")),
        HEAD + b"\r\nabc")
    case("empty body", lambda s: tail(s), HEAD + b"\r\n")
    headerless(case)
    for kind, data in ((4, None), (5, None), (33, None), (34, None),
                       (67, body * 50)):
        def squeeze(s, kind=kind, data=data):
            old = {4: s.origin_lines(), 5: s.destination_lines(),
                   33: write_headers(MAIL, b"a@b")[0],
                   34: write_headers(MAIL, b"a@b.test")[1]}
            return put(plain(s), s.data(kind, gzip(data or old[kind]),
                                        flags=GZIP))
        case(f"gzip in chunk {kind}", squeeze, HEAD + b"\r\n" + data
             if data else MAIL)
    paddings(case, body)
    continued(t, case)
    for bounce in ((248,), (249,), (248, 249)):
        for role in "RA":
            case(f"with {bounce} as {ROLES[role]}", plain, role=role,
                 finish={"bounce": bounce})
    case("bounce signatures of a multipart", lambda s: tail(
        s, *(s.data(k, d) for k, d in PARTS)), MULTIPART,
        {"bounce": (248, 249)})
    case("signed by a SOK for messages", plain,
         finish={"origin": t.soks[2], "bounce": (248, 249)})
    for zero in ((255,), (248, 255), (248, 249, 255)):
        finish = {"bounce": [k for k in zero if k < 255], "zero": zero}
        case(f"{zero} not signed yet, for the author", plain, role="A",
             finish=finish)
        s = t.sealer()
        case(f"{zero} not signed yet, for the origin", plain, s.origin_lines(),
             finish, "O")
    strange(t, case)
    framed(t)


def headerless(case):
    first = b"To: b\r\nSubject: s\r\n"
    def headers(s, common, others=None, content=b"Bring them.\r\n"):
        return s.envelope() + [s.data(33, common)] + (
            [s.data(34, others)] if others else []) + (
            [s.data(67, content)] if content else [])
    case("without layout", lambda s: headers(
        s, first, b"X-A: 1\r\nX-B: 2\r\n"), PLAIN)
    case("without layout, with Return-Path", lambda s: headers(
        s, first, b"Return-Path: <>\r\nX-A: 1\r\nX-B: 2\r\n"), PLAIN)
    case("without chunk 34", lambda s: headers(s, first),
         first + b"\r\nBring them.\r\n")
    case("no common field, no chunk 34", lambda s: headers(s, b"\r\n"),
         b"\r\nBring them.\r\n")
    case("no common field, no layout", lambda s: headers(
        s, b"\r\n", b"X-A: 1\r\n\t2\r\n"),
         b"X-A: 1\r\n\t2\r\n\r\nBring them.\r\n")
    case("nothing at all", lambda s: headers(s, b"\r\n", None, b""), b"\r\n")


def paddings(case, body):
    def content(name, data, **options):
        case(name, lambda s: tail(s, s.data(67, data, **options)),
             HEAD + b"\r\n" + data)
    for pad in (0, 1, 255):
        content(f"alternate padding, {pad} blocks", body,
                flags=ALTERNATE_PADDING, pad=pad)
    content("alternate padding, nothing to align", b"x" * 11,
            flags=ALTERNATE_PADDING, pad=0)
    content("256 octets of padding, pad octet 0", b"x" * 11, pad=0, count=256)
    content("80 octets without padding", b"x" * 11, pad=0)
    content("80 octets with 10 of padding", b"x", pad=10)
    content("255 octets of padding", b"x" * 12, pad=255)
    content("240 octets of padding", b"x" * 11, pad=240)
    case("alternate padding everywhere", lambda s: s.envelope()[:1] + [
        s.data(4, s.origin_lines(), flags=1, pad=3),
        s.data(5, s.destination_lines(), flags=1, pad=4),
        s.data(33, b"\r\n", flags=1, pad=9), s.data(34, b"X: y\r\n", flags=1)],
        b"X: y\r\n\r\n")


def continued(t, case):
    data = bytes(range(256)) * 20
    for pieces in (2, 3, 4):
        case(f"content in {pieces} pieces", lambda s, n=pieces: tail(
            s, *s.segment(67, data, pieces=n)), HEAD + b"\r\n" + data)
        case(f"gzip in {pieces} pieces", lambda s, n=pieces: tail(
            s, *s.segment(131, data * 9, GZIP, n)), HEAD + b"\r\n" + data * 9)
    case("chunk 34 in 3 pieces", lambda s: s.envelope() + [
        s.data(33, b"\r\n"), *s.segment(34, b"X-A: 1\r\nX-B: 2\r\n", 0, 3)],
        b"X-A: 1\r\nX-B: 2\r\n\r\n")
    case("pieces and other segments of one type", lambda s: tail(
        s, *s.segment(67, b"abc", 0, 3), s.data(67, b"def"),
        *s.segment(67, b"gh", 0, 2)), HEAD + b"\r\nabcdefgh")
    case("one octet in each of four pieces", lambda s: tail(
        s, *s.segment(66, b"abcd", 0, 4)), HEAD + b"\r\nabcd")
    case("pieces with alternate padding", lambda s: tail(
        s, s.data(67, b"abc", flags=CONTINUED | ALTERNATE_PADDING, pad=7),
        s.data(67, b"def", flags=ALTERNATE_PADDING)), HEAD + b"\r\nabcdef")
    large = bytes(4 * SEGMENT + 1)
    case("five pieces of what four cannot hold", lambda s: tail(
        s, *s.segment(67, large)), HEAD + b"\r\n" + large)
    for size in (SEGMENT, SEGMENT + 1):
        sealed_large(t, size)


def sealed_large(t, size):
    """Octets that do not shrink, which dimectl seals."""
    stream = hashlib.shake_128(b"interop").digest(size)
    mail = HEAD + b"\r\n" + stream
    wire = seal_with_dimectl(t, mail, "--binary")
    opens_in_python(t, f"{size} octets that dimectl sealed", wire, mail)


def strange(t, case):
    case("chunk 0", lambda s: [chunk(0, b"via x")] + plain(s))
    case("chunk 3", with_alternate)
    tagged = t.bob.user_signet.name.replace(b"@", b"+lists@")
    case("recipient with a tag", lambda s: put(plain(s), s.data(
        5, s.destination_lines().replace(t.bob.user_signet.name, tagged))))
    case("letter case of addresses and domains", lambda s: put(put(
        plain(s), s.data(4, s.origin_lines().replace(b"alice@alpha", b"Alice@"
                                                     b"ALPHA"))),
        s.data(5, s.destination_lines().replace(b"<alpha.test>",
                                                b"<Alpha.Test>"))))
    other = t.mallory.user.signing
    destination = t.sealer().destination_lines()
    for role, ok in (("R", False), ("D", True)):
        s = t.sealer()
        chunks = put(plain(s), s.chunk(5, payload(other, destination)))
        t.case(f"plaintext signature of 5 by another, for the "
               f"{ROLES[role]}", ok, frame(s.finish(chunks)),
               destination if ok else MAIL, role)
    for kind in (225, 226):
        s = t.sealer()
        wire = frame(forge(s, plain(s), kind, other))
        t.case(f"{kind} by another, for the destination", True, wire,
               destination, "D")
        for role in "ROA":
            t.case(f"{kind} by another, for the {ROLES[role]}", False, wire,
                   role=role)


def with_alternate(s):
    chunks = plain(s)
    return chunks[:1] + [s.data(3, b"for later")] + chunks[1:]


def forge(s, chunks, kind, signer, bounce=()):
    """Signs everything properly, but one signature chunk by another."""
    chunks = list(chunks)
    for each in sorted({225, 226, 255, *bounce}):
        key = signer if each == kind else s.author if each < 248 else s.origin
        chunks.append(s.chunk(each, key.sign(covered(each, chunks))))
    return chunks


def framed(t):
    s = t.sealer()
    chunks = seal_mail(s, MAIL)
    wire = frame(chunks)
    t.case("a tracing block", True, frame(chunks, b"received by x"))
    t.case("an empty tracing block", True, frame(chunks, b""))
    t.case("a tracing block of 65535", True, frame(chunks, bytes(65535)))
    t.case("chunk 0 put in front after signing", True,
           frame([chunk(0, b"x" * 70000)] + chunks))
    for name, text in {
            "plain": armor(MESSAGE_LABEL, wire, False, False),
            "padding": armor(MESSAGE_LABEL, wire, True, False),
            "checksum": armor(MESSAGE_LABEL, wire, False, True),
            "four dashes": armor(MESSAGE_LABEL, wire, False, False, 4),
            "76 columns": armor(MESSAGE_LABEL, wire, False, False, 5, 76),
            "white space around": b"\r\n \t\n" + armor(
                MESSAGE_LABEL, wire, False, False) + b"\n \n",
            "CRLF": armor(MESSAGE_LABEL, wire, False, False).replace(
                b"\n", b"\r\n")}.items():
        t.case(f"armor: {name}", True, text)


# ---- sealed by dimectl ----


def seal_with_dimectl(t, mail, *words, sender="alice", receiver="bob"):
    return t.battery.make(
        "message", "seal", "--author-key", f"{sender}.key", "--origin-key",
        f"{sender}.org.key", *t.parties(sender, receiver), *words, stdin=mail)


def opens_in_python(t, name, wire, mail):
    a, b = t.alice, t.bob
    signets = dict(zip(ACTORS, (a.user_signet, a.org_signet, b.org_signet,
                                b.user_signet)))
    complaint = None
    for actor, keys, wanted in (
            ("R", b.user, mail), ("A", a.user, mail),
            ("O", a.org, Sealer(a, b).origin_lines()),
            ("D", b.org, Sealer(a, b).destination_lines())):
        try:
            reader = Reader(wire, actor, keys.encryption, signets)
            if reader.open() != wanted:
                complaint = f"other octets for the {ROLES[actor]}"
        except Exception as error:  # any, with its text, is the finding
            complaint = f"{ROLES[actor]}: {type(error).__name__}: {error}"
        if complaint:
            break
        if len(mail) > SEGMENT:
            break
    t.battery.verdict(f"message: {name}", complaint)
    return None if complaint else Reader(wire, "R", b.user.encryption, signets)


BOUNDARY = (b"Content-Type: multipart/%s; boundary=%s\r\n")
# (name, mail, the content segments it is cut into, if it does not stay whole)
CUTS = [
    ("text", HEAD + b"\r\nhello", [(67, b"hello")]),
    ("an image alone", b"Content-Type: image/png\r\n\r\nx", [(67, b"x")]),
    ("no body", HEAD + b"\r\n", []),
    ("mixed", BOUNDARY % (b"mixed", b"a") + b"\r\npre\r\n--a\r\n\r\none\r\n--a"
     b"\r\nContent-Type: image/png\r\n\r\ntwo\r\n--a--\r\nepilogue",
     [(65, b"pre\r\n"), (67, b"--a\r\n\r\none\r\n"),
      (131, b"--a\r\nContent-Type: image/png\r\n\r\ntwo\r\n--a--\r\n"
       b"epilogue")]),
    ("alternative", BOUNDARY % (b"alternative", b"a") + b"\r\n--a\r\n\r\none"
     b"\r\n--a\r\nContent-Type: text/html\r\n\r\ntwo\r\n--a--\r\n",
     [(67, b"--a\r\n\r\none\r\n"),
      (67, b"--a\r\nContent-Type: text/html\r\n\r\ntwo\r\n--a--\r\n")]),
    ("alternative within mixed", BOUNDARY % (b"mixed", b"a") + b"\r\n--a\r\n" +
     BOUNDARY % (b"alternative", b"b") + b"\r\n--b\r\n\r\none\r\n--b--\r\n"
     b"--a\r\nContent-Disposition: attachment\r\n\r\ntwo\r\n--a\r\n\r\nthree"
     b"\r\n--a--\r\n",
     [(66, b"--a\r\n" + BOUNDARY % (b"alternative", b"b") + b"\r\n"),
      (67, b"--b\r\n\r\none\r\n--b--\r\n"),
      (131, b"--a\r\nContent-Disposition: attachment\r\n\r\ntwo\r\n"),
      (131, b"--a\r\n\r\nthree\r\n--a--\r\n")]),
    ("an attached multipart", BOUNDARY % (b"mixed", b"a") + b"\r\n--a\r\n"
     b"Content-Disposition: attachment\r\n" + BOUNDARY % (b"mixed", b"b") +
     b"\r\n--b\r\n\r\none\r\n--b--\r\n--a--\r\n",
     [(129, b"--a\r\nContent-Disposition: attachment\r\n" +
       BOUNDARY % (b"mixed", b"b") + b"\r\n"),
      (131, b"--b\r\n\r\none\r\n--b--\r\n--a--\r\n")]),
    ("an inline image", BOUNDARY % (b"related", b"a") + b"\r\n--a\r\n"
     b"Content-Type: text/html\r\n\r\none\r\n--a\r\nContent-Type: image/png"
     b"\r\n\r\ntwo\r\n--a--\r\n",
     [(67, b"--a\r\nContent-Type: text/html\r\n\r\none\r\n"),
      (67, b"--a\r\nContent-Type: image/png\r\n\r\ntwo\r\n--a--\r\n")]),
    ("a letter within", BOUNDARY % (b"mixed", b"a") + b"\r\n--a\r\n"
     b"Content-Type: message/rfc822\r\n\r\n" + BOUNDARY % (b"mixed", b"b") +
     b"\r\n--b\r\n\r\nx\r\n--b--\r\n--a--\r\n",
     [(131, b"--a\r\nContent-Type: message/rfc822\r\n\r\n" +
       BOUNDARY % (b"mixed", b"b") + b"\r\n--b\r\n\r\nx\r\n--b--\r\n"
       b"--a--\r\n")]),
]
MAILS = {
    "empty": b"", "an empty line": b"\r\n", "no header": b"\r\nbody",
    "no body": b"To: x\r\n", "header cut off": b"To: x",
    "LF": b"To: x\nSubject: y\n\nbody\n", "mixed line ends":
    b"To: x\nSubject: y\r\n z\n\r\nbody\r\n",
    "odd spellings": b"sUBJECT : s\r\nTO:b\r\ncc:\r\nFrom:\r\n\tx \r\n\r\nb",
    "fields twice": b"To: a\r\nX: y\r\nTo: b\r\nDate: 1\r\nDATE: 2\r\n\r\nb",
    "a line that is no field": b"To: a\r\nno field\r\nX: y\r\n\r\nb",
    "a From line": b"From x Thu\r\nTo: a\r\n\r\nb",
    "8-bit octets and NUL": b"Subject: \xff\0\r\nX: \0\r\n\r\n\0\xff\r\r\n",
    "its own Return-Path and layout": b"Return-Path: <x>\r\nDIME-Layout: z"
    b"\r\nTo: a\r\n\r\nb",
    "a large text": HEAD + b"\r\n" + b"a line\r\n" * 9999,
}


def sealed(t):
    for name, mail in MAILS.items():
        opens_in_python(t, f"sealed by dimectl: {name}",
                        seal_with_dimectl(t, mail), mail)
    for bounce in ("none", "metadata", "display", "both"):
        opens_in_python(t, f"sealed by dimectl with --bounce {bounce}",
                        seal_with_dimectl(t, MAIL, "--bounce", bounce), MAIL)
    opens_in_python(t, "sealed by dimectl for a bounce",
                    seal_with_dimectl(t, MAIL, "--sender", "<>"), MAIL)
    for name, mail, cut in CUTS:
        reader = opens_in_python(t, f"sealed by dimectl: {name}",
                                 seal_with_dimectl(t, mail), mail)
        if reader:
            kinds = [kind for kind, *_ in reader.message.chunks
                     if kind in CONTENT]
            found = list(zip(kinds, reader.segments(CONTENT)))
            whole = [(67, b"".join(data for _, data in cut))]
            t.battery.verdict(f"message: cut of {name}", None if found in (
                cut, whole) else f"{found}")
    common, headers, _ = write_headers(MAIL, b"alice@alpha.test")
    reader = opens_in_python(t, "sealed by dimectl: MAIL",
                             seal_with_dimectl(t, MAIL), MAIL)
    t.battery.verdict("message: chunk 33 of MAIL", None if reader and
                      reader.segments({33}) == [common] else "other fields")
    t.battery.verdict("message: chunk 34 of MAIL", None if reader and reader
                      .segments({34})[0].startswith(headers[:33]) else "other")


def made_there(t):
    """Everything by dimectl's own keys and signets, in both directions."""
    b = t.battery
    for user, domain in (("carl", "gamma.test"), ("dora", "delta.test")):
        b.make("keygen", "org", "--domain", domain, "--key-out",
               f"{user}.org.key", "--signet-out", f"{user}.org.signet")
        b.make("keygen", "user", "--key-out", f"{user}.key", "--ssr-out",
               f"{user}.ssr")
        b.make("signet", "sign", f"{user}.ssr", "--org-key", f"{user}.org.key",
               "--org-signet", f"{user}.org.signet", "--address",
               f"{user}@{domain}", "--out", f"{user}.signet")
        side = Party(UserKeys(b.read(f"{user}.key")), b.read(f"{user}.signet"),
                     OrgKeys(b.read(f"{user}.org.key")),
                     b.read(f"{user}.org.signet"))
        setattr(t, user, side)
    wire = frame(seal_mail(Sealer(t.carl, t.dora), MAIL))
    t.case("between dimectl's users", True, wire, sender="carl",
           receiver="dora")
    wire = seal_with_dimectl(t, MAIL, sender="carl", receiver="dora")
    for role in "RA":
        t.case(f"between dimectl's users, by dimectl, {ROLES[role]}", True,
               wire, sender="carl", receiver="dora", role=role)


def below(t):
    t.subdomains()
    wire = frame(seal_mail(Sealer(t.dave, t.jorg), MAIL))
    names = {"sender": "dave", "receiver": "jorg"}
    t.case("between users of subdomains", True, wire, **names)
    wire = seal_with_dimectl(t, MAIL, **names)
    for role in "RA":
        t.case(f"between users of subdomains, by dimectl, {ROLES[role]}", True,
               wire, role=role, **names)


def run(battery):
    t = Messages(battery)
    sealed(t)
    made_there(t)
    below(t)
    accepted(t)
