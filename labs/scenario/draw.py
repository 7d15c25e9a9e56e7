"""From a scenario and a seed to a case: addresses, names, client mix, attack parameters. Pure and deterministic."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Collection, Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network, ip_address, ip_network

from secloop_ai.contracts import PROTOCOL_NUMBER, Environment, Host, IPAddress, Packet, Service

from .access import access_of, not_offered
from .case import AttackerPlace, Case, LegitFlow, Stage
from .layout import OUTSIDE, Layout, lay_out
from .model import Between, ChainStep, Choice, Draw, Scalar, Scenario, ServiceSpec

COMMAND_NETS = (IPv4Network("198.51.100.0/24"), IPv4Network("192.0.2.0/24"))
"""Where an implant's servers live (RFC 5737)."""
ATTACKER_ADDRESSES = 4


def rng(*parts: object) -> random.Random:
    """A generator that depends on these parts alone, on every machine and Python."""
    seed = hashlib.sha256("\x00".join(map(str, parts)).encode()).digest()
    return random.Random(int.from_bytes(seed[:8], "big"))


def draw(scenario: Scenario, seed: int) -> Case:
    """The case of this seed; the same pair always gives the same case."""
    dice = rng(scenario.name, seed)
    layout = lay_out(scenario, dice)
    services = {(h, s.name): s for h in layout.hosts for s in layout.spec_of[h].services}
    environment = _environment(scenario, seed, layout)
    attackers = tuple(_attackers(layout, dice))
    command = ip_address(int(dice.choice(COMMAND_NETS)[dice.randint(10, 250)]))
    steps = [s for s in scenario.chain if not s.optional or dice.random() < 0.5]  # noqa: PLR2004 - in or out
    return Case(
        scenario=scenario.name,
        suite=scenario.suite,
        family=scenario.family,
        kind=scenario.kind,
        seed=seed,
        environment=environment,
        links=layout.links,
        attackers=attackers,
        stages=tuple(
            _stage(n, step, layout, services, attackers[0].address, command, dice) for n, step in enumerate(steps)
        ),
        flows=tuple(_flows(scenario, layout, dice)),
        names={spec: names[0] for spec, names in layout.names.items()},
        infected=tuple(n for n in layout.hosts if layout.spec_of[n].infected),
        persistent=scenario.persistent,
    )


def value(drawn: Draw, dice: random.Random) -> Scalar:
    """A number or word for a Draw."""
    if isinstance(drawn, Choice):
        return dice.choice(drawn.choice)
    if isinstance(drawn, Between):
        return dice.randint(*drawn.between)
    return drawn


def _environment(scenario: Scenario, seed: int, layout: Layout) -> Environment:
    """What SecLoop is told. Accounts have dice of their own: nothing else of a case depends on them."""
    ours = {z.name for z in scenario.zones if not z.outside}
    hosts = tuple(_host(layout, name, ours, rng(scenario.name, seed, "access", name)) for name in layout.hosts)
    return Environment(
        devices=layout.devices,
        hosts=hosts,
        protected=tuple(ip_network(layout.address[n]) for n in layout.hosts if layout.spec_of[n].protected),
        not_offered=not_offered(hosts),
    )


def _host(layout: Layout, name: str, ours: Collection[str], dice: random.Random) -> Host:
    spec = layout.spec_of[name]
    return Host(
        name=name,
        addresses=(layout.address[name],),
        zone=spec.zone,
        role=spec.role,
        attached_to=layout.attachment[name],
        criticality=spec.criticality,
        services=tuple(_service(layout, s) for s in spec.services),
        access=access_of(spec, dice) if spec.zone in ours and not spec.protected else None,
    )


def _service(layout: Layout, spec: ServiceSpec) -> Service:
    clients = tuple(name for c in spec.clients for name in layout.names[c])
    return Service(
        name=spec.name, protocol=spec.protocol, port=spec.port, clients=clients, criticality=spec.criticality
    )


def _attackers(layout: Layout, dice: random.Random) -> Iterator[AttackerPlace]:
    taken = set(layout.address.values())
    free = [a for a in (OUTSIDE[n] for n in range(10, 250)) if a not in taken]
    device, interface = layout.outside_port
    for address in dice.sample(free, ATTACKER_ADDRESSES):
        yield AttackerPlace(address=address, device=device, interface=interface)


def _stage(
    index: int,
    step: ChainStep,
    layout: Layout,
    services: Mapping[tuple[str, str], ServiceSpec],
    attacker: IPAddress,
    command: IPv4Address | IPAddress,
    dice: random.Random,
) -> Stage:
    host, _, service = step.target.partition("/")
    target = None if step.target == "outside" else dice.choice(layout.names[host])
    source = None if step.source == "attacker" else layout.names[step.source][0]
    spec = services.get((target, service)) if target else None
    params = {k: value(v, dice) for k, v in step.params.items()}
    port = spec.port if spec else params.get("port")
    return Stage(
        index=index,
        means=step.means,
        source=layout.address[source] if source else attacker,
        source_host=source,
        target=layout.address[target] if target else command,
        target_host=target,
        service=service or None,
        protocol=spec.protocol if spec else str(params.get("protocol", "tcp")),
        port=int(port) if port is not None else None,
        weak=bool(spec and step.means in spec.weaknesses),
        params=params,
        seed=dice.getrandbits(32),
    )


def _flows(scenario: Scenario, layout: Layout, dice: random.Random) -> Iterator[LegitFlow]:
    for flow in scenario.flows:
        host, _, service = flow.service.partition("/")
        for server in layout.names[host]:
            spec = next(s for s in layout.spec_of[server].services if s.name == service)
            for client in (n for c in spec.clients for n in layout.names[c]):
                yield LegitFlow(
                    client=client,
                    server=server,
                    service=service,
                    packet=_packet(layout.address[client], layout.address[server], spec),
                    per_minute=int(value(flow.per_minute, dice)),
                )


def _packet(client: IPAddress, server: IPAddress, spec: ServiceSpec) -> Packet:
    return Packet(
        source=client,
        destination=server,
        protocol=PROTOCOL_NUMBER[spec.protocol],
        source_port=50000,
        destination_port=spec.port,
    )
