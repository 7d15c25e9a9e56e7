"""A small network for every means, to measure it in: the target, somebody who uses it rightfully, and others.

The seed decides between two topologies and draws everything else; the same means and seed give the same case.
"""

from __future__ import annotations

from functools import cache

from labs.scenario import (
    ChainStep,
    Draw,
    FlowSpec,
    GatewaySpec,
    HostSpec,
    Scenario,
    ServiceSpec,
    Split,
    Suite,
    ZoneSpec,
)
from labs.scenario.model import Between, Choice
from labs.services.base import program
from secloop_ai.contracts import Criticality

from .base import Means
from .registry import means

INSIDE = frozenset(
    {
        *("ssh-pivot", "worm-spread", "lateral-tool-transfer", "vnc-login", "smb-share-discovery", "smb-share-loot"),
        *("snmp-mib-dump", "service-stop", "netconf-config-dump", "firewall-off", "logging-off", "internal-proxy"),
        *("dhcp-spoof", "arp-spoof"),
    }
)
"""Means of an attacker who already has a host; all others start outside, or on an infected host that calls home."""
NEIGHBOURS = frozenset({"arp-spoof"})
"""Means that work within one segment only."""
PORTS: dict[str, int] = {
    "http": 80, "tomcat": 8080, "jenkins": 8080, "nextjs": 3000, "vite": 5173, "redis": 6379, "smb": 445,
    "smb-share": 445, "dns": 53, "ssh": 22, "ftp": 21, "smtp": 25, "snmp": 161, "tls": 443, "vnc": 5900,
    "netconf": 830, "knock": 2222, "dhcp": 68,
}  # fmt: skip
OUTSIDE_CLIENTS = frozenset({"http", "nextjs", "tomcat", "dns", "smtp", "ftp", "ssh", "tls"})
"""Kinds that somebody outside uses rightfully, too."""
UNASKED = frozenset({"snmp", "dhcp", "knock"})
"""Kinds whose rightful use is not tried: nobody asks them over and over."""
PARAMS: dict[str, dict[str, Draw]] = {
    "dns-tunnel": {"protocol": "udp", "names": Between(between=(12, 30))},
    "dos-flood": {"rate": Choice(choice=(800, 1000, 1500)), "seconds": Between(between=(5, 7))},
    "exfil-c2": {"kbytes": 512, "kbytes_per_s": Choice(choice=(256, 512))},
    "exfil-dns": {"protocol": "udp", "names": Between(between=(24, 48))},
    "ftp-brute-force": {"attempts": Between(between=(30, 50))},
    "fuzzing": {"words": Between(between=(20, 40))},
    "goldeneye": {"seconds": Between(between=(5, 7))},
    "http-brute-force": {"attempts": Between(between=(24, 48))},
    "http-flood": {"seconds": Between(between=(5, 7))},
    "icmp-tunnel": {"protocol": "icmp", "echoes": Between(between=(20, 40))},
    "implant-beacon": {"beacons": Between(between=(4, 8)), "interval_ms": Choice(choice=(100, 300))},
    "implant-collect": {"files": Between(between=(20, 200))},
    "port-scan": {"ports": Choice(choice=(400, 600, 1000)), "rate": Choice(choice=(200, 500))},
    "slow-http": {"seconds": Between(between=(6, 8))},
    "smb-brute-force": {"attempts": Between(between=(20, 40))},
    "ssh-brute-force": {"tasks": Choice(choice=(2, 4)), "attempts": Between(between=(24, 36))},
    "syn-half-open": {"seconds": Between(between=(5, 7))},
    "wordlist-scan": {"words": Between(between=(40, 60))},
}
"""What the scenarios of the suites draw, too."""
ALSO: dict[str, tuple[str, dict[str, Draw]]] = {"dos-flood": ("dns", {"kind": "udp"})}
"""Means with a second kind of target: every third seed has it."""
TURN = 3


def arena(means_id: str, seed: int) -> Scenario:
    """The scenario that a means is measured in with this seed.

    Raises:
        LabError: there is no such means.
    """
    return _arena(means_id, deep=bool(seed % 2), other=means_id in ALSO and seed % TURN == 0)


