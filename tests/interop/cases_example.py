# SPDX-License-Identifier: BSD-2-Clause
"""doc/example.md as a stranger uses it: the keys, signets and message that it
shows are read by the Python side alone, and give what it says."""
import os
import re

from dime import OrgKeys, Refused, Signet, UserKeys
from dmime import (AUTHOR, DESTINATION, ORIGIN, RECIPIENT, Reader,
                   open_message)

DOCUMENT = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "..", "..", "doc", "example.md")


class Example:
    """What the document prints below each of its commands."""

    def __init__(self):
        self.outputs, lines = {}, None
        with open(DOCUMENT, encoding="ascii") as file:
            for line in file:
                if line.startswith("    $ "):
                    lines = self.outputs.setdefault(line[6:-1], [])
                elif lines is not None and (line.startswith("    ") or
                                            line == "\n"):
                    lines.append(line[4:] if line != "\n" else line)
                else:
                    lines = None

    def shown(self, command):
        return "".join(self.outputs[command]).rstrip("\n").encode() + b"\n"

    def file(self, name):
        return self.shown(f"cat {name}")


def run(battery):
    example = Example()
    keys = {name: (OrgKeys if name in ("alpha", "beta") else UserKeys)(
        example.file(f"{name}.key"))
        for name in ("alpha", "beta", "alice", "bob")}
    signets = {name: Signet(example.file(f"{name}.signet")) for name in keys}
    mail = example.shown("tr -d '\\r' <mail").replace(b"\n", b"\r\n")
    message = example.file("message")
    everybody = {AUTHOR: signets["alice"], ORIGIN: signets["alpha"],
                 DESTINATION: signets["beta"], RECIPIENT: signets["bob"]}

    def check(name, holds):
        battery.verdict(f"example: {name}", None if holds else "differs")

    def verifies():
        try:
            for name in ("alpha", "beta"):
                signets[name].verify_org([keys[name].signing.public])
            before = Signet(example.file("alice-before.signet"))
            before.verify_user(signets["alpha"])
            Signet(example.file("alice.request")).verify_user(previous=before)
            signets["alice"].verify_user(signets["alpha"], before)
            signets["bob"].verify_user(signets["beta"])
        except Refused:
            return False
        return True

    def opens(actor, who):
        try:
            return open_message(message, actor, keys[who].encryption,
                                everybody)
        except Refused as refused:
            return str(refused).encode()

    check("signatures of the signets", verifies())
    for name, kinds in (("alpha", ("org",)), ("alice", ("core", "full"))):
        lines = example.shown(f"dimectl signet fingerprint {name}.signet")
        check(f"fingerprints of {name}", lines == b"".join(
            b"%s %s\n" % (kind.encode(), signets[name].fingerprint(kind))
            for kind in kinds))
    check("mail for the author", opens(AUTHOR, "alice") == mail)
    check("mail for the recipient", opens(RECIPIENT, "bob") == mail)
    check("envelope for the origin",
          b"Author: <alice@alpha.test>" in opens(ORIGIN, "alpha"))
    check("envelope for the destination",
          b"Recipient: <bob@beta.test>" in opens(DESTINATION, "beta"))
    agreed = example.file("key-encryption-keys").decode()
    for actor, who in zip(("author", "origin", "destination", "recipient"),
                          ("alice", "alpha", "beta", "bob")):
        reader = Reader(message, AUTHOR, keys[who].encryption, everybody)
        key, iv = reader.kek
        check(f"key encryption key of the {actor}", re.search(
            rf"^{actor} +IV {iv.hex()} key {key.hex()}$", agreed, re.M))
