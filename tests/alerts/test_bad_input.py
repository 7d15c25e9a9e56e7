"""Files and lines that are wrong: named, counted, never echoed, and the rest goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from secloop_ai.alerts import Tally, read_alerts, summarise
from secloop_ai.alerts.tally import MAX_BAD_LINES, MAX_TYPES
from secloop_ai.contracts import IngestReport
from tests.alerts.events import INJECTION, Event, event, rule, write

GOOD = event()


def report_of(path: Path) -> IngestReport:
    """The report, the same from both ways to read."""
    tally = Tally()
    alerts = list(read_alerts(path, tally))
    _, report = summarise(path)
    assert tally.report(path, summaries=report.summaries, late=report.late) == report
    assert len(alerts) == report.alerts
    assert report.lines == report.alerts + sum(report.skipped.values()) + report.bad
    return report


def reason(tmp_path: Path, line: Any) -> str:
    """Why a line between two good ones is refused."""
    report = report_of(write(tmp_path / "eve.json", GOOD, line, GOOD))
    assert (report.lines, report.alerts, report.bad) == (3, 2, 1)
    ((number, why),) = report.bad_lines
    assert number == 2
    return why


def test_an_empty_file_has_nothing_to_say(tmp_path: Path) -> None:
    path = write(tmp_path / "eve.json")
    assert summarise(path) == ((), IngestReport(path=str(path)))


def test_blank_lines_are_skipped_and_counted(tmp_path: Path) -> None:
    report = report_of(write(tmp_path / "eve.json", b"\n", GOOD, b"   \r\n", b"\t"))
    assert (report.lines, report.alerts, report.skipped) == (4, 1, {"(blank)": 3})


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("hello", "not JSON: JSON is malformed: invalid character (byte 0)"),
        ('{"event_type": "alert"', "not JSON: cut off"),
        ("[1, 2]", "not an EVE event: Expected `object`, got `array`"),
        ("null", "not an EVE event: Expected `object`, got `null`"),
        ("{}", "not an EVE event: Object missing required field `event_type`"),
        ('{"event_type": 7}', "not an EVE event: Expected `str`, got `int` - at `$.event_type`"),
        ('{"event_type":"alert"} {"x":1}', "not JSON: JSON is malformed: trailing characters (byte 24)"),
        (b'{"event_type":"\xff\xfe"}\n', "not UTF-8"),
        (b"\x00\x00\x00\n", "not JSON: JSON is malformed: invalid character (byte 0)"),
        ('{"event_type":"alert","x":' + "[" * 100_000, "nested too deeply"),
        (b"\x1b[2J{{ lookup('pipe','id') }}\n", "not JSON: JSON is malformed: invalid character (byte 0)"),
    ],
)
def test_lines_that_are_no_events(tmp_path: Path, line: Any, expected: str) -> None:
    assert reason(tmp_path, line) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"src_ip": None}, "alert without src_ip"),
        ({"dest_ip": None}, "alert without dest_ip"),
        ({"timestamp": None}, "alert without timestamp"),
        ({"alert": None}, "alert event without an alert object"),
        ({"src_ip": "10.0.0.256"}, "src_ip is not an IP address"),
        ({"dest_ip": INJECTION}, "dest_ip is not an IP address"),
        ({"src_ip": "fe80::1%{{ lookup('pipe','id') }}"}, "src_ip is not an IP address"),
        ({"src_ip": "fe80::1%eth0"}, "src_ip is not an IP address"),
        ({"src_ip": "10.0.0.1/8"}, "src_ip is not an IP address"),
        ({"src_ip": ""}, "src_ip is not an IP address"),
        ({"src_ip": "1.2.3.4\x00"}, "src_ip is not an IP address"),
        ({"timestamp": "yesterday " + INJECTION}, "timestamp is not an ISO 8601 time"),
        ({"timestamp": "2024-05-01T12:00:00"}, "timestamp has no time zone"),
        ({"timestamp": "0001-01-01T00:00:00+14:00"}, "timestamp is out of range"),
        ({"timestamp": "9999-12-31T23:59:59-14:00"}, "timestamp is out of range"),
        (
            {"alert": rule(None)},
            "not an EVE event: Object missing required field `signature_id` - at `$.alert`",
        ),
        (
            {"alert": rule("5000003; drop")},
            "not an EVE event: Expected `int`, got `str` - at `$.alert.signature_id`",
        ),
        ({"alert": rule(-1)}, "not an EVE event: Expected `int` &= 0 - at `$.alert.signature_id`"),
        ({"alert": rule(True)}, "not an EVE event: Expected `int`, got `bool` - at `$.alert.signature_id`"),
        ({"alert": []}, "not an EVE event: Expected `object | null`, got `array` - at `$.alert`"),
        ({"src_port": 65536}, "not an EVE event: Expected `int` &= 65535 - at `$.src_port`"),
        ({"src_ip": 7}, "not an EVE event: Expected `str | null`, got `int` - at `$.src_ip`"),
    ],
)
def test_alerts_that_lack_what_an_alert_must_have(tmp_path: Path, changes: dict[str, Any], expected: str) -> None:
    line = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    assert reason(tmp_path, line).replace("?=", "&=") == expected


def test_other_events_need_nothing_but_their_type(tmp_path: Path) -> None:
    lines: list[Event] = [
        {"event_type": "flow", "flow": 7, "src_ip": []},
        {"event_type": "stats"},
        {"event_type": "flow"},
    ]
    report = report_of(write(tmp_path / "eve.json", *lines, GOOD))
    assert (report.alerts, report.skipped, report.bad) == (1, {"flow": 2, "stats": 1}, 0)


def test_event_types_are_named_only_when_plain_and_few(tmp_path: Path) -> None:
    many = [{"event_type": f"type{number}"} for number in range(MAX_TYPES + 9)]
    odd = [{"event_type": text} for text in (INJECTION, "", "x" * 99, "ALERT\n")]
    skipped = report_of(write(tmp_path / "eve.json", *many, *odd)).skipped
    assert len(skipped) == MAX_TYPES + 1
    assert skipped["(other)"] == 9 + len(odd)
    assert all(name == "(other)" or name.startswith("type") for name in skipped)


def test_a_truncated_last_line_is_bad_and_a_whole_one_without_newline_is_not(tmp_path: Path) -> None:
    whole = json.dumps(GOOD).encode()
    cut = report_of(write(tmp_path / "cut.json", GOOD, whole[:300]))
    assert (cut.alerts, cut.bad_lines) == (1, ((2, "not JSON: cut off at the end of the file"),))
    assert report_of(write(tmp_path / "whole.json", GOOD, whole)).alerts == 2


def test_a_byte_order_mark_and_carriage_returns_do_no_harm(tmp_path: Path) -> None:
    line = json.dumps(GOOD).encode()
    assert report_of(write(tmp_path / "eve.json", b"\xef\xbb\xbf" + line + b"\r\n", line + b"\r\n")).alerts == 2


def test_all_bad_lines_are_counted_and_the_first_kept(tmp_path: Path) -> None:
    report = report_of(write(tmp_path / "eve.json", *["x"] * 50, GOOD))
    assert (report.bad, report.alerts, len(report.bad_lines)) == (50, 1, MAX_BAD_LINES)
    assert [number for number, _ in report.bad_lines] == list(range(1, MAX_BAD_LINES + 1))


def test_ports_of_icmp_are_dropped_whatever_the_line_says(tmp_path: Path) -> None:
    (alert,) = read_alerts(write(tmp_path / "eve.json", event(proto="ICMP")))
    assert (alert.source_port, alert.destination_port) == (None, None)


def test_an_alert_from_a_protected_or_spoofed_source_is_read_like_any_other(tmp_path: Path) -> None:
    gateway = event(src_ip="10.20.0.1", app_proto=None)
    ((summary,), report) = summarise(write(tmp_path / "eve.json", gateway))
    assert (str(summary.source), summary.handshake, report.bad) == ("10.20.0.1", False, 0)
