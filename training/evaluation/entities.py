"""Whom a strategy acts on: malicious or not by the case, named by trusted fields or not by the request.

An entity that an action acts on is malicious (our choice, for "benign entities acted on / all entities acted on"):

- an address (``block_ip``, ``block_flow``: the source; ``blackhole_route``: the destination): in an attack, one that
  the attacker has outside (any of its places, and every end of a stage that no inventory host owns), or that of a
  compromised host;
- a host (``isolate_host``; each one behind a port for ``shutdown_port``): a compromised one, that is, infected from the
  beginning or the place that a stage of the attack starts from;
- a service or host whose own behaviour is changed (``restrict_service``, ``rate_limit``, every host action): one that a
  stage of the attack is aimed at; where the action names a service or port, at that;
- a name (``dns_sinkhole``): one that a stage's traffic asks for.

On a false alarm and in a quiet period everybody is benign. A host that is attacked is not compromised by that: to cut
it off is to do the attacker's work.
"""

from __future__ import annotations

from collections.abc import Iterator

from labs.attacks.registry import means
from labs.scenario import Case, Kind, Stage
from labs.simulator.hosts import below
from secloop_ai.contracts import (
    Action,
    BlackholeRoute,
    BlockFlow,
    BlockIp,
    ClosePort,
    DnsSinkhole,
    Environment,
    Host,
    IPAddress,
    IPNetwork,
    IsolateHost,
    PolicyRequest,
    RateLimit,
    RestrictService,
    ShutdownPort,
    Strategy,
)


def acted_on(strategy: Strategy, case: Case) -> tuple[bool, ...]:
    """One for each entity acted on: whether it is malicious. An entity that two actions meet counts twice."""
    return tuple(bad for action in strategy.actions if action.disruptive for bad in _entities(action, case))


def gated(action: Action, request: PolicyRequest) -> bool:
    """Whether trusted fields of the alerts name what the action acts on.

    Trusted is an address that the sensor saw: of an inventory host, or of somebody outside whose handshake was seen or
    whom one of our hosts contacted. What the traffic says (names, text) is never trusted; a name is as good as who asks
    for it, so that a sinkhole counts only where an inventory host asked.
    """
    return not action.disruptive or _trusted(action, request)


def _entities(action: Action, case: Case) -> Iterator[bool]:
    if isinstance(action, BlockIp | BlockFlow):
        yield _bad_network(action.source, case)
    elif isinstance(action, BlackholeRoute):
        yield _bad_network(action.destination, case)
    elif isinstance(action, IsolateHost):
        yield action.host in _compromised(case)
    elif isinstance(action, ShutdownPort):
        yield from (h.name in _compromised(case) for h in _behind(action, case.environment))
    elif isinstance(action, DnsSinkhole):
        yield any(below(name, action.name) for s in _attack(case) for name in _asked(s))
    else:
        yield any(_aimed(action, s, case) for s in _attack(case))


def _attack(case: Case) -> tuple[Stage, ...]:
    return case.stages if case.kind is Kind.ATTACK else ()


def _compromised(case: Case) -> frozenset[str]:
    if case.kind is not Kind.ATTACK:
        return frozenset()
    return frozenset(case.infected) | {s.source_host for s in case.stages if s.source_host}


def _foreign(case: Case) -> frozenset[IPAddress]:
    stages = _attack(case)
    ends = {s.source for s in stages if s.source_host is None} | {s.target for s in stages if s.target_host is None}
    return frozenset(ends | {p.address for p in case.attackers}) if stages else frozenset()


def _bad_network(network: IPNetwork, case: Case) -> bool:
    """Malicious addresses in it, and no host that is not."""
    bad = _compromised(case)
    inside = [h for h in case.environment.hosts if any(_in(a, network) for a in h.addresses)]
    if any(h.name not in bad for h in inside):
        return False
    return bool(inside) or any(_in(a, network) for a in _foreign(case))


def _aimed(action: Action, stage: Stage, case: Case) -> bool:
    """Whether the stage is aimed at what the action changes."""
    host = case.environment.host(stage.target_host) if stage.target_host else None
    if host is None:
        return False
    if isinstance(action, RateLimit):
        return action.destination in host.addresses and stage.port in {None, action.port}
    if getattr(action, "host", None) != host.name:
        return False
    if isinstance(action, ClosePort):
        return stage.port in {None, action.port}
    return not isinstance(action, RestrictService) or stage.service in {None, action.service}


def _asked(stage: Stage) -> tuple[str, ...]:
    plugin = means(stage.means)
    return tuple(filter(None, (plugin.asks, *plugin.names)))


def _trusted(action: Action, request: PolicyRequest) -> bool:
    environment = request.environment
    if isinstance(action, DnsSinkhole):
        return any(action.name in s.domains and environment.host_at(s.source) for s in request.summaries)
    named = _named(request)
    if isinstance(action, BlockIp | BlockFlow):
        return any(_in(a, action.source) for a in named)
    if isinstance(action, BlackholeRoute):
        return any(_in(a, action.destination) for a in named)
    if isinstance(action, RateLimit):
        return action.destination in named
    if isinstance(action, ShutdownPort):
        hosts = _behind(action, environment)
        return bool(hosts) and all(not named.isdisjoint(h.addresses) for h in hosts)
    host = environment.host(getattr(action, "host", ""))
    return host is not None and not named.isdisjoint(host.addresses)


def _named(request: PolicyRequest) -> frozenset[IPAddress]:
    owned = request.environment.host_at
    found: set[IPAddress] = set()
    for summary in request.summaries:
        ends = (summary.source, summary.destination)
        contacted = {summary.destination} if summary.to_server and owned(summary.source) else set()
        found.update(a for a in ends if summary.handshake or owned(a) or a in contacted)
    return frozenset(found)


def _behind(action: ShutdownPort, environment: Environment) -> list[Host]:
    place = (action.device, action.interface)
    return [h for h in environment.hosts if h.attached_to and (h.attached_to.device, h.attached_to.interface) == place]


def _in(address: IPAddress, network: IPNetwork) -> bool:
    return address.version == network.version and address in network
