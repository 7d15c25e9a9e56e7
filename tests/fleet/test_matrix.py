"""A slice of the fault matrix over a mixed fleet; `python -m labs.fleet.matrix` is the whole of it."""

from __future__ import annotations

import json

import pytest

from labs.emulator import EVERY, FaultKind, Step, kinds_at
from labs.fleet import matrix
from labs.fleet.cases import LASTING, Case, every_case
from labs.fleet.trial import Verdict
from secloop_ai.contracts import LabError

MIX = ",".join(EVERY)
SLICE = (
    Case(Step.LOCK, FaultKind.LOCK_DENIED, 0, lasting=False),
    Case(Step.EDIT, FaultKind.ERROR, 1, lasting=True),
    Case(Step.COMMIT, FaultKind.DROP, 2, lasting=False),
    Case(Step.COMMIT, FaultKind.DROP_AFTER, 3, lasting=False),
    Case(Step.CONFIRM, FaultKind.DROP, 4, lasting=True),
    Case(Step.GET_CONFIG, FaultKind.DROP, 5, lasting=False, pending=True),
    Case(Step.COMMIT, FaultKind.PARTIAL, 0, lasting=False),
    Case(Step.GET_CONFIG, FaultKind.CLOCK_JUMP, EVERY.index("junos"), lasting=False, pending=True),
)
"""Of the last two, the one leaves a part in running with nothing pending, the other answers a late confirmation with
ok after it has gone back."""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_device_is_left_with_a_part_of_a_change() -> None:
    found = list(matrix.run(SLICE, MIX, side_by_side=2))
    assert [str(c) for c, v in found if not v.good] == []
    assert [v.dialect for _, v in found] == [*EVERY, "ietf", "junos"]
    assert [v.outcome for _, v in found][:2] == ["undone", "undone"]
    assert [v.outcome for _, v in found][-2:] == ["undone", "undone"]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_command_prints_its_counts_and_says_whether_all_was_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert matrix.main(["--mix", "ietf", "--step", "lock", "--kind", "error", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["rows"][-1]["cases"] == len(said["cases"]) == 2
    assert said["rows"][-1] | {"undone": 2, "left_mixed": 0, "met": 2, "broken": 0} == said["rows"][-1]
    assert {c["case"] for c in said["cases"]} == {"lock error", "lock error for good"}


def test_every_fault_that_means_something_is_a_case_for_every_victim() -> None:
    found = every_case(3)
    assert len(set(found)) == len(found)
    wanted = {(step, kind, victim) for step in Step for kind in kinds_at(step) for victim in range(3)}
    assert {(c.step, c.kind, c.victim) for c in found} == wanted
    assert {c.kind for c in found if c.lasting} == LASTING
    assert {c.step for c in found if c.pending} == {Step.GET_CONFIG}
    assert every_case(1, steps=["commit"], kinds=["drop"]) == (
        Case(Step.COMMIT, FaultKind.DROP, 0, lasting=False),
        Case(Step.COMMIT, FaultKind.DROP, 0, lasting=True),
    )
    with pytest.raises(LabError, match="no step 'comit'; there are: connect, auth"):
        every_case(1, steps=["comit"])


def test_what_is_wrong_is_counted_and_told() -> None:
    case = Case(Step.COMMIT, FaultKind.DROP, 0, lasting=False)
    fine = Verdict(case=str(case), dialect="ietf", met=True, outcome="in_doubt", settled="undone")
    bad = Verdict(case=str(case), dialect="eos", met=True, outcome="undone", mixed=("gw2",), told=False, busy=("gw1",))
    table = matrix.rows([(case, fine), (case, bad)])
    counts = {"cases": 2, "in_doubt": 1, "settled": 1, "left_mixed": 1, "left_busy": 1, "misreported": 1}
    assert table[0] | counts == table[0]
    said = matrix.text(table, [(case, fine), (case, bad)], 1.0)
    assert (
        "wrong: eos: commit drop: undone; mixed: gw2; busy: gw1; the devices do not hold what the report says" in said
    )
    assert "devices left mixed: 1; cases that went wrong: 1" in said


def test_a_mix_that_nobody_plays_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert matrix.main(["--mix", "vaxen"]) == 2
    assert "vaxen" in capsys.readouterr().err
