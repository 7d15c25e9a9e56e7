"""Ending a commit on one device, each kind of commit in its own manner: one try, which tells what became of it."""

from __future__ import annotations

from typing import Protocol

from secloop_ai.contracts import ConnectError, DeviceError, DeviceState, DeviceUndo, RpcFailure

from .member import Member
from .paths import CandidatePath
from .revert import locked, revert

_MENDING = CandidatePath()
"""How a part of a change is taken out for good: edit, validate, plain commit."""


class Settler(Protocol):
    """How one kind of commit is ended."""

    def confirm(self, member: Member, *, again: bool) -> None:
        """One try to make it permanent; `again` after one of which nobody knows whether it got through.

        Raises:
            ConnectError, RpcFailure: another try may help.
            VerifyError: the device has gone back by itself; the member's state says so.
        """

    def take_back(self, member: Member) -> DeviceError | None:
        """One try to undo it; None once the member's state is final, else what another try may mend.

        Raises:
            ConnectError, RpcFailure: another try may help.
        """


class ByPersistId:
    """The commit has a name: any session that knows it can confirm or cancel."""

    def confirm(self, member: Member, *, again: bool) -> None:
        """After the first try, a refusal may mean that an earlier one got through: the device is asked."""
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

    def take_back(self, member: Member) -> DeviceError | None:
        """Cancel, then believe only the running configuration."""
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
        if _pending_elsewhere(member):
            return refused
        conclude(member, member.read())
        return None


class BySession:
    """The commit lives in its session: a commit there confirms it, the end of the session undoes it."""

    def confirm(self, member: Member, *, again: bool) -> None:
        """Only in the session that committed; once that is gone, running tells what became of it."""
        del again
        if member.connected and member.session().session_id == member.maker:
            member.confirming = True
            member.path.confirm(member.session(), "")
            _nothing_pending(member)  # a plain commit is answered with ok, too, when the device has gone back before
            return
        if _pending_elsewhere(member):
            message = "the session that could confirm it is gone, and the device has not gone back yet"
            raise RpcFailure(message, device=member.name, operation="confirm", error_tag="in-use")
        _nothing_pending(member)

    def take_back(self, member: Member) -> DeviceError | None:
        """End the session that committed, and look over another."""
        member.hang_up()
        if member.is_gone(member.read()):
            member.state = DeviceState.UNDONE
            return None
        if not member.path.is_pending(member.session()):
            conclude(member, member.read())
            return None
        _end_maker(member)
        return member.error("its session was ended, but the device still keeps the commit pending", "cancel")


class ByEdit:
    """The device knows of no pending commit: an inverse edit undoes it, and confirming is calling off the watch."""

    def confirm(self, member: Member, *, again: bool) -> None:
        """One decision for all devices under the same watch."""
        del again
        if member.watch is None or member.watch.stand_down("confirmed"):
            member.state = DeviceState.CONFIRMED
            return
        raise member.error("the watchdog had begun to undo the change before it was confirmed", "confirm")

    def take_back(self, member: Member) -> DeviceError | None:
        """Send the inverse edit under the locks, those that are held still or new ones."""
        if member.undo is None:
            member.state = DeviceState.UNDONE  # none was made: nothing was sent
            return None
        if member.held and member.connected:
            revert(member.session(), member.path, member.work.dialect, member.undo)
        else:
            self._over_new_session(member, member.undo)
        member.state = DeviceState.UNDONE
        return None

    def _over_new_session(self, member: Member, undo: DeviceUndo) -> None:
        """A lock that we get says, too, that the lost session is over and what it had sent will not come late."""
        session = member.fresh()
        try:
            with locked(session, member.path, member.work.device):
                revert(session, member.path, member.work.dialect, undo)
        except RpcFailure as error:
            if error.operation == "lock" and member.maker:
                _end_maker(member)
            raise


def settler_of(member: Member) -> Settler:
    """How this device's commit is ended; from its way to commit.

    Raises:
        CapabilityError, ConnectError: its hello cannot be read, or lets nothing be changed.
    """
    if member.undo is not None or not member.path.undoes_itself:
        return ByEdit()
    return BySession() if member.path.one_session else ByPersistId()


def _nothing_pending(member: Member) -> None:
    """Nothing is pending any more: either the confirmation got through, or the device has rolled back."""
    if not member.work.problems(member.read()):
        member.state = DeviceState.CONFIRMED
        return
    member.state = DeviceState.UNDONE
    raise member.error("the device had rolled back by itself before the confirmation came", "confirm")


def conclude(member: Member, data: str, *, stays: bool = False) -> None:
    """Nothing is pending, and running holds something of the change: all of it was confirmed, a part is taken out.

    A device may apply a part of a commit and answer with an error. `stays` is for when nobody knows whether the
    change was confirmed; otherwise it was only where a confirmation has been sent.

    Raises:
        RpcFailure, ConnectError: the device would not have it taken out, or was lost.
        VerifyError: it said that it did, and something is there still.
    """
    if (stays or member.confirming) and not member.work.problems(data):
        member.state = DeviceState.CONFIRMED
        return
    work = member.work
    undo = DeviceUndo(
        device=member.name,
        path=_MENDING.name,
        edit="",
        before=dict(work.base_digests),
        after={},
        operations=work.operations,
        touched=work.operations,
        removal=member.removal,
    )
    session = member.fresh()
    with locked(session, _MENDING, work.device):
        revert(session, _MENDING, work.dialect, undo)
    member.state = DeviceState.UNDONE
    member.notes.append(f"{member.name}: it held a part of the change, with nothing pending; that was taken out")


def _pending_elsewhere(member: Member) -> bool:
    """Whether the commit is still pending, asked over a session that did not send it."""
    member.hang_up()
    return member.path.is_pending(member.session())


def _end_maker(member: Member) -> None:
    """Have the device end the session that committed, should it not have noticed that we left."""
    try:
        member.session().kill(member.maker)
    except (RpcFailure, ConnectError) as error:
        member.notes.append(f"{error}: while ending session {member.maker} of ours")
