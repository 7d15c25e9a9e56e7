"""The baselines as policies, through the production guard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from labs.scenario import Case
from labs.simulator import FastField
from labs.validator import BASELINES, Row, accuracy, baseline, evaluate_policy
from secloop_ai.contracts import BlockIp, IsolateHost, Observe, Policy, PolicyError, PolicyRequest
from secloop_ai.loop.decide import build_request
from secloop_ai.policies import resolve
from tests.simulator.world import GUESS_SSH, MEANS, case_of, field_of, infected, strategy

FALSE_ALARM: dict[str, Any] = {"kind": "false-alarm"}
FROM_DESK = {"means": "guess", "source": "desk", "target": "web/ssh"}


def cases() -> Iterator[Case]:
    for seed in range(6):
        yield case_of(GUESS_SSH, seed=seed)
        yield case_of({"means": "flood", "target": "web/http"}, seed=seed)
        yield case_of(FROM_DESK, seed=seed, hosts=infected("desk"))
        yield case_of(FROM_DESK, seed=seed, **FALSE_ALARM)
        yield case_of(seed=seed, kind="quiet", chain=[])


def make(case: Case) -> FastField:
    return FastField(case, MEANS.__getitem__)


def rows(name: str, **more: Any) -> list[Row]:
    return list(evaluate_policy(baseline(name), cases(), make, **more))


def request(*chain: Any, **change: Any) -> PolicyRequest:
    field = field_of(*(chain or (GUESS_SSH,)), **change)
    return build_request(field.alerts(), field.case.environment)


@pytest.mark.parametrize("name", BASELINES)
def test_every_baseline_is_a_policy_and_its_rows_are_always_the_same(name: str) -> None:
    assert isinstance(baseline(name), Policy)
    assert len(baseline(name).digest()) == 64
    assert rows(name) == rows(name)


def test_no_op_is_right_exactly_where_nothing_happens() -> None:
    found = rows("no-op")
    assert all(r.measurement.valid for r in found)
    assert [r.correct for r in found] == [r.kind != "attack" for r in found]
    assert accuracy(found) == pytest.approx(0.4)


def test_block_source_stops_an_outsider_and_acts_on_false_alarms() -> None:
    found = rows("block-source")
    outsider = [r for r in found if r.kind == "attack" and r.correct]
    assert len(outsider) == 6
    assert all([type(a) for a in r.actions] == [BlockIp] for r in outsider)
    alarms = [r for r in found if r.kind == "false-alarm"]
    assert alarms
    assert not any(r.correct for r in alarms)


def test_block_source_does_not_block_what_may_be_forged() -> None:
    flood = request({"means": "flood", "target": "web/http"})
    (candidate,) = baseline("block-source").propose(flood, n=1, seed=0)
    assert [c.tool for c in candidate.calls] == ["observe"]


def test_block_all_never_keeps_the_services() -> None:
    found = rows("block-all")
    assert not any(r.correct for r in found)
    executed = [r for r in found if r.measurement.executed]
    assert executed
    assert all(r.measurement.rs_service < 1 for r in executed)
    field = field_of()
    everything = [IsolateHost(ttl_s=300, host=h.name) for h in field.case.environment.hosts if h.role == "server"]
    measured = field.evaluate(strategy(*everything))
    assert measured.rs_attack == 0.0
    assert measured.rs_service < 1.0
    assert not measured.correct


def test_block_all_takes_everything_that_an_alert_names() -> None:
    (candidate,) = baseline("block-all").propose(request(), n=1, seed=0)
    assert sorted(c.tool for c in candidate.calls) == ["block_ip", "isolate_host"]
    (idle,) = baseline("block-all").propose(request(kind="quiet", chain=[]), n=1, seed=0)
    assert {c.tool for c in idle.calls} == {"isolate_host"}


def test_the_expert_table_stops_every_outsider_and_does_better_than_blocking_everything() -> None:
    outsiders = [case_of(GUESS_SSH, seed=seed) for seed in range(6)]
    assert all(r.correct for r in evaluate_policy(baseline("expert-table"), outsiders, make))
    assert accuracy(rows("expert-table")) > accuracy(rows("block-all")) == 0.0


def test_random_strategies_fit_the_schema_and_differ_by_seed() -> None:
    asked = request()
    policy = baseline("random-valid")
    drawn = policy.propose(asked, n=60, seed=3)
    assert len(drawn) > 40
    assert all(not resolve(c, asked, policy.name).problems for c in drawn)
    assert drawn == policy.propose(asked, n=60, seed=3)
    assert drawn != policy.propose(asked, n=60, seed=4)
    assert {c.tool for d in drawn for c in d.calls} >= {"block_ip", "isolate_host", "restrict_service", "observe"}


def test_random_asks_for_nothing_that_is_not_offered() -> None:
    case = case_of()
    bare = case.environment.model_copy(update={"not_offered": {"block_ip": "no filters"}})
    asked = build_request(make(case).alerts(), bare)
    assert "block_ip" not in {c.tool for d in baseline("random-valid").propose(asked, n=40, seed=1) for c in d.calls}


def test_what_the_guard_refuses_is_a_row_that_has_not_executed() -> None:
    found = [r for r in rows("random-valid") if r.measurement.refusals]
    assert found
    for row in found:
        assert row.actions
        assert (row.measurement.executed, row.measurement.rs_exe, row.correct) == (False, 0.0, False)
        assert row.measurement.rs_attack == (1.0 if row.kind == "attack" else 0.0)


def test_a_policy_sees_a_quiet_network_as_one_without_alerts() -> None:
    quiet = [r for r in rows("expert-table") if r.kind == "quiet"]
    assert quiet
    assert all(r.alerts == 0 and r.correct and isinstance(r.actions[0], Observe) for r in quiet)


def test_accuracy_leaves_out_what_proves_nothing() -> None:
    void = list(evaluate_policy(baseline("no-op"), [case_of({"means": "guess", "target": "web/http"})], make))
    assert not void[0].measurement.valid
    assert accuracy(void) == 0.0
    calm = list(evaluate_policy(baseline("no-op"), [case_of(kind="quiet", chain=[])], make))
    assert accuracy([*void, *calm]) == 1.0


def test_a_wrong_name_and_a_wrong_number_are_said() -> None:
    with pytest.raises(PolicyError, match="no baseline 'best'; known: no-op, block-all"):
        baseline("best")
    with pytest.raises(PolicyError, match="asked for 0"):
        baseline("no-op").propose(request(), n=0, seed=0)
