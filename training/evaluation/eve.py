"""Alert summaries as a sensor's EVE lines again, with room for what an attacker writes into the traffic."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from secloop_ai.alerts import summarise
from secloop_ai.contracts import AlertSummary, Environment, PolicyRequest, Protocol
from secloop_ai.loop.decide import build_request

MOST_EVENTS = 12
"""Events of one summary; more would change counts alone, and those on both sides of a comparison."""
FIRST_PORT = 40_000
PORTED = (Protocol.TCP, Protocol.UDP)
IP_NAMES = {Protocol.TCP: "TCP", Protocol.UDP: "UDP", Protocol.ICMP: "ICMP", Protocol.OTHER: "255"}

Written = Mapping[str, Any]
"""What an attacker wrote: members of an event, laid over those of the sensor (mappings are merged)."""


def lines(summaries: tuple[AlertSummary, ...], written: Written | None = None) -> Iterator[str]:
    """EVE lines that summarise to about these summaries, in order of time.

    Args:
        summaries: of one request.
        written: laid over every event.
    """
    events = [e for n, s in enumerate(summaries) for e in _events(n, s)]
    for event in sorted(events, key=lambda e: str(e["timestamp"])):
        yield json.dumps(_over(event, written or {}))


def request_of(text: Iterator[str], environment: Environment) -> PolicyRequest:
    """The request that these lines come to, by the way that every alert file goes."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "eve.json"
        path.write_text("".join(f"{line}\n" for line in text), encoding="utf-8")
        summaries, _ = summarise(path)
    return build_request(summaries, environment)


def _events(number: int, summary: AlertSummary) -> Iterator[dict[str, Any]]:
    count = min(summary.count, MOST_EVENTS)
    for turn in range(count):
        yield _event(summary, number * 1_000 + turn + 1, turn, count)


def _event(summary: AlertSummary, flow_id: int, turn: int, count: int) -> dict[str, Any]:
    step = summary.seconds / (count - 1) if count > 1 else 0.0
    when = summary.first_seen + timedelta(seconds=round(turn * step, 6))
    ports = {}
    if summary.protocol in PORTED:
        ports["src_port"] = FIRST_PORT + turn % max(1, summary.source_ports)
        if summary.destination_port is not None:
            ports["dest_port"] = summary.destination_port
    event: dict[str, Any] = {
        "timestamp": when.isoformat(),
        "flow_id": flow_id,
        "event_type": "alert",
        "src_ip": str(summary.source),
        "dest_ip": str(summary.destination),
        **ports,
        "proto": IP_NAMES[summary.protocol],
        "direction": "to_server" if summary.to_server else "to_client",
        "alert": {
            "signature_id": summary.signature_id,
            "signature": summary.signature.raw,
            "category": summary.classification,
            "severity": summary.severity,
            "metadata": {"mitre_technique_id": list(summary.techniques)},
        },
        "flow": _counters(summary, count),
    }
    if summary.app_protocol:
        event["app_proto"] = summary.app_protocol
    if summary.domains:
        event["dns"] = {"query": [{"rrname": name} for name in summary.domains]}
    return event


def _counters(summary: AlertSummary, count: int) -> dict[str, int]:
    """Each event's part; where a handshake was seen, enough to prove it."""
    flow, least = summary.flow, (2, 1) if summary.handshake else (0, 0)
    return {
        "pkts_toserver": max(least[0], flow.packets_to_server // count),
        "pkts_toclient": max(least[1], flow.packets_to_client // count),
        "bytes_toserver": flow.bytes_to_server // count,
        "bytes_toclient": flow.bytes_to_client // count,
    }


def _over(below: Any, above: Any) -> Any:
    if isinstance(below, dict) and isinstance(above, Mapping):
        return {**below, **{k: _over(below.get(k), v) for k, v in above.items()}}
    return dict(above) if isinstance(above, Mapping) else above
