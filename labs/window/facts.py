"""What is shown of a case, from the atlas its battlefield was built by. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from labs.attacks.registry import means
from labs.battlefield.atlas import RED, Atlas
from labs.scenario import Case, Stage

from .timeline import CaseFacts, NodeFact, PortFact, ServiceFact, StageFact


def facts_of(atlas: Atlas) -> CaseFacts:
    """Topology, attacker and plan of a battlefield."""
    case = atlas.case
    return CaseFacts(
        case_id=case.case_id,
        suite=case.suite,
        family=case.family,
        kind=case.kind,
        seed=case.seed,
        persistent=case.persistent,
        nodes=tuple(_nodes(case)),
        ports=tuple(_ports(atlas)),
        cables=case.links,
        attackers=tuple(p.address for p in case.attackers),
        stages=tuple(_stage(s) for s in case.stages),
    )


def _nodes(case: Case) -> Iterator[NodeFact]:
    first = case.attackers[0]
    for device in case.environment.devices:
        yield NodeFact(name=device.name, kind="gateway", addresses=device.own_addresses())
        port = device.interface(first.interface) if device.name == first.device else None
        if port:
            addresses = tuple(p.address for p in case.attackers)
            yield NodeFact(name=RED, kind="attacker", zone=port.zone, addresses=addresses)
    for host in case.environment.hosts:
        yield NodeFact(
            name=host.name,
            kind="host",
            zone=host.zone,
            addresses=host.addresses,
            services=tuple(ServiceFact(name=s.name, protocol=s.protocol, port=s.port) for s in host.services),
            infected=host.name in case.infected,
        )


def _ports(atlas: Atlas) -> Iterator[PortFact]:
    for port in atlas.ports:
        own = port.interface
        yield PortFact(device=port.device, port=own.name, zone=own.zone, members=port.members, links=port.links())
    for cable in atlas.case.links:
        for device, own_port, other in (
            (cable.one, cable.one_port, cable.other),
            (cable.other, cable.other_port, cable.one),
        ):
            yield PortFact(device=device, port=own_port, zone="link", members=(other,), links=(own_port,))


def _stage(stage: Stage) -> StageFact:
    plugin = means(stage.means)
    return StageFact(
        index=stage.index,
        means=stage.means,
        tactic=plugin.tactic.name,
        technique=plugin.technique,
        source=stage.source,
        source_host=stage.source_host,
        target=stage.target,
        target_host=stage.target_host,
        service=stage.service,
    )
