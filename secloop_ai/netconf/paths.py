"""How a device takes a change that it may yet give up: chosen from its hello, one class per way.

A way for devices with less (no persist, no confirmed commit, no candidate) is another class here with the same
methods, listed in :data:`PATHS` after the stronger ones.
"""

from __future__ import annotations

from typing import Protocol

from secloop_ai.contracts import CapabilityError, Device, RpcFailure

from . import rpc
from .session import Session

DATASTORES = ("candidate", "running")


class CommitPath(Protocol):
    """The steps of a change on one device, each over the session it is given."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Capabilities that the hello must announce, as ``confirmed-commit:1.1`` or ``validate``."""

    def locks(self, device: Device) -> tuple[str, ...]:
        """Datastores to lock, in order."""

    def stage(self, session: Session, edit: str) -> None:
        """Bring the edit to the device without effect."""

    def validate(self, session: Session) -> None:
        """Have the device check what was staged."""

    def commit(self, session: Session, timeout_s: float, persist_id: str) -> None:
        """Put it into effect for `timeout_s` seconds at most, unless confirmed."""

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


class PersistPath:
    """Candidate, validate, and a confirmed commit with a persist id (RFC 6241 sections 8.3, 8.4 and 8.6).

    The change outlives the session until it is confirmed, cancelled, or the device undoes it at its timeout; any
    session that knows the persist id can settle it.
    """

    needs = ("candidate:1.0", "confirmed-commit:1.1", "validate")

    def locks(self, device: Device) -> tuple[str, ...]:
        """The candidate; running too only where the inventory says so: some servers cannot roll back under that."""
        return DATASTORES if device.lock_running else DATASTORES[:1]

    def stage(self, session: Session, edit: str) -> None:
        """Edit the candidate."""
        session.edit("candidate", edit)

    def validate(self, session: Session) -> None:
        """Validate the candidate."""
        session.validate("candidate")

    def commit(self, session: Session, timeout_s: float, persist_id: str) -> None:
        """Confirmed commit with persist."""
        session.commit_confirmed(timeout_s, persist_id)

    def confirm(self, session: Session, persist_id: str) -> None:
        """Commit by persist id."""
        session.confirm(persist_id)

    def cancel(self, session: Session, persist_id: str) -> None:
        """Cancel by persist id."""
        session.cancel(persist_id)

    def may_resume(self, session: Session) -> str:
        """A confirming commit commits the candidate too: the lock went with the old session, so look into it."""
        same = session.get_config("candidate") == session.get_config("running")
        return "" if same else "the candidate holds somebody's uncommitted edit, which a confirmation would commit"

    def is_pending(self, session: Session) -> bool:
        """Try to lock running: denied to others while a confirmed commit is pending (RFC 6241 section 7.5)."""
        try:
            session.lock("running")
        except RpcFailure:
            return True
        session.unlock("running")
        return False

    def clean(self, session: Session) -> None:
        """Make the candidate equal to running."""
        session.discard()


PATHS: tuple[CommitPath, ...] = (PersistPath(),)


def choose_path(session: Session, device: Device) -> CommitPath:
    """The strongest way the device's hello allows.

    Raises:
        CapabilityError: none; names what the least demanding one misses.
    """
    for path in PATHS:
        if not rpc.missing(session.capabilities, path.needs):
            return path
    lacking = ", ".join(f":{n}" for n in rpc.missing(session.capabilities, PATHS[-1].needs))
    message = f"the device's hello lacks {lacking}; a change that can be taken back needs it"
    raise CapabilityError(message, device=device.name, operation="hello")
