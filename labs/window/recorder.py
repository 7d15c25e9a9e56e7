"""Looks on while a run goes on: writes down what happens, and says how it stands.

It is told of stages, changes and phases; the rest it reads by itself, four times a second, in a thread of its own: the
kernel's counters, the sensor's log, the clients' counts.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from types import TracebackType
from typing import NamedTuple, Self

from labs.attacks.base import Receipt
from labs.battlefield.field import Battlefield
from labs.battlefield.observe import Counts
from labs.scenario import Stage
from labs.validator.measurement import Measurement
from secloop_ai.contracts import Untrusted
from secloop_ai.contracts.errors import LabError

from .alerts import EveTail, grouped
from .facts import facts_of
from .status import FACTS, STATUS, StageState, StageWord, Status, put
from .tally import ProbeTally, TrafficTally
from .timeline import SAMPLE_S, AlertSeen, Event, EvidenceFact, Marked, Mode, StageEnded, StageStarted, Timeline

MOST_ALERT_EVENTS = 1000
"""Alert events that a timeline keeps; the alerts of more are counted."""
DETAIL = 200
"""Characters kept of why a stage was not attempted."""


class Label(NamedTuple):
    """What a run is called."""

    mode: Mode
    policy: str = ""


def without_words(found: Measurement) -> Measurement:
    """The judge's report without the output of attack tools: a target may have written it."""
    stages = tuple(s if not s.attempted else s.model_copy(update={"detail": ""}) for s in found.stages)
    return found.model_copy(update={"stages": stages})


class Recorder:
    """Records one run on one battlefield. Implements a context manager and `labs.battlefield.observe.Observer`.

    Args:
        field: it is up.
        label: mode and policy.

    Raises:
        LabError: the status cannot be written.
    """

    def __init__(self, field: Battlefield, label: Label) -> None:
        self._field, self._label = field, label
        self.facts = facts_of(field.atlas)
        self._events: list[Event] = []
        self._stages = {s.index: StageState(index=s.index) for s in self.facts.stages}
        self._phase = "the battlefield is up"
        self._zero = time.time() - field.clock_s()
        self._tail = EveTail()
        self._traffic = TrafficTally(field.index, self.facts.ports)
        self._probes = ProbeTally()
        self._counts: Counts = dict
        self._at: list[float] = []
        self._alerts = self._alert_events = self._left_out = 0
        self._broken = ""
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        put(field.run_dir, FACTS, self.facts)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()
        if not self._broken and error is None:
            self._sample()

    def attend(self, counts: Counts) -> None:
        """Legitimate clients are at work: count their tries from now on."""
        self._counts = counts
        self.phase("clients at work")

    def note(self, event: Event) -> None:
        """Write an event down."""
        with self._lock:
            self._events.append(event)

    def phase(self, name: str) -> None:
        """The run enters a phase."""
        self._phase = name
        self.note(Marked(at_s=self.clock_s(), phase=name))

    def clock_s(self) -> float:
        """The battlefield's clock, to the millisecond."""
        return round(self._field.clock_s(), 3)

    def stage_started(self, stage: Stage) -> None:
        """The red team tries a stage."""
        at = self.clock_s()
        self._stages[stage.index] = StageState(index=stage.index, state="running", began_s=at)
        self.note(StageStarted(at_s=at, stage=stage.index))

    def stage_ended(self, receipt: Receipt) -> None:
        """The red side's receipt."""
        at, attempted = self.clock_s(), receipt.attempted
        good = attempted and receipt.succeeded
        word: StageWord = "succeeded" if good else "failed" if attempted else "not-attempted"
        before = self._stages[receipt.stage]
        self._stages[receipt.stage] = before.model_copy(update={"state": word, "ended_s": at})
        last = None if receipt.last_success_s is None else round(receipt.last_success_s, 3)
        detail = "" if attempted else Untrusted.of(receipt.detail).display(DETAIL)
        self.note(
            StageEnded(
                at_s=at, stage=receipt.stage, attempted=attempted, succeeded=good, detail=detail, last_success_s=last
            )
        )

    def timeline(
        self, verdict: Measurement, twin: Measurement | None = None, evidence: tuple[EvidenceFact, ...] = ()
    ) -> Timeline:
        """The run, once it is over.

        Raises:
            LabError: the recording broke off.
        """
        if self._broken:
            raise LabError(f"{self.facts.case_id}: the recording broke off: {self._broken}")
        return Timeline(
            recorded_at=datetime.now(UTC),
            mode=self._label.mode,
            policy=self._label.policy,
            facts=self.facts,
            events=tuple(sorted(self._events, key=lambda e: e.at_s)),
            series=self._probes.series(self._at, self._traffic.series()),
            probes=self._probes.totals(),
            alerts=self._alerts,
            alerts_left_out=self._left_out,
            lines_unread=self._tail.unread,
            evidence=evidence,
            verdict=without_words(verdict),
            twin=without_words(twin) if twin else None,
        )

    def _watch(self) -> None:
        try:
            turn = time.monotonic()
            while not self._end.is_set():
                self._sample()
                turn = max(turn + SAMPLE_S, time.monotonic())
                self._end.wait(turn - time.monotonic())
        except LabError as error:
            self._broken = str(error)

    def _sample(self) -> None:
        at = self.clock_s()
        passed = at - self._at[-1] if self._at else 0.0
        self._at.append(at)
        self._traffic.sample()
        turned = list(self._probes.sample(self._counts(), at, passed))
        seen = grouped(self._tail.read(self._field.eve_path), lambda us: us / 1e6 - self._zero, at)
        with self._lock:
            self._events += turned
            for alert in seen:
                self._keep(alert)
        put(self._field.run_dir, STATUS, self._status(at))

    def _keep(self, alert: AlertSeen) -> None:
        self._alerts += alert.count
        if self._alert_events < MOST_ALERT_EVENTS:
            self._alert_events += 1
            self._events.append(alert)
        else:
            self._left_out += alert.count

    def _status(self, at: float) -> Status:
        return Status(
            written_at=round(time.time(), 3),
            clock_s=at,
            mode=self._label.mode,
            policy=self._label.policy,
            phase=self._phase,
            stages=tuple(self._stages[n] for n in sorted(self._stages)),
            probes=self._probes.states(),
            alerts=self._alerts,
        )
