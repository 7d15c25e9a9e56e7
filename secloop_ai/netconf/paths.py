"""How a device takes a change that it may yet give up: chosen from its hello alone, one class per way.

A way says what it needs of the hello, how it stages and commits, and in plain words what it cannot promise. Who undoes
the change, and how, follows from two facts about it: whether the device does so itself, and whether only the session
that made the commit can confirm it (:mod:`secloop_ai.netconf.settle`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from secloop_ai.contracts import CapabilityError, Device, RpcFailure

from . import rpc
from .session import Session

CANDIDATE, RUNNING = "candidate", "running"
NO_CHECK = "it announces no :validate, so an edit is checked only as it is committed"
NO_ROLLBACK = "it announces no :rollback-on-error, so an edit that fails midway is half applied until it is undone"
NO_OWN_UNDO = (
    "it has no confirmed commit: should this controller die, a watchdog process on this machine undoes the change; "
    "if the machine dies too, or cannot reach the device, the change stays until `secloop recover`"
)
ONE_SESSION = (
    "its confirmed commit (1.0) lives in one session: it can be confirmed only there, and a connection that breaks "
    "undoes the change on this device at once"
)
NO_STAGING = "its running configuration is edited directly: the change is in effect while it is being sent"


class CommitPath(Protocol):
    """The steps of a change on one device, each over the session it is given."""

    @property
    def name(self) -> str:
        """Of this way, for reports."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Capabilities that the hello must announce, as ``confirmed-commit:1.1`` or ``validate``."""

    @property
    def undoes_itself(self) -> bool:
        """Whether the device undoes an unconfirmed change by itself; else an inverse edit and a watchdog do."""

    @property
    def one_session(self) -> bool:
        """Whether a pending commit lives and dies with the session that made it."""

    def limits(self, capabilities: Iterable[str]) -> tuple[str, ...]:
        """What this way cannot promise on a device with such a hello, one sentence each."""

    def locks(self, device: Device) -> tuple[str, ...]:
        """Datastores to lock, in order."""

    def stage(self, session: Session, edit: str) -> None:
        """Bring the edit to the device without effect."""

    def validate(self, session: Session, edit: str) -> None:
        """Have the device check what was staged, where it can."""

    def commit(self, session: Session, edit: str, *, timeout_s: float, persist_id: str) -> None:
        """Put it into effect; where the device undoes it by itself, for `timeout_s` seconds unless confirmed."""

    def confirm(self, session: Session, persist_id: str) -> None:
        """Make it permanent."""

    def cancel(self, session: Session, persist_id: str) -> None:
        """Undo it now."""

    def may_resume(self, session: Session) -> str:
        """Why a new session must not confirm; empty when it may."""

    def is_pending(self, session: Session) -> bool:
        """Whether a commit may still be pending, asked over a session that did not send it."""

    def clean(self, session: Session) -> None:
        """Throw away what is staged."""


class _OnCandidate:
    """What all ways over the candidate have in common."""

    def stage(self, session: Session, edit: str) -> None:
        """Edit the candidate."""
        session.edit(CANDIDATE, edit)

    def validate(self, session: Session, edit: str) -> None:
        """Validate the candidate, where the device announces that it can."""
        del edit
        if rpc.has(session.capabilities, "validate"):
            session.validate(CANDIDATE)

    def clean(self, session: Session) -> None:
        """Make the candidate equal to running."""
        session.discard()


class PersistPath(_OnCandidate):
    """Candidate and a confirmed commit with a persist id (RFC 6241 sections 8.3 and 8.4).

    The change outlives the session until it is confirmed, cancelled, or the device undoes it at its timeout; any
    session that knows the persist id can settle it.
    """

    name = "persist"
    needs: tuple[str, ...] = ("candidate", "confirmed-commit:1.1")
    undoes_itself = True
    one_session = False

    def limits(self, capabilities: Iterable[str]) -> tuple[str, ...]:
        """Without ``:validate`` an edit is checked late; nothing else."""
        return () if rpc.has(capabilities, "validate") else (NO_CHECK,)

    def locks(self, device: Device) -> tuple[str, ...]:
        """The candidate; running too only where the inventory says so: some servers cannot roll back under that."""
        return (CANDIDATE, RUNNING) if device.lock_running else (CANDIDATE,)

    def commit(self, session: Session, edit: str, *, timeout_s: float, persist_id: str) -> None:
        """Confirmed commit with persist."""
        del edit
        session.commit_confirmed(timeout_s, persist_id)

    def confirm(self, session: Session, persist_id: str) -> None:
        """Commit by persist id."""
        session.confirm(persist_id)

    def cancel(self, session: Session, persist_id: str) -> None:
        """Cancel by persist id."""
        session.cancel(persist_id)

    def may_resume(self, session: Session) -> str:
        """A confirming commit commits the candidate too: the lock went with the old session, so look into it."""
        same = session.get_config(CANDIDATE) == session.get_config(RUNNING)
        return "" if same else "the candidate holds somebody's uncommitted edit, which a confirmation would commit"

    def is_pending(self, session: Session) -> bool:
        """Try to lock running: denied to others while a confirmed commit is pending (RFC 6241 section 7.5)."""
        try:
            session.lock(RUNNING)
        except RpcFailure:
            return True
        session.unlock(RUNNING)
        return False


