"""Devices that ended apart, some with a change and some without: our entries leave them all."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from secloop_ai.contracts import (
    CommitReport,
    DeviceModel,
    DeviceState,
    Mitigation,
    Outcome,
    PendingCommit,
    Safeguard,
    SecLoopError,
)
from secloop_ai.settings import Settings

from .member import Member
from .transaction import run_transaction
from .watch import Unwatched
from .work import Work, new_persist_id

log = logging.getLogger(__name__)
SETTLED = {DeviceState.CONFIRMED, DeviceState.UNDONE}


class _NoJournal:
    """The commit that is being recovered is in the ledger; should this one break off, recovery begins anew."""

    def begin_commit(self, pending: PendingCommit, mitigations: Sequence[Mitigation]) -> None:
        del mitigations
        log.info("recovery of %s: transaction %s", pending.plan_id, pending.transaction_id)

    def settle_commit(self, report: CommitReport, *, now: datetime) -> None:
        log.info("recovery: transaction %s ended as %s at %s", report.transaction_id, report.outcome, now)


def remove_everywhere(members: Sequence[Member], pending: PendingCommit, settings: Settings) -> None:
    """Where every device is settled but not all alike, take our entries off those that hold them.

    Members that could not follow are left in doubt.
    """
    if {m.state for m in members} != SETTLED:
        return
    removal = members[0].removal
    holds = DeviceState.UNDONE if removal else DeviceState.CONFIRMED
    goal = DeviceState.CONFIRMED if removal else DeviceState.UNDONE
    holders = [m for m in members if m.state is holds]
    problem = _remove(holders, pending, settings)
    for member in holders:
        member.state = goal
        if problem:
            member.in_doubt(
                f"other devices do not hold our entries, and removing them here failed: {problem}", "recover"
            )
        else:
            member.notes.append(f"{member.name}: our entries were removed, since other devices had rolled back")


def _remove(holders: Sequence[Member], pending: PendingCommit, settings: Settings) -> str:
    """One transaction that takes our entries off; why it failed, if it did."""
    try:
        works = [w for m in holders if (w := _removal(m))]
        report = run_transaction(
            works,
            pending=_second(pending, works, settings),
            mitigations=(),
            journal=_NoJournal(),
            watch=None,
            settings=settings.model_copy(update={"serial": ()}),
            dead_man=Unwatched(),
        )
    except SecLoopError as error:
        return str(error)
    done = report.outcome in {Outcome.CONFIRMED, Outcome.UNCHANGED}
    return "" if done else "; ".join(report.reasons)


def _removal(member: Member) -> Work | None:
    """The work that removes this change's entries from what the device holds now; None when there is nothing left."""
    was = member.work
    data = member.read()
    member.hang_up()
    rendered = was.dialect.remove(data, was.operations)
    if rendered.edit is None:
        return None
    return Work(
        device=was.device,
        password=was.password,
        dialect=was.dialect,
        edit=rendered.edit,
        base_digests=was.dialect.digests(data, was.operations),
        operations=was.operations,
        check=_expects(was.dialect.parse(rendered.after)),
    )


def _expects(after: DeviceModel) -> Callable[[DeviceModel], tuple[str, ...]]:
    return lambda model: () if model == after else ("running is not what removing our entries should leave",)


def _second(pending: PendingCommit, works: Sequence[Work], settings: Settings) -> PendingCommit:
    return pending.model_copy(
        update={
            "transaction_id": f"{pending.transaction_id}-removal",
            "persist_id": new_persist_id(),
            "devices": tuple(w.device.name for w in works),
            "purpose": "rollback",
            "started_at": datetime.now(UTC),
            "safeguard": Safeguard(),
            "timeout_s": settings.confirm_timeout_s,
        }
    )
