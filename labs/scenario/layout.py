"""The address plan: which host hangs where under which name and address."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, ip_address, ip_network
from typing import NamedTuple

from secloop_ai.contracts import Attachment, Connection, Device, Interface, IPAddress, IPNetwork

from .case import Link
from .model import Between, GatewaySpec, HostSpec, Scenario, Split, ZoneSpec

OUTSIDE = IPv4Network("203.0.113.0/24")
"""Where attackers and outside peers live (RFC 5737)."""
PORT_BITS = 29
"""Prefix length of a port with one host."""
ZONE_BITS = 24
LINK_BITS = 30
PLANS, PARTS = 240, 5
"""Networks 10.N.0.0/16 that the inside of a case may be, and the parts they are shared out in, by N modulo `PARTS`."""
PARTS_OF: Mapping[Split, tuple[int, ...]] = {Split.TRAIN: (0, 1, 2), Split.VALIDATION: (3,), Split.TEST: (4,)}
"""Each split has address plans of its own."""
WORDS = ("ada", "bor", "cyl", "dex", "elm", "fen", "gus", "hal", "ivo", "jet", "kip", "lux", "mia", "nox", "oak", "pim")


DIGITS = range(1, 10)
MOST_HOSTS = len(WORDS) * len(DIGITS)
OUTSIDE_ROOM, SWITCHED_ROOM, ROUTED_ROOM = 40, 200, 32
"""Hosts that fit into a zone: outside, on one segment, on a port each."""


class Layout(NamedTuple):
    """Where everything is.

    Attributes:
        names: host of the scenario file → its drawn names, several where `count` says so.
    """

    devices: tuple[Device, ...]
    links: tuple[Link, ...]
    hosts: tuple[str, ...]
    names: dict[str, tuple[str, ...]]
    spec_of: dict[str, HostSpec]
    address: dict[str, IPAddress]
    attachment: dict[str, Attachment]
    outside_port: tuple[str, str]


class _Ports:
    """The ports of one gateway, named in the order they are made."""

    def __init__(self, gateway: str) -> None:
        self.gateway = gateway
        self.made: list[Interface] = []

    def add(self, zone: str, own: IPv4Interface, *networks: IPNetwork, management: bool = False) -> str:
        name = "mgmt0" if management else f"ge{len(self.made)}"
        self.made.append(Interface(name=name, zone=zone, addresses=(own,), networks=networks, management=management))
        return name


class _Builder:
    """Draws the plan gateway by gateway, from the outside in."""

    def __init__(self, scenario: Scenario, dice: random.Random) -> None:
        self.scenario, self.dice = scenario, dice
        plan = dice.choice([n for n in range(PLANS) if n % PARTS in PARTS_OF[scenario.split]])
        base = IPv4Network((int(ip_address("10.0.0.0")) + (plan << 16), 16))
        self.zone_nets: Iterator[IPv4Network] = iter(dice.sample(list(base.subnets(new_prefix=ZONE_BITS))[:-1], 60))
        self.link_nets = list(base.subnets(new_prefix=ZONE_BITS))[-1].subnets(new_prefix=LINK_BITS)
        self.outside_hosts = iter(dice.sample([OUTSIDE[n] for n in range(10, 250)], OUTSIDE_ROOM))
        self.ports = {g.name: _Ports(g.name) for g in scenario.gateways}
        self.zones = {z.name: z for z in scenario.zones}
        self.behind: dict[str, list[IPNetwork]] = {g.name: [] for g in scenario.gateways}
        self.links: list[Link] = []
        self.address: dict[str, IPAddress] = {}
        self.attachment: dict[str, Attachment] = {}
        self.names = _draw_names(scenario, dice)

    def hosts_of(self, zone: str) -> list[str]:
        return [n for h in self.scenario.hosts if h.zone == zone for n in self.names[h.name]]

    def place(self, host: str, gateway: str, port: str, address: IPv4Address) -> None:
        self.address[host] = address
        self.attachment[host] = Attachment(device=gateway, interface=port)

    def outside(self, gateway: GatewaySpec) -> tuple[str, str]:
        """The outside port, and the hosts that legitimately come from there."""
        everything = ip_network("0.0.0.0/0")
        zone = next(z.name for z in self.scenario.zones if z.outside)
        port = self.ports[gateway.name].add(zone, IPv4Interface(f"{OUTSIDE[1]}/24"), everything)
        for host in self.hosts_of(zone):
            self.place(host, gateway.name, port, next(self.outside_hosts))
        return gateway.name, port

    def inside(self, gateway: GatewaySpec) -> None:
        for name in gateway.zones:
            net = next(self.zone_nets)
            self.behind[gateway.name].append(net)
            (self.switched if self.zones[name].switched else self.routed)(gateway.name, self.zones[name], net)

    def switched(self, gateway: str, zone: ZoneSpec, net: IPv4Network) -> None:
        port = self.ports[gateway].add(zone.name, IPv4Interface(f"{net[1]}/{ZONE_BITS}"))
        for host, n in zip(self.hosts_of(zone.name), self.dice.sample(range(10, 250), SWITCHED_ROOM), strict=False):
            self.place(host, gateway, port, net[n])

    def routed(self, gateway: str, zone: ZoneSpec, net: IPv4Network) -> None:
        cells = self.dice.sample(list(net.subnets(new_prefix=PORT_BITS)), ROUTED_ROOM)
        for host, cell in zip(self.hosts_of(zone.name), cells, strict=False):
            port = self.ports[gateway].add(zone.name, IPv4Interface(f"{cell[1]}/{PORT_BITS}"))
            self.place(host, gateway, port, cell[2])

    def uplink(self, gateway: GatewaySpec) -> None:
        """The cable towards the outside; each end knows what is reached through it."""
        if gateway.uplink is None:
            return
        net = next(self.link_nets)
        up = self.ports[gateway.name].add("core", IPv4Interface(f"{net[1]}/{LINK_BITS}"), ip_network("0.0.0.0/0"))
        down = self.ports[gateway.uplink].add("core", IPv4Interface(f"{net[2]}/{LINK_BITS}"), *self.below(gateway.name))
        self.links.append(Link(one=gateway.name, one_port=up, other=gateway.uplink, other_port=down))

    def below(self, gateway: str) -> list[IPNetwork]:
        """Networks of a gateway and of all that hang on it."""
        own = list(self.behind[gateway])
        return own + [n for g in self.scenario.gateways if g.uplink == gateway for n in self.below(g.name)]

    def device(self, gateway: GatewaySpec) -> Device:
        ports = self.ports[gateway.name]
        return Device(
            name=gateway.name,
            dialect="ietf",
            connection=Connection(address="127.0.0.1"),
            interfaces=tuple(ports.made),
        )


def lay_out(scenario: Scenario, dice: random.Random) -> Layout:
    """Draw names, addresses and ports."""
    builder = _Builder(scenario, dice)
    top = next(g for g in scenario.gateways if g.uplink is None)
    outside_port = builder.outside(top)
    for gateway in scenario.gateways:
        builder.inside(gateway)
    for gateway in scenario.gateways:
        builder.uplink(gateway)
    spec_of = {n: h for h in scenario.hosts for n in builder.names[h.name]}
    return Layout(
        devices=tuple(builder.device(g) for g in scenario.gateways),
        links=tuple(builder.links),
        hosts=tuple(spec_of),
        names=builder.names,
        spec_of=spec_of,
        address=builder.address,
        attachment=builder.attachment,
        outside_port=outside_port,
    )


def _draw_names(scenario: Scenario, dice: random.Random) -> dict[str, tuple[str, ...]]:
    """Host names that say their role and nothing of the attack."""
    words = [f"{a}{b}" for a in WORDS for b in DIGITS]
    dice.shuffle(words)
    found: dict[str, tuple[str, ...]] = {}
    for host in scenario.hosts:
        count = dice.randint(*counts(host)) if isinstance(host.count, Between) else host.count
        found[host.name] = tuple(f"{host.role}-{words.pop()}" for _ in range(count))
    return found


def counts(host: HostSpec) -> tuple[int, int]:
    """How many of them a seed draws: at least, at most."""
    return host.count.between if isinstance(host.count, Between) else (host.count, host.count)
