"""From answers to rewards: the production guard, the battlefields, the judge. What cannot be measured is not scored."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

from pydantic import ValidationError

from labs.executor import Executor, Job
from labs.executor.evaluate import evaluation
from labs.scenario import Case, Kind
from labs.scenario.draw import rng
from labs.simulator import FastField
from labs.validator import Measurement, refused
from secloop_ai.contracts import ActionCall, Candidate, Strategy
from secloop_ai.loop.decide import judge as guarded

from .judge import Judge, Rubric
from .rewards import NotScoredError, Reward, reward, tail_mean
from .sources import Ref
from .tasks import Task, field_of

NAME = "sa-grpo"
FIELDS_KEPT = 256
TRIES = 3
"""How often a job is handed out whose worker was lost, beyond what the executor itself retries."""


class Answered(NamedTuple):
    """An answer to a task.

    Attributes:
        calls: None where the answer does not parse.
    """

    task: Task
    calls: tuple[ActionCall, ...] | None


class Score(NamedTuple):
    """What became of an answer.

    Attributes:
        reward: None: not scored.
        measurement: on the task's own battlefield; None where there is none.
        why: nothing is scored; empty else.
    """

    reward: Reward | None
    measurement: Measurement | None = None
    why: str = ""

    @property
    def correct(self) -> float:
        """The method's accuracy, the score that no reward shapes; NaN where nothing was measured that could be."""
        if self.measurement is not None:
            return float(self.measurement.correct)
        return math.nan if self.reward is None else 0.0


class Order(NamedTuple):
    """A strategy to be measured on a battlefield."""

    task: Task
    case: Case
    strategy: Strategy
    live: bool


class Battlefields(Protocol):
    """Where strategies that the guard allows are measured."""

    def measure(self, orders: Sequence[Order]) -> Sequence[Measurement | str]:
        """A report for each order, or in words why there is none."""


class Here:
    """The fast model in this process."""

    def measure(self, orders: Sequence[Order]) -> Sequence[Measurement | str]:
        """A report for each order.

        Raises:
            InputError: an order asks for packets: those need an executor.
        """
        return [_field(o).evaluate(o.strategy) for o in orders]


class There:
    """Packets or the fast model, in an executor's workers; only cases of the suites can be sent there.

    Args:
        executor: of labs/executor.
        tries: how often a job is handed out before its answer is not scored.
    """

    def __init__(self, executor: Executor, tries: int = TRIES) -> None:
        self._executor = executor
        self._tries = tries

    def job(self, order: Order) -> Job:
        """What a worker is told."""
        return evaluation(
            "live" if order.live else "fast", *Ref.of(order.case), strategy=order.strategy.model_dump(mode="json")
        )

    def measure(self, orders: Sequence[Order]) -> Sequence[Measurement | str]:
        """A report for each order; a job that came to nothing is handed out again."""
        found: dict[str, Measurement | str] = {}
        jobs = [self.job(order) for order in orders]
        waiting = {job.key: job for job in jobs}
        for _ in range(self._tries):
            for result in self._executor.run(list(waiting.values())):
                found[result.key] = _report(result.value) if result.ok else result.error
            waiting = {key: job for key, job in waiting.items() if isinstance(found[key], str)}
            if not waiting:
                break
        return [found[job.key] for job in jobs]


def _report(value: object) -> Measurement | str:
    """A worker's answer; NaN or any other figure out of range is none."""
    try:
        return Measurement.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        return f"not a measurement: {'.'.join(map(str, first['loc']))}: {first['msg']}"


