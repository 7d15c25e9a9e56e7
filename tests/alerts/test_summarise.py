"""Grouping by key and window, in a bounded table."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from secloop_ai.alerts import summarise
from secloop_ai.alerts.flows import FLOWS_KEPT, FlowSums
from secloop_ai.contracts import AlertSummary, IngestReport
from tests.alerts.events import START, Event, event, flow, rule, write


def run(tmp_path: Path, *events: Event, **options: Any) -> tuple[list[AlertSummary], IngestReport]:
    summaries, report = summarise(write(tmp_path / "eve.json", *events), **options)
    return list(summaries), report


def source(number: int) -> str:
    return f"198.51.{number // 256}.{number % 256}"


def spans(summaries: list[AlertSummary]) -> list[tuple[float, float, int]]:
    """First and last second after the start, and count, in time order."""
    found = [
        ((s.first_seen - START).total_seconds(), (s.last_seen - START).total_seconds(), s.count) for s in summaries
    ]
    return sorted(found)


def test_one_key_within_thirty_seconds_is_one_summary(tmp_path: Path) -> None:
    events = [event(second, src_port=2000 + second, flow_id=second) for second in (0, 10, 30)]
    ((summary,), report) = run(tmp_path, *events)
    assert (summary.count, summary.seconds, summary.source_ports) == (3, 30.0, 3)
    assert (summary.first_seen, summary.last_seen) == (START, START + timedelta(seconds=30))
    assert (report.summaries, report.late, report.evicted, report.dropped) == (1, 0, 0, 0)


def test_a_longer_run_is_cut_into_windows(tmp_path: Path) -> None:
    summaries, _ = run(tmp_path, *[event(second) for second in range(0, 100, 5)])
    assert spans(summaries) == [(0, 30, 7), (35, 65, 7), (70, 95, 6)]
    assert len({summary.summary_id for summary in summaries}) == 3


def test_a_shorter_window(tmp_path: Path) -> None:
    summaries, _ = run(tmp_path, *[event(second) for second in range(10)], window_s=4)
    assert spans(summaries) == [(0, 4, 5), (5, 9, 5)]


@pytest.mark.parametrize(
    "change",
    [
        {"alert": rule(7)},
        {"src_ip": "198.51.100.1"},
        {"dest_ip": "10.20.0.11"},
        {"dest_port": 23},
        {"dest_port": None},
    ],
)
def test_every_part_of_the_key_parts(tmp_path: Path, change: Event) -> None:
    assert len(run(tmp_path, event(), {**event(), **change})[0]) == 2


@pytest.mark.parametrize("change", [{"src_port": 7}, {"flow_id": 7}, {"src_ip": "::ffff:203.0.113.9"}])
def test_other_things_do_not_part(tmp_path: Path, change: Event) -> None:
    assert len(run(tmp_path, event(), {**event(), **change})[0]) == 1


def test_alerts_out_of_order_within_a_window_are_one_summary(tmp_path: Path) -> None:
    ((summary,), report) = run(tmp_path, *[event(second) for second in (20, 5, 29, 0, 12)])
    assert (summary.count, summary.seconds, report.late) == (5, 29.0, 0)


def test_a_straggler_is_late_and_leaves_the_open_window_alone(tmp_path: Path) -> None:
    summaries, report = run(tmp_path, *[event(second) for second in (100, 105, 10, 110, 12)])
    assert spans(summaries) == [(10, 12, 2), (100, 110, 3)]
    assert report.late == 2


def test_a_late_alert_joins_its_open_window_where_it_fits(tmp_path: Path) -> None:
    other = event(100, src_ip="198.51.100.1")
    summaries, report = run(tmp_path, event(50), other, event(55))
    assert spans(summaries) == [(50, 55, 2), (100, 100, 1)]
    assert report.late == 1


def test_files_joined_in_the_wrong_order_are_still_summarised(tmp_path: Path) -> None:
    today, yesterday = [event(90_000 + n) for n in range(60)], [event(n) for n in range(60)]
    summaries, report = run(tmp_path, *today, *yesterday)
    assert spans(summaries) == [(0, 30, 31), (31, 59, 29), (90_000, 90_030, 31), (90_031, 90_059, 29)]
    assert report.late == 60


def test_one_clock_far_ahead_spoils_nothing(tmp_path: Path) -> None:
    events = [event(0), event(10**9, src_ip="198.51.100.1"), *[event(n) for n in range(1, 30)]]
    summaries, report = run(tmp_path, *events)
    assert spans(summaries) == [(0, 29, 30), (10**9, 10**9, 1)]
    assert report.late == 29


def test_a_full_table_closes_the_window_idle_longest_and_counts_it(tmp_path: Path) -> None:
    crowd = [event(n / 100, src_ip=source(n)) for n in range(10)]
    busy = [event(n / 100 + 0.001, alert=rule(9)) for n in range(10)]
    mixed = [one for pair in zip(crowd, busy, strict=True) for one in pair]
    summaries, report = run(tmp_path, *mixed, max_open=4)
    assert [s.count for s in summaries if s.signature_id == 9] == [10]
    assert len(summaries) == 11
    assert (report.evicted, report.dropped) == (11 - 4, 0)


def test_a_window_that_was_over_anyway_does_not_count_as_evicted(tmp_path: Path) -> None:
    summaries, report = run(tmp_path, *[event(n * 31, src_ip=source(n)) for n in range(10)], max_open=2)
    assert (len(summaries), report.evicted) == (10, 0)


def test_what_an_eviction_tore_apart_is_joined_again(tmp_path: Path) -> None:
    events = [event(0, flow_id=7), event(1, src_ip=source(1)), event(2, flow_id=7), event(0, src_ip=source(2))]
    summaries, report = run(tmp_path, *events, max_open=1)
    joined = next(summary for summary in summaries if summary.count == 2)
    assert (joined.seconds, joined.source_ports, joined.flow.packets_to_server) == (2.0, 1, 5)
    assert len(summaries) == 3
    assert report.evicted == 3


def test_stragglers_do_not_tear_the_current_window_into_pieces(tmp_path: Path) -> None:
    mixed = [event(seconds) for n in range(20) for seconds in (100 + n / 10, n / 10)]
    summaries, report = run(tmp_path, *mixed, max_summaries=2)
    assert [summary.count for summary in summaries] == [20, 20]
    assert (report.late, report.evicted) == (20, 0)


def test_a_late_window_closed_for_want_of_room_is_always_early(tmp_path: Path) -> None:
    late = [event(n, src_ip=source(n)) for n in (0, 1)]
    assert run(tmp_path, event(100), *late, max_open=1)[1].evicted == 2


def test_a_summary_closed_early_and_not_returned_counts_as_both(tmp_path: Path) -> None:
    summaries, report = run(tmp_path, *[event(0, src_ip=source(n)) for n in range(3)], max_open=1, max_summaries=1)
    assert [str(summary.source) for summary in summaries] == [source(2)]
    assert (report.evicted, report.dropped) == (2, 2)


def test_beyond_the_limit_the_least_important_go(tmp_path: Path) -> None:
    low = [event(n / 10, src_ip=source(n), alert=rule(severity=3)) for n in range(20)]
    spoofed = [event(n / 10, src_ip=source(100 + n), app_proto=None) for n in range(20)]
    real, loud = event(0), [event(n, src_ip=source(200), app_proto=None) for n in range(5)]
    summaries, report = run(tmp_path, *low, real, *spoofed, *loud, max_summaries=5)
    assert [(s.severity, s.count, s.handshake) for s in summaries][:2] == [(1, 5, False), (1, 1, True)]
    assert [str(s.source) for s in summaries[2:]] == [source(100 + n) for n in (17, 18, 19)]
    assert (report.summaries, report.evicted, report.dropped, report.alerts) == (5, 0, 42 - 5, 46)


def test_the_order_is_by_severity_count_time_and_key(tmp_path: Path) -> None:
    events = [
        event(5, alert=rule(1, severity=3)),
        event(6, alert=rule(1, severity=3)),
        event(9, alert=rule(2, severity=1)),
        event(8, alert=rule(3, severity=1)),
        event(8, alert=rule(3, severity=1), dest_port=None),
        event(8, alert=rule(3, severity=1), src_ip="198.51.100.1"),
        event(7, alert=rule(4, severity=2)),
    ]
    summaries, _ = run(tmp_path, *events)
    assert [(s.signature_id, str(s.source)[:3], s.destination_port) for s in summaries] == [
        (3, "198", 22),
        (3, "203", None),
        (3, "203", 22),
        (2, "203", 22),
        (4, "203", 22),
        (1, "203", 22),
    ]
    assert run(tmp_path, *events)[0] == summaries


def test_a_summary_keeps_the_most_telling_values(tmp_path: Path) -> None:
    first = event(0, alert=rule(severity=3, category="what?"), app_proto=None)
    more = rule(severity=2, metadata={"mitre_technique_id": ["T1110"]})
    again = rule(severity=4, metadata={"mitre_technique_id": ["T1078", "T1110"]})
    ((summary,), _) = run(tmp_path, first, event(1, alert=more), event(2, alert=again))
    assert (summary.severity, summary.classification, summary.app_protocol) == (2, "attempted-admin", "ssh")
    assert summary.techniques == ("T1110", "T1078")
    assert summary.handshake


def test_flows_are_summed_once_each(tmp_path: Path) -> None:
    grown = [event(n, flow_id=n % 2, flow=flow(10 + n, 5 + n, 1000 * n, 100 * n)) for n in range(6)]
    ((summary,), _) = run(tmp_path, *grown)
    assert summary.flow.packets_to_server == 14 + 15
    assert summary.flow.packets_to_client == 9 + 10
    assert summary.flow.bytes_to_server == 9000
    assert summary.flow.bytes_to_client == 900


def test_many_flows_are_summed_in_bounded_memory(tmp_path: Path) -> None:
    ((summary,), _) = run(tmp_path, *[event(n / 10, flow_id=n, flow=flow(3, 2, 200, 100)) for n in range(100)])
    assert summary.flow.packets_to_server == 300


def test_a_flow_stands_by_its_largest_counters_in_whatever_order(tmp_path: Path) -> None:
    order = [(1, 10), (1, 7), (2, 4), (1, 9), (2, 3)]
    ((summary,), _) = run(tmp_path, *[event(n, flow_id=f, flow=flow(c)) for n, (f, c) in enumerate(order)])
    assert summary.flow.packets_to_server == 10 + 4


def test_flows_remembered_are_bounded_and_one_that_comes_back_later_counts_again() -> None:
    sums = FlowSums(0, (1, 1, 1, 1))
    for flow_id in [*range(1, 100), 99, 0]:
        sums.add(flow_id, (1, 1, 1, 1))
        assert len(sums.earlier or {}) < FLOWS_KEPT
    assert sums.total().packets_to_server == 101


def test_alerts_without_flow_id_count_as_one_flow(tmp_path: Path) -> None:
    ((summary,), _) = run(tmp_path, *[event(n, flow_id=None, flow=flow(n, n, n, n)) for n in range(9)])
    assert summary.flow.packets_to_server == 8


def test_source_ports_are_counted_up_to_255(tmp_path: Path) -> None:
    events = [event(n / 100, src_port=port) for n, port in enumerate([*range(5000, 4600, -1), *range(4600, 5000)])]
    ((summary,), _) = run(tmp_path, *events)
    assert (summary.source_ports, summary.count) == (255, 800)


@pytest.mark.parametrize("options", [{"window_s": 0}, {"window_s": 31}, {"max_open": 0}, {"max_summaries": 0}])
def test_bounds_out_of_range_are_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        run(tmp_path, event(), **options)
