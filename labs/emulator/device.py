"""One emulated device: its datastores, its sessions, its faults and its log."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from functools import cache
from itertools import count
from typing import Protocol

from .checks import violations
from .confirmed import CallLater
from .datastores import Datastores, Failures
from .edit import Operation, apply_edit
from .errors import RpcError
from .faults import Faults
from .features import expand, features_of
from .messages import Rpc
from .nacm import denied
from .names import Element, parse_xml
from .operations import Call
from .profile import load_profile
from .reading import unwrap
from .schema import DATA, load_schema
from .spec import DeviceSpec, DeviceState, PendingCommit, Served
from .tree import EMPTY, Node
from .yang import yang_check

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
        self.profile = load_profile(spec.dialect)
        self.schema = load_schema(spec.dialect, spec.modules)
        offered = spec.capabilities if spec.capabilities is not None else self.profile.offered(spec.variant)
        protocol = tuple(expand(capability) for capability in offered)
        self.features = features_of(protocol)
        announced = tuple(expand(capability) for capability in self.profile.announces)
        self.capabilities = (*protocol, *(m.capability for m in self.schema.modules), *announced)
        self.faults = Faults()
        self.yang = yang_check(spec.yang, self.profile.yang or spec.dialect)
        self.log: deque[Served] = deque(maxlen=_LOG_LINES)
        self.sessions: dict[int, OpenSession] = {}
        self._ids = count(1)
        self._call_later = call_later
        self._up_at = 0.0
        self.stores = self._fresh_stores()

    def _fresh_stores(self) -> Datastores:
        try:
            running = initial(self.spec.dialect, self.spec.modules, self.spec.config)
            denials = tuple(denied(path, self.schema.prefixes) for path in self.spec.deny)
        except ValueError as error:
            raise ValueError(f"{self.spec.name}: {error}") from error
        stores = Datastores(
            self.schema.root,
            self.features,
            running,
            call_later=self._call_later,
            on_rollback=lambda reason: self.record("rollback", detail=reason),
            quirks=self.profile.quirks,
        )
        stores.denied = denials
        return stores

    def deny(self, paths: Iterable[str]) -> None:
        """Let clients write to none of these paths from now on; none given: to all again.

        Raises:
            ValueError: one of them is no path of this device.
        """
        self.stores.denied = tuple(denied(path, self.schema.prefixes) for path in paths)

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
        return Call(session_id, rpc, self.schema, self.features, self.stores, self.profile, self.kill)

    @property
    def down_s(self) -> float:
        """Seconds until the device takes connections; 0 when it is up."""
        return max(0.0, self._up_at - time.monotonic())

    def reboot(self, seconds: float) -> None:
        """Restart: sessions, locks and the candidate are lost, a pending commit is undone; down for `seconds`."""
        self._up_at = time.monotonic() + seconds
        self.record("reboot", detail=f"{seconds:g} s")
        self.stores.rebooted()
        for session_id in list(self.sessions):
            self.kill(session_id)

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
        self._up_at = 0.0
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
            down_s=self.down_s,
            yang=self.yang.about,
        )


@cache
def initial(dialect: str, modules: tuple[str, ...] | None, config: str | None) -> Node:
    """A configuration as a device of that make starts with it; devices of one make share it, as it never changes.

    Raises:
        ValueError: it is absent, no XML, or wrong.
    """
    root = load_schema(dialect, modules).root
    try:
        content = apply_edit(root, EMPTY, unwrap(_document(dialect, config)), Operation.MERGE)
    except RpcError as error:
        raise ValueError(f"initial configuration: {error.path}: {error}") from error
    if errors := violations(root, content):
        raise ValueError(f"initial configuration: {Failures(errors)}")
    return content


def _document(dialect: str, config: str | None) -> Element:
    if config is not None:
        return parse_xml(config.encode())
    path = DATA / f"{dialect}-initial.xml"
    if not path.is_file():
        raise ValueError(f"no initial configuration for the dialect {dialect!r}: {path.name} is absent")
    return parse_xml(path.read_bytes())
