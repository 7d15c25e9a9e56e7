"""One NETCONF session with one device: every operation timed, paced, and with errors that say where they happened."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import paramiko
from lxml import etree
from ncclient import NCClientError
from ncclient.manager import Manager
from ncclient.operations.errors import MissingCapabilityError, TimeoutExpiredError
from ncclient.operations.rpc import RaiseMode
from pydantic import SecretStr

from secloop_ai.contracts import CapabilityError, ConnectError, Device, RpcFailure

from . import rpc
from .pace import Pace
from .quiet import quiet
from .quirks import quirks_of
from .transport import PromptSession

CLOSE_TIMEOUT_S = 5.0
LOST = (NCClientError, paramiko.SSHException, EOFError, OSError, etree.XMLSyntaxError)
HUNG_UP = (EOFError, ConnectionResetError, ConnectionAbortedError, BrokenPipeError)
SIGNS_OF_THAT = ("Unexpected session close", "Socket is closed", "Not connected to NETCONF", "the session is gone")


def open_session(
    device: Device,
    password: SecretStr | None = None,
    *,
    pace: Pace | None = None,
    timings_ms: dict[str, float] | None = None,
) -> Session:
    """Connect to a device and exchange hellos.

    Args:
        device: where and how; its ``connection.timeout_s`` bounds every step, in seconds.
        password: of the user or of the key file; without one, the key file or the agent must do.
        pace: the device's pace, when a confirmed commit may already be pending on it.
        timings_ms: milliseconds are added here under ``connect``, ``auth``, ``hello`` and every operation's name.

    Raises:
        ConnectError: with operation ``connect``, ``auth`` or ``hello``.
    """
    quiet()
    watch = Stopwatch({} if timings_ms is None else timings_ms)
    link = PromptSession()
    try:
        link.establish(device.connection, password, entering=watch.start)
    except LOST as error:
        link.close()
        reason = _why(error, device.connection.timeout_s)
        raise ConnectError(reason, device=device.name, operation=link.stage) from error
    except BaseException:
        link.close()
        raise
    finally:
        watch.stop()
    return Session(device, link, watch, pace or Pace())


class Stopwatch:
    """Adds up milliseconds by the name of what is going on."""

    def __init__(self, timings_ms: dict[str, float]) -> None:
        self.timings_ms = timings_ms
        self._name = ""
        self._since = 0.0

    def start(self, name: str) -> None:
        """End what was going on and begin `name`."""
        self.stop()
        self._name, self._since = name, time.monotonic()

    def stop(self) -> None:
        """End what was going on."""
        if self._name:
            spent = (time.monotonic() - self._since) * 1000
            self.timings_ms[self._name] = self.timings_ms.get(self._name, 0.0) + spent
        self._name = ""


class Session:
    """An open session. Made by :func:`open_session`; used by one thread at a time.

    Every operation raises :class:`RpcFailure` when the device answers with an rpc-error, and
    :class:`ConnectError` when no answer came within the device's time limit or the session broke; after the
    latter the session is of no use and nobody knows whether the operation took effect.

    Attributes:
        device: whom it talks to.
        capabilities: the URIs of the device's hello.
        timings_ms: operation → milliseconds, waits for the pace not included.
    """

    def __init__(self, device: Device, link: PromptSession, watch: Stopwatch, pace: Pace) -> None:
        self.device = device
        self.capabilities = frozenset(str(c) for c in link.server_capabilities)
        self._link = link
        self._watch = watch
        self._pace = pace
        self._closed = False
        self._manager = Manager(
            link,
            link.handler,
            timeout=device.connection.timeout_s,
            raise_mode=RaiseMode.NONE,
        )
        self._manager.huge_tree = True

    @property
    def timings_ms(self) -> dict[str, float]:
        """Operation → milliseconds."""
        return self._watch.timings_ms

    @property
    def session_id(self) -> str:
        """The id that the device's hello gave this session."""
        return str(self._manager.session_id or "")

    @property
    def alive(self) -> bool:
        """Whether operations can still be sent."""
        return not self._closed and bool(self._link.connected)

    def require(self, *names: str) -> None:
        """Raise :class:`CapabilityError` naming those the hello lacks; names as ``candidate:1.0`` or ``validate``."""
        if lacking := rpc.missing(self.capabilities, names):
            raise CapabilityError(
                "the device does not announce " + ", ".join(f":{n}" for n in lacking),
                device=self.device.name,
                operation="hello",
            )

    def get_config(self, source: str = "running", filter_xml: str = "") -> str:
        """The ``<data>`` element of a datastore as text; `filter_xml` holds the children of a subtree filter.

        A device that would fill in defaults is asked for what was set explicitly, where it announces that it can
        tell.
        """
        wanted = rpc.subtree_filter(filter_xml) if filter_xml else None
        defaults = rpc.defaults_mode(self.capabilities)
        reply = self._call("get-config", lambda m: m.get_config(source, filter=wanted, with_defaults=defaults))
        if reply.data_ele is None:
            raise self._failure("get-config", "malformed-message", "the reply holds no <data>")
        return etree.tostring(reply.data_ele, encoding="unicode", with_tail=False)

    def lock(self, target: str = "candidate") -> None:
        """Lock a datastore for this session."""
        self._call("lock", lambda m: m.lock(target))

    def unlock(self, target: str = "candidate") -> None:
        """Release a lock of this session."""
        self._call("unlock", lambda m: m.unlock(target))

    def discard(self) -> None:
        """Make the candidate equal to running again."""
        self._call("discard", lambda m: m.discard_changes())

    def edit(self, target: str, config_xml: str) -> None:
        """Merge the children of ``<config>`` into a datastore, all or nothing where the device can.

        Into running, the device checks the edit first where it announces that it can.
        """
        body = rpc.config(config_xml)
        options: dict[str, str] = {"default_operation": "merge"}
        if rpc.has(self.capabilities, "rollback-on-error:1.0"):
            options["error_option"] = "rollback-on-error"
        if target == "running" and rpc.has(self.capabilities, "validate"):
            options["test_option"] = "test-then-set"
        self._call("edit", lambda m: m.edit_config(body, target=target, **options))

    def validate(self, source: str = "candidate") -> None:
        """Have the device check a datastore."""
        self._call("validate", lambda m: m.validate(source))

    def test_edit(self, target: str, config_xml: str) -> None:
        """Have the device check an edit without making it; needs ``:validate:1.1``."""
        body = rpc.config(config_xml)
        options = {"default_operation": "merge", "test_option": "test-only"}
        self._call("validate", lambda m: m.edit_config(body, target=target, **options))

    def commit(self) -> None:
        """Commit the candidate for good."""
        self._call("commit", lambda m: m.commit())

    def commit_confirmed(self, timeout_s: float, persist: str | None = None) -> None:
        """Commit the candidate; unless confirmed, the device undoes it after `timeout_s` seconds (rounded up).

        Without `persist` the commit lives no longer than this session. From here on RPCs are paced (see
        :class:`Pace`), until :meth:`confirm` or :meth:`cancel` has succeeded.
        """
        units = str(quirks_of(self.capabilities, self.device).timeout(timeout_s))
        try:
            self._call("commit", lambda m: m.commit(confirmed=True, timeout=units, persist=persist))
        except ConnectError:
            self._pace.begin()  # it may have arrived
            raise
        self._pace.begin()

    def confirm(self, persist_id: str | None = None) -> None:
        """Make the pending commit permanent: of that persist id from any session, without one only from its own."""
        self._call("confirm", lambda m: m.commit(persist_id=persist_id), ends=True)
        self._pace.end()

    def cancel(self, persist_id: str) -> None:
        """Have the device undo the pending commit of that persist id; from any session."""
        self._call("cancel", lambda m: m.cancel_commit(persist_id=persist_id), ends=True)
        self._pace.end()

    def kill(self, session_id: str) -> None:
        """End another session of the device; its locks, and a confirmed commit that lives with it, go too."""
        self._call("kill", lambda m: m.kill_session(session_id))

    def close(self) -> None:
        """Say goodbye if the device still listens, and hang up; never raises, safe to call twice."""
        if self.alive:
            self._manager.timeout = min(CLOSE_TIMEOUT_S, self.device.connection.timeout_s)
            with self._timed("close"), contextlib.suppress(*LOST):
                self._manager.close_session()
        self._drop()

    def _drop(self) -> None:
        self._closed = True
        self._link.close()

    def _call(self, operation: str, request: Callable[[Manager], Any], *, ends: bool = False) -> Any:
        """Send one operation when the pace allows and return its reply."""
        if self._closed:
            raise ConnectError("the session is closed", device=self.device.name, operation=operation)
        self._pace.wait(ends=ends)
        try:
            with self._timed(operation):
                reply = request(self._manager)
        except MissingCapabilityError as error:
            raise CapabilityError(str(error), device=self.device.name, operation=operation) from error
        except LOST as error:
            self._drop()
            reason = _why(error, self.device.connection.timeout_s)
            raise ConnectError(reason, device=self.device.name, operation=operation) from error
        if found := rpc.first_error(reply.errors):
            raise self._failure(operation, *found)
        return reply

    @contextlib.contextmanager
    def _timed(self, operation: str) -> Iterator[None]:
        self._watch.start(operation)
        try:
            yield
        finally:
            self._watch.stop()

    def _failure(self, operation: str, tag: str, message: str) -> RpcFailure:
        return RpcFailure(message, device=self.device.name, operation=operation, error_tag=tag)


def _why(error: BaseException, timeout_s: float) -> str:
    """One sentence for a person; never what was in a buffer, which may be configuration."""
    if isinstance(error, (TimeoutExpiredError, TimeoutError)) or "timed out" in str(error):
        return f"no answer within {timeout_s:g} s"
    if isinstance(error, HUNG_UP) or any(sign in str(error) for sign in SIGNS_OF_THAT):
        return "the device closed the connection"
    if isinstance(error, etree.XMLSyntaxError):
        return "the reply is not well-formed XML"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return rpc.one_line(str(error)) or type(error).__name__
