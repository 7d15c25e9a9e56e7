"""The attack of a case on a battlefield, stage by stage, bounded in time."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from labs.attacks.base import Means, Receipt
from labs.attacks.persistence import attempts
from labs.attacks.registry import means, missing_tools
from labs.scenario import Case, Stage
from labs.validator.chain import obstacle
from secloop_ai.contracts import IPAddress
from secloop_ai.contracts.errors import LabError

from .field import Battlefield
from .red import FieldRed

OUT_OF_TIME = 124
DETAIL_MOST = 400


class TrialTimeoutError(LabError):
    """A trial took longer than it may: it proves nothing about the strategy."""


class BoundedRed:
    """The red team's hands, which rest at a certain time: a tool started later is out of time at once.

    Args:
        red: the hands.
        until: on the monotonic clock, in seconds.

    Attributes:
        late: tools that had to be ended, each with the seconds it was given.
    """

    def __init__(self, red: FieldRed, until: float) -> None:
        self._red, self._until = red, until
        self.late: list[str] = []

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a tool for at most `timeout_s` seconds and what is left of the trial."""
        limit = min(timeout_s, max(0.0, self._until - time.monotonic()))
        if limit:
            done = self._red.run(argv, timeout_s=limit, stdin=stdin)
        else:
            done = subprocess.CompletedProcess(list(argv), OUT_OF_TIME, "", "")
        if done.returncode == OUT_OF_TIME:
            self.late.append(f"{Path(argv[0]).name} ended after {limit:.3g} s")
        return done

    def canary(self, stage: Stage) -> str:
        """The stage's loot."""
        return self._red.canary(stage)

    def scratch(self) -> Path:
        """The private folder."""
        return self._red.scratch()

    def clock_s(self) -> float:
        """Seconds since the battlefield was up."""
        return self._red.clock_s()

    def address(self) -> IPAddress:
        """Where the stage starts from now."""
        return self._red.address()

    def move(self, address: IPAddress) -> None:
        """Go on from another of the attacker's addresses."""
        self._red.move(address)


def replay(field: Battlefield, until: float) -> tuple[Receipt, ...]:
    """Run the chain; a stage whose preconditions do not hold is not attempted.

    Args:
        field: it is up.
        until: on the monotonic clock, in seconds.

    Raises:
        TrialTimeoutError: the chain was not through by then.
        LabError: a means lacks its tools (named, with packages).
    """
    succeeded: set[int] = set()
    receipts = []
    for stage in field.case.stages:
        plugin = means(stage.means)
        if lacking := missing_tools(plugin):
            raise LabError(f"{plugin.id}: needs {', '.join(f'{t.program} ({t.package})' for t in lacking)}")
        if why := obstacle(field.case, stage, plugin.needs, succeeded):
            receipt = untried(stage, why, field.clock_s())
        else:
            if field.observer:
                field.observer.stage_started(stage)
            receipt = attempt(field, plugin, stage, until)
        receipts.append(receipt)
        if field.observer:
            field.observer.stage_ended(receipt)
        if receipt.succeeded:
            succeeded.add(stage.index)
        if time.monotonic() >= until:
            raise TrialTimeoutError(f"{field.case.case_id}: out of time in stage {stage.index} ({stage.means})")
    return tuple(receipts)


def attempt(field: Battlefield, plugin: Means, stage: Stage, until: float) -> Receipt:
    """Try a stage; a persistent attacker tries again: from its next address, slower, or by another protocol."""
    first, *further = attempts(field.case, stage)
    receipt = _once(field, plugin, stage, first, until)
    for tried in further:
        if receipt.succeeded:
            break
        receipt = _once(field, plugin, stage, tried, until)
    return receipt


def _once(field: Battlefield, plugin: Means, stage: Stage, tried: Stage, until: float) -> Receipt:
    """One attempt; where it failed, its receipt says which tools had to be ended."""
    red = BoundedRed(field.red(stage), until)
    if may_move(field.case, stage):  # the stage before may have ended at another address
        red.move(tried.source)
    receipt = plugin.run(red, tried)
    if receipt.succeeded or not red.late:
        return receipt
    return receipt.model_copy(update={"detail": f"out of time: {', '.join(red.late)}; {receipt.detail}"[:DETAIL_MOST]})


def may_move(case: Case, stage: Stage) -> bool:
    """Whether the attacker may change its address in this stage."""
    return case.persistent and stage.source_host is None


def untried(stage: Stage, why: str, clock_s: float) -> Receipt:
    """The receipt of a stage that was not attempted."""
    return Receipt(
        stage=stage.index,
        means=stage.means,
        attempted=False,
        succeeded=False,
        detail=why,
        started_s=clock_s,
        ended_s=clock_s,
    )