class Scorer:
    """Answers in, scores out.

    Args:
        battlefields: measure on the fast model; `packets` where an answer is drawn for them.
        packets: None where nothing is measured live.
        judge: apart from the battlefields.
        replicas: battlefields per answer.
        tail: share of the replicas that count as the worst.
        live_share: share of the answers that are measured with packets.
        seed: of that draw.
    """

    def __init__(
        self,
        battlefields: Battlefields | None = None,
        *,
        packets: Battlefields | None = None,
        judge: Judge | None = None,
        replicas: int = 1,
        tail: float = 1.0,
        live_share: float = 0.0,
        seed: int = 0,
    ) -> None:
        self._fields = battlefields or Here()
        self._packets = packets
        self._judge = judge or Rubric()
        self._replicas, self._tail = replicas, tail
        self._live_share, self._seed = live_share if packets else 0.0, seed

    def score(self, answers: Sequence[Answered], turn: int = 0) -> list[Score]:
        """A score for each answer, in order.

        Args:
            answers: any tasks' answers.
            turn: of the run; with the seed it decides which answers are measured live.
        """
        dice = rng("live", self._seed, turn)
        known: dict[tuple[object, ...], _Plan] = {}  # a policy that has learnt says the same thing often
        plans = []
        for answer in answers:
            drawn = dice.random() < self._live_share
            key = (*_said(answer), drawn)
            plans.append(known.get(key) or known.setdefault(key, self._plan(answer, drawn)))
        fast = self._all(self._fields, [o for p in plans for o in p.orders if not o.live])
        live = self._all(self._packets, [o for p in plans for o in p.orders if o.live]) if self._packets else iter(())
        return [self._settle(p, [next(live if o.live else fast) for o in p.orders]) for p in plans]

    @staticmethod
    def _all(fields: Battlefields, orders: list[Order]) -> Iterator[Measurement | str]:
        return iter(fields.measure(orders) if orders else ())

    def _plan(self, answer: Answered, live: bool) -> _Plan:  # noqa: FBT001 - a draw
        if answer.calls is None:
            return _Plan(well_formed=False)
        task = answer.task
        strategy, verdict = guarded(Candidate(calls=answer.calls), task.request, NAME)
        rationality = self._judge.rationality(strategy, task.request)
        if not verdict.allowed:
            return _Plan(rationality=rationality, known=refused(task.field.undefended(), verdict.refusals))
        cases = replicas(task.case, 1 if live else self._replicas)
        return _Plan(rationality=rationality, orders=tuple(Order(task, case, strategy, live) for case in cases))

    def _settle(self, plan: _Plan, reports: list[Measurement | str]) -> Score:
        found = [plan.known, *reports] if plan.known else reports
        whole = [r for r in found if isinstance(r, Measurement)]
        if len(whole) < len(found):
            return Score(None, None, next(r for r in found if isinstance(r, str)))
        try:
            rewards = [reward(plan.well_formed, m, plan.rationality) for m in (*whole,) or (None,)]
        except NotScoredError as error:
            return Score(None, next(iter(whole), None), str(error))
        return Score(tail_mean(rewards, self._tail), next(iter(whole), None))


def _said(answer: Answered) -> tuple[object, ...]:
    calls = None if answer.calls is None else tuple((c.tool, *sorted(c.params.items()), c.ttl_s) for c in answer.calls)
    return id(answer.task), calls


class _Plan(NamedTuple):
    """How an answer will be scored.

    Attributes:
        known: the report on a strategy that the guard refused: nothing is executed.
    """

    well_formed: bool = True
    rationality: float = 0.0
    known: Measurement | None = None
    orders: tuple[Order, ...] = ()


def replicas(case: Case, count: int) -> tuple[Case, ...]:
    """The case, and the same with a persistent attacker of other draws; a case that attacks nobody stays alone."""
    if case.kind is not Kind.ATTACK:
        return (case,)
    return (case, *(_replica(case, turn) for turn in range(1, count)))


def _replica(case: Case, turn: int) -> Case:
    stages = (s.model_copy(update={"seed": rng("replica", s.seed, turn).getrandbits(32)}) for s in case.stages)
    return case.model_copy(update={"persistent": True, "stages": tuple(stages)})


def _field(order: Order) -> FastField:
    return order.task.field if order.case == order.task.case else _replica_field(order.case.model_dump_json())


@lru_cache(FIELDS_KEPT)
def _replica_field(case: str) -> FastField:
    return field_of(Case.model_validate_json(case))


def correct_share(scores: Iterable[Score]) -> float:
    """Mean accuracy of the measured answers; NaN where there are none."""
    known = [s.correct for s in scores if not math.isnan(s.correct)]
    return math.fsum(known) / len(known) if known else math.nan
