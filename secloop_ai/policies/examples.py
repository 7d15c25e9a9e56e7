"""Drawn incidents on drawn networks: questions to try and to time a policy with, where no real ones are at hand.

They are made to be as varied and as large as asked for, not to be fair: nothing is trained or judged on them.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, ip_address, ip_interface, ip_network
from typing import NamedTuple

from secloop_ai.contracts import (
    AlertSummary,
    Attachment,
    Connection,
    Criticality,
    Device,
    Environment,
    Flow,
    Host,
    HostAccess,
    Interface,
    IPAddress,
    Protocol,
    Service,
    Untrusted,
)

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
OUTSIDE = (ip_network("198.51.100.0/24"), ip_network("203.0.113.0/24"))
PORTS_OF_A_DEVICE = 6
OPEN_TO_ROLES, RESOLVERS, FROM_INSIDE, PROVEN = 0.5, 0.25, 0.3, 0.7
"""Shares: of hosts, of those that answer names; of summaries from an inventory host, of those with a handshake."""
ROLES = ("server", "workstation", "admin", "web", "database", "nameserver", "printer", "scanner")
LEVELS = tuple(Criticality)


class _Kind(NamedTuple):
    """A kind of alert: what the sensor says of it, and the service it is about."""

    technique: str
    classification: str
    app: str | None
    protocol: Protocol
    port: int
    severity: int
    inward: bool = True


KINDS = (
    _Kind("T1110.001", "attempted-admin", "ssh", Protocol.TCP, 22, 1),
    _Kind("T1190", "web-application-attack", "http", Protocol.TCP, 80, 1),
    _Kind("T1046", "attempted-recon", None, Protocol.TCP, 445, 2),
    _Kind("T1499.001", "denial-of-service", None, Protocol.TCP, 80, 1),
    _Kind("T1210", "attempted-user", "smb", Protocol.TCP, 445, 1),
    _Kind("T1041", "trojan-activity", "tls", Protocol.TCP, 443, 1, inward=False),
    _Kind("T1071.004", "command-and-control", "dns", Protocol.UDP, 53, 2, inward=False),
    _Kind("T1040", "misc-activity", None, Protocol.UDP, 5353, 3),
)
SERVICES = (("ssh", "tcp", 22), ("http", "tcp", 80), ("smb", "tcp", 445), ("https", "tcp", 443), ("dns", "udp", 53))


class Example(NamedTuple):
    """What a request is built from."""

    summaries: tuple[AlertSummary, ...]
    environment: Environment


def example(seed: int, *, summaries: int = 8, hosts: int = 20, devices: int = 4) -> Example:
    """One incident; equal arguments give an equal one.

    Args:
        seed: of everything that is drawn.
        summaries: of alerts.
        hosts: of the inventory, over the devices in turn.
        devices: routers, each with an uplink and ports for hosts.
    """
    dice = random.Random(seed)  # noqa: S311 - nothing here is a secret
    environment = _environment(dice, hosts, devices)
    return Example(_summaries(dice, environment, summaries), environment)


def example_in(environment: Environment, seed: int, *, summaries: int = 8) -> Example:
    """One incident in a network that there is; equal arguments give an equal one."""
    return Example(_summaries(random.Random(seed), environment, summaries), environment)  # noqa: S311


def _summaries(dice: random.Random, environment: Environment, count: int) -> tuple[AlertSummary, ...]:
    return tuple(_summary(dice, environment, n) for n in range(count))


def _environment(dice: random.Random, hosts: int, devices: int) -> Environment:
    site = IPv4Network(f"10.{dice.randrange(256)}.0.0/16")
    nets = list(site.subnets(new_prefix=24))
    made = tuple(_device(n, nets[n * PORTS_OF_A_DEVICE :]) for n in range(devices))
    found = tuple(_host(dice, n, made[n % devices]) for n in range(hosts))
    kept = (ip_network(a) for h in found[-1:] for a in h.addresses)
    return Environment(devices=made, hosts=found, protected=tuple(kept))


def _device(number: int, nets: list[IPv4Network]) -> Device:
    uplink = Interface(
        name="up0",
        zone="outside",
        addresses=(ip_interface(f"192.0.2.{number + 1}/24"),),
        networks=(ip_network("0.0.0.0/0"),),
    )
    ports = (
        Interface(name=f"lan{n}", zone=f"zone{number}", addresses=(_first(net),))
        for n, net in enumerate(nets[:PORTS_OF_A_DEVICE])
    )
    return Device(
        name=f"router{number}",
        dialect="ietf",
        connection=Connection(address=f"192.0.2.{number + 1}"),
        interfaces=(uplink, *ports),
    )


def _first(net: IPv4Network) -> IPv4Interface:
    return IPv4Interface(f"{net[1]}/{net.prefixlen}")


def _host(dice: random.Random, number: int, device: Device) -> Host:
    port = device.interfaces[1 + dice.randrange(len(device.interfaces) - 1)]
    address = IPv4Address(int(port.addresses[0].ip) + 10 + number % 200)
    offered = dice.sample(SERVICES, dice.randint(0, 3))
    return Host(
        name=f"host{number}",
        addresses=(address,),
        zone=port.zone,
        role=dice.choice(ROLES),
        attached_to=Attachment(device=device.name, interface=port.name),
        criticality=dice.choice(LEVELS),
        services=tuple(_service(dice, *s) for s in offered),
        access=_access(dice) if dice.random() < OPEN_TO_ROLES else None,
    )


def _service(dice: random.Random, name: str, protocol: str, port: int) -> Service:
    clients = dice.choice(((), (ip_network("10.0.0.0/8"),), (ip_network("0.0.0.0/0"),)))
    udp = protocol == "udp"
    return Service(
        name=name, protocol="udp" if udp else "tcp", port=port, clients=clients, criticality=dice.choice(LEVELS)
    )


def _access(dice: random.Random) -> HostAccess:
    resolver = dice.random() < RESOLVERS
    actions = ("secure_sshd", "harden_kernel", "stop_process", "close_port", "disable_account")
    return HostAccess(
        actions=(*actions, "dns_sinkhole") if resolver else actions,
        accounts=("operator", "backup"),
        processes=("sshd", "httpd"),
        resolver="unbound" if resolver else None,
    )


def _summary(dice: random.Random, environment: Environment, number: int) -> AlertSummary:
    kind = dice.choice(KINDS)
    known = [a for h in environment.hosts for a in h.addresses if a.version == 4]  # noqa: PLR2004
    inside: IPAddress = dice.choice(known) if known else ip_address("10.0.0.9")
    outside: IPAddress = dice.choice(OUTSIDE)[dice.randint(1, 254)]
    other = dice.choice(known) if known and dice.random() < FROM_INSIDE else outside
    source, target = (other, inside) if kind.inward else (inside, outside)
    count, begun = dice.randint(1, 200), START + timedelta(seconds=number)
    return AlertSummary(
        signature_id=2_000_000 + number,
        signature=Untrusted.of("drawn"),
        source=source,
        destination=target,
        destination_port=kind.port,
        protocol=kind.protocol,
        app_protocol=kind.app,
        classification=kind.classification,
        techniques=(kind.technique,),
        severity=kind.severity,
        count=count,
        first_seen=begun,
        last_seen=begun + timedelta(seconds=dice.randint(0, 30)),
        source_ports=min(count, 255),
        to_server=True,
        handshake=kind.protocol is Protocol.TCP and dice.random() < PROVEN,
        flow=Flow(
            packets_to_server=count * 9,
            packets_to_client=count * 7,
            bytes_to_server=count * dice.randint(60, 9000),
            bytes_to_client=count * dice.randint(0, 9000),
        ),
        domains=("beacon.example.net",) if kind.app == "dns" else (),
    )
