"""What a data set's label means to a sensor: classification, severity, technique. The choice of each is ours."""

from __future__ import annotations

import re
from typing import NamedTuple

FIRST_SID = 9_003_001
_WORD = re.compile(r"[a-z0-9]+")


class Meaning(NamedTuple):
    """What an alert on such a flow says.

    Attributes:
        sid: of no rule; one number per meaning.
        severity: 1 (high) to 4 (low).
    """

    sid: int
    name: str
    classification: str
    severity: int
    technique: str


_MEANINGS = (
    ("guessed FTP passwords", "attempted-admin", 1, "T1110.001", ("ftp patator", "ftp bruteforce")),
    ("guessed SSH passwords", "attempted-admin", 1, "T1110.001", ("ssh patator", "ssh bruteforce")),
    (
        "guessed web passwords",
        "attempted-admin",
        1,
        "T1110.001",
        ("web attack brute force", "brute force web"),
    ),
    ("a script in a form", "web-application-attack", 1, "T1539", ("web attack xss", "brute force xss")),
    ("a query in a parameter", "web-application-attack", 1, "T1190", ("web attack sql injection", "sql injection")),
    (
        "slow requests",
        "attempted-dos",
        2,
        "T1499.002",
        (
            *("dos slowloris", "dos slowhttptest"),
            *("dos attacks slowloris", "dos attacks slowhttptest"),
        ),
    ),
    (
        "a flood of requests",
        "attempted-dos",
        2,
        "T1499.002",
        (
            *("dos hulk", "dos goldeneye", "dos attacks hulk", "dos attacks goldeneye"),
            *("ddos attacks loic http", "ddos attack hoic"),
        ),
    ),
    ("a flood of packets", "attempted-dos", 2, "T1498.001", ("ddos", "ddos attack loic udp", "dos")),
    ("a heartbeat that asks for too much", "attempted-admin", 1, "T1190", ("heartbleed",)),
    ("a taken host at work inside", "trojan-activity", 1, "T1105", ("infiltration", "infilteration")),
    ("a bot and its server", "command-and-control", 1, "T1071.001", ("bot",)),
    ("ports asked one after the other", "attempted-recon", 2, "T1046", ("portscan",)),
    ("nonsense for a service", "misc-attack", 2, "T1595.002", ("fuzzers",)),
    ("a service looked over", "attempted-recon", 2, "T1595.002", ("analysis",)),
    ("a hidden way in", "trojan-activity", 1, "T1571", ("backdoor", "backdoors")),
    ("an exploit", "attempted-admin", 1, "T1190", ("exploits",)),
    ("keys tried whatever the cipher", "misc-attack", 2, "T1110", ("generic",)),
    ("a look around", "attempted-recon", 2, "T1595.001", ("reconnaissance",)),
    ("the beginning of shellcode", "shellcode-detect", 1, "T1203", ("shellcode",)),
    ("a worm", "trojan-activity", 1, "T1210", ("worms",)),
)
LABELS: dict[str, Meaning] = {
    label: Meaning(FIRST_SID + n, f"labelled flow: {name}", classification, severity, technique)
    for n, (name, classification, severity, technique, labels) in enumerate(_MEANINGS)
    for label in labels
}
"""Label, lower case and words only → meaning."""


def meaning(label: str) -> Meaning | None:
    """The meaning of a label as the files write it, whatever stands between its words; None for an unknown one."""
    return LABELS.get(" ".join(_WORD.findall(label.lower())))
