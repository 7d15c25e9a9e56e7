"""The confirmed commit that waits for its confirmation (RFC 6241 section 8.4)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from .errors import RpcError, invalid
from .tree import Node

DEFAULT_TIMEOUT_S = 600


class Timer(Protocol):
    """A call that was scheduled and can be called off, such as asyncio's TimerHandle."""

    def cancel(self) -> None:
        """Call it off."""


CallLater = Callable[[float, Callable[[], None]], Timer]


@dataclass(frozen=True, slots=True)
class CommitRequest:
    """The parameters of a `<commit>`; the timeout is in seconds."""

    confirmed: bool = False
    timeout_s: int = DEFAULT_TIMEOUT_S
    persist: str | None = None
    persist_id: str | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """A confirmed commit under way.

    Attributes:
        base: running as it was before the first of its commits.
        session: who issued it; 0 once that session has ended.
        persist: its token; None binds it to the session's life.
        deadline: when the timer ends, in UNIX seconds.
        timer: what rolls it back.
    """

    base: Node
    session: int
    persist: str | None
    deadline: float
    timer: Timer

    def authorise(self, session: int, persist_id: str | None) -> None:
        """Let the owner, or whoever knows the token, continue it.

        Raises:
            RpcError: invalid-value for a wrong or absent token, in-use for another session.
        """
        if self.persist is not None:
            if persist_id != self.persist:
                raise invalid("persist-id", "it does not match the pending confirmed commit")
        elif persist_id is not None:
            raise invalid("persist-id", "the pending confirmed commit is not a persistent one")
        elif session != self.session:
            raise RpcError("in-use", f"session {self.session} has a confirmed commit pending", kind="protocol")


class ConfirmedCommit:
    """At most one confirmed commit, with its timer."""

    def __init__(self, call_later: CallLater, roll_back: Callable[[Node, str], None]) -> None:
        self._call_later = call_later
        self._roll_back = roll_back
        self.pending: Pending | None = None

    def authorise(self, session: int, persist_id: str | None) -> None:
        """Check a `<commit>` against what is pending.

        Raises:
            RpcError: as `Pending.authorise`; invalid-value for a token when nothing is pending.
        """
        if self.pending is not None:
            self.pending.authorise(session, persist_id)
        elif persist_id is not None:
            raise invalid("persist-id", "no confirmed commit is pending")

    def begin(self, session: int, before: Node, request: CommitRequest) -> None:
        """Start the timer, or restart that of the pending one, whose base stays."""
        earlier = self.settle()
        persist = request.persist if request.persist is not None else (earlier.persist if earlier else None)
        self.pending = Pending(
            base=earlier.base if earlier else before,
            session=session,
            persist=persist,
            deadline=time.time() + request.timeout_s,
            timer=self._call_later(request.timeout_s, lambda: self.revert("timeout")),
        )

    def jump(self, seconds: float) -> None:
        """The device's clock jumps: the timer ends that much earlier, or later where `seconds` is negative."""
        if (pending := self.pending) is None:
            return
        left = pending.deadline - time.time() - seconds
        if left <= 0:
            self.revert("timeout")
            return
        pending.timer.cancel()
        timer = self._call_later(left, lambda: self.revert("timeout"))
        self.pending = replace(pending, deadline=time.time() + left, timer=timer)

    def settle(self) -> Pending | None:
        """Forget what is pending, keeping what it did; returns it."""
        settled, self.pending = self.pending, None
        if settled is not None:
            settled.timer.cancel()
        return settled

    def revert(self, reason: str) -> None:
        """Roll running back to the base, if anything is pending."""
        if (settled := self.settle()) is not None:
            self._roll_back(settled.base, reason)

    def session_ended(self, session: int) -> None:
        """Roll back what only lived as long as its session; a persistent one goes on without an owner."""
        if self.pending is None or self.pending.session != session:
            return
        if self.pending.persist is None:
            self.revert("session-end")
        else:
            self.pending = replace(self.pending, session=0)

    def cancel(self, session: int, persist_id: str | None) -> None:
        """Serve a `<cancel-commit>`.

        Raises:
            RpcError: as `Pending.authorise`; operation-failed where nothing is pending.
        """
        if self.pending is None:
            if persist_id is not None:
                raise invalid("persist-id", "no confirmed commit is pending")
            raise RpcError("operation-failed", "no confirmed commit is pending", kind="protocol")
        self.pending.authorise(session, persist_id)
        self.revert("cancel")
