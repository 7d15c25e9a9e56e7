"""The reflex: what each alert by itself calls for, put together.

It is a rule of a dozen lines without any restraint. The embedded policy reads beside each alert what the reflex would
say to it, and learns when that is right; the apprentice tries it before it searches. It is a policy of its own, too
(``reflex`` for `secloop eval`): what the network learned beyond it must be set against it.
"""

from __future__ import annotations

from collections.abc import Iterator

from secloop_ai.contracts import (
    ActionCall,
    AlertSummary,
    Candidate,
    Host,
    IPAddress,
    ObserveReason,
    PolicyError,
    PolicyRequest,
    Role,
    Service,
    sha256_json,
)

from .ends import Ends, ends_of, port_of, service_of
from .facts import Facts

VERSION = 1
TTL_S = 3600
"""Lifetime of what it says, in seconds: the expert table's."""
QUIET_TTL_S = 300


def call(tool: str, **params: str | None) -> Iterator[ActionCall]:
    """The call, where every parameter has a slot."""
    found = {name: value for name, value in params.items() if value}
    if len(found) == len(params):
        yield ActionCall(tool=tool, params=found, ttl_s=TTL_S)


def observe(reason: ObserveReason) -> ActionCall:
    """The call that does nothing."""
    return ActionCall(tool="observe", params={"reason": reason.value}, ttl_s=QUIET_TTL_S)


def reflex(request: PolicyRequest) -> tuple[ActionCall, ...]:
    """Every alert's call once, in the order of the alerts."""
    facts = Facts(request)
    found: dict[str, ActionCall] = {}
    for summary in request.summaries:
        for one in reflex_to(summary, facts):
            found.setdefault(one.model_dump_json(), one)
    return tuple(found.values())[: request.environment.max_actions]


def reflex_to(summary: AlertSummary, facts: Facts) -> Iterator[ActionCall]:
    """What one alert calls for, of what is offered: one call, or none."""
    return (one for one in _answer(summary, facts) if one.tool in facts.request.offered)


def _answer(summary: AlertSummary, facts: Facts) -> Iterator[ActionCall]:
    ends = ends_of(summary, facts.environment)
    if facts.environment.host_at(ends.server) is None:
        return _towards(ends, facts)
    served = service_of(summary, facts.environment)
    if served is not None:
        return _at_service(*served, summary, facts)
    return call("block_ip", source=slot_of(ends.client, facts)) if ends.client in facts.proven else iter(())


def _towards(ends: Ends, facts: Facts) -> Iterator[ActionCall]:
    """Whom one of us called loses the way; whoever answered for certain is blocked."""
    slot = facts.slots.get((Role.SOURCE, ends.server))
    if ends.server in {address for _, address in facts.contacted}:
        devices = (facts.slots.get((Role.DEVICE, d.name)) for d, _ in facts.environment.entries_for(ends.server))
        return call("blackhole_route", destination=slot, device=next(devices, None))
    return call("block_ip", source=slot) if ends.server in facts.proven else iter(())


def _at_service(host: Host, service: Service, summary: AlertSummary, facts: Facts) -> Iterator[ActionCall]:
    """A service is left to its clients, one that has none is closed; a client that misuses it loses it."""
    ends, port = ends_of(summary, facts.environment), port_of(summary, facts.environment)
    clients = facts.environment.client_networks(service)
    port_slot = facts.slots.get((Role.PORT, port)) if port else None
    if not clients:
        return call("close_port", host=facts.slots.get((Role.HOST, host.name)), port=port_slot)
    if any(n.version == ends.client.version and ends.client in n for n in clients):
        ours = {"source": slot_of(ends.client, facts), "destination": slot_of(ends.server, facts), "port": port_slot}
        return call("block_flow", **ours) if facts.environment.host_at(ends.client) is None else iter(())
    return call("restrict_service", service=facts.slots.get((Role.SERVICE, (host.name, service.name))))


def slot_of(address: IPAddress, facts: Facts) -> str | None:
    """The slot of an address: a host's, else a source's."""
    return facts.slots.get((Role.HOST, address)) or facts.slots.get((Role.SOURCE, address))


class ReflexPolicy:
    """The reflex as a policy."""

    @property
    def name(self) -> str:
        """Name and version, for the audit."""
        return f"reflex/{VERSION}"

    def digest(self) -> str:
        """SHA-256 (hex) of the name: the code decides."""
        return sha256_json(self.name)

    def propose(self, request: PolicyRequest, *, n: int, seed: int) -> tuple[Candidate, ...]:  # noqa: ARG002 - one answer
        """One candidate, whatever the seed.

        Raises:
            PolicyError: `n` is less than one.
        """
        if n < 1:
            raise PolicyError(f"reflex: asked for {n} candidates")
        calls = reflex(request) or (observe(ObserveReason.NO_SAFE_ACTION),)
        return (Candidate(calls=calls, rationale="reflex"),)
