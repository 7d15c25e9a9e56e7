"""Everything in an event that an attacker may have written, kept apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from secloop_ai.contracts import Untrusted

MAX_FIELDS = 256
"""Texts kept per alert; an event of a real sensor has far fewer."""

# fmt: off
TRUSTED = frozenset((
    "timestamp", "flow_id", "parent_id", "in_iface", "out_iface", "event_type", "src_ip", "src_port",
    "dest_ip", "dest_port", "proto", "app_proto", "app_proto_ts", "app_proto_tc", "app_proto_orig",
    "app_proto_expected", "direction", "tx_id", "tx_guessed", "ts_progress", "tc_progress", "alert",
    "flow", "vlan", "icmp_type", "icmp_code", "response_icmp_type", "response_icmp_code", "pcap_cnt",
    "pcap_filename", "pkt_src", "ip_v", "host", "sensor_name", "community_id", "stream", "packet",
    "packet_info", "payload", "verdict", "log_level",
))
# fmt: on
"""Members the sensor itself writes, and payloads that are no text. All others are the traffic's words."""

_SECTIONS: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


def untrusted_fields(line: bytes) -> dict[str, Untrusted]:
    """Texts of an EVE line by their path (``http.url``, ``dns.query.0.rrname``), at most :data:`MAX_FIELDS`.

    A member that is not well-formed is kept whole, as text. A key that is no plain name becomes ``?`` and a number.
    """
    try:
        sections = _SECTIONS.decode(line)
    except _UNREADABLE:
        return {"line": Untrusted.of(line.decode("utf-8", "replace"))}
    found: dict[str, Untrusted] = {}
    for name, raw in sections.items():
        if name in TRUSTED:
            continue
        for path, text in _leaves(_name(name, len(found)), _value(bytes(raw))):
            found[path] = Untrusted.of(text)
            if len(found) == MAX_FIELDS:
                return found
    return found


def _value(raw: bytes) -> Any:
    """The member's value; its text when it cannot be decoded."""
    try:
        return msgspec.json.decode(raw)
    except _UNREADABLE:
        return raw.decode("utf-8", "replace")


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every string below a value with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _leaves(f"{path}.{number}", item)
    elif isinstance(value, dict):
        for number, (key, item) in enumerate(value.items()):
            yield from _leaves(f"{path}.{_name(key, number)}", item)


def _name(key: str, number: int) -> str:
    """A key fit for a path."""
    return key if _KEY.fullmatch(key) else f"?{number}"
