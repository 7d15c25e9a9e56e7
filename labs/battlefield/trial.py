"""Strategies judged on live battlefields: blue first, then the replay, a fresh clone for each."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Self

from labs.scenario import Case, Scenario, draw
from labs.validator.judge import UNDEFENDED, Execution, Run, judge, outcome, refused
from labs.validator.measurement import Measurement
from secloop_ai.contracts import AlertSummary, GuardRefusal, PlanError, Policy, Strategy, TransactionFailed
from secloop_ai.contracts.errors import DeviceError, LabError

from .clients import Clients
from .field import Battlefield
from .pulse import Health
from .replay import replay
from .respond import respond
from .services import Place, Serving, guessed, servings

TRIAL_S = 150.0
"""Seconds that the attack of one trial may take."""
QUIET_S, SETTLE_S, POLL_S = 0.5, 4.0, 0.05
"""The sensor has said everything once its log has not grown for that long; it is waited for at most so long."""


CloneMaker = Callable[[Case, Mapping[Place, Serving]], AbstractContextManager[Battlefield]]


class Stopwatch:
    """Seconds by the name of a phase; a phase that comes twice counts together."""

    def __init__(self) -> None:
        self.phases_s: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count what the block takes."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.phases_s[name] = round(self.phases_s.get(name, 0.0) + time.monotonic() - began, 4)


class Twin(NamedTuple):
    """The undefended run.

    Attributes:
        health: of the sensor, from beginning to end.
        seconds: it took, with building and removing the clone.
        phases_s: the same in parts.
    """

    run: Run
    alerts: tuple[AlertSummary, ...]
    health: Health
    seconds: float
    phases_s: dict[str, float]


class LiveField:
    """One case on live battlefields; implements :class:`labs.validator.harness.Field`. Needs root and the lab.

    Every measurement is made on a clone of its own, which is removed whatever happens.

    Args:
        case: what is played.
        kinds: kind and weaknesses behind each (host, service); None takes a service's name for its kind.
        limit_s: seconds that the attack of one trial may take.
        clone: makes the clone of one measurement, up for a block; by default it is built then and there.

    Attributes:
        health: of the sensor in the last run; says what was wrong with it.
        spread: legitimate tries of the last run before, during and after the attack.

    Raises:
        LabError: no kind has the name of a service.
    """

    def __init__(
        self,
        case: Case,
        kinds: Mapping[Place, Serving] | None = None,
        *,
        limit_s: float = TRIAL_S,
        clone: CloneMaker = Battlefield,
    ) -> None:
        self.case = case
        self._clone = clone
        self._kinds = guessed(case) if kinds is None else kinds
        self._limit_s = limit_s
        self._watch = Stopwatch()
        self.health = Health(alive=True)
        self.spread: dict[str, int] = {}

    @classmethod
    def of(cls, scenario: Scenario, seed: int, *, limit_s: float = TRIAL_S, clone: CloneMaker = Battlefield) -> Self:
        """The field of a scenario and a seed."""
        return cls(draw(scenario, seed), servings(scenario, seed), limit_s=limit_s, clone=clone)

    def alerts(self) -> tuple[AlertSummary, ...]:
        """What the sensor made of the undefended twin; the twin is run the first time.

        Raises:
            LabError: as `undefended`.
        """
        return self._twin.alerts

    def undefended(self) -> Measurement:
        """The case when nobody does anything.

        Raises:
            TrialTimeoutError: the attack took too long.
            LabError: the clone could not be built, or a tool is missing, or the clone was lost on the way.
        """
        twin = self._twin
        run, alive = twin.run, twin.health.alive
        found = judge(self.case, "live", UNDEFENDED, run, run, sensor_alive=alive, seconds=twin.seconds)
        return found.model_copy(update={"phases_s": twin.phases_s})

    def evaluate(self, strategy: Strategy) -> Measurement:
        """The strategy on a fresh clone, with the twin's alerts as evidence; then the attack again; then undo.

        Raises:
            TrialTimeoutError: the attack took too long.
            LabError: the clone could not be built, or a tool is missing, or the clone was lost on the way.
        """
        twin, began, hosts = self._twin, time.monotonic(), touched(strategy)
        with self._trial() as field:
            before = state(field, hosts)
            try:
                with self._watch.phase("apply_s"):
                    execution = self._execute(field, strategy)
            except GuardRefusal as refusal:
                found = refusal.verdict.verdict.refusals if refusal.verdict else ()
                return refused(self.undefended(), found, quiet=strategy.quiet)
            run = self._watched(field)
            with self._watch.phase("undo_s"):
                exact = undone(field, before, hosts)
        measured = judge(
            self.case,
            "live",
            execution,
            run,
            twin.run,
            sensor_alive=self.health.alive,
            rollback_exact=exact,
            seconds=round(time.monotonic() - began, 3),
        )
        return measured.model_copy(update={"phases_s": self._watch.phases_s})

    def respond(self, policy: Policy, *, candidates: int = 1, seed: int = 0) -> Measurement:
        """The policy answers while the attack is on: reported apart from the verdict of `evaluate`.

        It is asked as soon as the sensor raises something, and again whenever that changes, until it acts; what it
        decides is applied at once. The attacker goes on, and comes again after the answer. `time_to_contain_s` is from
        the first alert to the attacker's last success; None where nobody acted, or a stage succeeds even then.
        The fast model has no such run: without packets nothing comes before anything else.

        Args:
            policy: asked.
            candidates: how many it is asked for; the guard's first is taken.
            seed: of the policy.

        Raises:
            PolicyError: the policy could not answer.
            TrialTimeoutError: the attack took too long.
            LabError: as `evaluate`.
        """
        twin, began = self._twin, time.monotonic()
        with self._trial() as field, Clients(field, self._kinds) as clients, field.heart() as heart:
            clients.before()
            until = time.monotonic() + self._limit_s
            met = respond(field, policy, candidates=candidates, seed=seed, until=until)
            clients.after()
            refuse_lost(field)
            self.health, self.spread = heart.verdict(), clients.spread
            run = Run(met.stages, clients.uses())
        measured = judge(
            self.case,
            "live",
            met.execution,
            run,
            twin.run,
            sensor_alive=self.health.alive,
            time_to_contain_s=met.contained_s,
            seconds=round(time.monotonic() - began, 3),
        )
        return measured.model_copy(update={"phases_s": {**self._watch.phases_s, **met.phases_s}})

    @cached_property
    def _twin(self) -> Twin:
        began = time.monotonic()
        with self._trial() as field:
            run = self._watched(field)
            settle(field)
            alerts = field.alerts()
        return Twin(run, alerts, self.health, round(time.monotonic() - began, 3), self._watch.phases_s)

    @contextmanager
    def _trial(self) -> Iterator[Battlefield]:
        """A clone with its sensor; building and removing are timed."""
        self._watch = watch = Stopwatch()
        with ExitStack() as stack:
            with watch.phase("clone_s"):
                field = stack.enter_context(self._clone(self.case, self._kinds))
                field.start_sensor()
            try:
                yield field
            finally:
                with watch.phase("destroy_s"):
                    stack.close()

    def _watched(self, field: Battlefield) -> Run:
        """Play, and find out whether the sensor saw it all."""
        with field.heart() as heart:
            run = self._play(field)
            self.health = heart.verdict()
        return run

    def _play(self, field: Battlefield) -> Run:
        with Clients(field, self._kinds) as clients:
            with self._watch.phase("probe_s"):
                clients.before()
            with self._watch.phase("attack_s"):
                receipts = replay(field, time.monotonic() + self._limit_s)
            with self._watch.phase("probe_s"):
                clients.after()
            refuse_lost(field)
            self.spread = clients.spread
            return Run(tuple(outcome(r) for r in receipts), clients.uses())

    def _execute(self, field: Battlefield, strategy: Strategy) -> Execution:
        """All of a strategy is executed or none of it: it is one transaction.

        Raises:
            GuardRefusal: nothing was executed.
        """
        calls = len(strategy.actions)
        try:
            field.apply(strategy, self._twin.alerts)
        except (PlanError, TransactionFailed, DeviceError) as error:
            return Execution(quiet=strategy.quiet, done=0, calls=calls, fault=str(error))
        return Execution(quiet=strategy.quiet, done=calls, calls=calls)


def touched(strategy: Strategy) -> tuple[str, ...]:
    """The hosts that its actions name."""
    named = (getattr(action, "host", None) for action in strategy.actions)
    return tuple(sorted({host for host in named if isinstance(host, str)}))


def state(field: Battlefield, hosts: Collection[str]) -> dict[str, bytes]:
    """What undo must leave as it was: every device's running configuration, and what roles can change on the hosts."""
    return {**field.snapshot(), **{f"host {name}": field.host_digest(name).encode() for name in hosts}}


def undone(field: Battlefield, before: Mapping[str, bytes], hosts: Collection[str]) -> bool:
    """Whether undo worked and everything is byte for byte as before."""
    try:
        removal = field.undo()
    except (TransactionFailed, DeviceError):
        return False
    return not removal.failures and state(field, hosts) == before


def refuse_lost(field: Battlefield) -> None:
    """See that every node still stands: on a clone that is gone every attack fails, which says nothing.

    Raises:
        LabError: some are gone (named).
    """
    gone = [name for name, pid in field.nodes.first.items() if not Path(f"/proc/{pid}/root/proc").exists()]
    if gone:
        raise LabError(f"{field.case.case_id}: lost during the trial: {', '.join(sorted(gone))}")


def settle(field: Battlefield) -> None:
    """Wait until the sensor has written what it saw."""
    until = time.monotonic() + SETTLE_S
    size, since = -1, time.monotonic()
    while time.monotonic() < until:
        now = field.eve_path.stat().st_size if field.eve_path.exists() else 0
        if now != size:
            size, since = now, time.monotonic()
        elif time.monotonic() - since >= QUIET_S:
            return
        time.sleep(POLL_S)
