"""What one device does in each phase up to the confirmed commit, and how it is left alone again."""

from __future__ import annotations

import socket

from secloop_ai.contracts import DeviceError, DeviceState

from .member import Member
from .quirks import quirks_of
from .revert import undo_for

MANAGEMENT_TIMEOUT_S = 5.0


def connect(member: Member) -> None:
    """Connect, read the hello, choose the way to commit."""
    member.path  # noqa: B018 - chosen on first use


def lock(member: Member) -> None:
    """Lock what the way to commit needs locked."""
    for datastore in member.path.locks(member.work.device):
        member.session().lock(datastore)
        member.held.append(datastore)


def discard(member: Member) -> None:
    """Start from a candidate that equals running."""
    member.path.clean(member.session())


def compare(member: Member) -> None:
    """Refuse to go on when what the edit was rendered from is not what the device holds.

    Raises:
        DeviceError: operation ``base``; names the subtrees.
    """
    _unmoved(member)


def _unmoved(member: Member) -> str:
    data = member.read()
    if moved := member.moved(data):
        message = f"the device has changed since the plan was made: {', '.join(moved)}"
        raise DeviceError(message, device=member.name, operation="base")
    return data


def compare_and_prepare_undo(member: Member) -> None:
    """The same once more, just before the commit; and render the inverse edit where the device has no own undo.

    Raises:
        DeviceError: operation ``base``; names the subtrees, or says why no inverse is certain.
    """
    data = _unmoved(member)
    if not member.path.undoes_itself:
        member.undo = undo_for(member.work, data, member.path.name, removal=member.removal)


def stage(member: Member) -> None:
    """Bring the edit to the device without effect."""
    member.path.stage(member.session(), member.work.edit)


def validate(member: Member) -> None:
    """Have the device check it."""
    session = member.session()
    member.path.validate(session, member.work.edit)
    if quirks_of(session.capabilities).restage_after_validate:
        member.path.clean(session)
        member.path.stage(session, member.work.edit)


def commit(member: Member) -> None:
    """Put the edit into effect until confirmed, cancelled or timed out."""
    session = member.session()
    member.commit_leaves()
    member.path.commit(session, member.work.edit, timeout_s=member.timeout_s, persist_id=member.persist_id)


def verify(member: Member) -> None:
    """Read the effect back over the session, and see that a new management connection would stand.

    Raises:
        VerifyError: the effect is missing, or the NETCONF port takes no connection any more.
    """
    if problems := member.work.problems(member.read()):
        raise member.error("; ".join(problems), "verify")
    where = member.work.device.connection
    try:
        limit = min(where.timeout_s, MANAGEMENT_TIMEOUT_S)
        socket.create_connection((where.address, where.port), timeout=limit).close()
    except OSError as error:
        reason = error.strerror or "no answer"
        raise member.error(f"no new connection to {where.address} port {where.port}: {reason}", "verify") from error


def release(member: Member) -> None:
    """Throw away what is staged, unlock, hang up; what fails here is noted and ends with the session anyway."""
    if member.connected:
        if "candidate" in member.held and member.state is not DeviceState.CONFIRMED:
            _leniently(member, "discard")
        for datastore in reversed(member.held):
            _leniently(member, "unlock", datastore)
    member.hang_up()


def _leniently(member: Member, operation: str, *datastore: str) -> None:
    if not member.connected:
        return
    try:
        getattr(member.session(), operation)(*datastore)
    except DeviceError as error:
        member.notes.append(f"{error}; it ends with the session")
