"""A response in the middle of an attack: the log is watched, the policy asked, its strategy applied at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from labs.attacks.base import Receipt
from labs.validator.judge import Execution, outcome
from labs.validator.measurement import StageOutcome
from secloop_ai.contracts import AlertSummary, GuardRefusal, PlanError, Policy, Strategy, TransactionFailed
from secloop_ai.contracts.errors import DeviceError
from secloop_ai.loop.decide import build_request, decide

from .field import Battlefield
from .replay import replay

POLL_S = 0.02
ROUNDS = 4
"""Times that the attacker goes through the chain, at most, when nobody stops it."""
LATE_S = 2.0
"""Seconds that the sensor's last words are waited for once the attacker is through."""
IDLE = Execution(quiet=True, done=1, calls=1)


class Met(NamedTuple):
    """How an attack was met.

    Attributes:
        stages: each as it ended at last; one that ever succeeded has succeeded.
        contained_s: first alert → the attacker's last success; None where it was not contained.
        phases_s: ``first_alert_s`` from the attack's start; ``decide_s``, ``apply_s``, ``attack_s``.
    """

    stages: tuple[StageOutcome, ...]
    execution: Execution
    contained_s: float | None
    phases_s: dict[str, float]


def respond(field: Battlefield, policy: Policy, *, candidates: int, seed: int, until: float) -> Met:
    """Have the case attacked, and the policy answer.

    Args:
        field: up, with its sensor.
        policy: asked when the sensor raises something.
        candidates: how many it is asked for.
        seed: of the policy.
        until: on the monotonic clock, in seconds: the attack's end.

    Raises:
        PolicyError: the policy could not answer.
        TrialTimeoutError: the attack was not through by then.
        LabError: a means lacks its tools, or the clone was lost.
    """
    began = field.clock_s()
    defender = Defender(field, policy, candidates, seed)
    with ThreadPoolExecutor(1) as pool:
        attack = pool.submit(_attack, field, defender, until)
        defender.stand(attack)
        rounds = attack.result()
    if defender.answer is not None and rounds[-1].began < defender.answer:  # it came when the attacker was through
        rounds.append(Round(field.clock_s(), replay(field, until)))
    ended = field.clock_s()
    phases = {**defender.phases_s, "attack_s": round(ended - began, 4)}
    if defender.first_alert is not None:
        phases["first_alert_s"] = round(defender.first_alert - began, 4)
    contained = time_to_contain(rounds, defender.first_alert, defender.answer)
    return Met(_outcomes(rounds), defender.execution, contained, phases)


class Round(NamedTuple):
    """Once through the chain."""

    began: float
    receipts: tuple[Receipt, ...]


def _attack(field: Battlefield, defender: Defender, until: float) -> list[Round]:
    """The chain again and again: until it was gone through after an answer, or `ROUNDS` times if none is on its way."""
    rounds: list[Round] = []
    last = False
    while not last and (len(rounds) < ROUNDS or defender.busy.is_set()):
        last = defender.answered.is_set()
        rounds.append(Round(field.clock_s(), replay(field, until)))
    return rounds


class Defender:
    """Watches, decides and acts once.

    Attributes:
        first_alert: when one was first read, on the battlefield's clock; None: never.
        answer: when the strategy was in place; None: nothing was applied.
        answered: set with it.
        busy: an answer is on its way.
        execution: how it was carried out; that of doing nothing until then.
    """

    def __init__(self, field: Battlefield, policy: Policy, candidates: int, seed: int) -> None:
        self._field, self._policy, self._candidates, self._seed = field, policy, candidates, seed
        self._size = -1
        self._known: frozenset[tuple[object, ...]] = frozenset()
        self._done = False
        self.first_alert: float | None = None
        self.answer: float | None = None
        self.answered, self.busy = threading.Event(), threading.Event()
        self.execution = IDLE
        self.phases_s: dict[str, float] = {}

    def stand(self, attack: Future[list[Round]]) -> None:
        """Until the attacker is through, and a little longer for what the sensor says late."""
        while not attack.done() and not self._done:
            self._look()
            time.sleep(POLL_S)
        until = time.monotonic() + LATE_S
        while self.first_alert is None and time.monotonic() < until:
            self._look()
            time.sleep(POLL_S)

    def _look(self) -> None:
        path = self._field.eve_path
        size = path.stat().st_size if path.exists() else 0
        if size == self._size:
            return
        self._size = size
        alerts = self._field.alerts()
        known = frozenset(_evidence(a) for a in alerts)
        if known <= self._known:
            return
        self._known = known
        if self.first_alert is None:
            self.first_alert = self._field.clock_s()
        self._decide(alerts)

    def _decide(self, alerts: Sequence[AlertSummary]) -> None:
        began = time.monotonic()
        try:
            request = build_request(alerts, self._field.environment)
            strategy = decide(request, self._policy, candidates=self._candidates, seed=self._seed).strategy
        except GuardRefusal as refusal:
            found = refusal.verdict.verdict.refusals if refusal.verdict else ()
            words = tuple(f"{r.rule}: {r.reason}" for r in found) or ("guard: refused",)
            self.execution = Execution(quiet=False, done=0, calls=1, refusals=words)
            return
        finally:
            self.phases_s["decide_s"] = round(time.monotonic() - began, 5)
        if strategy.quiet:
            self.execution = IDLE
        else:
            self._apply(strategy, alerts)

    def _apply(self, strategy: Strategy, alerts: Sequence[AlertSummary]) -> None:
        calls, began = len(strategy.actions), time.monotonic()
        self.busy.set()
        try:
            self._field.apply(strategy, alerts)
        except (GuardRefusal, PlanError, TransactionFailed, DeviceError):
            self.execution = Execution(quiet=False, done=0, calls=calls)
            return
        else:
            self.execution = Execution(quiet=False, done=calls, calls=calls)
            self.answer = self._field.clock_s()
            self.answered.set()
        finally:
            self._done = True
            self.phases_s["apply_s"] = round(time.monotonic() - began, 4)
            self.busy.clear()


def _evidence(alert: AlertSummary) -> tuple[object, ...]:
    """What of a summary changes a decision; counts alone do not."""
    return (alert.signature_id, alert.source, alert.destination, alert.destination_port, alert.handshake)


def time_to_contain(rounds: Sequence[Round], first_alert: float | None, answer: float | None) -> float | None:
    """Seconds from the first alert to the attacker's last success.

    None where nobody acted, where the attacker did not come again after that, or where a stage then succeeds.
    """
    if first_alert is None or answer is None:
        return None
    after = [r for r in rounds if r.began >= answer]
    if not after or any(receipt.succeeded for r in after for receipt in r.receipts):
        return None
    successes = (r.last_success_s for one in rounds for r in one.receipts if r.last_success_s is not None)
    return round(max([0.0, *(s - first_alert for s in successes)]), 3)


def _outcomes(rounds: Sequence[Round]) -> tuple[StageOutcome, ...]:
    last = [outcome(r) for r in rounds[-1].receipts]
    ever = {o.index for one in rounds for r in one.receipts if (o := outcome(r)).succeeded}
    return tuple(o.model_copy(update={"succeeded": o.index in ever}) for o in last)
