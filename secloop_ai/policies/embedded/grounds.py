"""What the alerts of a request give ground for: which entities may stand together in a call of each tool.

The guard holds every strategy to its evidence and shares no code with this; a call without ground would be refused
there.
Not to be able to say it leaves the network fewer ways to be wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from secloop_ai.contracts import AlertSummary, IPAddress, PolicyRequest, Role
from secloop_ai.policies.ends import ends_of, port_of, service_of
from secloop_ai.policies.facts import Facts

Words = tuple[str, ...]
Grounds = Mapping[str, frozenset[Words]]
"""Tool → the first words of its parameters that may stand together, and all beginnings of these."""
ON_HOSTS = (
    *("isolate_host", "secure_sshd", "harden_kernel", "deploy_hids", "enforce_apparmor", "patch_vulnerability"),
    *("stop_process", "disable_account"),
)
"""Tools whose first parameter is a host that some alert names."""


def grounds(request: PolicyRequest) -> Grounds:
    """The grounds of a request; a tool that is not among them has no such limit."""
    facts = Facts(request)
    found: dict[str, set[Words]] = {tool: set() for tool in (*_BY_ALERT, *ON_HOSTS, "block_ip", "shutdown_port")}
    for summary in request.summaries:
        for tool, rows in _BY_ALERT.items():
            found[tool].update(rows(summary, facts))
    named = {a for s in request.summaries for a in (s.source, s.destination)}
    for address in named & facts.proven:
        found["block_ip"].update((slot,) for slot in _slots(address, facts))
    hosts = [s for s in request.pointers.of(Role.HOST) if s.address in named]
    for tool in ON_HOSTS:
        found[tool].update((s.slot,) for s in hosts)
    found["shutdown_port"].update(_ports(request, {s.host for s in hosts}))
    return {tool: frozenset(chain.from_iterable(map(_beginnings, rows))) for tool, rows in found.items()}


def _beginnings(row: Words) -> Iterator[Words]:
    return (row[:n] for n in range(1, len(row) + 1))


def _slots(address: IPAddress, facts: Facts) -> Iterator[str]:
    """The slots that stand for an address: a host's, a source's, or both."""
    return (slot for role in (Role.HOST, Role.SOURCE) if (slot := facts.slots.get((role, address))))


def _ports(request: PolicyRequest, hosts: set[str | None]) -> Iterator[Words]:
    """The ports that a named host is attached to."""
    behind = {h.attached_to for h in request.environment.hosts if h.name in hosts and h.attached_to}
    places = {(a.device, a.interface) for a in behind}
    return ((s.slot,) for s in request.pointers.of(Role.INTERFACE) if (s.device, s.value) in places)


def _service(summary: AlertSummary, facts: Facts) -> Iterable[Words]:
    served = service_of(summary, facts.environment)
    slot = facts.slots.get((Role.SERVICE, (served[0].name, served[1].name))) if served else None
    return [(slot,)] if slot else []


def _at_port(summary: AlertSummary, facts: Facts) -> Iterator[Words]:
    """The server and its port."""
    port = port_of(summary, facts.environment)
    slot = facts.slots.get((Role.PORT, port)) if port else None
    server = ends_of(summary, facts.environment).server
    host = facts.environment.host_at(server)
    names = {facts.slots.get((Role.HOST, server)), facts.slots.get((Role.HOST, host.name)) if host else None}
    return ((name, slot) for name in names if name and slot)


def _door(summary: AlertSummary, facts: Facts) -> Iterator[Words]:
    """The same, where nobody is declared to use the port or the server is there for certain."""
    served = service_of(summary, facts.environment)
    used = served is not None and bool(facts.environment.client_networks(served[1]))
    if used and ends_of(summary, facts.environment).server not in facts.proven:
        return iter(())
    return _at_port(summary, facts)


def _flow(summary: AlertSummary, facts: Facts) -> Iterator[Words]:
    """Client, server and the server's port."""
    ends, port = ends_of(summary, facts.environment), port_of(summary, facts.environment)
    slot = facts.slots.get((Role.PORT, port)) if port else None
    return (
        (client, server, slot) for client in _slots(ends.client, facts) for server in _slots(ends.server, facts) if slot
    )


def _route(summary: AlertSummary, facts: Facts) -> Iterator[Words]:
    """An end that is there for certain, or that one of us called, and a device on the way to either."""
    both = (summary.source, summary.destination)
    devices = {facts.slots.get((Role.DEVICE, d.name)) for a in both for d, _ in facts.environment.entries_for(a)}
    ends = ends_of(summary, facts.environment)
    able = [a for a in both if a in facts.proven or (ends.client, a) in facts.contacted]
    return ((slot, device) for a in able for slot in _slots(a, facts) for device in devices if device)


_BY_ALERT = {
    "restrict_service": _service,
    "close_port": _door,
    "rate_limit": _at_port,
    "block_flow": _flow,
    "blackhole_route": _route,
}
