"""Settling a confirmed commit on one device: confirm it, or take it back, whatever happens to the session."""

from __future__ import annotations

import time
from collections.abc import Iterator

from secloop_ai.contracts import ConnectError, DeviceError, DeviceState, RpcFailure

from .member import Member

PAUSES_S = (0.0, 0.2, 0.5, 1.0, 2.0, 4.0)
"""Before each try, in seconds."""


def confirm(member: Member) -> None:
    """Make the commit permanent; a lost session is replaced, since the persist id serves any.

    Leaves the member `confirmed`; or `undone` when the device has rolled back already; or `in_doubt`.

    Raises:
        DeviceError: not confirmed; what the last try met.
    """
    last: DeviceError | None = None
    for again in _tries(member):
        try:
            _confirm_once(member, again=again)
        except (ConnectError, RpcFailure) as error:
            last = error
            continue
        _note_retry(member, last)
        return
    if last is not None:
        member.in_doubt(f"{last.reason}; {member.by_itself}", last.operation, cause=last)
        raise last


def _confirm_once(member: Member, *, again: bool) -> None:
    """One try. After the first, a refusal may mean that an earlier try got through: the device is asked."""
    if again:
        member.hang_up()  # its locks would stand in the way of the session that comes
        if reason := member.path.may_resume(member.fresh()):
            raise RpcFailure(reason, device=member.name, operation="confirm", error_tag="in-use")
    try:
        member.confirming = True
        member.path.confirm(member.fresh(), member.persist_id)
    except RpcFailure:
        if not again or member.path.is_pending(member.session()):
            raise
        _nothing_pending(member)
    else:
        member.state = DeviceState.CONFIRMED


def _nothing_pending(member: Member) -> None:
    """Nothing is pending any more: either the confirmation got through, or the device has rolled back."""
    if not member.work.problems(member.read()):
        member.state = DeviceState.CONFIRMED
        return
    member.state = DeviceState.UNDONE
    raise member.error("the device had rolled back by itself before the confirmation came", "confirm")


def take_back(member: Member) -> None:
    """Cancel the commit and see that the base is back; a lost session is replaced.

    Leaves the member `undone`; or `confirmed`, when an earlier confirmation turns out to have got through; or
    `in_doubt`, with what was seen.

    Raises:
        DeviceError: in doubt; why.
    """
    last: DeviceError | None = None
    for _ in _tries(member):
        earlier = last
        try:
            last = _take_back_once(member)
        except (ConnectError, RpcFailure) as error:
            last = error
        if last is None:
            _note_retry(member, earlier)
            return
    if last is not None:
        member.in_doubt(f"{last.reason}; {member.by_itself}", last.operation, cause=last)
        raise last


def _take_back_once(member: Member) -> DeviceError | None:
    """Cancel, then believe only the running configuration; None when the member is settled."""
    refused: RpcFailure | None = None
    try:
        member.path.cancel(member.fresh(), member.persist_id)
    except RpcFailure as error:
        refused = error  # nothing pending, perhaps: what is in running decides
    if member.is_gone(member.read()):
        member.state = DeviceState.UNDONE
        return None
    if refused is None:
        return member.error("cancel was answered with ok, but the change is still in running", "cancel")
    if member.confirming and not _pending_elsewhere(member):
        member.state = DeviceState.CONFIRMED
        return None
    return refused


def _pending_elsewhere(member: Member) -> bool:
    """Whether the commit is still pending, asked over a session that did not send it."""
    member.hang_up()
    return member.path.is_pending(member.session())


def _note_retry(member: Member, error: DeviceError | None) -> None:
    if error is not None:
        member.notes.append(f"{error}; a further try settled it")


def _tries(member: Member) -> Iterator[bool]:
    """False for the first try, True for each further one; none after the device's own timeout, but at least one."""
    for count, pause in enumerate(PAUSES_S):
        if count and time.monotonic() + pause > member.deadline:
            return
        time.sleep(pause)
        yield count > 0
