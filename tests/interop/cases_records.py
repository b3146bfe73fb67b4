# SPDX-License-Identifier: BSD-2-Clause
"""Management records: what R3 - R5 accept and refuse, and what `record make`
writes."""
import datetime
import json
import re

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from bad_keys import bad_signing_keys
from dime import OrgKeys, SigningKey, base64_bare, unbase64, verifies
from record import parse_record, zone_strings

POK = base64_bare(SigningKey().public)
OTHER = base64_bare(SigningKey().public)
TLS = base64_bare(SigningKey().sign(b"certificate"))
BASE = {"version": 1, "pok": [POK.decode()], "tls": [], "policy": "mixed",
        "subdomain": "mixed", "expiry": 30, "deliver": [], "syndicates": []}

# (name, text, what is in force besides BASE)
ACCEPTED = [
    ("pok alone", b"pok=%s" % POK, {}),
    ("long names", b"primary=%s version=1 expiry=9 policy=strict "
     b"subdomain=explicit deliver=a.test syndicates=b.test tls=%s" %
     (POK, TLS),
     {"expiry": 9, "policy": "strict", "subdomain": "explicit",
      "deliver": ["a.test"], "syndicates": ["b.test"], "tls": [TLS.decode()]}),
    ("letter case", b"PoK=%s POLICY=Experimental Sub=STRICT" % POK,
     {"policy": "experimental", "subdomain": "strict"}),
    ("two keys", b"pok=%s pok=%s" % (POK, OTHER),
     {"pok": [POK.decode(), OTHER.decode()]}),
    ("semicolons, tabs, line ends",
     b";;\tpok=%s;exp=7;\r\n\tdx=a.test\n;  dx=b.test;" % POK,
     {"expiry": 7, "deliver": ["a.test", "b.test"]}),
    ("loose", b"pok=%s sub=loose" % POK, {}),
    ("relaxed", b"pok=%s sub=relaxed sub=strict" % POK, {}),
    ("first valid value counts",
     b"pok=%s pol=odd pol=strict pol=mixed exp=0 exp=36501 exp=-3 exp=x exp= "
     b"exp=36500 exp=5 sub= sub=explicit sub=strict" % POK,
     {"policy": "strict", "expiry": 36500, "subdomain": "explicit"}),
    ("expiry of one day", b"pok=%s exp=1" % POK, {"expiry": 1}),
    ("an expiry beyond all numbers", b"pok=%s exp=4294967326 "
     b"exp=18446744073709551646" % POK, {}),
    ("second version ignored", b"ver=1 pok=%s ver=2" % POK, {}),
    ("unknown names and bare words",
     b"v=spf1 hello sig=%s pok ttl=1776 pok=%s =x" % (OTHER, POK), {}),
    ("an equals sign in an unknown field", b"a=b=c== pok=%s" % POK, {}),
    ("hosts become lower case without final dot",
     b"pok=%s dx=Mx.A.Test. syn=B.TEST" % POK,
     {"deliver": ["mx.a.test"], "syndicates": ["b.test"]}),
    ("what is no host is ignored",
     b"pok=%s dx=localhost dx= dx=a..b dx=-.test dx=ok.test" % POK,
     {"deliver": ["ok.test"]}),
    ("two tls values", b"pok=%s tls=%s tls=%s" % (POK, TLS, TLS),
     {"tls": [TLS.decode()] * 2}),
]


def unused_bits(text):
    """Base64 whose last character has a bit set that no octet takes."""
    letters = (b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
               b"0123456789+/")
    return text[:-1] + letters[letters.index(text[-1]) + 1:][:1]


