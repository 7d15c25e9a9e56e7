"""From answers to scores: here, in workers, on replicas; what cannot be measured is not scored, never 0."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from labs.executor import Executor, Job, open_executor
from labs.scenario import Kind
from labs.simulator.answers import answers
from labs.validator import baseline
from secloop_ai.contracts import ActionCall
from training.scoring import Answered, Order, Score, Scorer, There, correct_share, replicas
from training.sources import CaseTasks, Chained, MadeTasks, Ref, TaskSource
from training.tasks import Task

from .making import source


@pytest.fixture(scope="module")
def attacked() -> Task:
    """An attack that one blocked source ends."""
    for n in range(len(source())):
        task = source().task(n)
        if task.case.kind is Kind.ATTACK and Scorer().score([said(task, "block-source")])[0].correct == 1.0:
            return task
    raise AssertionError


def said(task: Task, policy: str) -> Answered:
    return Answered(task, baseline(policy).propose(task.request, n=1, seed=0)[0].calls)


def total(score: Score) -> float:
    assert score.reward is not None
    return score.reward.total


def test_the_right_answer_scores_above_every_cheat_on_a_real_case(attacked: Task) -> None:
    names = ("block-source", "no-op", "block-all")
    right, nothing, everything = Scorer().score([said(attacked, name) for name in names])
    assert right.correct == 1.0
    assert total(right) == pytest.approx(3.0)
    assert total(nothing) == pytest.approx(2.0)
    assert total(everything) < 2.0


def test_what_the_guard_refuses_is_not_executed_but_judged(attacked: Task) -> None:
    table = attacked.request.pointers
    bystander = next(s.slot for s in reversed(table.slots) if s.role.value == "host")
    (found,) = Scorer().score(
        [Answered(attacked, (ActionCall(tool="isolate_host", params={"host": bystander}, ttl_s=300),))]
    )
    assert found.measurement is not None
    assert found.measurement.refusals
    assert found.reward is not None
    assert found.reward.format == 1.0
    assert found.reward.execution == 0.0
    assert found.reward.penalty < 0.0


def test_an_answer_that_does_not_parse_has_no_format_and_no_measurement(attacked: Task) -> None:
    (found,) = Scorer().score([Answered(attacked, None)])
    assert total(found) == -1.0
    assert found.measurement is None
    assert found.correct == 0.0


class Dying(There):
    """Jobs that call what the test wants instead."""

    def __init__(self, executor: Executor, call: str, mark: Path, tries: int) -> None:
        super().__init__(executor, tries)
        self._call, self._mark = f"tests.training.dying:{call}", mark

    def job(self, order: Order) -> Job:
        job = super().job(order)
        arguments = {**job.arguments, "mark": str(self._mark)}
        return job.model_copy(update={"call": self._call, "arguments": arguments})


@pytest.fixture
def workers() -> Iterator[Executor]:
    with open_executor("local", workers=1, retries=0) as executor:
        yield executor


def test_workers_and_this_process_score_alike(attacked: Task, workers: Executor) -> None:
    answered = [said(attacked, name) for name in ("block-source", "no-op", "block-all", "block-source")]
    here, there = Scorer().score(answered), Scorer(There(workers)).score(answered)
    assert [s.reward for s in here] == [s.reward for s in there]


def test_a_worker_that_dies_costs_nothing_but_time(attacked: Task, workers: Executor, tmp_path: Path) -> None:
    answered = [said(attacked, name) for name in ("block-source", "no-op")]
    mark = tmp_path / "died"
    found = Scorer(Dying(workers, "once", mark, tries=3)).score(answered)
    assert mark.exists(), "a worker has died"
    assert [s.reward for s in found] == [s.reward for s in Scorer().score(answered)]


@pytest.mark.parametrize(("call", "why"), [("always", ""), ("no_number", "JSON"), ("beyond", "rs_service")])
def test_what_never_comes_or_is_no_number_is_not_scored(
    attacked: Task, workers: Executor, tmp_path: Path, call: str, why: str
) -> None:
    (found,) = Scorer(Dying(workers, call, tmp_path / "mark", tries=2)).score([said(attacked, "block-source")])
    assert found.reward is None
    assert found.why
    assert why in found.why


def test_a_live_share_goes_to_the_packets_and_is_drawn_alike_again(attacked: Task, workers: Executor) -> None:
    class Counting(There):
        orders: list[Order] = []  # noqa: RUF012 - one test's own list

        def job(self, order: Order) -> Job:
            self.orders.append(order)
            return super().job(order._replace(live=False))

    answered = [said(attacked, "no-op")] * 40
    packets = Counting(workers)
    scorer = Scorer(packets=packets, live_share=0.25, seed=1)
    scorer.score(answered, turn=3)
    first = len(packets.orders)
    scorer.score(answered, turn=3)
    assert 2 <= first <= 20
    assert len(packets.orders) == 2 * first
    assert all(order.live for order in packets.orders)


def test_the_worst_of_the_replicas_counts(attacked: Task) -> None:
    cases = replicas(attacked.case, 3)
    assert cases[0] == attacked.case
    assert all(c.persistent for c in cases[1:])
    assert len({s.seed for c in cases for s in c.stages[:1]}) == 3
    answered = [said(attacked, name) for name in ("block-source", "no-op")]
    worst, mean, alone = (Scorer(replicas=3, tail=t) for t in (0.01, 1.0, 0.5))
    for low, high in zip(worst.score(answered), mean.score(answered), strict=True):
        assert total(low) <= total(high)
    assert len(alone.score(answered)) == 2


def test_a_case_that_attacks_nobody_has_no_replicas() -> None:
    quiet = next(t.case for t in map(source().task, range(len(source()))) if t.case.kind is not Kind.ATTACK)
    assert replicas(quiet, 4) == (quiet,)


def test_the_share_of_correct_answers_leaves_out_what_was_not_measured(attacked: Task) -> None:
    scores = Scorer().score([said(attacked, name) for name in ("block-source", "no-op")])
    assert correct_share([*scores, Score(None)]) == 0.5


def test_a_source_gives_the_same_case_for_the_same_number() -> None:
    one, other = source(2), source(2)
    for n in (0, 7, len(one) - 1):
        assert one.task(n).case == other.task(n).case
    kin = one.kin(3)
    assert len(kin) == 2
    assert len({one.task(n).case.scenario for n in kin}) == 1


def test_a_case_of_a_suite_is_found_again_by_its_names() -> None:
    from labs.executor.evaluate import _case

    for n in range(0, len(source(3)), 5):
        case = source(3).task(n).case
        assert _case(*Ref.of(case))[1] == case


def test_made_tasks_are_made_once() -> None:
    base, made = source(), []

    def make(n: int) -> Task:
        made.append(n)
        return base.task(n)

    tasks: TaskSource = MadeTasks(make, 5)
    assert len(tasks) == 5
    assert tasks.task(2) is tasks.task(2)
    assert made == [2]
    assert not isinstance(tasks, Chained)
    assert isinstance(base, Chained)


def test_no_seeds_is_an_error() -> None:
    from secloop_ai.contracts import SecLoopError

    with pytest.raises(SecLoopError, match="0 seeds"):
        CaseTasks("train", ())


def test_the_searched_answer_gets_the_most_there_is(attacked: Task) -> None:
    best = answers(attacked.field).best
    assert best is not None
    assert attacked.field.evaluate(best).correct
