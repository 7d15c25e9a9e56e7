"""The page says what is kept, and of the rest that it was not measured."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from labs.executor import Store
from labs.scenario import Kind, Split, Suite
from secloop_ai.contracts.errors import InputError
from training.cli import evaluation, results
from training.evaluation import logs, tables
from training.evaluation.cells import path_of, to_json
from training.evaluation.outcome import Outcome
from training.evaluation.published import SHIPPED
from training.results import same_weights, write

from .making import cell, outcome

COMMAND = Typer()
COMMAND.add_typer(evaluation, name="eval")
COMMAND.add_typer(results, name="results")


def fill(folder: Path, label: str, right: int, of: int = 10, split: Split = Split.VALIDATION) -> None:
    store = Store(path_of("fast", split, folder))
    for suite in Suite:
        outcomes = [outcome(f"s{n}#1", correct=n < right) for n in range(of)]
        calm = Outcome(case="calm#1", kind=Kind.FALSE_ALARM, correct=right > 0, quiet=right > 0)
        made = cell(label, *outcomes, calm, suite=suite.value, split=split)
        store.append(made.key, to_json(made))


def test_without_anything_kept_all_is_said_to_be_not_measured(tmp_path: Path) -> None:
    (page,) = write(tmp_path / "none", tmp_path / "results.md")
    text = page.read_text(encoding="utf-8")
    assert text.count("not measured") >= 20
    assert "The policy that ships is not measured on this split." in text
    assert "0 so far" in text
    assert "img/" not in text


def test_figures_tables_and_losses_come_from_the_lines(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    fill(tmp_path, SHIPPED, 8)
    fill(tmp_path, "sa-grpo/0", 8)
    fill(tmp_path, "expert-table", 9)
    fill(tmp_path, "no-op", 0)
    fill(tmp_path, "ablation:no-penalty/0", 6)
    fill(tmp_path, "weak:sa-grpo/0", 5)
    fill(tmp_path, "weak:grpo/0", 4)
    fill(tmp_path, f"earlier:{SHIPPED}", 7)
    (tmp_path / logs.CURVES).mkdir()
    log = "".join(f"{json.dumps({'step': n, 'reward': n / 10, 'correct': 0.5})}\n" for n in range(30))
    (tmp_path / logs.CURVES / "sa-grpo-0.jsonl").write_text(log, encoding="utf-8")
    (tmp_path / logs.LATENCY).write_text('[{"policy": "embedded", "p50_ms": 41.23456}]', encoding="utf-8")
    free = {"label": "small", "decoding": "free", "answers": 30, "valid_share": 0.9333, "right_share": 0.5}
    free["observe_share"] = 0.2
    (tmp_path / logs.FREE).write_text(json.dumps(free), encoding="utf-8")
    written = list(write(tmp_path, tmp_path / "docs" / "results.md"))
    assert {p.stem for p in written[:-1]} == {"accuracy", "gaps", "ablations", "weak", "reward", "correct"}
    text = written[-1].read_text(encoding="utf-8")
    assert "| accuracy on the fast model, mean over suites | at least 95.00 % | 81.82 % | no |" in text
    assert "- expert-table: behind, our lead -9.1 %" in text
    assert re.search(r"\| no-penalty \| -18\.2 % \(-[\d.]+ to -[\d.]+\) \| -10\.0 % \|", text)
    assert "| embedded | 41.23 |" in text
    assert re.search(r"\| grpo \| 1 \| 45\.5 % \([^|]+\) \| [^|]+ \| 9\.1 % \([^|]+\) \| \+10\.3 % \|", text)
    assert "-0.0 %" not in text
    assert re.search(rf"\| earlier:{SHIPPED} \| 72\.7 % \([^|]+\) \| 72\.7 % \| 70\.0 % \|", text)
    elsewhere = text[: text.index("## Two trainings")] + text[text.index("## Every figure") :]
    assert "earlier:" not in elsewhere
    assert "weak:" not in text[: text.index("## From a weak checkpoint")]
    assert "| small | free | 30 | 93.3 % | 50.0 % | 20.0 % |" in text
    for path in written[:-1]:
        assert f"img/results/{path.name}" in text
        assert path.read_text(encoding="utf-8").startswith("<?xml")
    before = [p.read_bytes() for p in written]
    assert [p.read_bytes() for p in write(tmp_path, tmp_path / "docs" / "results.md")] == before


def test_the_test_split_is_shown_as_soon_as_it_was_looked_at(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    fill(tmp_path, SHIPPED, 8)
    fill(tmp_path, SHIPPED, 3, split=Split.TEST)
    *_, page = write(tmp_path, tmp_path / "results.md")
    assert "of the **test** split" in page.read_text(encoding="utf-8")


def test_live_figures_of_older_weights_are_not_shown_beside_todays() -> None:
    made = [cell(label, policy_sha=sha, side="live") for label, sha in (("embedded", "ab12"), ("embedded", "old0"))]
    other = cell("expert-table", policy_sha="ee00", side="live")
    today = [cell("embedded", policy_sha="ab12")]
    assert same_weights([*made, other], today) == (made[0], other)


def test_a_mean_over_suites_knows_doubt_even_where_all_went_well(tmp_path: Path) -> None:
    cells = [cell("embedded", outcome("a#1", correct=True), suite=s.value) for s in Suite]
    found = tables.suite_mean(cells)
    assert found is not None
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.5655, abs=1e-3)  # Wilson's, five of five


def test_runs_of_one_method_are_told_apart() -> None:
    runs = [cell(f"sft/{n}", outcome("a#1", correct=n > 0), outcome("b#1", correct=True)) for n in range(5)]
    (row,) = [r for r in tables.accuracy_rows(runs) if r["suite"] == "cic-ids2017"]
    assert (row["policy"], row["n"], row["runs"], row["accuracy"], row["iqm"]) == ("sft", 10, 5, 0.9, 1.0)


@pytest.mark.parametrize(
    ("name", "text"), [("curves/x.jsonl", '{"reward": 1}'), ("latency.jsonl", "[1]"), ("latency.jsonl", "{")]
)
def test_a_log_that_is_none_is_named(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=name):
        list(write(tmp_path, tmp_path / "results.md"))


def test_the_command_prints_tables_and_json_and_goes_on(tmp_path: Path) -> None:
    asked = [
        "eval",
        "--suite",
        "ccdc-2018",
        "--policy",
        "no-op,expert-table",
        "--policy",
        "block-all",
        "--seeds",
        "1",
        "--results",
        str(tmp_path),
    ]
    first = CliRunner().invoke(COMMAND, asked)
    assert first.exit_code == 0, first.output
    assert "Accuracy, validation split, fast" in first.stdout
    assert "The test split was looked at 0 times." in first.stdout
    again = CliRunner().invoke(COMMAND, [*asked, "--json"])
    assert again.stderr == ""
    shown = json.loads(again.stdout)
    assert shown["test_runs"] == []
    assert {r["policy"] for r in shown["tables"]["Figures"]} == {"no-op", "expert-table", "block-all"}


@pytest.mark.parametrize(
    "wrong", [["--suite", "x"], ["--split", "x"], ["--policy", "x"], ["--live", "--mid-attack"], ["--policy", ""]]
)
def test_bad_input_is_a_sentence(tmp_path: Path, wrong: list[str]) -> None:
    done = CliRunner().invoke(COMMAND, ["eval", *wrong, "--results", str(tmp_path)])
    assert done.exit_code == 1
    assert done.stderr.startswith("secloop eval: ")
    assert "Traceback" not in done.output


def test_injections_by_command(tmp_path: Path) -> None:
    asked = [
        "eval",
        "--policy",
        "no-op",
        "--suite",
        "ccdc-2018",
        "--injections",
        "3",
        "--results",
        str(tmp_path),
        "--json",
    ]
    done = CliRunner().invoke(COMMAND, asked)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)[0]["violations"] == 0
