"""Whatever the bytes, whatever the order: counts add up, bounds hold, nothing but AlertFileError is raised."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from secloop_ai.alerts import Tally, read_alerts, summarise
from secloop_ai.alerts.sighting import Sighting
from secloop_ai.alerts.table import WindowTable
from secloop_ai.contracts import AlertFileError, AlertSummary, IngestReport, Protocol, Untrusted
from tests.alerts.events import INJECTION, event, rule

WINDOW_US = 30_000_000

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(INJECTION),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
members = st.sampled_from([*event(), "http", "metadata", "stream"])
warped_events = st.dictionaries(members, json_values, max_size=4).map(lambda changes: {**event(), **changes})
warped_rules = st.dictionaries(st.sampled_from([*rule(), "metadata", "references"]), json_values, max_size=3).map(
    lambda changes: event(alert={**rule(), **changes})
)
event_lines = (warped_events | warped_rules | st.just(event())).map(lambda value: json.dumps(value).encode())
mangled_lines = st.tuples(event_lines, st.integers(0, 400), st.binary(max_size=4)).map(
    lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] :]
)
files = st.lists(event_lines | mangled_lines | st.binary(max_size=60), max_size=12).map(b"\n".join)


def summarised(data: bytes, **options: Any) -> tuple[tuple[AlertSummary, ...], IngestReport]:
    """Both ways to read must agree on the counts."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "eve.json"
        path.write_bytes(data)
        summaries, report = summarise(path, **options)
        tally = Tally()
        assert sum(1 for _ in read_alerts(path, tally)) == report.alerts
        assert (tally.lines, tally.bad, tally.skipped) == (report.lines, report.bad, report.skipped)
    return summaries, report


@settings(deadline=None, max_examples=300)
@given(files)
@example(b"")
@example(b"\n\n\n")
@example(b"\xef\xbb\xbf")
@example(b"\x1f\x8b\x08\x00\x00\x00\x00\x00")
def test_any_file_is_accounted_for_line_by_line(data: bytes) -> None:
    try:
        summaries, report = summarised(data)
    except AlertFileError:
        assert data.startswith(b"\x1f\x8b")
        return
    assert report.lines == report.alerts + sum(report.skipped.values()) + report.bad
    assert report.lines == len(data.removesuffix(b"\n").split(b"\n")) if data else report.lines == 0
    assert sum(summary.count for summary in summaries) == report.alerts
    assert len(report.bad_lines) == min(report.bad, 20)
    assert "lookup" not in report.model_dump_json()
    for summary in summaries:
        assert "lookup" not in summary.model_dump_json(exclude={"signature": {"raw"}})
        assert AlertSummary.model_validate_json(summary.model_dump_json()).summary_id == summary.summary_id


@settings(deadline=None)
@given(st.text() | st.just(INJECTION))
def test_no_text_shows_itself(text: str) -> None:
    kept = Untrusted.of(text)
    assert str(kept) == f"<untrusted text, {len(text)} characters>"
    assert all((c.isascii() and c.isprintable()) or c in "·…" for c in kept.display())
    assert not set(kept.display()) & set("{}<>&`$%\\\n\r\t\x1b")


def sighting(seconds: float, key: int, flow_id: int) -> Sighting:
    """A light alert."""
    return Sighting(
        time_us=round(seconds * 1e6),
        signature_id=key,
        signature="x",
        classification="unknown",
        severity=key % 4 + 1,
        source=bytes((10, 0, 0, key)),
        source_port=1024 + flow_id,
        destination=b"\x0a\0\0\x01",
        destination_port=22,
        protocol=Protocol.TCP,
        app_protocol=None,
        techniques=(),
        to_server=True,
        handshake=False,
        flow_id=flow_id,
        flow=(1, 1, 60, 60),
    )


sequences = st.lists(st.builds(sighting, st.floats(0, 200), st.integers(0, 9), st.integers(0, 12)), max_size=80)


@settings(deadline=None, max_examples=300)
@given(sequences, st.integers(1, 8))
def test_the_table_never_outgrows_its_bound_and_loses_no_alert(seen: list[Sighting], max_open: int) -> None:
    table = WindowTable(max_open=max_open)
    for one in seen:
        table.add(one)
        assert len(table) <= max_open
    summaries = [window.summary(key) for key, window in table.close()]
    assert table.peak <= max_open
    assert Counter(one.signature_id for one in seen) == Counter(
        {key: sum(s.count for s in summaries if s.signature_id == key) for key in {s.signature_id for s in summaries}}
    )
    assert all(0 <= summary.seconds <= WINDOW_US / 1e6 for summary in summaries)
    assert len({summary.summary_id for summary in summaries}) == len(summaries)


@settings(deadline=None)
@given(sequences, st.integers(1, 5))
def test_the_keeper_holds_its_limit_and_counts_what_falls_out(seen: list[Sighting], limit: int) -> None:
    bounded, free = WindowTable(max_kept=limit), WindowTable()
    for one in seen:
        bounded.add(one)
        free.add(one)
        assert len(bounded.keeper) <= limit
    kept, every = list(bounded.close()), list(free.close())
    assert len(bounded.keeper) == min(limit, len(free.keeper))
    assert bounded.keeper.dropped == len(free.keeper) - len(bounded.keeper)
    assert min((w.severity for _, w in kept), default=0) == min((w.severity for _, w in every), default=0)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 29), st.integers(0, 5)), min_size=1, max_size=40), st.randoms())
def test_within_one_window_the_order_of_lines_does_not_matter(alerts: list[tuple[int, int]], rng: Any) -> None:
    events = [event(second, src_port=2000 + port, flow_id=port) for second, port in alerts]
    shuffled = rng.sample(events, len(events))
    one, other = (summarised("\n".join(map(json.dumps, some)).encode())[0] for some in (events, shuffled))
    assert one == other
