"""A device's datastores and what the NETCONF operations do to them. No I/O; time comes in as `call_later`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from .checks import violations
from .confirmed import CallLater, CommitRequest, ConfirmedCommit
from .edit import Operation, apply_each, apply_edit
from .errors import RpcError, invalid, not_supported
from .features import Features
from .locks import Locks, lock_denied
from .nacm import Denied, require_access
from .names import Element
from .partly import parts
from .profile import Quirks
from .schema import SchemaNode
from .tree import Node


@dataclass(frozen=True, slots=True)
class EditRequest:
    """The parameters of an `<edit-config>`."""

    target: str
    config: Element
    default: Operation = Operation.MERGE
    error_option: str = "stop-on-error"
    test_option: str = "set"


class Failures(Exception):  # noqa: N818 - a bundle of errors, not one
    """Several rpc-errors for one request."""

    def __init__(self, errors: list[RpcError]) -> None:
        super().__init__("; ".join(f"{error.path}: {error} [{error.tag}]" for error in errors))
        self.errors = errors


class Datastores:
    """running, candidate, their locks and the pending confirmed commit.

    The candidate is shared by all sessions and follows running until someone edits it. What running holds at first
    must be valid.
    """

    def __init__(
        self,
        root: SchemaNode,
        features: Features,
        running: Node,
        *,
        call_later: CallLater,
        on_rollback: Callable[[str], None],
        quirks: Quirks = Quirks(),  # noqa: B008 - frozen
    ) -> None:
        self._root = root
        self._quirks = quirks
        self._features = features
        self._on_rollback = on_rollback
        self._candidate: Node | None = None
        self._valid = running
        self.changed_s = 0.0
        self.running = running
        self.denied: tuple[Denied, ...] = ()
        self.locks = Locks()
        self.confirmed = ConfirmedCommit(call_later, self._roll_back)

    @property
    def running(self) -> Node:
        """The configuration in force."""
        return self._running

    @running.setter
    def running(self, content: Node) -> None:
        self._running = content
        self.changed_s = time.time()

    @property
    def candidate_modified(self) -> bool:
        """Whether the candidate holds changes that were not committed."""
        return self._candidate is not None and self._candidate != self.running

    def read(self, name: str) -> Node:
        """The content of a datastore.

        Raises:
            RpcError: invalid-value where the device has no such datastore.
        """
        self._require(name)
        return self._candidate if name == "candidate" and self._candidate is not None else self.running

    def lock(self, session: int, target: str) -> None:
        """Serve `<lock>`; see RFC 6241 section 7.5 for when it is denied."""
        self._require(target)
        if target == "candidate" and self.candidate_modified and target not in self.locks.holders:
            raise lock_denied(0, "the candidate holds changes that were neither committed nor discarded")
        pending = self.confirmed.pending
        guarded = target == "running" or not self._quirks.lock_while_pending
        if guarded and pending and pending.session != session:
            raise lock_denied(pending.session, f"session {pending.session} has a confirmed commit pending")
        self.locks.take(session, target)

    def unlock(self, session: int, target: str) -> None:
        """Serve `<unlock>`; the candidate's uncommitted changes go with its lock (section 8.3.5.2)."""
        self._require(target)
        self.locks.release(session, target)
        if target == "candidate":
            self._candidate = None

    def discard(self, session: int) -> None:
        """Serve `<discard-changes>`."""
        self._require_candidate("discard-changes")
        self.locks.require_free(session, "candidate")
        self._candidate = None

    def edit(self, session: int, request: EditRequest, *, partly: bool = False) -> None:
        """Serve `<edit-config>`.

        With `rollback-on-error` a wrong edit changes nothing. Otherwise the top-level subtrees before the
        wrong one stay (`stop-on-error`), or all but the wrong ones (`continue-on-error`). `partly`: apply a part
        of it and fail.

        Raises:
            RpcError: what is wrong with the edit.
            Failures: several things are.
        """
        self._require_writable(request.target)
        self.locks.require_free(session, request.target)
        before = self.read(request.target)
        if request.test_option == "test-only":
            self._check(apply_edit(self._root, before, request.config, request.default))
            return
        after, errors = self._edited(before, request)
        require_access(self.denied, before, after)
        if request.target == "running" or request.test_option == "test-then-set":
            self._check(after)
        if partly:
            self._write(request.target, self._part(before, after))
            raise _midway("edit")
        self._write(request.target, after)
        if errors:
            raise Failures(errors)

    def preview(self, request: EditRequest) -> Node:
        """The target as the edit would leave it.

        Raises:
            RpcError: what is wrong with the edit.
        """
        return apply_edit(self._root, self.read(request.target), request.config, request.default)

    def _part(self, before: Node, after: Node) -> Node:
        """Some of the differences between the two, leaving a valid datastore if that can be."""
        found = list(parts(self._root, before, after))
        return next((part for part in found if not violations(self._root, part)), found[0])

    def _edited(self, before: Node, request: EditRequest) -> tuple[Node, list[RpcError]]:
        if request.error_option == "rollback-on-error":
            return apply_edit(self._root, before, request.config, request.default), []
        stop = request.error_option == "stop-on-error"
        return apply_each(self._root, before, request.config, request.default, stop_at_error=stop)

    def validate(self, content: Node) -> None:
        """Serve `<validate>`.

        Raises:
            Failures: everything that is wrong.
        """
        self._check(content)

    def parse(self, config: Element) -> Node:
        """A whole configuration from its XML.

        Raises:
            RpcError: what is wrong with it.
        """
        return apply_edit(self._root, self.running, config, Operation.REPLACE)

    def commit(self, session: int, request: CommitRequest, *, partly: bool = False) -> None:
        """Serve `<commit>` in all its forms; `partly`: apply a part of the candidate, arm no timer, and fail.

        Raises:
            RpcError: in-use, invalid-value.
            Failures: the candidate is not valid; running is unchanged.
        """
        self._require_candidate("commit")
        self.locks.require_free(session, "running", "candidate")
        self._authorise(session, request.persist_id)
        after = self.read("candidate")
        require_access(self.denied, self.running, after)
        self._check(after)
        if partly:
            self.running, self._candidate = self._part(self.running, after), after
            raise _midway("commit")
        before, self.running, self._candidate = self.running, after, None
        if request.confirmed:
            self.confirmed.begin(session, before, request)
        else:
            self.confirmed.settle()

    def _authorise(self, session: int, persist_id: str | None) -> None:
        pending = self.confirmed.pending
        free = pending is not None and pending.persist is None and persist_id is None
        if not (free and self._quirks.any_commit_confirms):
            self.confirmed.authorise(session, persist_id)

    def rebooted(self) -> None:
        """What a restart leaves: running as it was saved with every change, rolled back from a pending commit."""
        self._candidate = None
        self.locks.holders.clear()
        self.confirmed.revert("reboot")

    def session_ended(self, session: int) -> None:
        """What the end of a session undoes: its confirmed commit without persist, its locks."""
        self.confirmed.session_ended(session)
        for target in self.locks.held_by(session):
            self.unlock(session, target)

    def foreign_write(self, content: Node) -> None:
        """Running, as somebody beside NETCONF leaves it; no lock holds it back.

        Raises:
            Failures: the configuration is not valid.
        """
        self._check(content)
        self.running = content

    def foreign_edit(self, config: Element) -> None:
        """Merge an edit into running, past all locks.

        Raises:
            RpcError: the edit is wrong.
            Failures: the result is not valid.
        """
        self.foreign_write(apply_edit(self._root, self.running, config, Operation.MERGE))

    def _roll_back(self, base: Node, reason: str) -> None:
        self.running = base
        self._on_rollback(reason)

    def _check(self, content: Node) -> None:
        if content is self._valid:
            return
        if errors := violations(self._root, content):
            raise Failures(errors)
        self._valid = content

    def _write(self, target: str, content: Node) -> None:
        if target == "running":
            self.running = content
        else:
            self._candidate = content

    def _require(self, name: str) -> None:
        if name not in self._features.datastores:
            raise invalid(name, f"this device has no {name} datastore")

    def _require_candidate(self, operation: str) -> None:
        if not self._features.candidate:
            raise not_supported(operation, f"<{operation}> needs the :candidate capability")

    def _require_writable(self, target: str) -> None:
        self._require(target)
        if target == "running" and not self._features.writable_running:
            raise not_supported("running", "running cannot be edited directly: no :writable-running capability")


def _midway(operation: str) -> RpcError:
    return RpcError("operation-failed", f"the {operation} failed midway: a part of the change was applied")
