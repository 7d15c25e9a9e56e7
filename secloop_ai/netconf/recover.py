"""A commit that was begun and never settled, its controller dead or a device lost: find out how it stands, end it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from secloop_ai.contracts import (
    CommitReport,
    DeadMan,
    DeviceError,
    DeviceReport,
    DeviceState,
    PendingCommit,
    RpcFailure,
)
from secloop_ai.settings import Settings

from . import steps
from .converge import remove_everywhere
from .crew import Crew
from .member import Member
from .settle import ByEdit, conclude
from .transaction import Clock, outcome_of, utc_now
from .work import Work

NOTHING_PENDING = ("invalid-value", "operation-failed")
"""Error-tags of a cancel-commit whose persist id belongs to no pending commit."""


def settle_pending(
    pending: PendingCommit,
    works: Sequence[Work],
    *,
    settings: Settings,
    clock: Clock = utc_now,
    dead_man: DeadMan | None = None,
) -> CommitReport:
    """End a commit that the ledger knows to be open, on every device it names.

    Each device is told to cancel it; then its running configuration says how it stands. Where the change is still
    there and nothing is pending any more, it had been confirmed. A device that cannot undo by itself is put back by
    the inverse edit the journal kept, unless its watchdog was told that the change is confirmed; the watchdog goes on
    until everything is settled, and is called off then. Devices that disagree, because some were confirmed
    and others have rolled back, are brought together: our entries are taken away from those that hold them, in a
    transaction of its own.

    Args:
        pending: as the journal kept it.
        works: one per device of the commit, as it was begun; `edit` is not used. Empty `base_digests` mean that the
            base is not known any more: then the change counts as gone when its tags and its effect are.
        settings: pace, and devices side by side.
        clock: the time.
        dead_man: knows what became of the watch; without it, nothing is taken to be confirmed on its devices.

    Returns:
        `undone`, `confirmed`, or `in_doubt` naming the devices to try again later: those that cannot be reached,
        those that neither cancel nor have reached their timeout, those without work. The caller tells the journal.
    """
    where = pending.safeguard.watchdog
    verdict = dead_man.verdict(where) if dead_man and where else ""
    known = {w.device.name for w in works}
    lost = tuple(_lost(name) for name in pending.devices if name not in known)
    reasons = [f"{d.device}: {d.message}" for d in lost]
    members: tuple[Member, ...] = ()
    if works:
        with Crew(works, pending, settings) as crew:
            members = crew.members
            reasons += _ask(crew, pending, clock, verdict)
            if not lost:
                remove_everywhere(members, pending, settings)
    reports = (*(m.report() for m in members), *lost)
    if dead_man and where and not any(d.state is DeviceState.IN_DOUBT for d in reports):
        dead_man.stand_down(where, settled="undone")
    return CommitReport(
        transaction_id=pending.transaction_id,
        plan_id=pending.plan_id,
        outcome=outcome_of([d.state for d in reports]),
        devices=reports,
        reasons=tuple(dict.fromkeys(reasons)),
        warnings=tuple(n for m in members for n in m.notes),
    )


def _lost(name: str) -> DeviceReport:
    return DeviceReport(
        device=name,
        state=DeviceState.IN_DOUBT,
        operation="recover",
        message="it is not in the inventory any more, so nobody can ask it",
    )


def _ask(crew: Crew, pending: PendingCommit, clock: Clock, verdict: str) -> list[str]:
    """Settle every device that can be settled; why the others are not."""
    end = pending.started_at + timedelta(seconds=pending.timeout_s)
    over = clock() > end
    for pace in crew.paces.values():
        pace.begin()
    for member in crew.members:
        member.state, member.reverts_at = DeviceState.IN_DOUBT, end
        member.undo = pending.safeguard.of(member.name)
    failed = crew.each("recover", lambda member: _settle(member, over=over, verdict=verdict))
    crew.each("release", steps.release)
    return [str(m.doubt or m.failure) for m in failed]


def _settle(member: Member, *, over: bool, verdict: str) -> None:
    """Undo, read back, conclude.

    Raises:
        DeviceError: the member stays in doubt; why.
    """
    try:
        if member.undo is not None:
            _by_edit(member, confirmed=verdict == "confirmed")
        elif member.path.one_session:
            _after_its_session(member, over=over)
        else:
            _cancel_and_look(member, over=over)
    except DeviceError as error:
        member.in_doubt(f"{error.reason}; {member.by_itself}", error.operation, cause=error)
        raise


def _by_edit(member: Member, *, confirmed: bool) -> None:
    """A change whose watch was called off as confirmed stays; any other leaves."""
    if confirmed:
        _stands_whole(member, member.read())
        return
    if error := ByEdit().take_back(member):
        raise error


def _after_its_session(member: Member, *, over: bool) -> None:
    """The session that committed died with its controller, and the commit with it, unless it was confirmed."""
    data = member.read()
    if member.is_gone(data):
        member.state = DeviceState.UNDONE
        return
    if not over and member.path.is_pending(member.session()):
        raise member.error("the device still keeps the commit of a session that is gone", "recover")
    conclude(member, data, stays=True)


def _stands_whole(member: Member, data: str) -> None:
    if problems := member.work.problems(data):
        raise member.error(f"neither the base nor the whole change is in running: {'; '.join(problems)}", "recover")
    member.state = DeviceState.CONFIRMED


def _cancel_and_look(member: Member, *, over: bool) -> None:
    refused: RpcFailure | None = None
    try:
        member.path.cancel(member.session(), member.persist_id)
    except RpcFailure as error:
        refused = error
    data = member.read()
    if member.is_gone(data):
        member.state = DeviceState.UNDONE
        return
    if refused is None:
        raise member.error("cancel was answered with ok, but the change is still in running", "cancel")
    if refused.error_tag not in NOTHING_PENDING or not (over or not member.path.is_pending(member.session())):
        raise refused
    conclude(member, data, stays=True)
