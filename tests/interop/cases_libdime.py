# SPDX-License-Identifier: BSD-2-Clause
"""The dialect of libdime: its signets and key files, messages in both
directions, a reader as strict as libdime's, and what must be refused in it."""
import hashlib
import os

from bad_keys import bad_encryption_keys, bad_signing_keys
from cases_messages import HEAD, MAIL, Messages, party, plain, put, tail
from cases_signets import (doubled, flipped, non_canonical, replaced, swapped,
                           without)
from dime import (ORG, SSR, USER, OrgKeys, SigningKey, UserKeys, aes_decrypt,
                  armor, number, xor)
from dmime import (ACTORS, Party, Reader, Sealer, covered, frame,
                   write_headers)
from libdime import (FORMAT, LABELS, ORG_FILE, USER_FILE, LibdimeSignet,
                     StockReader, encode, key_file, libdime_tree, org_fields,
                     read_key_file, read_signet, request_fields, user_fields)


def libdime_party(address, org=None):
    user, org = UserKeys(), org or OrgKeys()
    return Party(user, encode(USER, user_fields(user, org.signing, address)),
                 org, encode(ORG, org_fields(org, address.split(b"@")[1])))


# ---- signets ----

INFORMATION = [(16, b"Alpha"), (18, b""), (21, b"1; A"), (21, b"2"),
               (28, b"unknown"), (28, b"again"), (99, b"x"), (100, b"unknown"),
               (160, b"https://alpha.test/"), (161, b"unknown")]


class Signets:
    def __init__(self, battery):
        self.battery = battery
        self.org, self.user, self.old = OrgKeys(), UserKeys(), UserKeys()
        self.soks = {p: SigningKey() for p in (1, 2, 8, 17)}
        self.org.soks = list(self.soks.items())
        self.org_signet = encode(ORG, org_fields(self.org, b"alpha.test"))
        self.old_signet = encode(USER, user_fields(
            self.old, self.org.signing, b"alice@alpha.test"))
        battery.path("org.signet", self.org_signet)
        battery.path("old.signet", self.old_signet)

    def org_case(self, name, accept, data):
        self.battery.path("case.signet", data)
        self.battery.case(f"libdime organization: {name}", accept,
                          ["signet", "verify", "case.signet"],
                          mine=lambda: read_signet(data).verify_org())

    def user_case(self, name, accept, data, previous=False):
        self.battery.path("case.signet", data)
        words = ["signet", "verify", "case.signet"]
        words += ["--previous", "old.signet"] if previous else []
        words += ["--org", "org.signet"] if data[:2] != number(SSR, 2) else []
        self.battery.case(
            f"libdime user: {name}", accept, words,
            mine=lambda: read_signet(data).verify_user(
                read_signet(self.org_signet),
                read_signet(self.old_signet) if previous else None))

    def fields(self, extra=(), address=b"alice@alpha.test", key=None,
               **request):
        return user_fields(self.user, key or self.org.signing, address, extra,
                           **request)


