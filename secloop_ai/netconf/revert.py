"""The inverse edit of a change, for devices that cannot undo a commit by themselves.

It is rendered before the change is sent. While the device holds exactly what the change left, that edit brings back
what was there, byte for byte; where somebody else has changed the same subtrees since, only what the change brought
leaves (or comes back), as the dialect renders it from what is there then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from secloop_ai.contracts import AdminOp, Device, DeviceError, DeviceModel, DeviceUndo, Dialect, TaggedOp, VerifyError

from .paths import CommitPath
from .session import Session
from .work import Work


def undo_for(work: Work, data: str, path: str, *, removal: bool) -> DeviceUndo:
    """How the change is taken back, from the running configuration it was rendered from.

    Raises:
        DeviceError: rendering the change again gives another edit than the one to be sent, or one without an inverse.
    """
    spoken, ops = work.dialect, work.operations
    rendered = spoken.remove(data, ops) if removal else spoken.apply(data, ops)
    inverse = spoken.between(rendered.after, data)
    if rendered.edit != work.edit or inverse is None:
        message = "the plan's edit is not what its operations render to now, so no inverse of it is certain: plan again"
        raise DeviceError(message, device=work.device.name, operation="base")
    return DeviceUndo(
        device=work.device.name,
        path=path,
        edit=inverse,
        before=dict(spoken.digests(data, ops)),
        after=dict(spoken.digests(rendered.after, ops)),
        operations=_new(ops, spoken.parse(data), spoken.tags(data), removal=removal),
        touched=tuple(ops),
        removal=removal,
    )


def _new(ops: Sequence[TaggedOp], model: DeviceModel, tags: frozenset[str], *, removal: bool) -> tuple[TaggedOp, ...]:
    """The operations that change something: undoing must leave what was there before us alone."""

    def holds(tagged: TaggedOp) -> bool:
        op = tagged.op
        return model.is_up(op.interface) == op.enabled if isinstance(op, AdminOp) else tagged.tag in tags

    return tuple(t for t in ops if holds(t) is removal)


def edit_back(dialect: Dialect, undo: DeviceUndo, data: str) -> str | None:
    """The edit that takes the change out of this configuration; None where nothing of it is there.

    Raises:
        DialectError: the configuration cannot be read.
    """
    now = dialect.digests(data, undo.touched)
    if now == undo.before:
        return None
    if now == undo.after:
        return undo.edit
    rendered = dialect.apply(data, undo.operations) if undo.removal else dialect.remove(data, undo.operations)
    return rendered.edit


def revert(session: Session, path: CommitPath, dialect: Dialect, undo: DeviceUndo) -> bool:
    """Take the change back over a session that holds the locks; whether there was anything to take back.

    Raises:
        RpcFailure, ConnectError: the device refused, or was lost: nobody knows how it stands.
        VerifyError: the edit was accepted, and something of the change is still there.
        DialectError: the configuration cannot be read.
    """
    back = edit_back(dialect, undo, session.get_config("running", dialect.read_filter()))
    if back is None:
        return False
    path.clean(session)
    path.stage(session, back)
    path.validate(session, back)
    path.commit(session, back, timeout_s=0.0, persist_id="")
    if edit_back(dialect, undo, session.get_config("running", dialect.read_filter())) is not None:
        message = "the inverse edit was accepted, but something of the change is still in running"
        raise VerifyError(message, device=undo.device, operation="undo")
    return True


@contextmanager
def locked(session: Session, path: CommitPath, device: Device) -> Iterator[None]:
    """Hold the locks of a way to commit; at the end nothing is left staged or locked where the session still lives.

    Raises:
        RpcFailure: somebody else holds one.
        ConnectError: the device was lost.
    """
    held: list[str] = []
    try:
        for datastore in path.locks(device):
            session.lock(datastore)
            held.append(datastore)
        yield
    finally:
        with suppress(DeviceError):  # what cannot be said any more ends with the session
            if held:
                path.clean(session)
            for datastore in reversed(held):
                session.unlock(datastore)
