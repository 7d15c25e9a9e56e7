"""A request as words of the closed vocabulary: entities by their slots, facts as features, never a literal.

The order is canonical: sources, hosts and services by their slots, alerts by urgency. What has no slot, or finds no
room, is counted, and the count is part of the prompt and of the candidate's rationale.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple, TypeVar

from secloop_ai.contracts import (
    AlertSummary,
    Environment,
    Host,
    IPAddress,
    PolicyRequest,
    Role,
    Service,
    Slot,
)
from secloop_ai.policies.ends import Ends, ends_of, port_of, rank, service_of
from secloop_ai.policies.facts import Facts
from secloop_ai.policies.reflex import reflex_to

from . import features
from .features import bucket, known, word
from .vocabulary import BOS, OTHER, SEP, ids, tool_word

MAX_ALERTS, MAX_SOURCES, MAX_HOSTS, MAX_SERVICES = 10, 6, 10, 10
"""What a prompt has room for; the most urgent first."""
FEW_CLIENTS = 3
T = TypeVar("T")


class Prompt(NamedTuple):
    """The words, and what found no room in them.

    Attributes:
        left_out: kind of entity → how many were not shown.
    """

    words: tuple[str, ...]
    left_out: dict[str, int]


def encode(request: PolicyRequest) -> Prompt:
    """The prompt of a request; equal requests give equal prompts, in whatever order the alerts came."""
    return _Encoder(request).prompt()


def shown(text: Sequence[str], known: Collection[str]) -> tuple[str, ...]:
    """The words as a network may see them: one that its training never showed becomes its group's rest."""
    return tuple(w if w in known else _rest(w) for w in text)


def _rest(unknown: str) -> str:
    group, _, _ = unknown.partition(":")
    rest = word(group, features.REST)
    return rest if rest in ids() else OTHER if group == unknown else unknown