def organizations(t):
    accepted = {
        "plain": t.org_signet, "armored": armor(LABELS[ORG], t.org_signet),
        "information": encode(ORG, org_fields(
            t.org, b"alpha.test", INFORMATION + [
                (200, b"abuse@alpha.test"), (212, b"x"), (251, b"v", b"Name"),
                (251, b"v", b""), (252, b"no picture")])),
        "full form": LibdimeSignet(t.org_signet).split("full")}
    for name, data in accepted.items():
        t.org_case(name, True, data)
    fields = org_fields(t.org, b"alpha.test", [(16, b"A"), (160, b"B")])
    foreign, point = SigningKey(), t.org.encryption.public
    refused = {
        "cut off": t.org_signet[:-1], "octets after it": t.org_signet + b"\0",
        "core form": LibdimeSignet(t.org_signet).split("core"),
        "4 before 3": encode(ORG, swapped(fields, 3, 4)),
        "field 5": encode_odd_libdime(fields[:7], [b"\5\1x"], fields[7:]),
        "254 with two octets of length": encode_odd_libdime(
            fields[:-2], [b"\xfe\0\x0aalpha.test"], fields[-1:]),
        "a POK without its format": encode_odd_libdime(
            [], [b"\1\x20" + t.org.signing.public], fields[1:]),
        "a POK of another format": encode(ORG, replaced(
            fields, 1, b"\x41" + t.org.signing.public)),
        "an SOK of another format": encode(ORG, replaced(
            fields, 2, b"\1\x41" + foreign.public)),
        "a POK of the standard layout": encode_odd_libdime(
            [], [b"\1" + t.org.signing.public], fields[1:]),
        "a point that is not compressed": encode(ORG, replaced(
            fields, 3, b"\4" + point[1:] + bytes(32))),
        "label of a user": armor(LABELS[USER], t.org_signet)}
    for kind in (4, 253, 255):
        for name, sign in (("another", foreign.sign), ("nobody", bytes(64)),
                           ("an SOK", t.soks[1].sign),
                           ("S not canonical",
                            non_canonical(t.org.signing.sign))):
            refused[f"{kind} by {name}"] = encode(
                ORG, replaced(fields, kind, sign))
    for kind in (1, 3, 4, 253, 254, 255):
        refused[f"without {kind}"] = encode(ORG, without(fields, kind))
    for kind in (1, 3, 4, 16, 160, 253, 254, 255):
        refused[f"{kind} twice"] = encode(ORG, doubled(fields, kind))
    for name, key in bad_signing_keys():
        refused[f"POK {name}"] = encode(ORG, replaced(fields, 1, FORMAT + key))
    for name, key in bad_encryption_keys():
        refused[f"encryption key: {name}"] = encode(
            ORG, replaced(fields, 3, key))
    for domain in (b"Alpha.test", b"", b"alice@alpha.test"):
        refused[f"identifier {domain!r}"] = encode(
            ORG, replaced(fields, 254, domain))
    for at in range(5, len(t.org_signet), 29):
        refused[f"octet {at} changed"] = flipped(t.org_signet, at)
    for name, data in refused.items():
        t.org_case(name, False, data)


def encode_odd_libdime(before, odd, after):
    """A signet of an organization with octets of the test's own inside, which
    signatures cover."""
    body = b""
    for item in [*before, *odd, *after]:
        if isinstance(item, bytes):
            body += item
            continue
        value = item[1](body) if callable(item[1]) else item[1]
        body += encode(ORG, [(item[0], value)])[5:]
    return number(ORG, 2) + number(len(body), 3) + body


def users(t):
    fields = t.fields([(16, b"A"), (93, b"B"), (202, b"C"), (202, b"D")])
    data, foreign = encode(USER, fields), SigningKey()
    rotated = encode(USER, t.fields(previous=t.old))
    accepted = {
        "plain": data, "armored": armor(LABELS[USER], data),
        "request": encode(SSR, request_fields(t.user)),
        "request with an alternate key": encode(SSR, request_fields(
            t.user, alternate=b"any octets")),
        "with an alternate key": encode(USER, t.fields(alternate=b"x")),
        "core form": LibdimeSignet(data).split("core"),
        "full form": LibdimeSignet(data).split("full"),
        "information": encode(USER, t.fields(INFORMATION + [(203, b"x")])),
        "by an SOK": encode(USER, t.fields(key=t.soks[1])),
        "custody not asked for": rotated}
    for name, octets in accepted.items():
        t.user_case(name, True, octets)
    t.user_case("custody", True, rotated, previous=True)
    refused = {
        "of another domain": encode(USER, t.fields(
            address=b"alice@beta.test")),
        "upper case": encode(USER, t.fields(address=b"Alice@alpha.test")),
        "by an SOK for messages": encode(USER, t.fields(key=t.soks[2])),
        "by an SOK for software": encode(USER, t.fields(key=t.soks[8])),
        "by an SOK with a reserved bit": encode(USER, t.fields(
            key=t.soks[17])),
        "request with field 6": encode(SSR, fields[:4]),
        "an alternate key as a request has it": encode(SSR, request_fields(
            t.user, alternate=b"any octets")).replace(
                number(SSR, 2), number(USER, 2), 1)}
    for kind in (5, 6, 253, 255):
        refused[f"{kind} by another"] = encode(
            USER, replaced(fields, kind, foreign.sign))
        refused[f"without {kind}"] = encode(USER, without(fields, kind))
    for at in range(5, len(data), 31):
        refused[f"octet {at} changed"] = flipped(data, at)
    for name, octets in refused.items():
        t.user_case(name, False, octets)
    t.user_case("no custody, asked for", False, data, previous=True)


