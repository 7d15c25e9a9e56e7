"""EVE lines for the tests, written the way Suricata 7 writes them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parent / "golden"
START = datetime(2024, 5, 1, 12, tzinfo=UTC)
INJECTION = (
    "{{ lookup('pipe','touch pwned') }} {% raw %} ${IFS} `id` '\";\n\r\t"
    "</rule><x y='z'>&amp; \x1b[31mred\x1b[0m \x00 [bold] \u202e"
)

Event = dict[str, Any]


def at(seconds: float) -> str:
    """A timestamp so many seconds after the start."""
    return (START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%f+0000")


def event(seconds: float = 0.0, **changes: Any) -> Event:
    """A proven SSH alert; a change to None removes the member."""
    base: Event = {
        "timestamp": at(seconds),
        "flow_id": 1,
        "event_type": "alert",
        "src_ip": "203.0.113.9",
        "src_port": 40103,
        "dest_ip": "10.20.0.10",
        "dest_port": 22,
        "proto": "TCP",
        "tx_id": 0,
        "alert": rule(),
        "app_proto": "ssh",
        "direction": "to_server",
        "flow": flow(),
    }
    return {name: value for name, value in {**base, **changes}.items() if value is not None}


def rule(signature_id: Any = 5000003, **changes: Any) -> Event:
    """The alert member."""
    base = {
        "action": "allowed",
        "gid": 1,
        "signature_id": signature_id,
        "rev": 1,
        "signature": "ACME SSH client library",
        "category": "Attempted Administrator Privilege Gain",
        "severity": 1,
    }
    return {name: value for name, value in {**base, **changes}.items() if value is not None}


def flow(to_server: int = 5, to_client: int = 3, sent: int = 353, back: int = 183, **ends: Any) -> Event:
    """The flow member."""
    counters = {"pkts_toserver": to_server, "pkts_toclient": to_client, "bytes_toserver": sent, "bytes_toclient": back}
    return {**counters, **ends}


def write(path: Path, *lines: Event | str | bytes) -> Path:
    """A file of lines: events as JSON, texts and bytes as they are."""
    path.write_bytes(b"".join(_line(line) for line in lines))
    return path


def _line(line: Event | str | bytes) -> bytes:
    if isinstance(line, bytes):
        return line
    text = line if isinstance(line, str) else json.dumps(line)
    return text.encode() + b"\n"
