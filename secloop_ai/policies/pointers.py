"""Slots for the entities of one request, in canonical order by role.

The order is a function of the summaries' contents and the inventory, never of the order they arrive in. A slot
that nothing can be done with must not push out one that matters: a source without a handshake cannot be blocked by
its address, so a flood of forged sources comes after the sources that are real.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

from secloop_ai.contracts import (
    CAPS,
    CATALOGUE,
    AlertSummary,
    Criticality,
    Device,
    Environment,
    Host,
    Interface,
    IPAddress,
    PointerTable,
    Role,
    Service,
    Slot,
)

from .ends import WITH_PORT, address_key, ends_of, port_of, rank

OWNED: dict[Role, str] = {Role.ACCOUNT: "accounts", Role.PROCESS: "processes", Role.PACKAGE: "packages"}
"""Roles whose entities belong to a host → the list of its access that holds them."""
SINKHOLE = "dns_sinkhole"
_TAKERS = {
    role: frozenset(n for n, kind in CATALOGUE.items() for roles in kind.spec.params.values() if role in roles)
    for role in OWNED
}
_WEIGHT = {Criticality.HIGH: 0, Criticality.MEDIUM: 1, Criticality.LOW: 2}


class _HostAt(NamedTuple):
    host: Host
    address: IPAddress | None


def build_pointers(summaries: Sequence[AlertSummary], environment: Environment) -> PointerTable:
    """The slots of a request; what does not fit a role's cap is counted in `left_out` by the role's prefix.

    - sources: every alert source, and every alert destination that no inventory host owns (the outside end of a
      flow that an inside host opened); first those whose handshake was seen or that an inside host contacted,
      then by severity and count.
    - hosts: alert targets, then sources that are inventory hosts, then the rest by criticality and name; a host
      named by two of its addresses has a slot for each.
    - services: those the alerts hit, then the others in the order of their hosts.
    - devices: those on the path of the sources, then of the targets, then the rest by name.
    - interfaces: attachments of alert-named hosts, then the rest by device; management ports never.
    - ports: protocol and port of the servers in the alerts, then ports that only a client uses.
    - accounts, processes, packages: in the order of their hosts, as the inventory lists them; of hosts that allow an
      action on them.
    - names: those in the alerts, by the alerts' urgency; where some host can make its resolver forget one.
    """
    ranked = rank(summaries)
    sources = _sources(ranked, environment)
    hosts = _hosts(ranked, environment)
    devices = _devices(sources, ranked, environment)
    found: dict[Role, list[dict[str, Any]]] = {
        Role.SOURCE: [{"address": a} for a in sources],
        Role.HOST: [{"address": h.address, "host": h.host.name} for h in hosts],
        Role.SERVICE: [_service_slot(h, s) for h, s in _services(ranked, hosts, environment)],
        Role.DEVICE: [{"device": d.name} for d in devices],
        Role.INTERFACE: [{"device": d.name, "value": i.name} for d, i in _interfaces(ranked, hosts, devices)],
        Role.PORT: [{"protocol": p, "port": n} for p, n in _ports(ranked, environment)],
        **{role: [{"host": h, "value": v} for h, v in _owned(role, hosts)] for role in OWNED},
        Role.NAME: [{"value": d} for d in _names(ranked, environment)],
    }
    return PointerTable(
        slots=tuple(
            Slot(slot=f"@{role.value}{n}", role=role, **fields)
            for role, rows in found.items()
            for n, fields in enumerate(rows[: CAPS[role]])
        ),
        left_out={role.value: len(rows) - CAPS[role] for role, rows in found.items() if len(rows) > CAPS[role]},
    )


def _owned(role: Role, hosts: Sequence[_HostAt]) -> Iterable[tuple[str, str]]:
    """Host and name of everything of a role that an action could be about."""
    for host in {h.host.name: h.host for h in hosts}.values():
        if host.access and not _TAKERS[role].isdisjoint(host.access.actions):
            yield from ((host.name, name) for name in dict.fromkeys(getattr(host.access, OWNED[role])))


def _names(ranked: Sequence[AlertSummary], environment: Environment) -> Iterable[str]:
    able = any(h.access and h.access.resolver and SINKHOLE in h.access.actions for h in environment.hosts)
    return dict.fromkeys(d for s in ranked for d in s.domains) if able else ()


def _service_slot(host: Host, service: Service) -> dict[str, Any]:
    return {"host": host.name, "value": service.name, "protocol": service.protocol, "port": service.port}


def _sources(ranked: Sequence[AlertSummary], environment: Environment) -> list[IPAddress]:
    weight: dict[IPAddress, tuple[bool, int, int]] = {}

    def note(address: IPAddress, summary: AlertSummary, *, usable: bool) -> None:
        before = weight.get(address, (True, 9, 0))
        weight[address] = (before[0] and not usable, min(before[1], summary.severity), before[2] - summary.count)

    for summary in ranked:
        note(summary.source, summary, usable=summary.handshake)
        target = summary.destination
        if environment.host_at(target) is None and not target.is_multicast:
            contacted = summary.to_server and environment.host_at(summary.source) is not None
            note(target, summary, usable=summary.handshake or contacted)
    return sorted(weight, key=lambda a: (*weight[a], address_key(a)))


def _hosts(ranked: Sequence[AlertSummary], environment: Environment) -> list[_HostAt]:
    named = [*(s.destination for s in ranked), *(s.source for s in ranked)]
    found = [_HostAt(host, a) for a in dict.fromkeys(named) if (host := environment.host_at(a))]
    seen = {h.host.name for h in found}
    rest = sorted((h for h in environment.hosts if h.name not in seen), key=lambda h: (_WEIGHT[h.criticality], h.name))
    return [*found, *(_HostAt(h, h.addresses[0] if h.addresses else None) for h in rest)]


def _services(
    ranked: Sequence[AlertSummary], hosts: Sequence[_HostAt], environment: Environment
) -> list[tuple[Host, Service]]:
    hit = {(ends_of(s, environment).server, *port) for s in ranked if (port := port_of(s, environment))}
    place = {h.host.name: n for n, h in reversed(list(enumerate(hosts)))}
    pairs = [(h, s) for h in {h.host.name: h.host for h in hosts}.values() for s in h.services]

    def order(pair: tuple[Host, Service]) -> tuple[Any, ...]:
        host, service = pair
        missed = not any((a, service.protocol, service.port) in hit for a in host.addresses)
        return missed, place[host.name], _WEIGHT[service.criticality], service.name

    return sorted(pairs, key=order)


def _devices(sources: Sequence[IPAddress], ranked: Sequence[AlertSummary], environment: Environment) -> list[Device]:
    # Only sources that have a slot: a table of thousands of forged ones must not cost a path search each.
    ends = [*sources[: CAPS[Role.SOURCE]], *_first((s.destination for s in ranked), CAPS[Role.HOST])]
    path = [d for a in ends for d, _ in environment.entries_for(a)]
    rest = sorted(environment.devices, key=lambda d: d.name)
    return list({d.name: d for d in (*path, *rest)}.values())


def _first(addresses: Iterable[IPAddress], cap: int) -> list[IPAddress]:
    return list(dict.fromkeys(addresses))[:cap]


def _interfaces(
    ranked: Sequence[AlertSummary], hosts: Sequence[_HostAt], devices: Sequence[Device]
) -> list[tuple[Device, Interface]]:
    named = {a for s in ranked for a in (s.source, s.destination)}
    first = [h.host.attached_to for h in hosts if h.address in named and h.host.attached_to]
    wanted = {(a.device, a.interface): n for n, a in reversed(list(enumerate(first)))}
    ports = [(d, i) for d in devices for i in d.interfaces if not i.management]
    return sorted(ports, key=lambda p: wanted.get((p[0].name, p[1].name), len(first)))


def _ports(ranked: Sequence[AlertSummary], environment: Environment) -> list[tuple[Literal["tcp", "udp"], int]]:
    served = [port for s in ranked if (port := port_of(s, environment))]
    back = [
        (s.protocol.value, s.destination_port)
        for s in ranked
        if not s.to_server and s.protocol in WITH_PORT and s.destination_port is not None
    ]
    return list(dict.fromkeys([*served, *back]))  # type: ignore[list-item]  # a value of WITH_PORT is tcp or udp
