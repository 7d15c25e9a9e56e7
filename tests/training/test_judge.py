"""The rubric on strategies to real requests of the train split: proportionate ones lose nothing, harsh ones much."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from labs.scenario import Kind
from labs.validator import baseline
from secloop_ai.contracts import (
    Action,
    BlockFlow,
    BlockIp,
    IsolateHost,
    Observe,
    ObserveReason,
    ShutdownPort,
    Strategy,
)
from secloop_ai.loop.decide import judge as guarded
from training.judge import FAULTS, HARSHNESS, Rubric
from training.tasks import Task

from .making import source

RUBRIC = Rubric()


@pytest.fixture(scope="module")
def attacked() -> list[Task]:
    found = (source().task(n) for n in range(len(source())))
    return [task for task in found if task.case.kind is Kind.ATTACK and task.request.summaries]


def made(task: Task, *actions: Action) -> Strategy:
    evidence = tuple(s.summary_id for s in task.request.summaries)
    return Strategy(actions=actions, evidence=evidence, policy="test")


def outsider(tasks: list[Task]) -> tuple[Task, BlockIp, BlockFlow]:
    """A task with a proven stranger at a host that only suffers, and two ways to stop that one."""
    for task in tasks:
        at = task.request.environment.host_at
        if any(at(s.source) for s in task.request.summaries):
            continue
        for s in task.request.summaries:
            strange = at(s.source) is None and s.to_server and s.severity == 1
            if strange and s.handshake and s.destination_port and at(s.destination):
                block = BlockIp(ttl_s=3600, source=str(s.source))
                flow = BlockFlow(
                    ttl_s=3600, source=str(s.source), destination=s.destination, protocol="tcp", port=s.destination_port
                )
                return task, block, flow
    raise AssertionError


def test_every_action_of_the_catalogue_has_a_harshness() -> None:
    from secloop_ai.contracts import CATALOGUE

    assert set(HARSHNESS) == set(CATALOGUE)


def test_to_observe_is_never_too_harsh(attacked: list[Task]) -> None:
    for task in attacked[:5]:
        quiet = made(task, Observe(ttl_s=300, reason=ObserveReason.INFORMATIONAL))
        assert RUBRIC.rationality(quiet, task.request) == 1.0


def test_stopping_the_stranger_alone_is_proportionate(attacked: list[Task]) -> None:
    task, block, flow = outsider(attacked)
    assert RUBRIC.rationality(made(task, block), task.request) == 1.0
    assert RUBRIC.rationality(made(task, flow), task.request) == 1.0


def faults(task: Task, *actions: Action) -> dict[str, float]:
    return RUBRIC.faults(made(task, *actions), task.request)


def test_a_victim_cut_off_whole_is_a_fault_and_its_users_are_collateral(attacked: list[Task]) -> None:
    task, block, _ = outsider(attacked)
    victim = next(
        h for s in task.request.summaries if str(s.source) == str(block.source.network_address)
        if (h := task.request.environment.host_at(s.destination))
    )  # fmt: skip
    found = faults(task, IsolateHost(ttl_s=3600, host=victim.name))
    assert found["wholesale"] == 1.0
    assert found["collateral"] > 0.0
    assert found["irrelevant"] == 0.0


def test_what_no_alert_names_is_irrelevant(attacked: list[Task]) -> None:
    task, block, _ = outsider(attacked)
    elsewhere = BlockIp(ttl_s=3600, source="198.18.0.1")
    assert faults(task, elsewhere)["irrelevant"] == 1.0
    assert faults(task, block, elsewhere)["irrelevant"] == 0.5


def test_the_same_twice_and_the_part_beside_the_whole_are_duplicates(attacked: list[Task]) -> None:
    task, block, flow = outsider(attacked)
    assert faults(task, block)["duplicates"] == 0.0
    assert faults(task, block, block.model_copy(update={"ttl_s": 300}))["duplicates"] == 0.5
    assert faults(task, flow, block)["duplicates"] == 0.5


def test_a_lifetime_out_of_proportion_is_a_fault(attacked: list[Task]) -> None:
    task, block, _ = outsider(attacked)
    assert faults(task, block)["duration"] == 0.0
    assert faults(task, block.model_copy(update={"ttl_s": 86_400}))["duration"] == pytest.approx(1 / 4)


def test_a_small_alert_calls_for_nothing_harsh(attacked: list[Task]) -> None:
    task, block, _ = outsider(attacked)
    mild = tuple(s.model_copy(update={"severity": 4}) for s in task.request.summaries)
    request = task.request.model_copy(update={"summaries": mild})
    found = RUBRIC.faults(made(task, block), request)
    assert found["scope"] == pytest.approx(1 / 3)


def test_a_port_taken_down_is_harsher_than_its_host_alone(attacked: list[Task]) -> None:
    task, _, _ = outsider(attacked)
    attached = next(h for h in task.request.environment.hosts if h.attached_to and h.services)
    where = attached.attached_to
    assert where is not None
    down = ShutdownPort(ttl_s=300, device=where.device, interface=where.interface)
    both = made(task, down, IsolateHost(ttl_s=300, host=attached.name))
    assert RUBRIC.rationality(both, task.request) < 0.7


def test_dropping_everything_loses_more_than_half_and_the_expert_next_to_nothing(attacked: list[Task]) -> None:
    means: dict[str, float] = {}
    for name in ("block-all", "expert-table"):
        policy = baseline(name)
        candidates = ((t, policy.propose(t.request, n=1, seed=0)[0]) for t in attacked)
        figures = [RUBRIC.rationality(guarded(c, t.request, name)[0], t.request) for t, c in candidates]
        means[name] = sum(figures) / len(figures)
    assert means["block-all"] < 0.5
    assert means["expert-table"] > 0.95


@pytest.mark.parametrize("fault", [f for _, f in FAULTS.values()])
def test_faults_lie_between_none_and_one(attacked: list[Task], fault: Callable[..., float]) -> None:
    from training.judged import View

    policy = baseline("random-valid")
    for task in attacked:
        for candidate in policy.propose(task.request, n=10, seed=3):
            view = View(guarded(candidate, task.request, "random")[0], task.request)
            assert 0.0 <= (fault(view) if view.acting else 0.0) <= 1.0
