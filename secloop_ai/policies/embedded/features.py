"""What a prompt says of alerts, sources, hosts and services: features of sensor and inventory, as words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from itertools import product

from secloop_ai.contracts import AlertSummary, Criticality, Protocol

DUTIES = (
    *("admin", "console", "helpdesk", "operator", "manager", "support", "scanner", "monitor", "crawler", "loadgen"),
    *("tester", "backup", "mirror", "deployer", "auditor", "sensor", "collector", "updater", "replica", "scheduler"),
)
"""Roles whose everyday work looks to a sensor like an attack: they scan, copy, log in and load others."""
PLAIN_ROLES = (
    *("client", "server", "workstation", "terminal", "kiosk", "laptop", "phone", "nameserver", "resolver", "mail"),
    *(
        "web",
        "database",
        "storage",
        "controller",
        "appliance",
        "printer",
        "camera",
        "gateway",
        "proxy",
        "broker",
        "directory",
    ),
    *("jump", "build", "host"),
)
ROLES = (*DUTIES, *PLAIN_ROLES)
"""Roles that inventories commonly give a host."""
APPS = (
    *("http", "http2", "tls", "dns", "ssh", "ftp", "ftp-data", "smtp", "imap", "pop3", "smb", "dcerpc", "nfs", "tftp"),
    *("snmp", "mqtt", "rfb", "rdp", "dhcp", "ntp", "sip", "krb5", "ldap", "telnet", "modbus", "dnp3", "enip", "quic"),
    *("ike", "bittorrent-dht", "websocket", "pgsql", "mysql", "redis", "arp"),
)
"""Application protocols as the sensor names them."""
PORT_CLASSES: Mapping[str, frozenset[int]] = {
    "shell": frozenset({22, 23, 2222, 3389, 5900, 5901, 5985, 5986}),
    "web": frozenset({80, 443, 3000, 5173, 8000, 8009, 8080, 8081, 8443, 8888}),
    "files": frozenset({20, 21, 69, 111, 139, 445, 548, 2049}),
    "mail": frozenset({25, 110, 143, 465, 587, 993, 995}),
    "names": frozenset({53, 137, 853, 5353, 5355}),
    "leases": frozenset({67, 68, 546, 547}),
    "data": frozenset({1433, 1521, 3306, 5432, 6379, 9200, 11211, 27017}),
    "control": frozenset({161, 162, 389, 636, 830, 1883, 8883, 10161}),
}
CLASSES = (
    *("not-suspicious", "unknown", "bad-unknown", "attempted-recon", "successful-recon-limited"),
    *("successful-recon-largescale", "attempted-dos", "successful-dos", "denial-of-service", "attempted-user"),
    *("unsuccessful-user", "successful-user", "attempted-admin", "successful-admin", "rpc-portmap-decode"),
    *("shellcode-detect", "string-detect", "suspicious-filename-detect", "suspicious-login"),
    *("default-login-attempt", "system-call-detect", "tcp-connection", "unusual-client-port-connection"),
    *("network-scan", "non-standard-protocol", "protocol-command-decode", "icmp-event"),
    *("web-application-activity", "web-application-attack", "misc-activity", "misc-attack"),
    *("inappropriate-content", "policy-violation", "targeted-activity", "trojan-activity", "exploit-kit"),
    *("external-ip-check", "domain-c2", "command-and-control", "pup-activity", "credential-theft"),
    *("social-engineering", "coin-mining", "sdf", "file-format", "malware-cnc", "client-side-exploit"),
)
"""Classifications of the sensor."""
TECHNIQUES = "techniques.txt"
REST = "other"
CALLS = "<calls>"
"""Begins what the reflex says to an alert."""
COUNTS, RATES, PORTS = (1, 2, 4, 9, 30, 100), (0.2, 1, 5, 25, 125), (1, 2, 8, 64)
BYTES = (0, 1, 200, 1_000, 5_000, 25_000, 125_000, 1_000_000)


@cache
def tactics() -> Mapping[str, str]:
    """Parent technique → the tactic it most belongs to."""
    text = files(__package__).joinpath(TECHNIQUES).read_text(encoding="utf-8")
    rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return {technique: row[0] for row in rows for technique in row[1:]}


def words() -> Iterator[str]:
    """Every feature word, in the order of the weights' rows."""
    yield from ("<alerts>", "<alert>", "<source>", "<host>", "<service>", "<nobody>", "<nothing>", CALLS)
    for name, values in _ENUMERATIONS.items():
        yield from (f"{name}:{'/'.join(row)}" for row in product(*values))


