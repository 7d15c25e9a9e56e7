"""A battlefield whose blue team is looked at: what it does is written down as it does it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from labs.battlefield.field import Battlefield
from labs.battlefield.services import Place, Serving
from labs.scenario import Case
from secloop_ai.contracts import (
    Action,
    AlertSummary,
    CommitReport,
    GuardRefusal,
    Mitigation,
    MitigationState,
    PlanError,
    Strategy,
    TransactionFailed,
)
from secloop_ai.contracts.errors import DeviceError
from secloop_ai.ledger import open_ledger
from secloop_ai.loop.story import action_line
from secloop_ai.loop.undo import Removal

from .recorder import Label, Recorder
from .timeline import ActionApplied, ActionUndone, DevicePart, MitigationFact

LEDGER = Path("blue/ledger.db")
"""The blue team's ledger, below a battlefield's folder."""
LONGEST = 400
"""Characters of a reason that are kept."""


def plain(text: str) -> str:
    """One line without control characters, not too long."""
    kept = "".join(c if c.isprintable() else " " for c in text)
    return kept if len(kept) <= LONGEST else kept[: LONGEST - 1] + "…"


def standing_on(folder: Path) -> tuple[Mitigation, ...]:
    """Mitigations on the battlefield of that folder, by its ledger; none where there is no ledger yet.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    path = folder / LEDGER
    if not path.exists():
        return ()
    with open_ledger(f"sqlite:///{path}") as ledger:
        return ledger.mitigations(states=(MitigationState.ACTIVE, MitigationState.IN_DOUBT))


class WatchedField(Battlefield):
    """A battlefield that tells a recorder what the blue team does to it."""

    recorder: Recorder | None = None

    def apply(self, strategy: Strategy, summaries: Sequence[AlertSummary] = ()) -> CommitReport:
        """As the battlefield does.

        Raises:
            GuardRefusal: the guard does not allow it.
            PlanError: an action does not fit this network.
            TransactionFailed: the change was undone, or is in doubt.
        """
        began = self.clock_s()
        try:
            report = super().apply(strategy, summaries)
        except GuardRefusal as refusal:
            found = refusal.verdict.verdict.refusals if refusal.verdict else ()
            words = tuple(f"{r.rule}: {r.reason}" for r in found) or (str(refusal),)
            self._note(strategy, began, "refused", (), words)
            raise
        except (PlanError, TransactionFailed, DeviceError) as error:
            self._note(strategy, began, "failed", (), (str(error),))
            raise
        self._note(strategy, began, report.outcome.value, tuple(_parts(report)), report.reasons)
        return report

    def undo(self) -> Removal:
        """As the battlefield does.

        Raises:
            TransactionFailed: it could not be; everything is as before.
        """
        removed: tuple[str, ...] = ()
        failures: tuple[str, ...] = ("it could not be undone",)
        try:
            removal = super().undo()
            removed, failures = removal.removed, tuple(map(plain, removal.failures))
        finally:
            if self.recorder:
                self.recorder.note(ActionUndone(at_s=self.recorder.clock_s(), removed=removed, failures=failures))
        return removal

    def _note(
        self, strategy: Strategy, began_s: float, outcome: str, parts: Sequence[DevicePart], reasons: Sequence[str]
    ) -> None:
        if self.recorder is None:
            return
        self.recorder.note(
            ActionApplied(
                at_s=self.recorder.clock_s(),
                began_s=round(began_s, 3),
                policy=plain(strategy.policy),
                actions=words_of(strategy.actions),
                outcome=outcome,
                devices=tuple(parts),
                mitigations=tuple(_fact(m) for m in standing_on(self.run_dir)),
                reasons=tuple(map(plain, reasons)),
            )
        )


class Studio:
    """Makes clones that are recorded.

    Args:
        label: of what is recorded next; it may be changed between two clones.

    Attributes:
        recorders: of the clones so far, in order.
    """

    def __init__(self, label: Label) -> None:
        self.label = label
        self.recorders: list[Recorder] = []

    @contextmanager
    def clone(self, case: Case, kinds: Mapping[Place, Serving]) -> Iterator[Battlefield]:
        """A clone for a block, recorded from when it is up until just before it goes."""
        with WatchedField(case, kinds) as field, Recorder(field, self.label) as recorder:
            field.observer = field.recorder = recorder
            self.recorders.append(recorder)
            yield field


def words_of(actions: Sequence[Action]) -> tuple[str, ...]:
    """Actions as a person reads them."""
    return tuple(plain(action_line(a)) for a in actions)


def _parts(report: CommitReport) -> Iterator[DevicePart]:
    for device in report.devices:
        yield DevicePart(name=device.device, state=device.state.value)
    for host in report.hosts:
        yield DevicePart(name=host.host, state=host.state.value)


def _fact(mitigation: Mitigation) -> MitigationFact:
    return MitigationFact(
        mitigation_id=mitigation.mitigation_id,
        action=plain(action_line(mitigation.action)),
        ttl_s=mitigation.action.ttl_s,
        places=tuple(mitigation.operations),
    )
