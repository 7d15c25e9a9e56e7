"""The expert's moves as tool calls: each either fits this request's slots and facts, or cannot be made."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from secloop_ai.contracts import ActionCall, AlertSummary, IPAddress, Role

from .ends import ends_of, port_of, service_of
from .facts import Facts
from .host_moves import Shape, Subject, close_port, dns_sinkhole, harden_kernel, secure_sshd
from .table import Move


class Made(NamedTuple):
    """A move that can be made."""

    call: ActionCall
    subject: Subject


def make(move: Move, summary: AlertSummary, facts: Facts, ttl_s: int) -> Made | None:
    """The call for a move, or None when the tool is not offered, a slot is missing or a fact speaks against it."""
    if not facts.usable(move.do):
        return None
    shape = _MAKERS[move.do](move, summary, facts)
    return Made(ActionCall(tool=move.do, params=shape.params, ttl_s=ttl_s), shape.subject) if shape else None


def _block_ip(move: Move, summary: AlertSummary, facts: Facts) -> Shape | None:
    address = _end(move, summary, facts)
    slot = _address_slot(address, facts, Role.SOURCE, Role.HOST)
    if address is None or slot is None or address not in facts.proven:
        return None
    host = facts.environment.host_at(address)
    if (host and facts.vital(host)) or not facts.free(address) or not facts.reached(address):
        return None
    return Shape({"source": slot}, (str(address),))


def _block_flow(_: Move, summary: AlertSummary, facts: Facts) -> Shape | None:
    ends, port = ends_of(summary, facts.environment), port_of(summary, facts.environment)
    source = _address_slot(ends.client, facts, Role.SOURCE, Role.HOST)
    destination = _address_slot(ends.server, facts, Role.HOST, Role.SOURCE)
    port_slot = facts.slots.get((Role.PORT, port))
    if source is None or destination is None or port_slot is None:
        return None
    certain = ends.client in facts.proven or (ends.client, ends.server) in facts.contacted
    if not certain or not facts.free(ends.client, ends.server) or not facts.reached(ends.client):
        return None
    params = {"source": source, "destination": destination, "port": port_slot}
    return Shape(params, (str(ends.client), str(ends.server), port_slot))


def _rate_limit(move: Move, summary: AlertSummary, facts: Facts) -> Shape | None:
    found = service_of(summary, facts.environment)
    if found is None:
        return None
    host, service = found
    server = ends_of(summary, facts.environment).server
    slot = facts.slots.get((Role.HOST, server))
    port = facts.slots.get((Role.PORT, (service.protocol, service.port)))
    if slot is None or port is None or not facts.free(server) or not facts.attached(host):
        return None
    return Shape({"destination": slot, "port": port, "rate": str(move.rate)}, (host.name, service.name))


def _restrict_service(_: Move, summary: AlertSummary, facts: Facts) -> Shape | None:
    found = service_of(summary, facts.environment)
    if found is None:
        return None
    host, service = found
    clients = facts.environment.client_networks(service)
    client = ends_of(summary, facts.environment).client
    if not clients or any(client.version == c.version and client in c for c in clients):
        return None
    slot = facts.slots.get((Role.SERVICE, (host.name, service.name)))
    if slot is None or not facts.free(*host.addresses) or not facts.attached(host):
        return None
    return Shape({"service": slot}, (host.name, service.name))


def _isolate_host(move: Move, summary: AlertSummary, facts: Facts) -> Shape | None:
    address = _end(move, summary, facts)
    host = facts.environment.host_at(address) if address else None
    slot = facts.slots.get((Role.HOST, host.name)) if host else None
    if host is None or slot is None or not facts.may_cut(host, summary):
        return None
    return Shape({"host": slot}, (str(address),))


def _blackhole_route(move: Move, summary: AlertSummary, facts: Facts) -> Shape | None:
    address = _end(move, summary, facts)
    ends = ends_of(summary, facts.environment)
    slot = _address_slot(address, facts, Role.SOURCE)
    if address is None or slot is None or address != ends.server or facts.environment.host_at(address):
        return None
    certain = address in facts.proven or ((ends.client, address) in facts.contacted and not facts.declared(address))
    if not certain or not facts.free(address):
        return None
    devices = [facts.slots.get((Role.DEVICE, d.name)) for d, _ in facts.environment.entries_for(ends.client)]
    device = next((d for d in devices if d), None)
    return Shape({"destination": slot, "device": device}, (str(address),)) if device else None


def _shutdown_port(move: Move, summary: AlertSummary, facts: Facts) -> Shape | None:
    address = _end(move, summary, facts)
    host = facts.environment.host_at(address) if address else None
    where = host.attached_to if host else None
    if host is None or where is None or not facts.may_cut(host, summary) or not facts.lone(host):
        return None
    slot = facts.slots.get((Role.INTERFACE, (where.device, where.interface)))
    return Shape({"interface": slot}, (str(address),)) if slot else None


def _end(move: Move, summary: AlertSummary, facts: Facts) -> IPAddress | None:
    return ends_of(summary, facts.environment).at(move.at) if move.at else None


def _address_slot(address: IPAddress | None, facts: Facts, *roles: Role) -> str | None:
    found = (facts.slots.get((role, address)) for role in roles) if address else ()
    return next((slot for slot in found if slot), None)


_MAKERS: dict[str, Callable[[Move, AlertSummary, Facts], Shape | None]] = {
    "block_ip": _block_ip,
    "block_flow": _block_flow,
    "rate_limit": _rate_limit,
    "restrict_service": _restrict_service,
    "isolate_host": _isolate_host,
    "blackhole_route": _blackhole_route,
    "shutdown_port": _shutdown_port,
    "secure_sshd": secure_sshd,
    "harden_kernel": harden_kernel,
    "close_port": close_port,
    "dns_sinkhole": dns_sinkhole,
}