class ConfirmedPath(PersistPath):
    """Candidate and a confirmed commit as of RFC 4741: no persist, no cancel.

    The change lives in the session that committed it: a plain commit there confirms it, the end of that session,
    however it comes, undoes it.
    """

    name = "confirmed"
    needs: tuple[str, ...] = ("candidate", "confirmed-commit")
    one_session = True

    def limits(self, capabilities: Iterable[str]) -> tuple[str, ...]:
        """That only its session can confirm."""
        return (ONE_SESSION, *super().limits(capabilities))

    def commit(self, session: Session, edit: str, *, timeout_s: float, persist_id: str) -> None:
        """Confirmed commit without persist."""
        del edit, persist_id
        session.commit_confirmed(timeout_s)

    def confirm(self, session: Session, persist_id: str) -> None:
        """A plain commit in the same session."""
        del persist_id
        session.confirm()

    def cancel(self, session: Session, persist_id: str) -> None:
        """End the session: the device undoes what it left unconfirmed."""
        del persist_id
        session.close()


class CandidatePath(_OnCandidate):
    """Candidate, but no confirmed commit: what is committed stays until an inverse edit is committed."""

    name = "candidate"
    needs: tuple[str, ...] = ("candidate",)
    undoes_itself = False
    one_session = False

    def limits(self, capabilities: Iterable[str]) -> tuple[str, ...]:
        """That undoing depends on the controller's machine."""
        return (NO_OWN_UNDO,) if rpc.has(capabilities, "validate") else (NO_OWN_UNDO, NO_CHECK)

    def locks(self, device: Device) -> tuple[str, ...]:
        """Both: nobody is to change what the inverse edit was rendered for."""
        del device
        return (CANDIDATE, RUNNING)

    def commit(self, session: Session, edit: str, *, timeout_s: float, persist_id: str) -> None:
        """A plain commit: in effect for good."""
        del edit, timeout_s, persist_id
        session.commit()

    def confirm(self, session: Session, persist_id: str) -> None:
        """Nothing to tell the device."""

    def cancel(self, session: Session, persist_id: str) -> None:
        """Nothing to tell the device: see :mod:`secloop_ai.netconf.revert`."""

    def may_resume(self, session: Session) -> str:
        """Any session may."""
        del session
        return ""

    def is_pending(self, session: Session) -> bool:
        """Never: the device knows of no pending commit."""
        del session
        return False


class RunningPath(CandidatePath):
    """Running alone: an edit takes effect as it is sent."""

    name = "running"
    needs: tuple[str, ...] = ("writable-running",)

    def limits(self, capabilities: Iterable[str]) -> tuple[str, ...]:
        """That nothing is staged, and what else the hello lacks."""
        known = tuple(capabilities)
        checks = () if rpc.has(known, "validate") else (NO_CHECK,)
        whole = () if rpc.has(known, "rollback-on-error:1.0") else (NO_ROLLBACK,)
        return (NO_OWN_UNDO, NO_STAGING, *checks, *whole)

    def locks(self, device: Device) -> tuple[str, ...]:
        """Running."""
        del device
        return (RUNNING,)

    def stage(self, session: Session, edit: str) -> None:
        """There is nowhere to."""

    def validate(self, session: Session, edit: str) -> None:
        """Have the edit tried without making it, where the device announces that it can (``:validate:1.1``)."""
        if rpc.has(session.capabilities, "validate:1.1"):
            session.test_edit(RUNNING, edit)

    def commit(self, session: Session, edit: str, *, timeout_s: float, persist_id: str) -> None:
        """Edit running."""
        del timeout_s, persist_id
        session.edit(RUNNING, edit)

    def clean(self, session: Session) -> None:
        """There is nothing to throw away."""


PATHS: tuple[CommitPath, ...] = (PersistPath(), ConfirmedPath(), CandidatePath(), RunningPath())
"""The strongest first."""


def choose_path(session: Session, device: Device) -> CommitPath:
    """The strongest way the device's hello allows.

    Raises:
        CapabilityError: none; names what would be needed.
    """
    for path in PATHS:
        if not rpc.missing(session.capabilities, path.needs):
            return path
    message = "the device's hello announces neither :candidate nor :writable-running: nothing can be changed over it"
    raise CapabilityError(message, device=device.name, operation="hello")
