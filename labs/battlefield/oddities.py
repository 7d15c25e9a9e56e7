"""What the sensor finds odd without a signature: a parser's complaint becomes an alert that nothing names.

Suricata writes such complaints as ``anomaly`` events, which are no alerts. On a battlefield they count as one, with
signature 0 and no technique: all that a zero-day shows is that its request is not what the protocol's parser knows.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from secloop_ai.alerts import summarise
from secloop_ai.contracts import AlertSummary

OUTPUT = """        - anomaly:
            enabled: yes
            types:
              decode: no
              stream: no
              applayer: yes
"""
"""Of Suricata's EVE output, before its other types."""
ALERTS = "        - alert:\n"
CATEGORY, SEVERITY = "Potentially Bad Traffic", 2
PARSED = {"pkts_toserver": 2, "pkts_toclient": 1}
"""The least there must have been: application data is parsed in established streams only."""
MARK = b'"anomaly"'


def configured(text: str) -> str:
    """Suricata's configuration with the complaints of its application parsers in the event log."""
    return text.replace(ALERTS, OUTPUT + ALERTS, 1)


def heard(eve: Path) -> tuple[AlertSummary, ...]:
    """Summaries of an event log, complaints among them; none where there is no log.

    Raises:
        AlertFileError: it cannot be read.
    """
    if not eve.exists():
        return ()
    lines = eve.read_bytes().splitlines(keepends=True)
    if not any(MARK in line for line in lines):
        return summarise(eve)[0]
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.writelines(_translated(lines))
        file.flush()
        return summarise(Path(file.name))[0]


def _translated(lines: list[bytes]) -> Iterator[bytes]:
    for line in lines:
        yield (as_alert(line) or line) if MARK in line else line


def as_alert(line: bytes) -> bytes | None:
    """The alert that a complaint of an application parser is; None for every other event."""
    try:
        event: dict[str, Any] = json.loads(line)
        said = event["anomaly"]
        if event["event_type"] != "anomaly" or said["layer"] != "proto_parser":
            return None
        ends = _towards_server(event)
    except (ValueError, KeyError, TypeError):
        return None
    alert = {"signature_id": 0, "signature": str(said.get("event", "")), "category": CATEGORY, "severity": SEVERITY}
    more = {"event_type": "alert", "app_proto": said.get("app_proto"), "direction": "to_server"}
    return json.dumps({**event, **ends, **more, "alert": alert, "flow": PARSED}).encode() + b"\n"


def _towards_server(event: dict[str, Any]) -> dict[str, Any]:
    """Addresses with the client as source: a complaint may be logged with the answer. A client's port is the higher."""
    names = ("src_ip", "src_port", "dest_ip", "dest_port")
    source, source_port, destination, destination_port = (event[name] for name in names)
    if source_port >= destination_port:
        return {}
    return dict(zip(names, (destination, destination_port, source, source_port), strict=True))
