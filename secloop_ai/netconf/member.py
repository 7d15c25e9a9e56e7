"""A device while a transaction runs: its session, what has happened to it, and where it stands."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import ceil

from nornir.core.configuration import Config
from nornir.core.inventory import Host

from secloop_ai.contracts import DeviceError, DeviceReport, DeviceState, DeviceUndo, SecLoopError, VerifyError

from .inventory import CONNECTION
from .paths import CommitPath, choose_path
from .quirks import quirks_of
from .session import Session
from .watch import Watch
from .work import Work


@dataclass
class Member:
    """One device's part. Only the worker thread of the phase in hand touches it.

    Attributes:
        removal: whether the change takes entries of ours away, so that undoing it brings them back.
        timings_ms: operation → milliseconds, over all sessions.
        held: datastores that the present session has locked.
        confirming: whether it may have got the confirmation.
        watch: what undoes the change on this device when the controller is gone, if the device does not.
        undo: how the change is taken back, on a device that does not do so by itself.
        maker: id of the session that sent the commit.
        failure: what went wrong first; `doubt`: why nobody knows how it stands.
        notes: what went wrong without harm.
    """

    work: Work
    host: Host
    config: Config
    persist_id: str
    timeout_s: float
    removal: bool
    timings_ms: dict[str, float]
    held: list[str] = field(default_factory=list)
    confirming: bool = False
    watch: Watch | None = None
    undo: DeviceUndo | None = None
    maker: str = ""
    state: DeviceState = DeviceState.UNDONE
    failure: DeviceError | None = None
    doubt: DeviceError | None = None
    notes: list[str] = field(default_factory=list)
    deadline: float = math.inf
    reverts_at: datetime | None = None
    _path: CommitPath | None = None
    _unmoved: str | None = None
    _capabilities: frozenset[str] = frozenset()

    @property
    def greeted(self) -> bool:
        """Whether the device's hello was read, so that its way is known."""
        return self._path is not None

    @property
    def limits(self) -> tuple[str, ...]:
        """What the device's way cannot promise; empty while its hello was not read."""
        return self._path.limits(self._capabilities) if self._path else ()

    @property
    def name(self) -> str:
        """The device's inventory name."""
        return self.work.device.name

    @property
    def path(self) -> CommitPath:
        """How this device takes a change that it may yet give up; from its hello.

        Raises:
            CapabilityError: it has no way that we know.
            ConnectError: it cannot be reached.
        """
        if self._path is None:
            session = self.session()
            self._path = choose_path(session, self.work.device)
            self._capabilities = session.capabilities
        return self._path

    def session(self) -> Session:
        """The session, opened on first use. A broken one is not replaced: its locks are gone.

        Raises:
            ConnectError: the device cannot be reached.
        """
        found: Session = self.host.get_connection(CONNECTION, self.config)
        return found

    def fresh(self) -> Session:
        """A session that works, if need be a new one that holds no locks: for settling what is pending.

        Raises:
            ConnectError: the device cannot be reached.
        """
        if not self.connected:
            self.hang_up()
        return self.session()

    @property
    def connected(self) -> bool:
        """Whether there is a session that still works."""
        connection = self.host.connections.get(CONNECTION)
        return connection is not None and bool(connection.connection.alive)

    def hang_up(self) -> None:
        """Close the session; its locks go with it."""
        if CONNECTION in self.host.connections:
            self.host.close_connection(CONNECTION)
        self.held.clear()

    def commit_leaves(self) -> None:
        """The commit is being sent: from here on nobody knows how the device stands, until it is settled."""
        self.state = DeviceState.IN_DOUBT
        self.maker = self.session().session_id
        if self.watch is None:  # else its time began when the watch was armed
            unit_s = quirks_of(self._capabilities, self.work.device).timeout_unit_s
            self.starts(self.timeout_s, ceil(self.timeout_s / unit_s) * unit_s)

    def starts(self, timeout_s: float, reverts_s: float) -> None:
        """The time begins to run: `timeout_s` seconds for us, `reverts_s` until the change is undone by itself."""
        self.deadline = time.monotonic() + timeout_s
        self.reverts_at = datetime.now(UTC) + timedelta(seconds=reverts_s)

    @property
    def by_itself(self) -> str:
        """When an unconfirmed change leaves the device, for a person."""
        when = f"{self.reverts_at:%Y-%m-%d %H:%M:%S} UTC" if self.reverts_at else "its timeout"
        if self.undo is not None:
            return f"unless it was confirmed, the watchdog undoes it from {when} on"
        return f"unless it was confirmed, the device rolls back by itself at {when}"

    def read(self) -> str:
        """The running configuration as far as the dialect reads it, over the present session."""
        return self.session().get_config("running", self.work.dialect.read_filter())

    def moved(self, data: str) -> tuple[str, ...]:
        """Subtrees of a configuration that are not what the edit was rendered from; the same text is looked at once."""
        if data == self._unmoved:
            return ()
        found = self.work.moved(data)
        if not found:
            self._unmoved = data
        return found

    def is_gone(self, data: str) -> bool:
        """Whether a running configuration holds nothing of the change: the base, perhaps as others have moved it.

        Raises:
            DialectError: the configuration cannot be read.
        """
        if not self.moved(data):
            return True
        spoken, ops = self.work.dialect, self.work.operations
        left = spoken.apply(data, ops) if self.removal else spoken.remove(data, ops)
        return left.edit is None

    def blame(self, error: SecLoopError, operation: str) -> DeviceError:
        """Note what went wrong; the first error is the one that is told."""
        found = error if isinstance(error, DeviceError) else self.error(str(error), operation)
        self.failure = self.failure or found
        return found

    def error(self, message: str, operation: str) -> DeviceError:
        """An error of this device: the effect is missing, or something could not be read."""
        return VerifyError(message, device=self.name, operation=operation)

    def in_doubt(self, message: str, operation: str, *, cause: DeviceError | None = None) -> None:
        """Nobody knows how the device stands, or it does not stand as the others do."""
        self.state = DeviceState.IN_DOUBT
        tag = cause.error_tag if cause else ""
        self.doubt = DeviceError(message, device=self.name, operation=operation, error_tag=tag)

    def report(self) -> DeviceReport:
        """This device's line of the report."""
        told = self.doubt or (self.failure if self.state is not DeviceState.CONFIRMED else None)
        timings = {name: round(ms, 3) for name, ms in self.timings_ms.items()}
        path = self._path.name if self._path else ""
        if told is None:
            return DeviceReport(device=self.name, state=self.state, path=path, timings_ms=timings)
        return DeviceReport(
            device=self.name,
            state=self.state,
            path=path,
            operation=told.operation,
            error_tag=told.error_tag,
            message=told.reason,
            timings_ms=timings,
        )
