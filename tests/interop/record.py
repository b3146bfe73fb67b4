# SPDX-License-Identifier: BSD-2-Clause
"""Management records (Part 4 of the specification). See dime.py."""
import ipaddress
import re

from dime import is_domain, is_signing_key, require, unbase64

NAMES = {"pok": "pok", "primary": "pok", "tls": "tls", "ver": "version",
         "version": "version", "exp": "expiry", "expiry": "expiry",
         "pol": "policy", "policy": "policy", "sub": "subdomain",
         "subdomain": "subdomain", "dx": "deliver", "deliver": "deliver",
         "syn": "syndicates", "syndicates": "syndicates"}
POLICIES = ("experimental", "mixed", "strict")
SUBDOMAINS = {"explicit": "explicit", "mixed": "mixed", "strict": "strict",
              "loose": "mixed", "relaxed": "mixed"}


def record_key(value, octets):
    data = unbase64(value.encode())
    require(len(data) == octets and "=" not in value, "length of a key")
    return data


def is_ip(value):
    try:
        ipaddress.ip_address(
            re.sub(r"^\[(IPv6:)?|\]?\.?$", "", value, flags=re.I))
    except ValueError:
        return False
    return True


def parse_record(text):
    """What is in force in the text of a TXT record (R3 - R5)."""
    require(re.fullmatch(rb"[\t\r\n -~]*", text), "control or 8-bit octets")
    single = {}
    record = {"pok": [], "tls": [], "deliver": [], "syndicates": []}
    for word in re.split(r"[ \t\r\n;]+", text.decode()):
        name, equals, value = word.partition("=")
        key = NAMES.get(name.lower()) if equals else None
        if key in ("pok", "tls"):
            data = record_key(value, 32 if key == "pok" else 64)
            require(key == "tls" or is_signing_key(data), "no key")
            record[key].append(value)
        elif key in ("deliver", "syndicates"):
            require(not is_ip(value), "an IP address")
            host = value.lower().rstrip(".")
            if is_domain(host.encode()):
                record[key].append(host)
        elif key == "version":
            require("version" in single or value == "1", "version")
            single["version"] = 1
        elif key == "expiry":
            if re.fullmatch("[0-9]+", value) and 1 <= int(value) <= 36500:
                single.setdefault(key, int(value))
        elif key == "policy" and value.lower() in POLICIES:
            single.setdefault(key, value.lower())
        elif key == "subdomain" and value.lower() in SUBDOMAINS:
            single.setdefault(key, SUBDOMAINS[value.lower()])
    require(record["pok"], "no POK")
    return {"version": 1, "policy": "mixed", "subdomain": "mixed",
            "expiry": 30, **single, **record}


def zone_strings(line):
    """The strings of a TXT record in a zone file."""
    return [s.encode() for s in re.findall(r'"([^"]*)"', line)]