class _Encoder:
    def __init__(self, request: PolicyRequest) -> None:
        self._request = request
        self._env: Environment = request.environment
        self._facts = Facts(request)
        self._ranked = rank(request.summaries)
        self._named = frozenset(a for s in self._ranked for a in (s.source, s.destination))
        self._left: dict[str, int] = {}

    def prompt(self) -> Prompt:
        sources = {s.source for s in self._ranked}
        body = (*self._sources(), *self._hosts(), *self._services(), *self._alerts(), SEP)
        hidden = sum(self._left.values()) + sum(self._request.pointers.left_out.values())
        head = (
            BOS,
            "<alerts>",
            word("all", bucket(len(self._ranked), features.COUNTS)),
            word("from", bucket(len(sources), features.COUNTS)),
            word("hidden", bucket(hidden, features.COUNTS)),
        )
        return Prompt((*head, *body), {k: n for k, n in self._left.items() if n})

    def _cut(self, kind: str, found: Sequence[T], room: int) -> Sequence[T]:
        self._left[kind] = max(0, len(found) - room)
        return found[:room]

    def _sources(self) -> Iterator[str]:
        slots = self._request.pointers.of(Role.SOURCE)
        outside = [s for s in slots if s.address and self._env.host_at(s.address) is None]
        for slot in self._cut("sources", outside, MAX_SOURCES):
            address = slot.address
            if address is None:
                continue
            yield "<source>"
            yield slot.slot
            yield word(
                "source",
                "proven" if address in self._facts.proven else "unproven",
                "declared" if self._facts.declared(address) else "stranger",
                "free" if self._facts.free(address) else "kept",
            )
            yield from self._entry(address)

    def _entry(self, address: IPAddress) -> Iterator[str]:
        """The device that traffic from there enters by."""
        found = (self._facts.slots.get((Role.DEVICE, d.name)) for d, _ in self._env.entries_for(address))
        yield next((slot for slot in found if slot), "<nothing>")

    def _hosts(self) -> Iterator[str]:
        slots = [s for s in self._request.pointers.of(Role.HOST) if self._shown(s)]
        for slot in self._cut("hosts", slots, MAX_HOSTS):
            if host := self._env.host(slot.host or ""):
                yield "<host>"
                yield slot.slot
                yield from self._host(host)

    def _shown(self, slot: Slot) -> bool:
        host = self._env.host(slot.host or "")
        resolver = host is not None and host.access is not None and host.access.resolver is not None
        return slot.address in self._named or (resolver and "dns_sinkhole" in self._request.offered)

    def _host(self, host: Host) -> Iterator[str]:
        facts = self._facts
        attached, free = facts.attached(host), facts.free(*host.addresses)
        yield word("role", host.role if host.role in features.ROLES else features.REST)
        yield word("worth", host.criticality.value, "vital" if facts.vital(host) else "plain")
        yield word(
            "place",
            "attached" if attached else "loose",
            "lone" if facts.lone(host) else "shared",
            "free" if free else "kept",
            "unproven" if facts.proven.isdisjoint(host.addresses) else "proven",
        )
        plain = host.role in features.PLAIN_ROLES
        yield word("client", self._client(host), "plain" if plain else "duty")
        where = host.attached_to
        port = facts.slots.get((Role.INTERFACE, (where.device, where.interface))) if where else None
        device = facts.slots.get((Role.DEVICE, where.device)) if where else None
        yield port or "<nothing>"
        yield device or "<nothing>"

    def _client(self, host: Host) -> str:
        used = [s for h in self._env.hosts for s in h.services if self._uses(host, s)]
        if not used:
            return "none"
        return "vital" if any(s.criticality.value == "high" for s in used) else "some"

    def _uses(self, host: Host, service: Service) -> bool:
        networks = [n for n in self._env.client_networks(service) if n.prefixlen]
        return any(a.version == n.version and a in n for a in host.addresses for n in networks)

    def _services(self) -> Iterator[str]:
        named = {h.name for a in self._named if (h := self._env.host_at(a))}
        slots = [s for s in self._request.pointers.of(Role.SERVICE) if s.host in named]
        for slot in self._cut("services", slots, MAX_SERVICES):
            host = self._env.host(slot.host or "")
            service = next((s for s in host.services if s.name == slot.value), None) if host else None
            if host is None or service is None:
                continue
            yield "<service>"
            yield slot.slot
            yield self._facts.slots.get((Role.HOST, host.name)) or "<nobody>"
            yield word("users", self._users(service), service.criticality.value)
            yield word("for", features.port_class(service.port))
            yield self._facts.slots.get((Role.PORT, (service.protocol, service.port))) or "<nothing>"

    def _users(self, service: Service) -> str:
        clients = self._env.client_networks(service)
        if not clients:
            return "none"
        if any(not n.prefixlen for n in clients):
            return "any"
        return "few" if len(clients) <= FEW_CLIENTS else "many"

    def _alerts(self) -> Iterator[str]:
        """Alerts that say the same of the same ends, on however many ports, are told once and counted."""
        alike: dict[tuple[str, ...], list[AlertSummary]] = {}
        for summary in self._ranked:
            alike.setdefault(self._kind(summary), []).append(summary)
        for same in self._cut("alerts", list(alike.values()), MAX_ALERTS):
            yield "<alert>"
            yield from self._alert(same)

    def _kind(self, summary: AlertSummary) -> tuple[str, ...]:
        """What a summary says beside its port and its figures."""
        ends = ends_of(summary, self._env)
        served = service_of(summary, self._env)
        return (
            str(ends.client),
            str(ends.server),
            served[1].name if served else "",
            str(summary.to_server),
            str(summary.handshake),
            summary.protocol.value,
            summary.app_protocol or "",
            *features.technique(summary),
            summary.classification,
        )

    def _alert(self, same: Sequence[AlertSummary]) -> Iterator[str]:
        summary = same[0]
        ends = ends_of(summary, self._env)
        served = service_of(summary, self._env)
        port = port_of(summary, self._env)
        yield self._who(ends.client)
        yield self._who(ends.server)
        yield (
            self._facts.slots.get((Role.SERVICE, (served[0].name, served[1].name))) if served else None
        ) or "<nothing>"
        yield (self._facts.slots.get((Role.PORT, port)) if port else None) or "<nothing>"
        yield word("times", bucket(len(same), features.COUNTS))
        yield word("class", summary.classification if summary.classification in features.CLASSES else features.REST)
        tactic, technique = features.technique(summary)
        yield word("tactic", tactic)
        yield word("technique", technique)
        yield word("app", known(summary.app_protocol, features.APPS))
        yield word("for", features.port_class(port[1] if port else None))
        yield word(
            "flow",
            summary.protocol.value,
            "to" if summary.to_server else "back",
            "shaken" if summary.handshake else "unshaken",
        )
        yield word("seen", str(min(s.severity for s in same)), bucket(sum(s.count for s in same), features.COUNTS))
        yield word("rate", bucket(summary.rate_per_s, features.RATES))
        yield word("ports", bucket(max(s.source_ports for s in same), features.PORTS))
        yield word("up", bucket(sum(s.flow.bytes_to_server for s in same), features.BYTES))
        yield word("down", bucket(sum(s.flow.bytes_to_client for s in same), features.BYTES))
        yield from self._relation(ends, served)
        if name := next((s.slot for s in self._request.pointers.of(Role.NAME) if s.value in summary.domains), None):
            yield name
        yield from self._reflex(summary)

    def _reflex(self, summary: AlertSummary) -> Iterator[str]:
        """What the alert by itself calls for, spelled as an answer has it, but for the lifetime."""
        yield features.CALLS
        for call in reflex_to(summary, self._facts):
            yield tool_word(call.tool)
            yield from call.params.values()

    def _relation(self, ends: Ends, served: tuple[Host, Service] | None) -> Iterator[str]:
        client, server = (self._env.host_at(a) for a in (ends.client, ends.server))
        same = client is not None and server is not None and client.zone == server.zone
        yield word("ends", "in" if client else "out", "in" if server else "out", "same" if same else "cross")
        networks = self._env.client_networks(served[1]) if served else ()
        declared = any(n.version == ends.client.version and ends.client in n for n in networks)
        use = "unserved" if served is None else "declared" if declared else "stranger"
        yield word("use", use, "contacted" if (ends.client, ends.server) in self._facts.contacted else "uncontacted")

    def _who(self, address: IPAddress) -> str:
        slots = self._facts.slots
        return slots.get((Role.HOST, address)) or slots.get((Role.SOURCE, address)) or "<nobody>"
