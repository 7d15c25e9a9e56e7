"""What the window reads by itself: the sensor's log as it grows, kernel counters, the clients' luck."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from labs.window.alerts import EveTail, grouped, rule_names
from labs.window.counters import Count, Meter, Rate, parse, total
from labs.window.tally import ProbeTally
from tests.window.support import HOSTILE

DEV = """Inter-|   Receive                  |  Transmit
 face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed
    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0       0
  ge0: 1500      10    0    0    0     0          0         0     3000      20    0    0    0     0       0          0
 ge1p0:123456789012 7 0 0 0 0 0 0 1 2 0 0 0 0 0 0
"""


def event(sid: int, source: str = "203.0.113.9", **more: Any) -> str:
    """A line of the sensor."""
    return json.dumps(
        {
            "timestamp": "2026-11-22T18:00:00.500000+0000",
            "event_type": "alert",
            "src_ip": source,
            "src_port": 4000,
            "dest_ip": "10.0.0.2",
            "dest_port": 80,
            "proto": "TCP",
            "alert": {"signature_id": sid, "signature": HOSTILE, "category": "Web Application Attack", "severity": 1},
            **more,
        }
    )


def test_a_growing_log_is_read_line_by_line(tmp_path: Path) -> None:
    log, tail = tmp_path / "eve.json", EveTail()
    assert tail.read(log) == []
    whole, half = event(1), event(2)
    log.write_text(f"{whole}\n{half[:40]}")
    assert [s.signature_id for s in tail.read(log)] == [1]
    with log.open("a") as file:
        file.write(half[40:] + "\n" + '{"event_type": "flow", "alert": 1}\nnot json "alert"\n')
    assert [s.signature_id for s in tail.read(log)] == [2]
    assert tail.unread == 1
    assert tail.read(log) == []


def test_what_a_parser_complains_of_counts_as_an_alert(tmp_path: Path) -> None:
    said: dict[str, Any] = {
        "event_type": "anomaly",
        "anomaly": {"layer": "proto_parser", "event": "ODD"},
        "app_proto": "http",
    }
    (tmp_path / "eve.json").write_text(event(1, **said) + "\n")
    assert [s.signature_id for s in EveTail().read(tmp_path / "eve.json")] == [0]


def test_alerts_are_grouped_and_bear_no_text_of_the_sensor(tmp_path: Path) -> None:
    log = tmp_path / "eve.json"
    log.write_text("\n".join([event(9000001), event(9000001), event(77), event(77, "203.0.113.10"), ""]))
    found = grouped(EveTail().read(log), lambda us: us / 1e6 - 1_795_370_400.0, 2.0)
    assert [(a.signature_id, a.count) for a in found] == [(9000001, 2), (77, 1), (77, 1)]
    assert found[0].name == rule_names()[9000001]
    assert found[1].name == ""
    assert found[0].at_s == 0.5
    assert not any("script" in a.model_dump_json() for a in found)


def test_counters_are_read() -> None:
    counts = parse(DEV)
    assert counts["ge0"] == Count(packets_in=10, packets_out=20, bytes_in=1500, bytes_out=3000)
    assert counts["ge1p0"] == Count(7, 2, 123456789012, 1)
    assert total(counts, ("ge0", "ge1p0", "gone")).packets_in == 17


def test_rates_are_since_the_reading_before() -> None:
    meter = Meter()
    assert meter.rate("a", Count(10, 0, 100, 0), at=1.0) == Rate()
    assert meter.rate("a", Count(20, 5, 300, 0), at=1.5) == Rate(20.0, 10.0, 400.0, 0.0)
    assert meter.rate("a", Count(0, 0, 0, 0), at=2.0) == Rate()


def test_luck_turns_once() -> None:
    tally, place = ProbeTally(), ("desk", "jump/ssh")
    assert not list(tally.sample({place: (2, 2)}, 1.0, 0.5))
    (lost,) = tally.sample({place: (4, 3)}, 1.5, 0.5)
    assert not lost.served
    assert tally.states()[0].failing
    assert not list(tally.sample({place: (4, 3)}, 2.0, 0.5))
    assert not list(tally.sample({place: (5, 3)}, 2.5, 0.5))
    (back,) = tally.sample({place: (6, 4)}, 3.0, 0.5)
    assert back.served
    series = tally.series((1.0, 1.5, 2.0, 2.5, 3.0), {})
    assert series.tries_per_s == (4.0, 4.0, 0.0, 2.0, 2.0)
    assert series.served_per_s == (4.0, 2.0, 0.0, 0.0, 2.0)
