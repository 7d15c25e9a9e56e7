"""What was measured, as a table: counted by run, nothing hidden; the campaign resumes and says what it cannot run."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labs.attacks import campaign, table
from labs.attacks.base import Tool
from labs.attacks.ear import Ear, read
from labs.attacks.means_a_web import Csrf
from labs.attacks.measure import Measured
from labs.attacks.registry import all_means, means
from labs.battlefield.oddities import as_alert, heard
from labs.cli import app
from labs.executor import Store
from secloop_ai.contracts.errors import InputError, LabError

PAIR = ("csrf", "zero-day")
RUNS = 5
"""Seeds that every means is measured with before anything is said of it."""
COMPLAINT: dict[str, object] = {
    "timestamp": "2026-11-22T18:00:00.000000+0000", "event_type": "anomaly", "proto": "TCP",
    "src_ip": "10.3.1.2", "src_port": 80, "dest_ip": "203.0.113.9", "dest_port": 49910,
    "anomaly": {"app_proto": "http", "type": "applayer", "event": "INVALID_CODING", "layer": "proto_parser"},
}  # fmt: skip
ALERT: dict[str, object] = {
    "event_type": "alert", "src_ip": "203.0.113.9", "dest_ip": "10.3.1.2", "alert": {"signature_id": 9001019},
}  # fmt: skip


class Handless(Csrf):
    """A means whose tool nobody has."""

    tools = (Tool(program="no-such-program", package="no-such-package"),)


def line(event: dict[str, object]) -> bytes:
    return json.dumps(event).encode() + b"\n"


def results(path: Path) -> Path:
    """Three runs of one means: blocked, refused by the guard, failed undefended; one of another."""
    store = Store(path)
    rows = [
        Measured(means="csrf", seed=0, succeeded=True, alerts={9001018: 2}, latency_s=0.01, blocked=True, kept=True),
        Measured(means="csrf", seed=1, succeeded=True, alerts={9001018: 1}, latency_s=0.03, refused=True),
        Measured(means="csrf", seed=2, detail="refused"),
        Measured(means="zero-day", seed=0, succeeded=True, alerts={0: 1}, latency_s=0.5, blocked=False, kept=False),
    ]
    for row in rows:
        store.append(campaign.key_of(row.means, row.seed), row.model_dump(mode="json", exclude_defaults=True))
    return path


def test_runs_are_counted_apart(tmp_path: Path) -> None:
    csrf, zero_day = table.rows(map(means, PAIR), campaign.load(results(tmp_path / "r.jsonl")))
    wanted = {"runs": 3, "succeeded": 2, "alerted": 2, "signatures": [9001018], "latency_p50_s": 0.02}
    assert csrf == csrf | wanted | {"tested": 1, "refused": 1, "blocked": 1, "kept": 1}
    assert (zero_day["tested"], zero_day["blocked"], zero_day["kept"]) == (1, 0, 0)


def test_the_end_of_the_table_names_what_falls_short(tmp_path: Path) -> None:
    plugins = [*map(means, (*PAIR, "ssrf")), Handless()]
    plugins = [p for n, p in enumerate(plugins) if n]  # csrf once
    said = table.text(table.rows(plugins, campaign.load(results(tmp_path / "r.jsonl"))))
    assert "not measured: 1: ssrf" in said
    assert "succeed undefended in less than 95%: 1: csrf" in said
    assert "tactics with fewer than two means: 3" in said
    assert "seen without a signature: 1: zero-day" in said
    assert "lacks the tools of: 1: csrf (no-such-package)" in said


def test_a_means_without_its_tool_is_left_out_with_the_packages_name(tmp_path: Path) -> None:
    said = list(campaign.run([Handless()], range(5), tmp_path / "r.jsonl"))
    assert said == ["csrf: skipped: needs no-such-program (no-such-package)"]
    assert not (tmp_path / "r.jsonl").exists()


def test_what_was_measured_is_not_measured_again(tmp_path: Path) -> None:
    path = results(tmp_path / "r.jsonl")
    before = path.read_bytes()
    assert list(campaign.run([means("csrf")], range(3), path)) == []
    assert path.read_bytes() == before


def test_a_row_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    Store(path).append("csrf#0", {"means": "csrf", "seed": "many"})
    with pytest.raises(InputError, match=r"r\.jsonl: csrf#0: seed: "):
        campaign.load(path)


def test_an_unknown_means_cannot_be_chosen() -> None:
    assert campaign.chosen([]) == all_means()
    with pytest.raises(LabError, match="did you mean csrf"):
        campaign.chosen(["crsf"])


def test_the_command_prints_the_same_rows_both_ways(tmp_path: Path) -> None:
    path = str(results(tmp_path / "r.jsonl"))
    argv = ["attacks", "--means", ",".join(PAIR), "--results", path]
    shown, told = (CliRunner().invoke(app, [*argv, *more]) for more in ([], ["--json"]))
    assert (shown.exit_code, told.exit_code) == (0, 0)
    found = json.loads(told.stdout)
    assert [r["means"] for r in found] == list(PAIR)
    assert table.text(found) in shown.stdout


def test_what_is_shipped_has_every_means_often_enough_and_each_succeeds_and_is_seen() -> None:
    measured = campaign.load()
    assert {m.means for m in measured} == {m.id for m in all_means()}
    assert not [m for m in measured if m.error]
    for row in table.rows(all_means(), measured):
        assert row["runs"] >= RUNS, row["means"]
        assert row["succeeded"] >= table.WANTED * row["runs"], row["means"]
        assert row["alerted"] or row["blind"], row["means"]
        assert row["tested"] + row["refused"] == row["succeeded"], row["means"]


def test_the_ear_hears_alerts_and_complaints_in_order_and_only_whole_lines(tmp_path: Path) -> None:
    log, clock = tmp_path / "eve.json", count(1.0)
    log.write_bytes(line(ALERT))
    with Ear(log, lambda: next(clock)) as ear, log.open("ab", buffering=0) as file:
        file.write(line(COMPLAINT) + line({"event_type": "flow", "alert": {}}))
        file.write(line(ALERT)[:20])
        file.write(line(ALERT)[20:] + b'{"event_type": "alert"')
    assert [h.sid for h in ear.heard] == [0, 9001019]
    assert ear.heard[0].at_s <= ear.heard[1].at_s


@pytest.mark.parametrize("junk", [b"", b'{"alert"', b'"alert"', b'{"event_type": "alert"}', b'{"e": "anomaly"}'])
def test_the_ear_survives_junk(junk: bytes) -> None:
    assert read(junk, 1.0) is None


def test_a_parsers_complaint_is_an_alert_without_a_signature_from_client_to_server(tmp_path: Path) -> None:
    eve = tmp_path / "eve.json"
    eve.write_bytes(line(COMPLAINT))
    (summary,) = heard(eve)
    assert (summary.signature_id, summary.techniques, summary.classification) == (0, (), "bad-unknown")
    assert (str(summary.source), str(summary.destination), summary.destination_port) == ("203.0.113.9", "10.3.1.2", 80)
    assert summary.handshake
    assert summary.app_protocol == "http"


def test_other_oddities_are_no_alerts(tmp_path: Path) -> None:
    decoder = {**COMPLAINT, "anomaly": {"type": "decode", "event": "decoder.ipv4.trunc_pkt"}}
    assert as_alert(line(decoder)) is None
    assert heard(tmp_path / "none.json") == ()