REFUSED = [
    ("empty", b""),
    ("no pok", b"ver=1 pol=strict"),
    ("an SPF record", b"v=spf1 -all"),
    ("sig is not pok", b"sig=%s" % POK),
    ("bare pok", b"pok"),
    ("empty pok", b"pok="),
    ("pok of 42", b"pok=%s" % POK[:42]),
    ("pok of 44", b"pok=%sA" % POK),
    ("pok with padding", b"pok=%s=" % POK),
    ("pok with unused bits", b"pok=%s" % unused_bits(POK)),
    ("pok in URL's base64", b"pok=%s-" % POK[:42]),
    ("a bad pok after a good one", b"pok=%s pok=x" % POK),
    ("tls of 85", b"pok=%s tls=%s" % (POK, TLS[:85])),
    ("tls of 87", b"pok=%s tls=%sA" % (POK, TLS)),
    ("tls with padding", b"pok=%s tls=%s==" % (POK, TLS)),
    ("tls not base64", b"pok=%s tls=%s" % (POK, b"*" * 86)),
    ("tls with unused bits", b"pok=%s tls=%s" % (POK, unused_bits(TLS))),
    ("empty tls", b"pok=%s tls=" % POK),
    ("a bad tls after a good one", b"pok=%s tls=%s tls=x" % (POK, TLS)),
    ("ver=2", b"pok=%s ver=2" % POK),
    ("ver=2 before ver=1", b"ver=2 ver=1 pok=%s" % POK),
    ("ver=0", b"pok=%s ver=0" % POK),
    ("ver=10", b"pok=%s ver=10" % POK),
    ("empty ver", b"pok=%s ver=" % POK),
    ("version=2", b"pok=%s VERSION=2" % POK),
    *((f"{name}={ip}", b"pok=%s %s=%s" % (POK, name.encode(), ip.encode()))
      for name in ("dx", "syn", "deliver", "syndicates")
      for ip in ("192.0.2.1", "2001:db8::1", "[192.0.2.1]",
                 "[IPv6:2001:db8::1]", "::ffff:192.0.2.1")),
    ("an IP address after a host", b"pok=%s dx=a.test dx=192.0.2.1" % POK),
    ("an IP address with a final dot", b"pok=%s dx=192.0.2.1." % POK),
    ("NUL", b"pok=%s a\0b" % POK),
    ("control octet", b"pok=%s \x01" % POK),
    ("DEL", b"pok=%s x=\x7f" % POK),
    ("8-bit octet", b"pok=%s x=\xc3\xa4" % POK),
    ("vertical tab", b"\x0bpok=%s" % POK),
]


def run(battery):
    def case(name, text, accept, output=None):
        battery.case(
            f"record: {name}", accept, ["record", "parse", "--json"], text,
            output, lambda: parse_record(text), decode=json.loads)

    for name, text, other in ACCEPTED:
        case(name, text, True, {**BASE, **other})
    for name, text in REFUSED:
        case(name, text, False)
    for name, key in bad_signing_keys():
        case(f"pok {name}", b"pok=%s" % base64_bare(key), False)
    made(battery)


def certificate():
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a.test")])
    now = datetime.datetime.utcnow()
    return x509.CertificateBuilder().subject_name(name).issuer_name(
        name).public_key(key.public_key()).serial_number(
        1).not_valid_before(now).not_valid_after(
        now + datetime.timedelta(days=1)).sign(key, hashes.SHA256())


def made(battery):
    """`record make` from a signet that Python made."""
    keys = OrgKeys()
    battery.path("record.signet", keys.signet(b"a.test"))
    battery.path("record.key", keys.file())
    der = certificate().public_bytes(Encoding.DER)
    battery.path("record.der", der)
    words = ["record", "make", "--org", "record.signet", "--org-key",
             "record.key", "--tls-cert", "record.der", "--policy", "strict",
             "--sub", "explicit", "--expiry", "90", "--syn", "s.test"]
    for i in range(12):
        words += ["--dx", f"host-number-{i}.example.test"]
    text = battery.make(*words)
    record = parse_record(text)
    tls = [unbase64(value.encode()) for value in record.pop("tls")]
    battery.verdict("record: made, as Python reads it", None if record == {
        "version": 1, "pok": [base64_bare(keys.signing.public).decode()],
        "policy": "strict", "subdomain": "explicit", "expiry": 90,
        "deliver": [f"host-number-{i}.example.test" for i in range(12)],
        "syndicates": ["s.test"]} else f"{record}")
    battery.verdict(
        "record: made, its tls is the POK's signature over the certificate",
        None if len(tls) == 1 and verifies(keys.signing.public, tls[0], der)
        else "it is not")
    zone = battery.make(*words, "--zone").decode()
    strings = zone_strings(zone)
    good = (zone.startswith("_dime.a.test. ") and len(strings) > 1 and
            all(len(s) <= 255 for s in strings) and
            all(s.endswith(b" ") for s in strings[:-1]) and
            not strings[-1].endswith(b" ") and
            b"".join(strings).split() == text.split() and
            re.fullmatch(r"[^\n]+\n", zone))
    battery.verdict("record: made for a zone file", None if good else zone)
