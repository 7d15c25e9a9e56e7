"""The judge's arithmetic, on receipts and probes made by hand."""

from __future__ import annotations

import pytest

from labs.attacks.base import Receipt
from labs.scenario import Case
from labs.validator import UNDEFENDED, Execution, Measurement, Run, StageOutcome, Use, judge, outcome, refused
from secloop_ai.contracts import Refusal
from tests.simulator.world import GUESS_SSH, case_of

SWEEP = {"means": "sweep", "target": "db"}
DONE = Execution(quiet=False, done=2, calls=2)


def run_of(*succeeded: bool, served: int = 10, tries: int = 10) -> Run:
    stages = tuple(StageOutcome(index=n, means="m", attempted=True, succeeded=s) for n, s in enumerate(succeeded))
    return Run(stages, (Use("desk", "web/http", tries, served), Use("desk", "web/ssh", 10, 10)))


def judged(run: Run, twin: Run, *, execution: Execution = DONE, **more: object) -> Measurement:
    return judge(case(), "live", execution, run, twin, **more)  # type: ignore[arg-type]


def case() -> Case:
    return case_of(GUESS_SSH, SWEEP)


def test_executed_defended_and_undisturbed_is_correct() -> None:
    found = judged(run_of(False, False), run_of(True, True), seconds=1.5)
    assert (found.correct, found.rs_exe, found.rs_attack, found.rs_service, found.tries) == (True, 1.0, 0.0, 1.0, 20)
    assert (found.backend, found.seconds, found.valid) == ("live", 1.5, True)


def test_each_of_the_three_alone_spoils_it() -> None:
    twin = run_of(True, True)
    assert judged(run_of(False, True), twin).rs_attack == 0.5
    assert judged(run_of(False, False, served=9), twin).rs_service == pytest.approx(0.95)
    half = judged(run_of(False, False), twin, execution=Execution(quiet=False, done=1, calls=2))
    assert (half.rs_exe, half.executed) == (0.5, False)
    for bad in (run_of(False, True), run_of(False, False, served=9)):
        assert not judged(bad, twin).correct
    assert not half.correct
    assert not judged(run_of(False, False), twin, sensor_alive=False).correct


def test_a_refused_strategy_has_not_executed_and_the_attack_ran() -> None:
    undefended = judged(run_of(True, True), run_of(True, True), execution=UNDEFENDED)
    found = refused(undefended, [Refusal(rule="handshake", action=0, reason="may be forged")])
    assert (found.executed, found.rs_exe, found.rs_attack, found.correct) == (False, 0.0, 1.0, False)
    assert found.refusals == ("handshake: may be forged",)
    assert Execution(quiet=False, done=2, calls=2, refusals=("ttl: no",)).share == 0.0


def test_collateral_counts_what_the_twin_had() -> None:
    found = judged(run_of(False, False, served=3), run_of(True, True, served=6))
    assert found.collateral == {"web/http": pytest.approx(0.5)}
    gone = judged(run_of(False, False, served=0), run_of(True, True, served=0))
    assert gone.collateral == {}, "the attack had taken it, not the strategy"


@pytest.mark.parametrize("twin", [run_of(True, False), run_of(False, False), run_of(True), Run((), ())])
def test_an_attack_that_fails_undefended_proves_nothing(twin: Run) -> None:
    assert not judged(run_of(False, False), twin).valid


def test_a_stage_that_was_not_attempted_has_not_succeeded() -> None:
    receipt = Receipt(stage=0, means="guess", attempted=False, succeeded=True, started_s=0, ended_s=1)
    assert not outcome(receipt).succeeded
    ran = receipt.model_copy(update={"attempted": True, "detail": "a canary"})
    assert outcome(ran) == StageOutcome(index=0, means="guess", attempted=True, succeeded=True, detail="a canary")


def test_without_clients_nothing_is_disturbed_and_without_calls_nothing_executed() -> None:
    stages = run_of(False, False).stages
    found = judged(Run(stages, ()), run_of(True, True), execution=Execution(quiet=True, done=0, calls=0))
    assert (found.rs_service, found.tries, found.executed) == (1.0, 0, False)
