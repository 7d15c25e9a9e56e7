"""Cells are kept as they are done, gone on with, and counted where they look at the test split."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from labs.executor import Store
from labs.scenario import Split, Suite
from secloop_ai.contracts import PolicyError
from secloop_ai.contracts.errors import InputError
from training.evaluation import looks
from training.evaluation.cells import by_scenario, load_cells, paired, path_of, to_json
from training.evaluation.policies import Named, named, policy_of
from training.evaluation.run import FIRST_SEED, Order, missing, plan, run, suites_of

from .making import cell, outcome

CHEAP = Order(suites=(Suite.CCDC_2018, Suite.CIC_IDS2017), policies=(Named("no-op", "no-op"),), seeds=2)


def test_a_second_run_does_nothing_and_more_seeds_run_the_rest(tmp_path: Path) -> None:
    first = list(run(CHEAP, tmp_path))
    assert len(first) == 4
    assert list(run(CHEAP, tmp_path)) == []
    more = list(run(CHEAP.model_copy(update={"seeds": 3}), tmp_path))
    assert {c.seed for c in more} == {FIRST_SEED + 2}
    assert len(load_cells("fast", Split.VALIDATION, tmp_path)) == 6


def test_a_run_that_was_cut_off_goes_on_where_it_ended(tmp_path: Path) -> None:
    kept = list(islice(run(CHEAP, tmp_path), 2))
    with path_of("fast", Split.VALIDATION, tmp_path).open("a", encoding="utf-8") as file:
        file.write('{"key": "half a li')
    rest = list(run(CHEAP, tmp_path))
    assert {c.key for c in kept}.isdisjoint(c.key for c in rest)
    assert {c.key for c in (*kept, *rest)} == {c.key for c in plan(CHEAP)}
    whole = list(run(CHEAP, tmp_path / "other"))
    alike = {c.key: c.outcomes for c in load_cells("fast", Split.VALIDATION, tmp_path)}
    assert alike == {c.key: c.outcomes for c in whole}


def test_what_could_not_be_run_is_run_again(tmp_path: Path) -> None:
    wanted = plan(CHEAP)
    store = Store(path_of("fast", Split.VALIDATION, tmp_path))
    store.append(wanted[0].key, to_json(wanted[0].model_copy(update={"error": "a worker was lost"})))
    assert wanted[0] in missing(wanted, tmp_path)
    assert load_cells("fast", Split.VALIDATION, tmp_path) == ()


def test_other_weights_are_other_cells_and_the_latest_count(tmp_path: Path) -> None:
    store = Store(path_of("fast", Split.VALIDATION, tmp_path))
    old, new = (cell("embedded", outcome(), policy_sha=sha) for sha in ("old", "new"))
    for one in (old, new, cell("no-op", outcome())):
        store.append(one.key, to_json(one))
    assert old.key != new.key
    assert {(c.label, c.policy_sha) for c in load_cells("fast", Split.VALIDATION, tmp_path)} == {
        ("embedded", "new"),
        ("no-op", "ab12"),
    }


def test_a_line_that_is_no_cell_is_named(tmp_path: Path) -> None:
    Store(path_of("fast", Split.VALIDATION, tmp_path)).append("k", {"label": "x"})
    with pytest.raises(InputError, match=r"fast-validation.jsonl: k: policy: Field required"):
        load_cells("fast", Split.VALIDATION, tmp_path)


def test_pairs_are_of_cases_that_both_have_and_that_prove_something() -> None:
    ours = [cell("a", outcome("x#1", correct=True), outcome("x#2"), outcome("y#1", correct=True), outcome("z#1"))]
    theirs = [cell("b", outcome("x#1"), outcome("x#3"), outcome("y#1", valid=False), outcome("z#1", correct=True))]
    assert paired(ours, theirs) == {"cic-ids2017": [(1.0, 0.0), (0.0, 1.0)]}
    assert by_scenario(ours) == {("cic-ids2017", "x"): 0.5, ("cic-ids2017", "y"): 1.0, ("cic-ids2017", "z"): 0.0}


def test_validation_is_not_counted_and_every_look_at_the_test_split_is(tmp_path: Path) -> None:
    list(run(CHEAP, tmp_path))
    assert looks.runs(tmp_path) == ()
    looks.record("fast", ["ccdc-2018"], [100], {"no-op": "ab"}, 1, tmp_path)
    looks.record("live", ["ccdc-2018"], [100], {"no-op": "ab"}, 5, tmp_path)
    assert [(r.side, r.cells) for r in looks.runs(tmp_path)] == [("fast", 1), ("live", 5)]


@pytest.mark.parametrize("harm", ["first", "changed", "junk"])
def test_a_look_that_was_taken_out_is_seen(tmp_path: Path, harm: str) -> None:
    for cells in (1, 2, 3):
        looks.record("fast", ["autoattack"], [100], {"x": "ab"}, cells, tmp_path)
    file = tmp_path / looks.FILE
    lines = file.read_text(encoding="utf-8").splitlines()
    harmed = {"first": lines[1:], "changed": [lines[0].replace('"cells":1', '"cells":0'), *lines[1:]], "junk": ["{}"]}
    file.write_text("\n".join(harmed[harm]) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"test_runs.jsonl: line [12]: "):
        looks.runs(tmp_path)


def test_names_of_policies_and_suites() -> None:
    assert named("a=no-op, playbook") == (Named("a", "no-op"), Named("playbook", "playbook"))
    assert policy_of("rehearse:4:rehearse:8:expert-table").name.startswith("best-of-4/best-of-8/playbook/")
    assert suites_of("all") == tuple(Suite)
    assert suites_of("unsw-nb15,unsw-nb15") == (Suite.UNSW_NB15,)


@pytest.mark.parametrize("wrong", ["", " , ", "no-op,no-op", "a/b?=no-op", "x="])
def test_a_policy_named_wrongly(wrong: str) -> None:
    with pytest.raises(InputError):
        named(wrong)


@pytest.mark.parametrize("wrong", ["rehearse:x:no-op", "rehearse:4", "rehearse:0:no-op", "nobody", "rehearse:٣:no-op"])
def test_a_policy_that_is_none(wrong: str) -> None:
    with pytest.raises(PolicyError):
        policy_of(wrong)


@pytest.mark.parametrize("wrong", ["", "cic", "all,autoattack"])
def test_a_suite_that_is_none(wrong: str) -> None:
    with pytest.raises(InputError, match="no suite"):
        suites_of(wrong)
