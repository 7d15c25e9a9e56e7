"""The standard job: a strategy on a case, by name, the same through an executor as by hand."""

from __future__ import annotations

import pytest

from labs.executor import open_executor
from labs.executor.evaluate import evaluation, fast
from labs.simulator import FastField
from labs.suites import load_suite
from labs.suites.cases import case_of
from labs.validator import BASELINES, Measurement, baseline
from labs.validator.harness import evaluate_on
from secloop_ai.contracts import Strategy
from secloop_ai.contracts.errors import InputError
from secloop_ai.loop.decide import build_request, decide
from tests.battlefield.support import needs_lab

SUITE, SCENARIO, SEED = "cic-ids2017", "cic17-ftp-patator", 1
WHERE = (SUITE, SCENARIO, SEED)


@pytest.fixture(scope="module")
def field() -> FastField:
    """The case itself."""
    scenario = next(s for s in load_suite(SUITE) if s.name == SCENARIO)
    return FastField(case_of(scenario, SEED))


def test_policies_through_workers_say_what_they_say_here(field: FastField) -> None:
    jobs = [evaluation("fast", *WHERE, policy=name, policy_seed=5) for name in BASELINES]
    with open_executor("local", 2, limit=64) as executor:
        found = {r.key: r for r in executor.run(jobs)}
    for job, name in zip(jobs, BASELINES, strict=True):
        expected = evaluate_on(baseline(name), field, candidates=8, seed=5).measurement
        assert Measurement.model_validate(found[job.key].value) == expected
        assert found[job.key].error == ""
    assert len({r.worker for r in found.values()}) <= 2


def test_a_strategy_as_json_is_the_policys_own(field: FastField) -> None:
    request = build_request(field.alerts(), field.case.environment)
    strategy = decide(request, baseline("expert-table"), candidates=8, seed=0).strategy
    value = fast(*WHERE, strategy=strategy.model_dump(mode="json"))
    assert Measurement.model_validate(value) == field.evaluate(strategy)
    assert Measurement.model_validate(value).correct


def test_what_the_guard_refuses_is_not_executed() -> None:
    block = {"kind": "block_ip", "source": "203.0.113.77/32", "ttl_s": 900}
    strategy = Strategy.model_validate({"actions": [block], "evidence": [], "policy": "by hand"})
    found = Measurement.model_validate(fast(*WHERE, strategy=strategy.model_dump(mode="json")))
    assert found.refusals
    assert found.rs_exe == 0
    assert found.rs_attack == 1.0


def test_the_same_question_has_the_same_key_and_another_one_another() -> None:
    keys = {
        evaluation(side, SUITE, SCENARIO, seed, policy=name, policy_seed=turn).key
        for side in ("live", "fast")
        for seed in (1, 2)
        for name in ("no-op", "block-all")
        for turn in (0, 1)
        for _ in range(2)
    }
    assert len(keys) == 16


@pytest.mark.parametrize("both", [{}, {"policy": "no-op", "strategy": {"actions": []}}])
def test_neither_or_both_is_no_question(both: dict[str, object]) -> None:
    with pytest.raises(InputError, match="of a strategy or of a policy"):
        evaluation("fast", *WHERE, **both)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"scenario": "nothing", "policy": "no-op"}, "suite cic-ids2017 has no scenario 'nothing'"),
        ({"suite": "nothing", "policy": "no-op"}, "nothing"),
        ({"policy": "nothing"}, "nothing"),
        ({"strategy": {"actions": [{"kind": "pray"}], "evidence": [], "policy": "x"}}, "not a strategy: actions.0"),
        ({"strategy": {"actions": []}}, "not a strategy: evidence: Field required"),
    ],
)
def test_what_is_wrong_is_named(arguments: dict[str, object], said: str) -> None:
    job = evaluation("fast", *WHERE, policy="no-op")
    fixed = {k: v for k, v in job.arguments.items() if k != "policy" or "strategy" not in arguments}
    with open_executor("inline") as executor:
        (found,) = executor.run([job.model_copy(update={"arguments": {**fixed, **arguments}})])
    assert said in found.error
    assert "Traceback" not in found.error


@pytest.mark.lab
@pytest.mark.slow
@pytest.mark.timeout(240)
@needs_lab[1]
def test_live_the_same_job_is_played_with_packets() -> None:
    job = evaluation("live", *WHERE, policy="no-op")
    with open_executor("local", 1, limit=64) as executor:
        (result,) = executor.run([job])
    assert result.error == ""
    found = Measurement.model_validate(result.value)
    assert found.backend == "live"
    assert found.valid
    assert found.rs_attack == 1.0
    assert found.quiet_strategy
    assert found.served
