"""Every means, measured live: does it succeed undefended, is it seen and when, does the expert table stop it?

One measurement is two battlefields of one case: the undefended twin, and a clone on which the strategy that the
expert table makes of the twin's alerts is applied before the attack is replayed.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import Field

from labs.battlefield.field import Battlefield
from labs.battlefield.observe import Counts
from labs.battlefield.services import servings
from labs.battlefield.trial import LiveField
from labs.scenario import Case, Stage, draw
from labs.validator import baseline
from labs.validator.harness import Row, evaluate_on
from labs.validator.judge import Run
from labs.validator.measurement import Measurement
from secloop_ai.contracts.base import Frozen
from secloop_ai.contracts.errors import LabError, SecLoopError

from .arena import arena
from .base import Receipt
from .ear import Ear, Heard
from .registry import means, missing_tools

POLICY = "expert-table"
CANDIDATES = 8
DETAIL_MOST = 160


class Measured(Frozen):
    """One means with one seed.

    Attributes:
        succeeded: undefended, by the red side's own receipt.
        seconds: the undefended attack took.
        detail: the red side's words, where it failed.
        alerts: expected signature → how often it fired on this attack; 0: the anomaly of what no signature names.
        others: signatures beside those that fired on the attack.
        latency_s: from the attack's start to the first line of an expected signature in the sensor's log.
        actions: of the strategy the expert table chose; none where the guard refused all it proposed.
        blocked: with the strategy in place the stage failed; None: it was not put to the test.
        kept: every legitimate try was served meanwhile.
        share_kept: share of the legitimate tries that were served, where not all were.
        defended: the guard's reasons, or what the attacker got in spite of the strategy.
        error: why it could not be measured; everything else is empty then.
        whole_s: the measurement took, with both clones.
    """

    means: str
    seed: int
    case_id: str = ""
    succeeded: bool = False
    seconds: float = 0.0
    detail: str = ""
    alerts: dict[int, int] = Field(default_factory=dict)
    others: tuple[int, ...] = ()
    latency_s: float | None = None
    actions: tuple[str, ...] = ()
    refused: bool = False
    blocked: bool | None = None
    kept: bool | None = None
    share_kept: float | None = None
    defended: str = ""
    error: str = ""
    whole_s: float = 0.0


class Notes:
    """Notes the receipts of a run; implements :class:`labs.battlefield.observe.Observer`."""

    def __init__(self) -> None:
        self.receipts: list[Receipt] = []

    def attend(self, counts: Counts) -> None:
        """The clients are asked by others."""

    def phase(self, name: str) -> None:
        """Nothing to note."""

    def stage_started(self, stage: Stage) -> None:
        """The receipt says when."""

    def stage_ended(self, receipt: Receipt) -> None:
        """One more."""
        self.receipts.append(receipt)


class Watched(LiveField):
    """A live field that keeps what the undefended run's attacker and sensor said, on the battlefield's clock."""

    receipts: tuple[Receipt, ...] = ()
    heard: tuple[Heard, ...] = ()

    def _play(self, field: Battlefield) -> Run:
        if self.receipts:
            return super()._play(field)
        field.observer = notes = Notes()
        with Ear(field.eve_path, field.clock_s) as ear:
            run = super()._play(field)
        self.receipts, self.heard = tuple(notes.receipts), tuple(ear.heard)
        return run


def measure(means_id: str, seed: int) -> dict[str, Any]:
    """A row of the results file, as JSON. Needs root and the lab; what could not be measured says why.

    Raises:
        LabError: there is no such means.
    """
    means(means_id)
    began = time.monotonic()
    try:
        row = _measured(means_id, seed)
    except SecLoopError as error:
        row = Measured(means=means_id, seed=seed, error=str(error)[:400])
    return row.model_copy(update={"whole_s": round(time.monotonic() - began, 2)}).model_dump(
        mode="json", exclude_defaults=True
    )


def _measured(means_id: str, seed: int) -> Measured:
    scenario = arena(means_id, seed)
    if lacking := missing_tools(means(means_id)):
        raise LabError(f"{means_id}: needs {', '.join(f'{t.program} ({t.package})' for t in lacking)}")
    field = Watched(draw(scenario, seed), servings(scenario, seed))
    twin = field.undefended()
    stage, receipt = field.case.stages[-1], field.receipts[-1]
    heard = heard_of(field.case, stage, receipt, field.heard)
    wanted = {o.sid for o in means(means_id).observables(stage)}
    fired = Counter(h.sid for h in heard)
    row = Measured(
        means=means_id,
        seed=seed,
        case_id=field.case.case_id,
        succeeded=receipt.succeeded,
        seconds=round(receipt.ended_s - receipt.started_s, 2),
        detail="" if receipt.succeeded else f"{receipt.detail}"[:DETAIL_MOST],
        alerts={sid: fired[sid] for sid in sorted(wanted & fired.keys())},
        others=tuple(sorted(fired.keys() - wanted)),
        latency_s=next((round(h.at_s - receipt.started_s, 3) for h in heard if h.sid in wanted), None),
    )
    return _defended(row, twin, evaluate_on(baseline(POLICY), field, candidates=CANDIDATES, seed=seed))


def _defended(row: Measured, twin: Measurement, found: Row) -> Measured:
    real = found.measurement
    refused = bool(real.refusals)
    tested = twin.valid and not refused
    last = real.stages[-1] if real.stages else None
    return row.model_copy(
        update={
            "actions": tuple(a.kind for a in found.actions),
            "refused": refused,
            "blocked": not (last and last.succeeded) and real.executed if tested else None,
            "kept": real.served if tested else None,
            "share_kept": round(real.rs_service, 3) if tested and not real.served else None,
            "defended": ("; ".join(real.refusals) or (last.detail if last and last.succeeded else ""))[:DETAIL_MOST],
        }
    )


def heard_of(case: Case, stage: Stage, receipt: Receipt, heard: Sequence[Heard]) -> tuple[Heard, ...]:
    """The events of this stage: after it began, and not of a legitimate client's traffic.

    A flood's packets come from invented sources, and a sweep goes to many: one end that is the attacker's or the
    target's is enough, where the other is no client.
    """
    return tuple(_concerning(case, stage, (h for h in heard if h.at_s >= receipt.started_s)))


def _concerning(case: Case, stage: Stage, heard: Iterator[Heard]) -> Iterator[Heard]:
    places = {h.name: str(h.addresses[0]) for h in case.environment.hosts}
    clients = {places[f.client] for f in case.flows} - {str(stage.source)}
    red = {str(p.address) for p in case.attackers} | {str(stage.source)}
    for one in heard:
        ends = {one.source, one.destination}
        if ends & red or (str(stage.target) in ends and not ends & clients):
            yield one
