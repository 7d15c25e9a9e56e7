"""Alerts of one key within one window: light while it grows, an AlertSummary at the end."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from ipaddress import ip_address

import msgspec

from secloop_ai.contracts import DOMAIN_LIMIT, AlertSummary, Protocol, Untrusted

from .addresses import moment
from .classification import UNKNOWN
from .flows import FlowSums
from .sighting import Sighting
from .techniques import MAX_TECHNIQUES

MAX_PORTS = 255

Key = tuple[int, bytes, bytes, int | None]
"""Signature id, packed source, packed destination, destination port."""


class Window(msgspec.Struct, gc=False):
    """What the summary of one key needs; a few hundred bytes, whatever the alerts hold.

    Attributes:
        first_us, last_us: event times of the earliest and the latest alert, microseconds since 1970.
        severity: the most severe one.
        handshake: whether any alert proved its handshake.
        to_server: as the first alert said.
        domains: the first names seen.
    """

    first_us: int
    last_us: int
    signature: Untrusted
    severity: int
    classification: str
    protocol: Protocol
    app_protocol: str | None
    techniques: tuple[str, ...]
    to_server: bool
    handshake: bool
    ports: array[int]
    flows: FlowSums
    count: int = 1
    domains: tuple[str, ...] = ()

    @classmethod
    def of(cls, seen: Sighting, signature: Untrusted) -> Window:
        """A window with its first alert."""
        return cls(
            seen.time_us,
            seen.time_us,
            signature,
            seen.severity,
            seen.classification,
            seen.protocol,
            seen.app_protocol,
            seen.techniques,
            seen.to_server,
            seen.handshake,
            array("H", () if seen.source_port is None else (seen.source_port,)),
            FlowSums(seen.flow_id, seen.flow),
            domains=seen.domains[:DOMAIN_LIMIT],
        )

    def fits(self, time_us: int, window_us: int) -> bool:
        """Whether an alert of that time leaves first and last no more than a window apart."""
        return time_us - self.first_us <= window_us and self.last_us - time_us <= window_us

    def add(self, seen: Sighting) -> None:
        """Take in an alert that fits."""
        self.count += 1
        if seen.time_us > self.last_us:
            self.last_us = seen.time_us
        elif seen.time_us < self.first_us:
            self.first_us = seen.time_us
        if seen.source_port is not None:
            self._add_port(seen.source_port)
        self.flows.add(seen.flow_id, seen.flow)
        self.handshake = self.handshake or seen.handshake
        self._add_kind(seen.severity, seen.classification, seen.app_protocol, seen.techniques)
        if seen.domains:
            self._add_domains(seen.domains)

    def absorb(self, other: Window) -> None:
        """Take in another window of the same key."""
        self.count += other.count
        self.first_us = min(self.first_us, other.first_us)
        self.last_us = max(self.last_us, other.last_us)
        for port in other.ports:
            self._add_port(port)
        self.flows.absorb(other.flows)
        self.handshake = self.handshake or other.handshake
        self._add_kind(other.severity, other.classification, other.app_protocol, other.techniques)
        self._add_domains(other.domains)

    def _add_port(self, port: int) -> None:
        """Keep distinct ports, sorted, two bytes each."""
        place = bisect_left(self.ports, port)
        if place < len(self.ports) and self.ports[place] == port:
            return
        if len(self.ports) < MAX_PORTS:
            self.ports.insert(place, port)

    def _add_domains(self, names: tuple[str, ...]) -> None:
        """The first few stay: an attacker who makes up names by the thousand fills the room with his own."""
        if len(self.domains) < DOMAIN_LIMIT:
            self.domains = tuple(dict.fromkeys((*self.domains, *names)))[:DOMAIN_LIMIT]

    def _add_kind(self, severity: int, classification: str, app: str | None, techniques: tuple[str, ...]) -> None:
        """The rule may have been reloaded in between: the most telling values stay."""
        self.severity = min(self.severity, severity)
        if self.classification == UNKNOWN:
            self.classification = classification
        if self.app_protocol is None:
            self.app_protocol = app
        if techniques != self.techniques:
            self.techniques = tuple(dict.fromkeys((*self.techniques, *techniques)))[:MAX_TECHNIQUES]

    def summary(self, key: Key) -> AlertSummary:
        """The contract's form."""
        signature_id, source, destination, destination_port = key
        return AlertSummary(
            signature_id=signature_id,
            signature=self.signature,
            source=ip_address(source),
            destination=ip_address(destination),
            destination_port=destination_port,
            protocol=self.protocol,
            app_protocol=self.app_protocol,
            classification=self.classification,
            techniques=self.techniques,
            severity=self.severity,
            count=self.count,
            first_seen=moment(self.first_us),
            last_seen=moment(self.last_us),
            source_ports=len(self.ports),
            to_server=self.to_server,
            handshake=self.handshake,
            flow=self.flows.total(),
            domains=self.domains,
        )
