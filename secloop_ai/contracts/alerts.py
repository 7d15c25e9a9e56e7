"""What a sensor saw, normalised, with attacker-controlled text kept apart."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated

from pydantic import Field

from .base import Frozen, sha256_json

IPAddress = IPv4Address | IPv6Address
Port = Annotated[int, Field(ge=0, le=65535)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Technique = Annotated[str, Field(pattern=r"^T\d{4}(\.\d{3})?$")]
Domain = Annotated[str, Field(max_length=253, pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$")]
"""A name of letters, digits and hyphens, in lower case: nothing in it means anything to a shell or a template."""

UNTRUSTED_LIMIT = 4096
"""Characters of attacker-controlled text that are kept; the original length is kept beside them."""
DOMAIN_LIMIT = 8
"""Names kept of one summary."""


class Untrusted(Frozen):
    """Text an attacker may have written. It never formats itself into anything by accident.

    Attributes:
        raw: at most :data:`UNTRUSTED_LIMIT` characters of the original.
        length: characters of the original.
    """

    raw: str = Field(repr=False)
    length: int = Field(ge=0)

    @classmethod
    def of(cls, text: str) -> Untrusted:
        """Wrap a text of any length."""
        return cls.model_construct(raw=text[:UNTRUSTED_LIMIT], length=len(text))

    def __str__(self) -> str:
        return f"<untrusted text, {self.length} characters>"

    def display(self, limit: int = 80) -> str:
        """A form safe to print: printable ASCII only, no braces or markup, at most `limit` characters."""
        safe = "".join(
            c if c.isascii() and c.isprintable() and c not in "{}[]<>&`$%\\" else "·" for c in self.raw[:limit]
        )
        return safe + ("…" if self.length > limit else "")


class Protocol(StrEnum):
    """Transport protocols an alert can name; `other` is everything else."""

    TCP = "tcp"
    UDP = "udp"
    ICMP = "icmp"
    OTHER = "other"


class Flow(Frozen):
    """Counters of the flow an alert belongs to, as the sensor had them when it fired."""

    packets_to_server: int = Field(default=0, ge=0)
    packets_to_client: int = Field(default=0, ge=0)
    bytes_to_server: int = Field(default=0, ge=0)
    bytes_to_client: int = Field(default=0, ge=0)


class Alert(Frozen):
    """One IDS alert event.

    Attributes:
        timestamp: when the sensor fired, timezone-aware.
        source, destination: as the sensor names them (for Suricata: of the packet or flow that fired).
        classification: a slug of the sensor's classification (``attempted-admin``), ``unknown`` when not listed.
        severity: 1 (high) .. 4 (low), Suricata's scale.
        handshake: the sensor saw a completed TCP handshake, so the source address is not spoofed.
        untrusted: other attacker-controlled fields by their EVE path (``http.url``).
    """

    timestamp: datetime
    signature_id: int = Field(ge=0)
    signature: Untrusted
    classification: Slug = "unknown"
    severity: int = Field(default=3, ge=1, le=4)
    source: IPAddress
    source_port: Port | None = None
    destination: IPAddress
    destination_port: Port | None = None
    protocol: Protocol = Protocol.OTHER
    app_protocol: Slug | None = None
    techniques: tuple[Technique, ...] = ()
    to_server: bool = True
    handshake: bool = False
    flow: Flow = Flow()
    flow_id: int | None = None
    untrusted: dict[str, Untrusted] = Field(default_factory=dict)


class AlertSummary(Frozen):
    """Alerts with one (signature, source, destination:port), at most 30 s from first to last.

    Every feature comes from the sensor alone. `zones` is the pair the inventory knows the two ends by; it is
    filled in once the Environment is known. `domains` are names the traffic asked for or named (DNS, TLS, HTTP): the
    attacker chose them, and only what parses as a name is here.
    """

    signature_id: int
    signature: Untrusted
    source: IPAddress
    destination: IPAddress
    destination_port: Port | None
    protocol: Protocol
    app_protocol: Slug | None
    classification: Slug
    techniques: tuple[Technique, ...]
    severity: int = Field(ge=1, le=4)
    count: int = Field(ge=1)
    first_seen: datetime
    last_seen: datetime
    source_ports: int = Field(ge=0, description="distinct source ports seen, counted up to 255")
    to_server: bool
    handshake: bool
    flow: Flow = Field(description="sums over the alerts' distinct flows as far as the table could tell")
    zones: tuple[Slug, Slug] | None = None
    domains: tuple[Domain, ...] = Field(default=(), max_length=DOMAIN_LIMIT)

    @property
    def seconds(self) -> float:
        """Seconds from the first alert to the last."""
        return (self.last_seen - self.first_seen).total_seconds()

    @property
    def rate_per_s(self) -> float:
        """Alerts per second, over at least one second."""
        return self.count / max(self.seconds, 1.0)

    @property
    def summary_id(self) -> str:
        """Twelve hex digits that name this summary: stable while the window still grows."""
        key = [self.signature_id, str(self.source), str(self.destination), self.destination_port]
        return sha256_json([*key, self.first_seen.isoformat()])[:12]


class IngestReport(Frozen):
    """What happened to every line of an alert file: nothing is dropped without a count.

    Attributes:
        skipped: other event types, by type.
        bad_lines: the first few unreadable lines as ``(line number, what is wrong)``; `bad` counts them all.
        evicted: windows closed early for want of room; that alone loses no alert.
        dropped: closed windows beyond the bound on summaries: their alerts are in no summary.
        late: alerts more than a window older than the newest before them; they are summarised all the same.
    """

    path: str
    lines: int = 0
    alerts: int = 0
    skipped: dict[str, int] = Field(default_factory=dict)
    bad: int = 0
    bad_lines: tuple[tuple[int, str], ...] = ()
    summaries: int = 0
    evicted: int = 0
    dropped: int = 0
    late: int = 0
