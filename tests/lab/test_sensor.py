"""Real attack tools fire their rule and no other; the legitimate client's checks fire none."""

from __future__ import annotations

import json
from ipaddress import ip_address
from typing import Any, NamedTuple

import pytest

from labs.lab import Attack, Lab
from labs.lab.netns import connect_from
from secloop_ai.alerts import read_alerts
from secloop_ai.inventory import load_environment
from secloop_ai.loop.watch import Watch

from .support import APP, APP_6, ATTACKER, ATTACKER_6, WEB, eventually, needs_lab

pytestmark = needs_lab
BRUTE_FORCE, SCAN, FLOOD, TRAVERSAL = 9000001, 9000002, 9000003, 9000009
TRY_TRAVERSAL = b"GET /a/../../etc/passwd HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n"
FLOOD_S = 2


class Seen(NamedTuple):
    """An alert: the rule, who, and against whom."""

    signature_id: int
    source: str
    destination: str


class Sensor:
    """What the sensor writes from now on."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._start = lab.eve_path.stat().st_size

    def alerts(self) -> list[dict[str, Any]]:
        """Alert events so far; a line that is still being written is left out."""
        with self._lab.eve_path.open(encoding="utf-8") as lines:
            lines.seek(self._start)
            events = [json.loads(line) for line in lines if line.endswith("\n")]
        return [event for event in events if event["event_type"] == "alert"]

    def seen(self) -> set[Seen]:
        """Every kind of alert up to now: a request that fires at once proves that all packets before were looked at."""
        with connect_from(self._lab.netns("attacker"), WEB, 80, 2.0) as connection:
            connection.sendall(TRY_TRAVERSAL)
            connection.recv(100)
        mark = Seen(TRAVERSAL, ATTACKER, WEB)
        assert eventually(lambda: mark in self._kinds())
        return self._kinds() - {mark}

    def _kinds(self) -> set[Seen]:
        return {
            Seen(a["alert"]["signature_id"], str(ip_address(a["src_ip"])), str(ip_address(a["dest_ip"])))
            for a in self.alerts()
        }


@pytest.mark.parametrize(("target", "source"), [(APP, ATTACKER), (APP_6, ATTACKER_6)])
def test_a_port_scan(lab: Lab, target: str, source: str) -> None:
    sensor = Sensor(lab)
    version = ["-6"] if ":" in target else []
    done = lab.exec("attacker", ["nmap", *version, "-sS", "-n", "-Pn", target])  # the 1000 usual ports
    assert "1 host up" in done.stdout
    assert "22/tcp   open  ssh" in done.stdout
    assert sensor.seen() == {Seen(SCAN, source, target)}


def test_a_syn_flood(lab: Lab) -> None:
    sensor = Sensor(lab)
    flood = ["timeout", str(FLOOD_S), "hping3", "-q", "-S", "-p", "80", "-i", "u300", WEB]
    done = lab.exec("attacker", flood)
    assert "packets transmitted" in done.stderr + done.stdout
    assert sensor.seen() == {Seen(FLOOD, ATTACKER, WEB)}


@pytest.mark.parametrize(("family", "source", "target"), [(4, ATTACKER, APP), (6, ATTACKER_6, APP_6)])
def test_a_brute_force_is_told_from_the_reassembled_stream(lab: Lab, family: int, source: str, target: str) -> None:
    sensor = Sensor(lab)
    assert Attack(lab).ssh_brute_force(attempts=24, timeout_s=30, family=family).finished
    assert sensor.seen() == {Seen(BRUTE_FORCE, source, target)}
    read = [a for a in read_alerts(lab.eve_path, require_stream=True) if a.signature_id == BRUTE_FORCE]
    assert source in {str(alert.source) for alert in read}
    assert all(alert.handshake for alert in read)


@pytest.mark.slow
def test_the_clients_checks_raise_no_alert(lab: Lab) -> None:
    sensor = Sensor(lab)
    with Watch(load_environment([str(lab.inventory_dir)])) as watch:
        watch.wait(rounds=29, timeout_s=90.0)  # about 20 s at the intervals of a real run
        results = watch.results()
    assert len(results) == 6
    assert all(result.green and result.tries >= 29 for result in results)
    assert sensor.seen() == set()
