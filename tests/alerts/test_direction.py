"""Which way the packet went that fired."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from secloop_ai.alerts import read_alerts
from tests.alerts.events import event, flow, write

CLIENT: dict[str, Any] = {"src_ip": "203.0.113.9", "src_port": 40103}
SERVER: dict[str, Any] = {"src_ip": "10.20.0.10", "src_port": 22}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"direction": "to_server"}, True),
        ({"direction": "to_client"}, False),
        ({"direction": "to_client", "flow": flow(**CLIENT)}, False),
        ({"direction": None, "flow": flow(**CLIENT)}, True),
        ({"direction": None, "flow": flow(**SERVER, dest_ip="203.0.113.9")}, False),
        ({"direction": None, "flow": flow(src_ip="198.51.100.1", src_port=7)}, True),
        ({"direction": None, "flow": None}, True),
        ({"direction": None}, True),
    ],
)
def test_direction_then_initiator_then_to_server(tmp_path: Path, changes: dict[str, Any], expected: bool) -> None:
    (alert,) = read_alerts(write(tmp_path / "eve.json", event(**changes)))
    assert alert.to_server is expected


def test_one_host_talking_to_itself_is_told_by_port(tmp_path: Path) -> None:
    same: dict[str, Any] = {"src_ip": "10.0.0.1", "dest_ip": "10.0.0.1", "direction": None}
    there = event(**same, flow=flow(src_ip="10.0.0.1", src_port=40103))
    back = event(**same, flow=flow(src_ip="10.0.0.1", src_port=22))
    first, second = read_alerts(write(tmp_path / "eve.json", there, back))
    assert (first.to_server, second.to_server) == (True, False)
