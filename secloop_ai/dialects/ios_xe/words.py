"""Protocols and ports as the device spells them in an access list: it shows some numbers as words only."""

from __future__ import annotations

from typing import Final

from secloop_ai.contracts import Family

ANY_PROTOCOL: Final[dict[Family, str]] = {4: "ip", 6: "ipv6"}
PROTOCOLS: Final[dict[Family, dict[int, str]]] = {
    4: {
        1: "icmp",
        2: "igmp",
        4: "ipinip",
        6: "tcp",
        17: "udp",
        47: "gre",
        50: "esp",
        51: "ahp",
        88: "eigrp",
        89: "ospf",
        94: "nos",
        103: "pim",
        108: "pcp",
    },
    6: {6: "tcp", 17: "udp", 50: "esp", 51: "ahp", 58: "icmp", 108: "pcp", 132: "sctp"},
}
_BOTH = {
    7: "echo",
    9: "discard",
    37: "time",
    49: "tacacs",
    53: "domain",
    111: "sunrpc",
    496: "pim-auto-rp",
    517: "talk",
}
PORTS: Final[dict[int, dict[int, str]]] = {
    6: {
        **_BOTH,
        13: "daytime",
        19: "chargen",
        20: "ftp-data",
        21: "ftp",
        23: "telnet",
        25: "smtp",
        43: "whois",
        70: "gopher",
        79: "finger",
        80: "www",
        101: "hostname",
        109: "pop2",
        110: "pop3",
        113: "ident",
        119: "nntp",
        135: "msrpc",
        179: "bgp",
        194: "irc",
        512: "exec",
        513: "login",
        514: "cmd",
        515: "lpd",
        540: "uucp",
        543: "klogin",
        544: "kshell",
        15001: "onep-plain",
        15002: "onep-tls",
    },
    17: {
        **_BOTH,
        42: "nameserver",
        67: "bootps",
        68: "bootpc",
        69: "tftp",
        123: "ntp",
        137: "netbios-ns",
        138: "netbios-dgm",
        139: "netbios-ss",
        161: "snmp",
        162: "snmptrap",
        177: "xdmcp",
        195: "dnsix",
        434: "mobile-ip",
        500: "isakmp",
        512: "biff",
        513: "who",
        514: "syslog",
        520: "rip",
        521: "ripv6",
        4500: "non500-isakmp",
    },
}
PROTOCOL_NUMBERS: Final[dict[Family, dict[str, int]]] = {
    f: {word: number for number, word in known.items()} for f, known in PROTOCOLS.items()
}
PORT_NUMBERS: Final[dict[str, int]] = {word: port for known in PORTS.values() for port, word in known.items()}