@cache
def _arena(means_id: str, *, deep: bool, other: bool) -> Scenario:
    plugin = means(means_id)
    away = calls_home(plugin)
    kind = _kind(plugin, other=other)
    served = ServiceSpec.model_validate(_service(plugin, kind)) if kind and not away else None
    return Scenario(
        name=f"arena-{plugin.id}{'-deep' if deep else ''}{f'-{kind}' if other else ''}",
        suite=Suite.AUTOATTACK,
        family=f"arena-{plugin.id}",
        split=Split.TRAIN,
        zones=_zones(),
        gateways=_gateways(deep=deep),
        hosts=tuple(_hosts(plugin, served)),
        flows=tuple(_flows(served)),
        chain=tuple(_chain(plugin, served, away=away, other=other)),
    )


def calls_home(plugin: Means) -> bool:
    """Whether it goes from an infected host to a server of the attacker."""
    return bool(getattr(plugin, "outside", False)) or plugin.service_kinds[:1] == ("c2",)


def _kind(plugin: Means, *, other: bool) -> str:
    if other:
        return ALSO[plugin.id][0]
    return plugin.service_kinds[0] if plugin.service_kinds else ""


def _service(plugin: Means, kind: str) -> dict[str, object]:
    clients = () if kind in UNASKED else ("desk", "partner") if kind in OUTSIDE_CLIENTS else ("desk",)
    weak = (plugin.id, *plugin.needs[:1])
    return {
        "name": kind,
        "kind": kind,
        "port": PORTS[kind],
        "protocol": program(kind).protocol,
        "weaknesses": weak,
        "clients": clients,
        "criticality": Criticality.HIGH,
    }


def _zones() -> tuple[ZoneSpec, ...]:
    return (
        ZoneSpec(name="outside", outside=True),
        ZoneSpec(name="front"),
        ZoneSpec(name="staff", switched=True),
    )


def _gateways(*, deep: bool) -> tuple[GatewaySpec, ...]:
    if not deep:
        return (GatewaySpec(name="edge", zones=("front", "staff")),)
    return GatewaySpec(name="edge", zones=("front",)), GatewaySpec(name="core", zones=("staff",), uplink="edge")


def _hosts(plugin: Means, served: ServiceSpec | None) -> list[HostSpec]:
    page = ServiceSpec(name="http", kind="http", port=80, clients=("desk", "partner"))
    hosts = [HostSpec(name="neighbour", zone="staff", role="client")] if plugin.id in NEIGHBOURS else []
    hosts += [HostSpec(name="target", zone="front", services=(served,))] if served else []
    if calls_home(plugin) or plugin.id in INSIDE:
        hosts.append(HostSpec(name="laptop", zone="staff", role="client", infected=True))
    return [
        *hosts,
        HostSpec(name="shop", zone="front", services=(page,)),
        HostSpec(name="desk", zone="staff", role="client", count=Between(between=(1, 2))),
        HostSpec(name="partner", zone="outside", role="client"),
    ]


def _flows(served: ServiceSpec | None) -> list[FlowSpec]:
    often = Between(between=(20, 40))
    more = [FlowSpec(service=f"target/{served.name}", per_minute=often)] if served and served.clients else []
    return [FlowSpec(service="shop/http", per_minute=often), *more]


def _host(plugin: Means) -> str:
    return "neighbour" if plugin.id in NEIGHBOURS else "shop"


def _chain(plugin: Means, served: ServiceSpec | None, *, away: bool, other: bool) -> list[ChainStep]:
    source = "laptop" if away or plugin.id in INSIDE else "attacker"
    target = "outside" if away else f"target/{served.name}" if served else _host(plugin)
    before = [ChainStep(means=name, source=source, target=target) for name in plugin.needs[:1]]
    params = PARAMS.get(plugin.id, {}) | (ALSO[plugin.id][1] if other else {})
    return [*before, ChainStep(means=plugin.id, source=source, target=target, params=params)]
