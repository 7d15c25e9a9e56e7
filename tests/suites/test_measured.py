"""Measured rows: kept whole, counted honestly, taken up again; the fast model's half is what it says today."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks import agreement
from labs.cli import app
from labs.scenario import Kind, Split, Suite
from labs.simulator import FastField
from labs.simulator.oracle import ORACLE
from labs.suites import measure, report, scores
from labs.suites.cases import case_of
from labs.suites.load import load_suite
from labs.suites.measured import MEASURED, Alone, Row, Trial, case_sha, compact, load_rows, open_store, repeats, to_json
from labs.validator import Measurement, StageOutcome
from labs.validator.agreement import intervals, wilson
from secloop_ai.contracts import BlockIp
from secloop_ai.contracts.errors import InputError

SCENARIO = next(s for s in load_suite("autoattack") if s.split is Split.TRAIN and s.kind is Kind.ATTACK)
CASE = case_of(SCENARIO, 3)
Side = bool | Measurement | None
"""Whether a verdict is "correct"; or the whole of it, or none."""
ALONE = Alone(correct=False, valid=True, refused=False, same=True)
BLOCK = BlockIp.model_validate({"ttl_s": 300, "source": f"{CASE.attackers[0].address}/32"})


def found(backend: str, *, correct: bool, valid: bool = True, served: bool = True, quiet: bool = False) -> Measurement:
    stage = StageOutcome(index=0, means="m", attempted=True, succeeded=not correct, detail="x" * 300)
    return Measurement.model_validate(
        {
            "case_id": CASE.case_id, "backend": backend, "kind": "attack", "valid": valid, "quiet_strategy": quiet,
            "executed": True, "rs_exe": 1.0, "rs_attack": 0.0 if correct else 1.0, "rs_service": 1.0 if served else 0.5,
            "stages": [stage], "collateral": {} if served else {"a/http": 0.51239},
        }
    )  # fmt: skip


def row_of(
    policy: str = "no-op", *, live: Side = False, fast: Side = False, repeat: int = 0, seed: int = 3, **more: object
) -> Row:
    trial = Trial(suite="autoattack", scenario=SCENARIO.name, seed=seed, policy=policy, repeat=repeat)
    given = {"live": live, "fast": fast}
    sides = {n: compact(found(n, correct=s)) if isinstance(s, bool) else s for n, s in given.items()}
    base = {"split": Split.TRAIN, "case_id": CASE.case_id, "case_sha": case_sha(CASE), "date": "2026-01-05"}
    return Row.model_validate({"trial": trial, **base, **sides, "alone": ALONE, "actions": (BLOCK,), **more})


def written(path: Path, *rows: Row) -> Path:
    store = open_store(path)
    for row in rows:
        store.append(row.trial.key, to_json(row))
    return path


def test_a_row_comes_back_as_it_was(tmp_path: Path) -> None:
    row = row_of(live=True, alerts=3, tried_before=("no suricata",))
    assert load_rows(written(tmp_path / "rows.jsonl", row)) == (row,)
    assert row.words == (f"block_ip {BLOCK.source}",)
    assert row.live is not None
    assert len(row.live.stages[0].detail) < 100


def test_a_line_that_is_no_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"key": "k", "value": {"split": "train"}}) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"rows\.jsonl: k: trial: Field required"):
        load_rows(path)


def test_a_run_takes_up_what_is_missing_and_what_failed_and_keeps_the_failures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, failed = row_of("no-op"), row_of("block-all", live=False, error="ip: File exists")
    lost = failed.model_copy(update={"live": None, "fast": None, "alone": None, "actions": ()})
    gone = row_of("block-source", case_sha="0" * 12)
    path = written(tmp_path / "rows.jsonl", done, lost, gone)
    monkeypatch.setattr(measure, "CALL", f"{__name__}:answer")
    trials = [row_of(p).trial for p in ("no-op", "block-all", "block-source", "expert-table", "random-valid")]
    rows = {r.trial.policy: r for r in measure.run(trials, path, kind="inline")}
    assert set(rows) == {"block-all", "block-source", "expert-table", "random-valid"}
    assert rows["block-all"].tried_before == ("ip: File exists",)
    assert rows["random-valid"].error == "no lab here"
    kept = {r.trial.policy: r for r in load_rows(path)}
    assert kept == rows | {"no-op": done}


def answer(**trial: object) -> object:
    asked = Trial.model_validate(trial)
    if asked.policy == "random-valid":
        raise InputError("no lab here")
    return to_json(row_of(asked.policy, live=True))


def test_trials_are_every_scenario_with_every_policy_case_by_case() -> None:
    planned = list(measure.plan(Split.VALIDATION, [100], ("no-op", "oracle")))
    chosen = [s for suite in Suite for s in load_suite(suite) if s.split is Split.VALIDATION]
    assert len(planned) == 2 * len(chosen) == 2 * len({t.case_key for t in planned})
    assert [t.policy for t in planned[:4]] == ["no-op", "oracle", "no-op", "oracle"]
    assert len({t.suite for t in planned[:12]}) > 2, "no suite waits until the others are done"


@pytest.mark.parametrize("policy", measure.POLICIES)
def test_every_policy_chooses_or_is_refused(policy: str) -> None:
    fast = FastField(CASE)
    chosen = measure.choose(policy, CASE, fast.alerts(), 3)
    assert (chosen.strategy is None) == bool(chosen.refusals)
    if policy == measure.ACTING and chosen.strategy:
        assert not chosen.strategy.quiet
    if policy == ORACLE:
        assert chosen.strategy is not None
        assert fast.evaluate(chosen.strategy).correct


def test_what_the_fast_model_says_is_what_it_says_today(tmp_path: Path) -> None:
    old = row_of(fast=True)
    path = written(tmp_path / "rows.jsonl", old)
    assert measure.refresh(path) == 1
    (now,) = load_rows(path)
    assert now.live == old.live
    assert now.fast is not None
    assert now.fast.stages[0].means == CASE.stages[0].means
    assert measure.refresh(path) == 0


def test_accuracy_counts_what_was_asked_and_what_was_not_run() -> None:
    rows = [
        row_of("no-op", live=True),
        row_of("no-op", seed=4, refused=True),
        row_of("no-op", seed=5, live=None, fast=None, alone=None, error="gone"),
        row_of("no-op", seed=6, live=found("live", correct=True, valid=False)),
        row_of("no-op", live=True, repeat=1),
    ]
    lines = list(scores.accuracy(rows, Split.TRAIN, seeds=0))
    (line,) = [x for x in lines if (x["suite"], x["policy"]) == ("autoattack", "no-op")]
    assert [line[k] for k in ("asked", "not_run", "void", "refused", "live_n")] == [4, 1, 1, 1, 2]
    assert line["live"] == 0.5
    low, high = wilson(1, 2)
    assert line["live_95"] == f"{low:.2f}..{high:.2f}"
    assert str(next(x["why"] for x in scores.left_out(rows))).startswith(("not run: gone", "void: "))


def test_repeats_are_compared_with_the_first_run_alone() -> None:
    first, again, other = row_of(live=True), row_of(live=False, repeat=1), row_of("oracle", repeat=1)
    assert repeats([first, again, other]) == ((first, again),)
    told = agreement.summary([first, again, other])
    assert (told["pairs"], told["repeats_same_strategy"], told["noise_floor_agreement"]) == (1, 1, 0.0)


def test_a_disagreement_is_explained_and_refused_pairs_stand_apart() -> None:
    rows = [row_of(live=True), row_of("block-all", refused=True), row_of("oracle", live=True, fast=True)]
    told = agreement.summary(rows)
    assert (told["pairs"], told["refused"], told["live_only"], told["both"]) == (2, 1, 1, 1)
    first, *details = agreement.explained(rows)
    assert "no-op 0" in first
    assert "m fails live only" in first
    assert len(details) == 2
    assert [x["policy"] for x in agreement.shares(rows, "policy")] == ["no-op", "oracle"]


def test_intervals_hold_the_figure_and_narrow_with_more_cases() -> None:
    good, bad = (found("live", correct=True), found("fast", correct=True)), (
        found("live", correct=False), found("fast", correct=True),
    )  # fmt: skip
    fair = (found("live", correct=False), found("fast", correct=False))
    few = [[good, good], [fair, bad], [fair]]
    (low, high), kappa = intervals(few)
    assert low <= (1 + 2 / 3) / 2 <= high
    assert kappa[0] <= kappa[1]
    more = intervals(few * 20)[0]
    assert more[1] - more[0] < high - low
    assert intervals(few) == intervals(few)


def test_the_committed_rows_are_of_todays_cases_and_say_what_the_fast_model_says() -> None:
    rows = load_rows(MEASURED)
    assert len(rows) > 300
    assert MEASURED.stat().st_size < 1_500_000
    sample = [r for r in rows if r.live][::40]
    assert [r.trial.key for r in sample if measure.stale(r)] == []
    assert [r.trial.key for r in sample if measure.fresh_fast(r).fast != r.fast] == []


def test_the_command_names_the_splits_there_are() -> None:
    told = CliRunner().invoke(app, ["suites", "--report", "--split", "all"])
    assert told.exit_code == 1
    assert "no split 'all'; there are train, validation, test" in told.output


def test_the_report_shows_what_was_measured(tmp_path: Path) -> None:
    path = written(tmp_path / "rows.jsonl", row_of(live=True), row_of("oracle", live=None, fast=None, error="gone"))
    tables = report.measured_tables(Split.TRAIN, path, seeds=0)
    shown = report.text(tables)
    assert "not run: gone" in shown
    assert "2026-01-05" in shown
    assert json.loads(report.as_json(tables)).keys() == tables.keys()
