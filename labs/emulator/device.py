"""One emulated device: its datastores, its sessions, its faults and its log."""

from __future__ import annotations

import time
from collections import deque
from itertools import count
from typing import Protocol

from .confirmed import CallLater
from .datastores import Datastores, Failures
from .edit import Operation, apply_edit
from .errors import RpcError
from .faults import Faults
from .features import expand, features_of
from .messages import Rpc
from .names import Element, parse_xml
from .operations import Call
from .reading import unwrap
from .schema import DATA, load_schema
from .spec import DeviceSpec, DeviceState, PendingCommit, Served
from .tree import EMPTY

_LOG_LINES = 10_000


class OpenSession(Protocol):
    """A session as the device sees it."""

    def abort(self) -> None:
        """Close its TCP connection at once."""


class VirtualDevice:
    """What all sessions of one device share.

    Args:
        spec: what it is made of.
        call_later: schedules the confirmed-commit timer (seconds, call).

    Raises:
        ValueError: the spec's configuration, dialect or capabilities are wrong.
    """

    def __init__(self, spec: DeviceSpec, call_later: CallLater) -> None:
        self.spec = spec
        self.schema = load_schema(spec.dialect, spec.modules)
        protocol = tuple(expand(capability) for capability in spec.capabilities)
        self.features = features_of(protocol)
        self.capabilities = (*protocol, *(m.capability for m in self.schema.modules))
        self.faults = Faults()
        self.log: deque[Served] = deque(maxlen=_LOG_LINES)
        self.sessions: dict[int, OpenSession] = {}
        self._ids = count(1)
        self._call_later = call_later
        self.stores = self._fresh_stores()

    def _fresh_stores(self) -> Datastores:
        stores = Datastores(
            self.schema.root,
            self.features,
            EMPTY,
            call_later=self._call_later,
            on_rollback=lambda reason: self.record("rollback", detail=reason),
        )
        try:
            stores.foreign_write(apply_edit(self.schema.root, EMPTY, unwrap(self._initial()), Operation.MERGE))
        except (RpcError, Failures) as error:
            where = f"{error.path}: " if isinstance(error, RpcError) else ""
            raise ValueError(f"{self.spec.name}: initial configuration: {where}{error}") from error
        return stores

    def _initial(self) -> Element:
        if self.spec.config is not None:
            return parse_xml(self.spec.config.encode())
        return parse_xml((DATA / f"{self.spec.dialect}-initial.xml").read_bytes())

    def open(self, session: OpenSession) -> int:
        """Register a session; its session-id."""
        session_id = next(self._ids)
        self.sessions[session_id] = session
        return session_id

    def close(self, session_id: int) -> None:
        """The session is gone: undo what lived with it."""
        if self.sessions.pop(session_id, None) is not None:
            self.stores.session_ended(session_id)

    def kill(self, session_id: int) -> bool:
        """Close a session's connection; False where there is no such session."""
        session = self.sessions.get(session_id)
        if session is None:
            return False
        self.close(session_id)
        session.abort()
        return True

    def call(self, session_id: int, rpc: Rpc) -> Call:
        """A request with what it needs to be performed."""
        return Call(session_id, rpc, self.schema, self.features, self.stores, self.kill)

    def record(
        self, operation: str, *, session: int = 0, outcome: str = "ok", performed: bool = True, detail: str = ""
    ) -> None:
        """Add a line to the log."""
        self.log.append(
            Served(
                session=session,
                operation=operation,
                time_s=time.time(),
                outcome=outcome,
                performed=performed,
                detail=detail,
            )
        )

    def reset(self) -> None:
        """Back to the initial configuration: no sessions, no faults, an empty log."""
        for session_id in list(self.sessions):
            self.kill(session_id)
        self.stores.confirmed.settle()
        self.stores = self._fresh_stores()
        self.faults.clear()
        self.log.clear()

    def state(self) -> DeviceState:
        """What the device is busy with."""
        pending = self.stores.confirmed.pending
        return DeviceState(
            sessions=tuple(self.sessions),
            locks=dict(self.stores.locks.holders),
            candidate_modified=self.stores.candidate_modified,
            pending=PendingCommit(
                session=pending.session, persist=pending.persist, left_s=pending.deadline - time.time()
            )
            if pending
            else None,
        )
