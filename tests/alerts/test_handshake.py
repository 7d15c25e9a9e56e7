"""When an alert proves that its addresses are real, and when not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from secloop_ai.alerts import read_alerts, summarise
from tests.alerts.events import event, flow, write

ENDS: dict[str, Any] = {"src_ip": "203.0.113.9", "dest_ip": "10.20.0.10", "src_port": 40103}


def proven(tmp_path: Path, *, require_stream: bool = False, **changes: Any) -> bool:
    path = write(tmp_path / "eve.json", event(**changes))
    (alert,) = read_alerts(path, require_stream=require_stream)
    ((summary,), _) = summarise(path, require_stream=require_stream)
    assert summary.handshake is alert.handshake
    return alert.handshake


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"flow": flow(**ENDS)},
        {"flow": flow(2, 1, 120, 60)},
        {"flow": flow(src_ip="10.20.0.10", dest_ip="203.0.113.9", src_port=22), "direction": "to_client"},
        {"app_proto": "failed", "flow": flow(22, 11, 3988, 4794)},
        {"app_proto": "failed", "stream": 1},
        {
            "src_ip": "2001:0db8:0000:0000:0000:0000:0000:0009",
            "dest_ip": "2001:db8::10",
            "flow": flow(src_ip="2001:db8::9", dest_ip="2001:0db8::0010"),
        },
    ],
)
def test_proven(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert proven(tmp_path, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"proto": "UDP", "app_proto": "dns"},
        {"proto": "ICMP"},
        {"proto": "SCTP"},
        {"app_proto": None, "flow": flow(1, 0, 54, 0)},  # a SYN
        {"app_proto": None, "flow": flow(6, 4, 448, 216)},  # SYN, blind ACK and data, answered by RSTs
        {"app_proto": None, "flow": flow(2, 13, 118, 7038)},  # counters blown up by forged ICMP errors
        {"flow": None},
        {"flow": flow(1, 5, 54, 5000)},
        {"flow": flow(5, 0, 5000, 0)},
        {"app_proto": "failed"},
        {"app_proto": "failed", "flow": flow(50, 50, 50_000, 50 * 122)},
        {"app_proto": "unknown"},
        {"app_proto": "ftp-data"},
        {"app_proto": ""},
        {"flow": flow(**{**ENDS, "src_ip": "198.51.100.1"})},  # X-Forwarded-For overwrote the source
        {"flow": flow(src_ip="not an address", dest_ip="10.20.0.10")},
    ],
)
def test_not_proven(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert not proven(tmp_path, **changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"tx_id": 0}, True),
        ({"tx_id": None, "stream": 1}, True),
        ({"tx_id": None, "stream": 0}, False),
        ({"tx_id": None}, False),
        ({"tx_id": 0, "proto": "UDP"}, False),
    ],
)
def test_the_stricter_proof_wants_more_than_a_packet(tmp_path: Path, changes: dict[str, Any], expected: bool) -> None:
    assert proven(tmp_path, require_stream=True, **changes) is expected


def test_one_proven_alert_proves_its_summary(tmp_path: Path) -> None:
    path = write(tmp_path / "eve.json", event(0, app_proto=None), event(1), event(2, app_proto=None))
    ((summary,), _) = summarise(path)
    assert (summary.count, summary.handshake, summary.app_protocol) == (3, True, "ssh")
