"""Addresses, times and directions of an event, strictly read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_pton

from .wire import EventWire

_MAPPED = bytes(10) + b"\xff\xff"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_US = 2**53 // 2  # floats count microseconds exactly up to here: the year 2112


@lru_cache(maxsize=8192)
def packed(text: str) -> bytes:
    """Four or sixteen bytes of an address; IPv4 mapped into IPv6 becomes IPv4.

    `inet_pton` takes no scope id, where an attacker could otherwise write what he likes.

    Raises:
        ValueError, OSError: not an address.
    """
    if ":" not in text:
        return inet_pton(AF_INET, text)
    address = inet_pton(AF_INET6, text)
    return address[12:] if address.startswith(_MAPPED) else address


def time_us(text: str) -> int:
    """Microseconds since 1970 of an ISO 8601 time with a zone (``+0000`` and ``+00:00`` alike).

    Raises:
        ValueError: not a time, without a zone, or out of range; the text says which and repeats nothing.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("timestamp is not an ISO 8601 time") from None
    if moment.tzinfo is None:
        raise ValueError("timestamp has no time zone")
    value = round(moment.timestamp() * 1e6)
    if not 0 <= value <= _LAST_US:
        raise ValueError("timestamp is out of range")
    return value


def moment(value_us: int) -> datetime:
    """The UTC time of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=value_us)


def to_server(event: EventWire) -> bool:
    """Whether the packet that fired went to the server: `direction`, else the flow's initiator, else yes.

    Suricata 5 and 6 say neither.
    """
    if event.direction is not None:
        return event.direction != "to_client"
    flow = event.flow
    if flow is None or flow.src_ip is None:
        return True
    return (flow.src_ip, flow.src_port) != (event.dest_ip, event.dest_port)


def same_ends(event: EventWire) -> bool:
    """Whether the event's two addresses are the flow's, as far as the flow names its own."""
    flow = event.flow
    if flow is None or flow.src_ip is None or flow.dest_ip is None:
        return True
    if event.src_ip is None or event.dest_ip is None:
        return False
    if {flow.src_ip, flow.dest_ip} == {event.src_ip, event.dest_ip}:
        return True
    try:
        return {packed(flow.src_ip), packed(flow.dest_ip)} == {packed(event.src_ip), packed(event.dest_ip)}
    except (ValueError, OSError):
        return False
