# SPDX-License-Identifier: BSD-2-Clause
"""Connections, certificates, and how a session begins."""
import re
import socket
import ssl

from rules import World, rule
from session import LINE_LIMIT, SUITE, Failed, Skipped, client_context

RSA = bytes.fromhex("06092a864886f70d010101")  # its object identifier
RSA_BITS = range(2048, 16385)
OTHER_SUITES = ("ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-SHA384:"
                "ECDHE-RSA-CHACHA20-POLY1305:AES256-GCM-SHA384:"
                "DHE-RSA-AES256-GCM-SHA384")


def refuses(world, context, what):
    try:
        world.server.handshake(context).close()
    except (ssl.SSLError, OSError):
        return
    raise Failed(f"the handshake with {what} succeeded")


@rule("D11", "CONNECTIONS", "TLS 1.2 with ECDHE-RSA-AES256-GCM-SHA384")
def tls_suite(world):
    try:
        with world.server.handshake() as tls:
            if tls.cipher()[0] != SUITE:
                raise Failed(f"it is {tls.cipher()[0]}")
    except OSError as error:
        raise Failed(f"no handshake: {error}") from None


@rule("D11", "CONNECTIONS", "no other suite of TLS 1.2")
def tls_other_suite(world):
    refuses(world, client_context(OTHER_SUITES), "other suites")


@rule("D11", "CONNECTIONS", "no other version of TLS")
def tls_other_version(world):
    for version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_1,
                    ssl.TLSVersion.TLSv1):
        ciphers = SUITE if version == ssl.TLSVersion.TLSv1_3 else "ALL"
        refuses(world, client_context(ciphers, version), version.name)


def der_value(data):
    """The value of the DER element that data begins with."""
    length, at = data[1], 2
    if length & 0x80:
        at += length & 0x7f
        length = int.from_bytes(data[2:at], "big")
    return data[at:at + length]


def rsa_bits(certificate):
    """The length of the modulus in SubjectPublicKeyInfo; 0: no RSA key."""
    at = certificate.find(RSA + b"\x05\x00\x03")
    if at < 0:
        return 0
    key = der_value(certificate[at + len(RSA) + 2:])[1:]
    return int.from_bytes(der_value(der_value(key)), "big").bit_length()


@rule("D11", "CERTIFICATES", "an RSA key of 2048 to 16384 bits")
def tls_key(world):
    with world.session() as session:
        bits = rsa_bits(session.socket.getpeercert(binary_form=True))
    if bits not in RSA_BITS:
        raise Failed(f"it has {bits} bits" if bits else "it is not RSA")


@rule("D11", "CERTIFICATES",
      "a client that names another host, or none, gets the default certificate")
def tls_default(world):
    for name in (World.nowhere(), None):
        try:
            world.server.handshake(name=name).close()
        except OSError as error:
            raise Failed(f"with {name or 'no name'}: {error}") from None


def check_name(world, name):
    """Connects again with the certificate that it gave as the only anchor, so
    that only its names are in question."""
    with world.server.handshake(name=name) as tls:
        certificate = tls.getpeercert(binary_form=True)
    context = client_context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.check_hostname = True
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(
        cadata=ssl.DER_cert_to_PEM_cert(certificate))
    mismatch = 62  # X509_V_ERR_HOSTNAME_MISMATCH
    try:
        world.server.handshake(context, name).close()
    except ssl.SSLCertVerificationError as error:
        if error.verify_code == mismatch:
            raise Failed(f"{name}: {error.verify_message}") from None


@rule("D11", "CERTIFICATES", "a host named by SNI has its own certificate",
      "names")
def tls_name(world):
    for name in world.names:
        check_name(world, name)


@rule("D11", "CONNECTIONS", "no session tickets")
def tls_ticket(world):
    context = client_context()
    with world.server.handshake(context) as tls:
        tls.settimeout(world.server.patience)
        tls.recv(LINE_LIMIT)
        if tls.session is not None and tls.session.has_ticket:
            raise Failed("it gave one")


@rule("D11", "SINGLE PROTOCOL MODE", "TLS from the first octet")
def tls_first(world):
    with world.server.connect() as plain:
        try:
            plain.sendall(b"EHLO <client.invalid>\n" * 20)
            plain.shutdown(socket.SHUT_WR)
            octets = plain.recv(3)
        except OSError:
            return
        if octets == b"220":
            raise Failed("it greets in clear")


@rule("D2", "SINGLE PROTOCOL MODE", "the greeting is 220 <host> DMTP")
def greeting(world):
    with world.session() as session:
        if session.greeting.code != 220 or not re.match(
                r"<?[A-Za-z0-9.-]+>? DMTP( |$)", session.greeting.text):
            raise Failed(str(session.greeting))


@rule("D11", "TERMINATION", "QUIT is answered 221 BYE, then TLS is shut down")
def quit_clean(world):
    with world.session() as session:
        if not session.expect("QUIT", 221).text.startswith("BYE"):
            raise Failed("without BYE")
        session.hear_end()


@rule("D11", "TERMINATION", "nothing that stands behind QUIT is answered")
def quit_ends(world):
    with world.session() as session:
        session.say("QUIT", "NOOP")
        if session.hear().code != 221:
            raise Failed("QUIT was not answered 221")
        session.hear_end()


@rule("D11", "TERMINATION",
      "221 arrives also where the client has said more than it may")
def quit_heard(world):
    with world.session() as session:
        session.send(b"QUIT\n" + b"NOOP\n" * 20000)
        if session.hear().code != 221:
            raise Failed("QUIT was not answered 221")
        session.hear_end()


@rule("D10", "TERMINATION", "errors never end a session")
def errors_stay(world):
    wrong = ["FROB", "", "MAIL", "DATA", "SGNT FOR=<>", "HELO x", "x" * 600,
             b"NOOP \xff"]
    with world.session() as session:
        for _ in range(25):
            for line in wrong:
                reply = session.ask(line)
                if reply.code not in (500, 501, 503):
                    raise Failed(f"{line[:20]!r} was answered {reply}")
        session.still_there()


@rule("D1", "LINE BASED PROTOCOL", "half a line is nothing yet")
def line_whole(world):
    with world.session() as session:
        for part in (b"NO", b"O", b"P", b"\n"):
            session.send(part)
        if session.hear().code != 250:
            raise Failed("NOOP in four pieces was not answered 250")
        session.still_there()


@rule("D3", "PIPELINING", "commands sent together are answered in order")
def pipelining(world):
    with world.session() as session:
        texts = session.expect("EHLO <client.invalid>", 250).texts
        if "PIPELINING" not in texts:
            raise Skipped("not offered")
        session.say("NOOP", "FROB", "HELP", "RSET", "HELO", "MODE")
        codes = [session.hear().code for _ in range(5)]
        if codes not in ([250, 500, 214, 250, 501], [250, 500, 502, 250, 501]):
            raise Failed(f"the codes were {codes}")
        if not session.hear().text.startswith("OK DMTP"):
            raise Failed("the last reply was not that to MODE")