def made_by_dimectl(t):
    battery = t.battery

    def check(name, function):
        try:
            battery.verdict(f"libdime: {name}",
                            None if function() else "not so")
        except Exception as error:  # any, with its text, is the finding
            battery.verdict(name, f"{type(error).__name__}: {error}")

    layout = ["--layout", "libdime"]
    battery.make("keygen", "org", "--domain", "made.test", "--key-out",
                 "lib-made.key", "--signet-out", "lib-made.signet", "--field",
                 "Name=x", "--field", "Other=y", *layout)
    battery.make("keygen", "user", "--key-out", "lib-one.key", "--ssr-out",
                 "lib-one.ssr", *layout)
    battery.make("keygen", "user", "--key-out", "lib-two.key", "--ssr-out",
                 "lib-two.ssr", "--previous-key", "lib-one.key", *layout)
    sign = ["--org-key", "lib-made.key", "--org-signet", "lib-made.signet",
            "--address", "u@made.test", "--field", "Title=y"]
    battery.make("signet", "sign", "lib-one.ssr", *sign, "--out",
                 "lib-one.signet")
    battery.make("signet", "sign", "lib-two.ssr", *sign, "--out",
                 "lib-two.signet", "--previous", "lib-one.signet")
    made, one, two = (read_signet(battery.read(f"lib-{n}.signet"))
                      for n in ("made", "one", "two"))
    check("the organization verifies", made.verify_org)
    check("the user verifies", lambda: one.verify_user(made))
    check("custody verifies", lambda: two.verify_user(made, one))
    check("the layout", lambda: {made.layout, one.layout, two.layout} ==
          {"libdime"})
    check("fingerprints of the organization", lambda: battery.make(
        "signet", "fingerprint", "lib-made.signet") == b"core %s\norg %s\n" % (
            made.fingerprint("core"), made.fingerprint("org")))
    check("fingerprints of the user", lambda: battery.make(
        "signet", "fingerprint", "lib-two.signet") == b"core %s\nfull %s\n" % (
            two.fingerprint("core"), two.fingerprint("full")))
    check("armor", lambda: battery.read("lib-one.signet") == armor(
        LABELS[USER], one.data))
    check("armor of the request", lambda: battery.read(
        "lib-one.ssr").startswith(b"-----BEGIN ORGANIZATIONAL SIGNET-----\n"))
    check("the key is that of the signet", lambda: SigningKey(read_key_file(
        battery.read("lib-made.key"), ORG_FILE)[0]).public == made.signing_key)
    check("the user's key is that of his signet", lambda: SigningKey(
        read_key_file(battery.read("lib-one.key"), USER_FILE)[0]).public ==
          one.signing_key)
    for which in ("core", "full"):
        for name in ("made", "two"):
            battery.make("signet", "split", f"lib-{name}.signet", "--to",
                         which, "--out", "split")
            whole = {"made": made, "two": two}[name]
            check(f"{name} split to {which}", lambda whole=whole, which=which:
                  read_signet(battery.read("split")).data ==
                  whole.split(which))


