"""The expert's moves on hosts: what helps there and cannot take anything from those with a right to it."""

from __future__ import annotations

from typing import NamedTuple

from secloop_ai.contracts import AlertSummary, Criticality, Host, Protocol, Role

from .ends import ends_of, port_of, service_of
from .facts import Facts
from .table import Move

SSH = "ssh"
Subject = tuple[str, ...]
"""What a call takes out of action; a longer one is part of each of its beginnings."""


class Shape(NamedTuple):
    """A move in this request's slots."""

    params: dict[str, str]
    subject: Subject


def secure_sshd(_: Move, summary: AlertSummary, facts: Facts) -> Shape | None:
    """Of a server whose SSH is under attack: passwords no longer open it, keys still do."""
    found = service_of(summary, facts.environment)
    if found is None or SSH not in (summary.app_protocol, found[1].name):
        return None
    return _on(found[0], "secure_sshd", facts)


def harden_kernel(_: Move, summary: AlertSummary, facts: Facts) -> Shape | None:
    """Of a server whose queue of half-open connections is filled: SYN cookies need no queue."""
    found = service_of(summary, facts.environment)
    if found is None or summary.protocol is not Protocol.TCP or summary.handshake:
        return None
    return _on(found[0], "harden_kernel", facts)


def close_port(_: Move, summary: AlertSummary, facts: Facts) -> Shape | None:
    """A port that nobody is declared to use: of a service without clients, or of no service the inventory knows."""
    host = facts.environment.host_at(ends_of(summary, facts.environment).server)
    port = port_of(summary, facts.environment)
    slot = facts.slots.get((Role.PORT, port))
    if host is None or port is None or slot is None:
        return None
    behind = [s for s in host.services if (s.protocol, s.port) == port]
    if any(s.clients or s.criticality is Criticality.HIGH for s in behind):
        return None
    made = _on(host, "close_port", facts)
    return made and Shape({**made.params, "port": slot}, (host.name, slot, "close_port"))


def dns_sinkhole(_: Move, summary: AlertSummary, facts: Facts) -> Shape | None:
    """A name that one of our hosts uses, on the resolver it asks."""
    ends = ends_of(summary, facts.environment)
    if facts.environment.host_at(ends.client) is None:
        return None
    slots = ((facts.slots.get((Role.NAME, d)), d) for d in summary.domains if not facts.our_name(d))
    name, domain = next(((slot, d) for slot, d in slots if slot), (None, ""))
    made = (_on(h, "dns_sinkhole", facts) for h in facts.resolvers(ends.client))
    where = next((m for m in made if m), None)
    return Shape({**where.params, "name": name}, (domain, *where.subject)) if where and name else None


def _on(host: Host, tool: str, facts: Facts) -> Shape | None:
    slot = facts.slots.get((Role.HOST, host.name))
    return Shape({"host": slot}, (host.name, tool)) if slot and facts.allows(host, tool) else None
