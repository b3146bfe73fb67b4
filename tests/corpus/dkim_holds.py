# SPDX-License-Identifier: BSD-2-Clause
"""Signs messages of the corpus with dkimpy, seals and opens them with dimectl,
and lets dkimpy verify what comes out; see the script `dkim`."""
import base64
import itertools
import os
import subprocess
import sys
import tempfile

import dkim
import nacl.signing
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

import bodies
import boundaries
import delimiters
import fields
import multiparts

NAMES = {
    bodies: (
        "empty", "crlf", "no last line end", "trailing white space",
        "1000 empty lines", "8-bit", "dots", "100 kB line", "text of 100000"),
    boundaries: ("comment between", "folded twice", "odd all characters"),
    delimiters: ("spaces behind it", "never closed", "closed twice"),
    fields: (
        "received", "folds of white space in another", "8-bit others",
        "1000 fields", "our own names", "name alone"),
    multiparts: (
        "alternative", "all three", "digest", "report with the mail", "signed",
        "attachment before text", "letter multipart", "margins everywhere",
        "10 deep mixed", "1001 parts"),
}
CANONICAL = tuple(itertools.product((b"simple", b"relaxed"), repeat=2))
SIGNETS = [word for who in (("author", "alice"), ("origin", "alpha"),
                            ("destination", "beta"), ("recipient", "bob"))
           for word in (f"--{who[0]}", f"{who[1]}.signet")]


def make_rsa():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(
        serialization.Encoding.DER,
        serialization.PublicFormat.SubjectPublicKeyInfo)
    return b"rsa", public, key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption())


def make_ed25519():
    key = nacl.signing.SigningKey.generate()
    return b"ed25519", bytes(key.verify_key), base64.b64encode(bytes(key))


class Signer:
    """A domain's DKIM key, and the DNS that knows it."""

    def __init__(self, key):
        self.kind, public, self.private = key
        self.record = b"v=DKIM1; k=%s; p=%s" % (
            self.kind, base64.b64encode(public))

    def sign(self, mail, canonical):
        return dkim.sign(
            mail, b"s", b"alpha.test", self.private, canonicalize=canonical,
            signature_algorithm=self.kind + b"-sha256") + mail

    def holds(self, mail):
        return dkim.verify(mail, dnsfunc=lambda name, timeout=5: self.record)


def dimectl(*words, stdin=b""):
    done = subprocess.run([os.environ["DIMECTL"], *words], input=stdin,
                          capture_output=True, timeout=300, check=False)
    if done.returncode != 0:
        raise SystemExit(f"dimectl {' '.join(words)}: {done.stderr.decode()}")
    return done.stdout


def make_parties():
    for org in ("alpha", "beta"):
        dimectl("keygen", "org", "--domain", f"{org}.test", "--key-out",
                f"{org}.key", "--signet-out", f"{org}.signet")
    for user, org in (("alice", "alpha"), ("bob", "beta")):
        dimectl("keygen", "user", "--key-out", f"{user}.key", "--ssr-out",
                f"{user}.ssr")
        dimectl("signet", "sign", f"{user}.ssr", "--org-key", f"{org}.key",
                "--org-signet", f"{org}.signet", "--address",
                f"{user}@{org}.test", "--out", f"{user}.signet")


def travel(mail):
    sealed = dimectl("message", "seal", "--author-key", "alice.key",
                     "--origin-key", "alpha.key", *SIGNETS, stdin=mail)
    return dimectl("message", "open", "--as", "recipient", "--key", "bob.key",
                   *SIGNETS, stdin=sealed)


def chosen():
    for module, names in NAMES.items():
        mails = dict(module.messages())
        for name in names:
            yield f"{module.__name__}: {name}", mails[name]


def complaint(signer, mail, canonical):
    signed = signer.sign(mail, canonical)
    if not signer.holds(signed):
        return "does not verify before it is sealed"
    if not signer.holds(travel(signed)):
        return "does not verify after it was opened"
    return None


def check_verifier(signer):
    """The verifier does see what it is to see."""
    mail = dict(multiparts.messages())["all three"]
    for canonical in CANONICAL:
        signed = signer.sign(mail, canonical)
        recased = signed.replace(b"\r\nSubject:", b"\r\nsubject:")
        assert signed != recased
        assert not signer.holds(signed.replace(b"papers.", b"papers!"))
        assert not signer.holds(signed.replace(b"Papers", b"Paper"))
        assert not signer.holds(signed.replace(b"\r\n--a--", b"\r\n\r\n--a--"))
        assert signer.holds(recased) == (canonical[0] == b"relaxed")


def main():
    signers = [Signer(make_ed25519()), Signer(make_rsa())]
    passed = failed = 0
    for signer in signers:
        check_verifier(signer)
    make_parties()
    for name, mail in chosen():
        # RSA in Python is slow, and differs in nothing else: once a mail.
        for signer, canonical in (*((signers[0], each) for each in CANONICAL),
                                  (signers[1], CANONICAL[0])):
            problem = complaint(signer, mail, canonical)
            if problem:
                failed += 1
                print(f"FAIL: {name}, {signer.kind.decode()}, "
                      f"{b'/'.join(canonical).decode()}: {problem}")
            else:
                passed += 1
    print(f"{passed} passed, {failed} failed")
    return failed > 0 or passed == 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="dimegate-dkim.") as directory:
        os.umask(0o077)
        os.chdir(directory)
        sys.exit(main())