def key_files(t):
    battery = t.battery
    good = key_file(ORG_FILE, t.org)
    battery.path("case.ssr", encode(SSR, request_fields(t.user)))

    def case(name, accept, data):
        battery.path("case.key", data)
        path = battery.path("case.out")
        battery.case(f"libdime key file: {name}", accept, [
            "signet", "sign", "case.ssr", "--org-key", "case.key",
            "--org-signet", "org.signet", "--address", "alice@alpha.test",
            "--out", path], mine=lambda: read_key_file(data, ORG_FILE))
        if accept:
            read_signet(battery.read("case.out")).verify_user(
                read_signet(t.org_signet))
            os.unlink(path)

    case("binary", True, good)
    case("armored", True, armor(LABELS[ORG_FILE], good))
    case("under a user's label", False, armor(LABELS[USER_FILE], good))
    case("of a user", False, key_file(USER_FILE, t.user))
    case("octets after it", False, good + b"\0")
    for at in (5, 6, 39, 40, 41):
        case(f"octet {at} changed", False, flipped(good, at, 2))


# ---- messages ----

class LibdimeMessages(Messages):
    """The world of the messages of cases_messages.py, in the libdime layout;
    alicia and roberta have standard signets."""

    def __init__(self, battery):
        self.battery = battery
        org = OrgKeys()
        self.soks = {2: SigningKey()}
        org.soks = list(self.soks.items())
        self.alice = libdime_party(b"alice@alpha.test", org)
        self.bob = libdime_party(b"bob@beta.test")
        self.alicia, self.roberta = party(b"alice@alpha.test"), party(
            b"bob@beta.test")
        for name in ("alice", "bob", "alicia", "roberta"):
            self.write(name, getattr(self, name))


def finish(s, chunks, tree=libdime_tree, origin=None, bounce=(248, 249)):
    """Signature chunks as libdime makes them."""
    chunks, origin = list(chunks), origin or s.origin
    chunks.append(s.chunk(225, s.author.sign(tree(chunks))))
    chunks.append(s.chunk(226, s.author.sign(covered(226, chunks))))
    for kind in (*bounce, 255):
        chunks.append(s.chunk(kind, origin.sign(covered(kind, chunks))))
    return chunks


def right_tree(wholes):
    return covered(225, wholes)


def accepted(t):
    common, headers, body = write_headers(MAIL, b"alice@alpha.test")
    sorted_mail = (b"To: bob@beta.test\r\nSubject: Papers\r\n"
                   b"X-Odd: 1\r\nX-Even: 2\r\n\r\n" + body)

    def case(name, edit, output=MAIL, role="R", **options):
        s = t.sealer()
        t.case(f"libdime, {name}", True, frame(finish(s, edit(s), **options)),
               output, role)

    for role in "RA":
        case(f"plain as {role}", plain, role=role)
        case(f"with a right tree as {role}", plain, role=role,
             tree=right_tree)
        case(f"without bounces as {role}", plain, role=role, bounce=())
    case("by a SOK", plain, origin=t.soks[2])
    s = t.sealer()
    chunks = finish(s, plain(s))
    t.case("libdime, for its origin", True, frame(chunks), s.origin_lines(),
           "O")
    t.case("libdime, for its destination", True, frame(chunks),
           s.destination_lines(), "D")
    case("opaque headers and attachments", lambda s: put(tail(
        s, s.data(67, body), s.data(67, b"\0\xff"), s.data(131, b"PNG"),
        s.data(131, b"more")),
        s.data(34, b"X-Odd: 1\nX-Even: 2\n")),
        sorted_mail + b"\0\xffPNGmore")
    case("256 octets of padding", lambda s: tail(s, s.data(
        67, b"hello world", pad=0, count=256)), HEAD + b"\r\nhello world")
    case("its alternate padding", lambda s: tail(s, s.data(
        67, b"hello world", flags=1, pad=3, count=64)),
        HEAD + b"\r\nhello world")


def refused(t):
    def case(name, edit, **options):
        s = t.sealer()
        t.case(f"libdime, {name}", False, frame(finish(s, edit(s), **options)))

    case("tree by another", plain,
         tree=lambda wholes: hashlib.sha512(b"".join(wholes)).digest())
    case("a reserved flag", lambda s: tail(s, s.data(67, b"x", flags=8)))
    case("flag 4 without gzip", lambda s: tail(s, s.data(67, b"x", flags=4)))
    case("continued by nothing",
         lambda s: tail(s, s.data(67, b"x", flags=128)))
    case("headers that are none", lambda s: put(plain(s), s.data(
        34, b"X: y\r\n\r\nbody")))
    case("the whole signet of the destination", lambda s: put(
        plain(s), s.data(4, s.origin_lines().replace(
            s.receiver.org_signet.fingerprint("core"),
            s.receiver.org_signet.fingerprint("org")))))
    case("the whole signet of the origin", lambda s: put(
        plain(s), s.data(5, s.destination_lines().replace(
            s.sender.org_signet.fingerprint("core"),
            s.sender.org_signet.fingerprint("org")))))
    mixed(t)