def word(name: str, *values: str) -> str:
    """The word of these values."""
    return f"{name}:{'/'.join(values)}"


def known(value: str | None, of: tuple[str, ...]) -> str:
    """The value where the vocabulary has it, else the word for all others."""
    if value is None:
        return "none"
    return value if value in of else REST


def bucket(value: float, steps: tuple[float, ...]) -> str:
    """How many of the steps a figure has reached."""
    return str(sum(value >= s for s in steps))


def port_class(port: int | None) -> str:
    """What a port is commonly for."""
    if port is None:
        return "none"
    named = next((name for name, ports in PORT_CLASSES.items() if port in ports), None)
    return named or ("low" if port < 1024 else "high")  # noqa: PLR2004 - where the system ports end (RFC 6335)


def technique(summary: AlertSummary) -> tuple[str, str]:
    """The first technique's tactic and parent."""
    for found in summary.techniques:
        parent = found.split(".")[0]
        if tactic := tactics().get(parent):
            return tactic, parent
    return ("none", "none") if not summary.techniques else (REST, REST)


def _with(values: tuple[str, ...]) -> tuple[str, ...]:
    return (*values, "none", REST)


def _steps(steps: tuple[float, ...]) -> tuple[str, ...]:
    return tuple(str(n) for n in range(len(steps) + 1))


_YES = ("yes", "no")
_LEVELS = tuple(c.value for c in Criticality)
_TACTICS = ("TA0043", "TA0042", "TA0001", "TA0002", "TA0003", "TA0004", "TA0005", "TA0006", "TA0007", "TA0008")
_ENUMERATIONS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    # totals: summaries, distinct sources, entities and alerts that found no room
    "all": (_steps(COUNTS),),
    "from": (_steps(COUNTS),),
    "hidden": (_steps(COUNTS),),
    # sources: handshake seen, declared as somebody's client, untouchable
    "source": (("proven", "unproven"), ("declared", "stranger"), ("free", "kept")),
    # hosts
    "role": ((*ROLES, REST),),
    "worth": (_LEVELS, ("vital", "plain")),
    "place": (("attached", "loose"), ("lone", "shared"), ("free", "kept"), ("proven", "unproven")),
    "client": (("none", "some", "vital"), ("duty", "plain")),
    # services: declared clients, criticality, what the port is for
    "users": (("none", "few", "many", "any"), _LEVELS),
    "for": ((*PORT_CLASSES, "low", "high", "none"),),
    # alerts: how many summaries differ in nothing else that is said here, and so on
    "times": (_steps(COUNTS),),
    "class": ((*CLASSES, REST),),
    "tactic": (_with((*_TACTICS, "TA0009", "TA0011", "TA0010", "TA0040")),),
    "technique": (_with(tuple(tactics())),),
    "app": (_with(APPS),),
    "flow": (tuple(p.value for p in Protocol), ("to", "back"), ("shaken", "unshaken")),
    "seen": (("1", "2", "3", "4"), _steps(COUNTS)),
    "rate": (_steps(RATES),),
    "ports": (_steps(PORTS),),
    "up": (_steps(BYTES),),
    "down": (_steps(BYTES),),
    "ends": (("in", "out"), ("in", "out"), ("same", "cross")),
    "use": (("declared", "stranger", "unserved"), ("contacted", "uncontacted")),
}
