"""What a chat model is told of network and alerts: slots, enumerations and typed figures, a line each.

No text of an alert, no address and no name is in it, the inventory's included: what has no slot is described by what
kind of thing it is. Words come from closed lists; what is on none of them reads ``other``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from secloop_ai.contracts import AlertSummary, Environment, Host, IPAddress, PolicyRequest, Role, Service, Slot
from secloop_ai.policies.embedded import features
from secloop_ai.policies.ends import ends_of, port_of, rank, service_of
from secloop_ai.policies.facts import Facts
from secloop_ai.policies.pointers import OWNED

FEW_CLIENTS = 3
UNKNOWN = "a party without a slot"


class Scene:
    """The lines of one request; equal requests give equal lines, in whatever order the alerts came."""

    def __init__(self, request: PolicyRequest) -> None:
        self._request = request
        self._env: Environment = request.environment
        self._facts = Facts(request)
        self._slots = self._facts.slots

    @cached_property
    def ranked(self) -> tuple[AlertSummary, ...]:
        """The summaries, most urgent first."""
        return rank(self._request.summaries)

    @cached_property
    def _zones(self) -> dict[str, str]:
        """Zones by number: their names are the inventory's own words."""
        names = (h.zone for s in self._request.pointers.of(Role.HOST) if (h := self._env.host(s.host or "")))
        return {zone: f"zone{n}" for n, zone in enumerate(dict.fromkeys(names))}

    def network(self) -> Iterator[str]:
        """A line per slot, in the order of the slots."""
        tell = {
            Role.SOURCE: self._source,
            Role.HOST: self._host,
            Role.SERVICE: self._service,
            Role.DEVICE: self._device,
            Role.INTERFACE: self._interface,
            Role.PORT: lambda s: f"{s.protocol} {s.port} ({features.port_class(s.port)})",
            Role.NAME: self._name,
            **dict.fromkeys(OWNED, self._owned),
        }
        for slot in self._request.pointers.slots:
            yield f"{slot.slot}: {tell[slot.role](slot)}"

    def alerts(self, most: int) -> Iterator[str]:
        """A line per summary after the published method's shape, the most urgent first."""
        begin = min((s.first_seen for s in self.ranked), default=None)
        for summary in self.ranked[:most]:
            start = (summary.first_seen - begin).total_seconds() if begin else 0.0
            yield (
                f"Time range: {start:.0f} s to {start + summary.seconds:.0f} s, detected {summary.count} times "
                f"{self._kind(summary)}, {self._flow(summary)}, {self._bearing(summary)}, "
                f"risk level: {summary.severity}"
            )

    def _kind(self, summary: AlertSummary) -> str:
        named = summary.classification if summary.classification in features.CLASSES else features.REST
        techniques = ", ".join(f"{t} ({_tactic(t)})" for t in summary.techniques) or "none named"
        app = features.known(summary.app_protocol, features.APPS)
        return f"{named} (ATT&CK: {techniques}; application protocol: {app})"

    def _flow(self, summary: AlertSummary) -> str:
        ends = ends_of(summary, self._env)
        served, port = service_of(summary, self._env), port_of(summary, self._env)
        target = self.who(ends.server)
        if port:
            target += f" at {self._slots.get((Role.PORT, port)) or 'another port'}"
        if served and (slot := self._slots.get((Role.SERVICE, (served[0].name, served[1].name)))):
            target += f" (service {slot})"
        seen = "" if summary.to_server else ", seen in the answer"
        return f"source: {self.who(ends.client)}, target: {target}, {summary.protocol.value}{seen}"

    def _bearing(self, summary: AlertSummary) -> str:
        ends = ends_of(summary, self._env)
        served = service_of(summary, self._env)
        rights = (
            f"source is {'' if self._is_client(ends.client, served[1]) else 'not '}a declared client"
            if served
            else "no declared service"
        )
        flow, proof = summary.flow, "handshake seen" if summary.handshake else "no handshake seen"
        names = [s.slot for s in self._request.pointers.of(Role.NAME) if s.value in summary.domains]
        about = f", names {' '.join(names)}" if names else ""
        return (
            f"{proof}, {rights}, {summary.source_ports} source ports, {flow.bytes_to_server} bytes to the server, "
            f"{flow.bytes_to_client} back{about}"
        )

    def who(self, address: IPAddress) -> str:
        """The slot that stands for an address."""
        return self._slots.get((Role.HOST, address)) or self._slots.get((Role.SOURCE, address)) or UNKNOWN

    def _source(self, slot: Slot) -> str:
        address = slot.address
        if address is None:
            return UNKNOWN
        host = self._slots.get((Role.HOST, address))
        parts = [
            f"the address of {host}" if host else "an outside address",
            "handshake seen" if address in self._facts.proven else "no handshake seen: may be forged",
            *(["somebody's declared client"] if self._facts.declared(address) else []),
            *([] if self._facts.free(address) else ["protected: must not be touched"]),
        ]
        doors = [self._slots.get((Role.DEVICE, d.name)) for d, _ in self._env.entries_for(address)]
        return ", ".join([*parts, *(f"enters at {d}" for d in doors if d)])

    def _host(self, slot: Slot) -> str:
        host = self._env.host(slot.host or "")
        if host is None:
            return UNKNOWN
        facts = self._facts
        where = host.attached_to
        port = self._slots.get((Role.INTERFACE, (where.device, where.interface))) if where else None
        device = self._slots.get((Role.DEVICE, where.device)) if where else None
        parts = [
            f"role {host.role if host.role in features.ROLES else features.REST}",
            self._zones[host.zone],
            f"criticality {host.criticality.value}{' (vital)' if facts.vital(host) else ''}",
            f"attached to {port or 'a port without a slot'} of {device}" if device else "attachment not known",
            *([] if facts.free(*host.addresses) else ["protected: must not be touched"]),
            *(["alone on its port"] if facts.lone(host) else []),
            *([f"lets in {' '.join(sorted(host.access.actions))}"] if host.access and host.access.actions else []),
        ]
        return ", ".join(parts)

    def _service(self, slot: Slot) -> str:
        host, service = self._served(slot)
        if host is None or service is None:
            return UNKNOWN
        port = self._slots.get((Role.PORT, (service.protocol, service.port)))
        at = f"{service.protocol} {service.port} ({features.port_class(service.port)})"
        return (
            f"of {self._slots.get((Role.HOST, host.name), UNKNOWN)}, {f'{port} = ' if port else ''}{at}, "
            f"criticality {service.criticality.value}, clients: {self._clients(service)}"
        )

    def _served(self, slot: Slot) -> tuple[Host | None, Service | None]:
        host = self._env.host(slot.host or "")
        return host, next((s for s in host.services if s.name == slot.value), None) if host else None

    def _clients(self, service: Service) -> str:
        networks = self._env.client_networks(service)
        if any(not n.prefixlen for n in networks):
            return "anybody"
        known = [self._slots.get((Role.HOST, c)) for c in service.clients if isinstance(c, str)]
        named = [k for k in known if k]
        if len(networks) <= FEW_CLIENTS and len(named) == len(service.clients):
            return " ".join(named) or "none declared"
        return f"{len(service.clients)} declared"

    def _device(self, slot: Slot) -> str:
        ports = [s.slot for s in self._request.pointers.of(Role.INTERFACE) if s.device == slot.device]
        return f"network device with {' '.join(ports) or 'no port that may be touched'}"

    def _interface(self, slot: Slot) -> str:
        behind = [
            self._slots.get((Role.HOST, h.name))
            for h in self._env.hosts
            if h.attached_to and (h.attached_to.device, h.attached_to.interface) == (slot.device, slot.value)
        ]
        shown = " ".join(b for b in behind if b) or "no known host"
        return f"port of {self._slots.get((Role.DEVICE, slot.device), UNKNOWN)}, behind it {shown}"

    def _owned(self, slot: Slot) -> str:
        owner = self._slots.get((Role.HOST, slot.host), UNKNOWN)
        service = self._slots.get((Role.SERVICE, (slot.host, slot.value))) if slot.role is Role.PROCESS else None
        return f"{slot.role.name.lower()} of {owner}{f', serves {service}' if service else ''}"

    def _name(self, slot: Slot) -> str:
        places = [n for n, s in enumerate(self.ranked, 1) if slot.value in s.domains]
        return f"a domain name in {'alert' if len(places) == 1 else 'alerts'} {' '.join(map(str, places))}"

    def _is_client(self, address: IPAddress, service: Service) -> bool:
        networks = self._env.client_networks(service)
        return any(n.version == address.version and address in n for n in networks)


def _tactic(technique: str) -> str:
    return features.tactics().get(technique.split(".", maxsplit=1)[0], features.REST)
