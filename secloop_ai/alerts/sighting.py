"""An alert event, normalised and light: what the hot path hands on, a million times a minute."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from secloop_ai.contracts import Protocol

from .addresses import packed, time_us, to_server
from .classification import slug_of
from .domains import domains_of
from .handshake import completed
from .techniques import techniques_of
from .wire import AlertWire, EventWire

_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
_NAMED = {
    "tcp": Protocol.TCP,
    "udp": Protocol.UDP,
    "icmp": Protocol.ICMP,
    "icmpv6": Protocol.ICMP,
    "ipv6-icmp": Protocol.ICMP,
}
_NUMBERED = {1: Protocol.ICMP, 6: Protocol.TCP, 17: Protocol.UDP, 58: Protocol.ICMP}
_DIGITS = 3
_SLUG_LIMIT = 64
_NO_APP = frozenset({"failed", "unknown"})

Counters = tuple[int, int, int, int]
"""Packets to server and to client, bytes to server and to client."""


class BadEvent(ValueError):  # noqa: N818 - it is the event that is bad
    """An alert event that lacks what every alert must have; the text says what, without quoting it."""


class Sighting(msgspec.Struct, gc=False, frozen=True):
    """One alert. Addresses are packed (4 or 16 bytes), times are microseconds since 1970."""

    time_us: int
    signature_id: int
    signature: str
    classification: str
    severity: int
    source: bytes
    source_port: int | None
    destination: bytes
    destination_port: int | None
    protocol: Protocol
    app_protocol: str | None
    techniques: tuple[str, ...]
    to_server: bool
    handshake: bool
    flow_id: int | None
    flow: Counters
    domains: tuple[str, ...] = ()


def sighting_of(event: EventWire, *, require_stream: bool = False) -> Sighting:
    """Normalise an alert event.

    Raises:
        BadEvent: no alert object, or no valid timestamp, source or destination address.
    """
    alert = event.alert
    if alert is None:
        raise BadEvent("alert event without an alert object")
    protocol = _protocol(event.proto)
    ports = protocol is not Protocol.ICMP
    flow = event.flow
    return Sighting(
        time_us=_time(event.timestamp),
        signature_id=alert.signature_id,
        signature=alert.signature,
        classification=slug_of(alert.category),
        severity=min(max(alert.severity, 1), 4),
        source=_address(event.src_ip, "src_ip"),
        source_port=event.src_port if ports else None,
        destination=_address(event.dest_ip, "dest_ip"),
        destination_port=event.dest_port if ports else None,
        protocol=protocol,
        app_protocol=_app(event.app_proto),
        techniques=_techniques(alert),
        to_server=to_server(event),
        handshake=completed(event, protocol, require_stream=require_stream),
        flow_id=event.flow_id,
        flow=(flow.pkts_toserver, flow.pkts_toclient, flow.bytes_toserver, flow.bytes_toclient)
        if flow
        else (0, 0, 0, 0),
        domains=domains_of(event),
    )


def _time(text: str | None) -> int:
    if text is None:
        raise BadEvent("alert without timestamp")
    try:
        return time_us(text)
    except ValueError as error:
        raise BadEvent(str(error)) from None


def _address(text: str | None, field: str) -> bytes:
    if text is None:
        raise BadEvent(f"alert without {field}")
    try:
        return packed(text)
    except (ValueError, OSError):
        raise BadEvent(f"{field} is not an IP address") from None


def _protocol(proto: str | int | None) -> Protocol:
    """By name or number; Suricata writes a protocol it has no name for as three digits."""
    if isinstance(proto, str):
        named = _NAMED.get(proto.lower())
        if named is not None:
            return named
        proto = int(proto) if len(proto) <= _DIGITS and proto.isdecimal() else None
    return Protocol.OTHER if proto is None else _NUMBERED.get(proto, Protocol.OTHER)


def _app(name: str | None) -> str | None:
    return None if name is None or len(name) > _SLUG_LIMIT else _app_slug(name)


@lru_cache(maxsize=256)
def _app_slug(name: str) -> str | None:
    slug = name.lower()
    return slug if _SLUG.fullmatch(slug) and slug not in _NO_APP else None


def _techniques(alert: AlertWire) -> tuple[str, ...]:
    return techniques_of(bytes(alert.metadata), bytes(alert.references))
