"""Protocols, ports, prefixes and bandwidths as Junos spells them."""

from __future__ import annotations

import re
from ipaddress import ip_network

from secloop_ai.contracts import Family, IPNetwork, PortRange

PROTOCOLS = {
    "hop-by-hop": 0, "icmp": 1, "igmp": 2, "ipip": 4, "tcp": 6, "egp": 8, "udp": 17, "ipv6": 41, "routing": 43,
    "fragment": 44, "rsvp": 46, "gre": 47, "esp": 50, "ah": 51, "icmp6": 58, "icmpv6": 58, "no-next-header": 59,
    "dstopts": 60, "ospf": 89, "pim": 103, "vrrp": 112, "sctp": 132,
}  # fmt: skip
SPELLED = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp6"}
"""How we write those that our rules have; any other goes out as its number."""
PORTS = {
    "afs": 1483, "bgp": 179, "biff": 512, "bootpc": 68, "bootps": 67, "cmd": 514, "cvspserver": 2401, "dhcp": 67,
    "domain": 53, "eklogin": 2105, "ekshell": 2106, "exec": 512, "finger": 79, "ftp": 21, "ftp-data": 20, "http": 80,
    "https": 443, "ident": 113, "imap": 143, "kerberos-sec": 88, "klogin": 543, "kpasswd": 761, "krb-prop": 754,
    "krbupdate": 760, "kshell": 544, "ldap": 389, "ldp": 646, "login": 513, "mobileip-agent": 434,
    "mobilip-mn": 435, "msdp": 639, "netbios-dgm": 138, "netbios-ns": 137, "netbios-ssn": 139, "nfsd": 2049,
    "nntp": 119, "ntalk": 518, "ntp": 123, "pop3": 110, "pptp": 1723, "printer": 515, "radacct": 1813, "radius": 1812,
    "rip": 520, "rkinit": 2108, "smtp": 25, "snmp": 161, "snmptrap": 162, "snpp": 444, "socks": 1080, "ssh": 22,
    "sunrpc": 111, "syslog": 514, "tacacs": 49, "tacacs-ds": 65, "talk": 517, "telnet": 23, "tftp": 69, "timed": 525,
    "who": 513, "xdmcp": 177, "zephyr-clt": 2103, "zephyr-hm": 2104,
}  # fmt: skip
_PREFIX = re.compile(r"[0-9A-Fa-f.:]+(/\d{1,3})?")
_BANDWIDTH = re.compile(r"(\d+)([kmg]?)")
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


def protocol(text: str) -> int:
    """The number of a protocol.

    Raises:
        ValueError: no protocol of that name or number.
    """
    number = PROTOCOLS[text] if text in PROTOCOLS else int(text)
    if not 0 <= number <= 255:  # noqa: PLR2004 - one octet
        raise ValueError(f"no protocol {text}")
    return number


def ports(text: str) -> PortRange:
    """A port, by number or name, or a range ``low-high``.

    Raises:
        ValueError: neither.
    """
    low, dash, high = text.partition("-")
    if text in PORTS or not dash:
        return PortRange.one(_port(text))
    return PortRange(low=_port(low), high=_port(high))


def prefix(text: str, family: Family) -> IPNetwork:
    """A prefix of the family.

    Raises:
        ValueError: another family's, or a mask that is no prefix length.
    """
    if not _PREFIX.fullmatch(text):
        raise ValueError(f"{text} is no prefix")
    network = ip_network(text, strict=False)
    if network.version != family:
        raise ValueError(f"{text} is not of IPv{family}")
    return network


def bits_per_second(text: str) -> int:
    """A bandwidth, perhaps with one of Junos's decimal units (``100k``, ``10m``, ``1g``).

    Raises:
        ValueError: another form.
    """
    found = _BANDWIDTH.fullmatch(text)
    if not found:
        raise ValueError(f"{text} is no bandwidth")
    return int(found[1]) * _UNITS[found[2]]


def _port(text: str) -> int:
    return PORTS[text] if text in PORTS else int(text)
