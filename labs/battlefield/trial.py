"""Strategies judged on live battlefields: blue first, then the replay, a fresh clone for each."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Self

from labs.scenario import Case, Scenario, draw
from labs.validator.judge import UNDEFENDED, Execution, Run, judge, outcome, refused
from labs.validator.measurement import Measurement
from secloop_ai.alerts import summarise
from secloop_ai.contracts import AlertSummary, GuardRefusal, PlanError, Strategy, TransactionFailed
from secloop_ai.contracts.errors import DeviceError, LabError

from .clients import Clients
from .field import Battlefield
from .replay import replay
from .services import Place, Serving, guessed, servings

TRIAL_S = 150.0
"""Seconds that the attack of one trial may take."""
QUIET_S, SETTLE_S, POLL_S = 0.5, 4.0, 0.05
"""The sensor has said everything once its log has not grown for that long; it is waited for at most so long."""


class Twin(NamedTuple):
    """The undefended run.

    Attributes:
        seconds: it took, with building and removing the clone.
    """

    run: Run
    alerts: tuple[AlertSummary, ...]
    sensor_alive: bool
    seconds: float


class LiveField:
    """One case on live battlefields; implements :class:`labs.validator.harness.Field`. Needs root and the lab.

    Every measurement is made on a clone of its own, which is removed whatever happens.

    Args:
        case: what is played.
        kinds: kind and weaknesses behind each (host, service); None takes a service's name for its kind.
        limit_s: seconds that the attack of one trial may take.

    Raises:
        LabError: no kind has the name of a service.
    """

    def __init__(self, case: Case, kinds: Mapping[Place, Serving] | None = None, *, limit_s: float = TRIAL_S) -> None:
        self.case = case
        self._kinds = guessed(case) if kinds is None else kinds
        self._limit_s = limit_s

    @classmethod
    def of(cls, scenario: Scenario, seed: int, *, limit_s: float = TRIAL_S) -> Self:
        """The field of a scenario and a seed."""
        return cls(draw(scenario, seed), servings(scenario, seed), limit_s=limit_s)

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
        run, alive = twin.run, twin.sensor_alive
        return judge(self.case, "live", UNDEFENDED, run, run, sensor_alive=alive, seconds=twin.seconds)

    def evaluate(self, strategy: Strategy) -> Measurement:
        """The strategy on a fresh clone, with the twin's alerts as evidence; then the attack again; then undo.

        Raises:
            TrialTimeoutError: the attack took too long.
            LabError: the clone could not be built, or a tool is missing, or the clone was lost on the way.
        """
        twin, began = self._twin, time.monotonic()
        with Battlefield(self.case, self._kinds) as field:
            field.start_sensor()
            before = field.snapshot()
            try:
                execution = self._execute(field, strategy)
            except GuardRefusal as refusal:
                found = refusal.verdict.verdict.refusals if refusal.verdict else ()
                return refused(self.undefended(), found, quiet=strategy.quiet)
            run = self._play(field)
            alive, exact = field.sensor_alive(), self._undone(field, before)
        return judge(
            self.case,
            "live",
            execution,
            run,
            twin.run,
            sensor_alive=alive,
            rollback_exact=exact,
            seconds=round(time.monotonic() - began, 3),
        )

    @cached_property
    def _twin(self) -> Twin:
        began = time.monotonic()
        with Battlefield(self.case, self._kinds) as field:
            field.start_sensor()
            run = self._play(field)
            alive = field.sensor_alive()
            settle(field)
            alerts = summarise(field.eve_path)[0] if field.eve_path.exists() else ()
        return Twin(run, alerts, alive, round(time.monotonic() - began, 3))

    def _play(self, field: Battlefield) -> Run:
        with Clients(field, self._kinds) as clients:
            clients.before()
            receipts = replay(field, time.monotonic() + self._limit_s)
            clients.after()
            refuse_lost(field)
            return Run(tuple(outcome(r) for r in receipts), clients.uses())

    def _execute(self, field: Battlefield, strategy: Strategy) -> Execution:
        """All of a strategy is executed or none of it: it is one transaction.

        Raises:
            GuardRefusal: nothing was executed.
        """
        calls = len(strategy.actions)
        try:
            field.apply(strategy, self._twin.alerts)
        except (PlanError, TransactionFailed, DeviceError):
            return Execution(quiet=strategy.quiet, done=0, calls=calls)
        return Execution(quiet=strategy.quiet, done=calls, calls=calls)

    def _undone(self, field: Battlefield, before: Mapping[str, bytes]) -> bool:
        try:
            removal = field.undo()
        except (TransactionFailed, DeviceError):
            return False
        return not removal.failures and field.snapshot() == before


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
