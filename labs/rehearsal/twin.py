"""A request as a case: the inventory's network and its declared clients, with the alerts' exchanges as the attack.

Everything comes from the request. The network's tree of gateways is read off the devices' own addresses: two ports with
one network between them are a cable's ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from itertools import combinations
from typing import NamedTuple

from labs.attacks.base import Means
from labs.scenario import AttackerPlace, Case, Kind, LegitFlow, Link, Stage
from labs.simulator.journeys import packet_of
from secloop_ai.contracts import (
    PROTOCOL_NUMBER,
    AlertSummary,
    Environment,
    Host,
    IPAddress,
    IPNetwork,
    PolicyRequest,
    Service,
)
from secloop_ai.loop.effect import STRANGERS
from secloop_ai.policies.ends import ends_of, port_of, service_of

from .guess import answered, floods, suspicion

NAME = "rehearsal"
PER_MINUTE = 30
"""Calls of each declared client that are assumed, as the inventory does not say."""
RETURNS = 2
"""Further addresses from which an attacker outside comes back."""


class Hypothesis(NamedTuple):
    """What alerts of one exchange may have been.

    Attributes:
        explained: it is a declared client's use of that service, or comes from something protected.
    """

    stage: Stage
    means: Means
    explained: bool


def hypotheses(request: PolicyRequest) -> tuple[Hypothesis, ...]:
    """One for each client, server and port that alerts name, in order of time."""
    groups: dict[tuple[object, ...], list[AlertSummary]] = {}
    for summary in sorted(request.summaries, key=lambda s: (s.first_seen, s.summary_id)):
        ends = ends_of(summary, request.environment)
        port = port_of(summary, request.environment)
        groups.setdefault((ends.client, ends.server, summary.protocol, port), []).append(summary)
    return tuple(_hypothesis(n, found, request.environment) for n, found in enumerate(groups.values()))


def twin(request: PolicyRequest, found: tuple[Hypothesis, ...], *, returns: bool) -> tuple[Case, Mapping[str, Means]]:
    """The case that these hypotheses make, and its means by the name that its stages give them.

    Args:
        request: whose network it is.
        found: of the same request.
        returns: an attacker outside who does not get through comes back from other addresses.
    """
    environment = request.environment
    case = Case(
        scenario=NAME,
        suite=NAME,
        family=NAME,
        kind=Kind.ATTACK,
        seed=0,
        environment=environment,
        links=tuple(links(environment)),
        attackers=tuple(_places(found, environment)) if returns else (),
        stages=tuple(h.stage for h in found),
        flows=tuple(_flows(environment)),
        names={},
        persistent=returns,
    )
    return case, {h.stage.means: h.means for h in found}


def links(environment: Environment) -> Iterator[Link]:
    """The cables between devices: ports of two devices that have addresses in one network."""
    ports = [(d, i) for d in environment.devices for i in d.interfaces if not i.management]
    for (one, a), (other, b) in combinations(ports, 2):
        if one.name != other.name and {x.network for x in a.addresses} & {x.network for x in b.addresses}:
            yield Link(one=one.name, one_port=a.name, other=other.name, other_port=b.name)


def _hypothesis(number: int, found: list[AlertSummary], environment: Environment) -> Hypothesis:
    summary = found[0]
    ends, port = ends_of(summary, environment), port_of(summary, environment)
    used = service_of(summary, environment)
    source, target = environment.host_at(ends.client), environment.host_at(ends.server)
    stage = Stage(
        index=number,
        means=f"alert-{number}",
        source=ends.client,
        source_host=source.name if source else None,
        target=ends.server,
        target_host=target.name if target else None,
        service=used[1].name if used else None,
        protocol=summary.protocol.value,
        port=port[1] if port else None,
        weak=True,
        params={
            "answered": int(any(map(answered, found))) if not floods(summary) else 0,
            "flood": int(any(map(floods, found))),
            "bytes": sum(s.flow.bytes_to_server for s in found),
        },
        seed=0,
    )
    return Hypothesis(stage, suspicion(found, target), _explained(ends.client, used, environment))


def _explained(client: IPAddress, used: tuple[Host, Service] | None, environment: Environment) -> bool:
    declared = environment.client_networks(used[1]) if used else ()
    return any(_in(client, n) for n in (*declared, *environment.protected))


def _in(address: IPAddress, network: IPNetwork) -> bool:
    return address.version == network.version and address in network


def _places(found: tuple[Hypothesis, ...], environment: Environment) -> Iterator[AttackerPlace]:
    """Where the alerts' outside clients are, and beside the first of them the addresses somebody may come back from."""
    cables = {(link.one, link.one_port) for link in links(environment)}
    cables |= {(link.other, link.other_port) for link in links(environment)}
    outside = dict.fromkeys(h.stage.source for h in found if h.stage.source_host is None)
    fresh: set[IPAddress] = set()
    for address in outside:
        entry = next(((d, i) for d, i in environment.entries_for(address) if (d.name, i.name) not in cables), None)
        if entry is None:
            continue
        if not fresh:
            fresh = set(_unused(address, set(outside), environment))
        yield AttackerPlace(address=address, device=entry[0].name, interface=entry[1].name)
        for other in sorted(fresh, key=int):
            yield AttackerPlace(address=other, device=entry[0].name, interface=entry[1].name)
        fresh = fresh or {address}


def _unused(address: IPAddress, named: set[IPAddress], environment: Environment) -> Iterator[IPAddress]:
    """Addresses near this one that nobody is known by."""
    known = named | {a for h in environment.hosts for a in h.addresses}
    known |= {a for d in environment.devices for a in d.own_addresses()}
    near = (ip_address(int(address) ^ n) for n in range(1, 256))
    for _, other in zip(range(RETURNS), (a for a in near if a not in known), strict=False):
        yield other


def _flows(environment: Environment) -> Iterator[LegitFlow]:
    """The declared clients' use of every service, one flow each."""
    for server in environment.hosts:
        for service in server.services:
            for client in service.clients:
                for name, source in _clients(client, environment):
                    for target in (a for a in server.addresses if a.version == source.version):
                        packet = packet_of(source, target, PROTOCOL_NUMBER[service.protocol], service.port)
                        yield LegitFlow(
                            client=name,
                            server=server.name,
                            service=service.name,
                            packet=packet,
                            per_minute=PER_MINUTE,
                        )


def _clients(client: IPNetwork | str, environment: Environment) -> Iterator[tuple[str, IPAddress]]:
    """Name and address of a declared client; somebody of a prefix, and of one that holds everybody a stranger."""
    if isinstance(client, str):
        host = environment.host(client)
        yield from ((client, a) for a in (host.addresses if host else ()))
    elif client.prefixlen == 0:
        yield f"any-v{client.version}", STRANGERS[client.version][-1]
    else:
        yield str(client.network_address), client[min(1, client.num_addresses - 1)]