def mixed(t):
    """No message has signets of both layouts, nor the standard one libdime's
    tree."""
    s = Sealer(t.alicia, t.roberta)
    t.case("standard, with libdime's tree", False, frame(finish(
        s, plain(s))), sender="alicia", receiver="roberta")
    t.case("standard, with the right tree", True, frame(finish(
        s, plain(s), tree=right_tree)), sender="alicia", receiver="roberta")
    for sender, receiver in (("alice", "roberta"), ("alicia", "bob")):
        s = Sealer(getattr(t, sender), getattr(t, receiver))
        for tree in (libdime_tree, right_tree):
            t.case(f"{sender} to {receiver}", False, frame(finish(
                s, plain(s), tree=tree)), sender=sender, receiver=receiver,
                says=b" layout, the ")
        words = seal_words(t, sender, receiver)
        status, output, errors = t.battery.run(words, MAIL)
        t.battery.verdict(f"sealing from {sender} to {receiver}", None if (
            status == 65 and not output and errors.count(b"\n") == 1) else
            f"{status}: {errors}")


def seal_words(t, sender, receiver, *options):
    return ["message", "seal", "--author-key", f"{sender}.key",
            "--origin-key", f"{sender}.org.key", *t.parties(sender, receiver),
            "--binary", *options]


def decrypt(item, slot, kek):
    """The plaintext of a chunk with the slot of that number."""
    at = 64 * slot
    key = aes_decrypt(*kek, item[2][at:at + 64])
    return aes_decrypt(key[32:], xor(key[:16], key[16:32]), item[1])


def sealed(t):
    """What dimectl seals, for the Python reader and for libdime's."""
    mails = {
        "plain": (MAIL, None), "no common field": (b"X: y\r\n\r\nb", None),
        "a multipart": (
            b"Subject: m\r\nContent-Type: multipart/mixed; boundary=b\r\n"
            b"\r\n--b\r\n\r\nt\r\n--b\r\nContent-Disposition: attachment"
            b"\r\n\r\na\r\n--b--\r\n", None),
        "what would be compressed": (b"To: a\r\n\r\n" + b"x" * 70000, None),
        "no body": (b"To: a\r\n\r\n", b"To: a\r\n\r\n\r\n")}
    signets = dict(zip(ACTORS, (t.alice.user_signet, t.alice.org_signet,
                                t.bob.org_signet, t.bob.user_signet)))
    for name, (mail, back) in mails.items():
        wire = t.battery.make(*seal_words(t, "alice", "bob"), stdin=mail)
        try:
            read = Reader(wire, "R", t.bob.user.encryption, signets).open()
            # libdime takes no chunk 33 without a field.
            stock = StockReader(wire, t.bob.user.encryption,
                                t.alice.user_signet, t.alice.org_signet,
                                decrypt) if name != "no common field" else None
            complaint = None if read == (back or mail) and (
                stock is None or (
                    stock.display == [(back or mail).split(
                        b"\r\n\r\n", 1)[1]] and
                    stock.attachments == [] and
                    [c[0] for c in stock.chunks] == [
                        2, 4, 5, 33, 34, 67, 225, 226, 249, 255])
            ) else "other octets"
        except Exception as error:  # any, with its text, is the finding
            complaint = f"{type(error).__name__}: {error}"
        t.battery.verdict(f"libdime, sealed by dimectl: {name}", complaint)


def run(battery):
    t = Signets(battery)
    organizations(t)
    users(t)
    made_by_dimectl(t)
    key_files(t)
    t = LibdimeMessages(battery)
    accepted(t)
    refused(t)
    sealed(t)
