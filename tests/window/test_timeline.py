"""A recorded run: written and read again, bad files refused, what it says in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from labs.scenario import Kind
from labs.window.recorder import without_words
from labs.window.status import FACTS, STATUS, Status, facts_in, put, status_in
from labs.window.timeline import ActionApplied, AlertSeen, Marked, StageEnded, StageStarted, load_timeline
from labs.window.words import headline, lines, verdict_rows
from secloop_ai.contracts.errors import LabError
from tests.window.support import RECORDED, changed, recorded


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    run = recorded()
    run.save(tmp_path / "again.json")
    assert load_timeline(tmp_path / "again.json") == run


def test_the_recorded_run_holds_what_a_run_has() -> None:
    run = recorded()
    kinds = {type(e) for e in run.events}
    assert {Marked, StageStarted, StageEnded, AlertSeen, ActionApplied} <= kinds
    assert len(run.series.at_s) == len(run.series.tries_per_s)
    assert set(run.series.ports) == {p.key for p in run.facts.ports}
    assert any(any(r.packets_in_per_s) for r in run.series.ports.values())
    assert all(p.tries > 0 for p in run.probes)
    assert list(run.events) == sorted(run.events, key=lambda e: e.at_s)


def test_no_output_of_an_attack_tool_is_kept() -> None:
    run = recorded()
    found = [*run.verdict.stages, *(run.twin.stages if run.twin else ())]
    assert not any(s.detail for s in found if s.attempted)
    loud = run.verdict.model_copy(update={"stages": tuple(s.model_copy(update={"detail": "x"}) for s in found)})
    assert not any(s.detail for s in without_words(loud).stages)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"nothing\.json: No such file"):
        load_timeline(tmp_path / "nothing.json")


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "not a recorded run"), ("[]", "not a recorded run"), ('{"format": 2}', "format"), ("\xff", "not a recorded")],
)
def test_a_file_that_is_no_run_is_refused(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(LabError, match=why):
        load_timeline(path)


def test_control_characters_are_refused() -> None:
    with pytest.raises(ValidationError):
        Marked(at_s=1.0, phase="\x1b[2J")


def test_every_time_that_a_stage_was_tried_is_found() -> None:
    run = recorded()
    tried = list(run.tries())
    assert len(tried) == sum(isinstance(e, StageEnded) for e in run.events)
    assert {t.word for t in tried} == {"succeeded", "failed"}
    cut = changed(run, events=[e.model_dump() for e in run.events if not isinstance(e, StageEnded)])
    assert [t.word for t in cut.tries()] == ["not over"]


def test_each_event_is_a_line() -> None:
    run = recorded()
    said = lines(run)
    assert len(said) == len(run.events)
    alert = next(line for line in said if line.lane == "alert")
    assert "UNION SELECT in a query" in alert.text
    assert "red 203.0.113." in alert.text


def test_the_verdict_in_a_sentence() -> None:
    run = recorded()
    assert headline(run)[1].startswith("Contained ")
    stopped = run.verdict.model_copy(update={"rs_attack": 0.0, "time_to_contain_s": None, "rs_service": 1.0})
    assert headline(changed(run, verdict=stopped.model_dump()))[0] == "good"
    lossy = stopped.model_copy(update={"rs_service": 0.75})
    assert "25.0% of the legitimate tries were lost" in headline(changed(run, verdict=lossy.model_dump()))[1]
    void = stopped.model_copy(update={"valid": False})
    assert headline(changed(run, verdict=void.model_dump()))[1].startswith("Void")
    quiet = stopped.model_copy(update={"kind": Kind.QUIET, "quiet_strategy": False})
    assert headline(changed(run, verdict=quiet.model_dump()))[0] == "bad"
    refused = stopped.model_copy(update={"refusals": ("protected-set: no",)})
    assert "refused" in headline(changed(run, verdict=refused.model_dump()))[1]


def test_verdict_rows_have_the_same_keys() -> None:
    own, twin = verdict_rows(recorded())
    assert list(own) == list(twin)
    assert own["strategy"]
    assert not twin["strategy"]


def test_a_status_is_read_as_it_was_written(tmp_path: Path) -> None:
    status = Status(written_at=0.0, clock_s=1.5, mode="undefended")
    assert status_in(tmp_path) is None
    assert facts_in(tmp_path) is None
    put(tmp_path, STATUS, status)
    put(tmp_path, FACTS, recorded().facts)
    assert status_in(tmp_path) == status
    assert facts_in(tmp_path) == recorded().facts
    (tmp_path / STATUS).write_text("{")
    with pytest.raises(LabError, match="not a window's file"):
        status_in(tmp_path)


def test_the_fixture_is_small() -> None:
    assert RECORDED.stat().st_size < 20_000
