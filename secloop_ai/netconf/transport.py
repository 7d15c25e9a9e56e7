"""ncclient's SSH session without its idle tick, and with the time limits and host key rules of a Connection."""

from __future__ import annotations

import contextlib
import re
import selectors
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import paramiko
from ncclient.devices.default import DefaultDeviceHandler
from ncclient.transport.errors import TransportError
from ncclient.transport.ssh import SSHSession
from pydantic import SecretStr

from secloop_ai.contracts import Connection

from .ssh import algorithms, authenticate, check_host_key, known_hosts, known_keys

READ_BYTES = 1 << 20
IDLE_TICK_S = 30.0
JOIN_S = 10.0
NUDGE_AFTER_S = 0.25
NUDGE_ID = "secloop-nudge"
NUDGE = (
    f'<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="{NUDGE_ID}">'
    '<get-config><source><running/></source><filter type="subtree"/></get-config></rpc>'
)
HEAD_CHARACTERS = 400
Events = list[tuple[selectors.SelectorKey, int]]
# RFC 6241 section 3: a document type declaration must not appear in NETCONF content.
_DOCTYPE = re.compile(r"\s*(<\?xml[^>]*\?>)?\s*(<!--.*?-->\s*)*<!DOCTYPE", re.DOTALL)


class _Handler(DefaultDeviceHandler):  # type: ignore[misc]  # ncclient has no types
    """The default device, but a message that is no XML ends the wait for it, where ncclient would only log it."""

    def handle_raw_dispatch(self, raw: str) -> Exception:
        """What to tell those who wait for a reply."""
        gone: Exception = TransportError(f"the device sent {len(raw)} characters that are not XML")
        return gone


class PromptSession(SSHSession):  # type: ignore[misc]  # ncclient has no types
    """A NETCONF session over SSH that sends a message when it is queued, not at the next tick.

    ncclient's loop looks at its queue only between two ``select`` calls of 100 ms each. A socket pair stands in the
    same ``select`` and a byte on it ends the wait. An idle session sleeps; it does not poll.

    A first request that gets no answer for a while is followed by one that asks for nothing: netconfd 2.13 leaves a
    request that reached it in one read with the client's hello lying until more arrives.

    Attributes:
        stage: how far connecting has come: ``connect``, ``auth``, ``hello``.
    """

    def __init__(self) -> None:
        self.handler = _Handler({"name": "default"})
        super().__init__(self.handler)
        self.stage = "connect"
        self._bell, self._button = socket.socketpair()
        for end in (self._bell, self._button):
            end.settimeout(0)
        self._selector: Any = None
        self._lost: Exception | None = None
        self._greeted = False
        self._first_sent_s: float | None = None
        self._ending = threading.Lock()

    def establish(self, where: Connection, password: SecretStr | None, *, entering: Callable[[str], None]) -> None:
        """Connect, check the host key, authenticate, and exchange hellos, each within the connection's time limit.

        Args:
            where: address, user, key and host key rules.
            password: for the user, or for the key file.
            entering: called with each stage as it begins.
        """
        self._enter("connect", entering)
        self._host = where.address
        self._transport = self._handshake(where)
        self._enter("auth", entering)
        authenticate(self._transport, where, password)
        self._connected = True
        self._closing.clear()
        self._enter("hello", entering)
        self._channel = self._transport.open_session(timeout=where.timeout_s)
        self._channel_id = self._channel.get_id()
        self._channel_name = f"netconf-subsystem-{self._channel_id}"
        self._channel.set_name(self._channel_name)
        self._channel.invoke_subsystem("netconf")
        self._post_connect(where.timeout_s)
        # paramiko's reader wakes ten times a second to look whether it was closed; over a fleet that costs a core
        self._transport.sock.settimeout(IDLE_TICK_S)
        self._greeted = True

    def _enter(self, stage: str, entering: Callable[[str], None]) -> None:
        self.stage = stage
        entering(stage)

    @staticmethod
    def _handshake(where: Connection) -> paramiko.Transport:
        """An SSH transport to a device whose host key is the known one."""
        known = known_keys(known_hosts(where), where) if where.verify_host_key else {}
        sock = socket.create_connection((where.address, where.port), timeout=where.timeout_s)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            transport = paramiko.Transport(sock)
        except BaseException:
            sock.close()
            raise
        try:
            limits = ("banner_timeout", "handshake_timeout", "auth_timeout", "channel_timeout")
            for limit in limits:
                setattr(transport, limit, where.timeout_s)
            options = transport.get_security_options()
            options.key_types = algorithms(known, tuple(options.key_types))
            transport.start_client(timeout=where.timeout_s)
            if where.verify_host_key:
                check_host_key(transport.get_remote_server_key(), known, where)
        except BaseException:
            transport.close()
            sock.close()
            raise
        return transport

    def send(self, message: str) -> None:
        """Queue a message and wake the loop.

        Raises:
            ncclient.NCClientError: the session is gone.
        """
        if self._greeted:
            self._greeted, self._first_sent_s = False, time.monotonic()
        super().send(message)
        with contextlib.suppress(OSError):  # full: it rings already; closed: the next line says so
            self._button.send(b"\0")
        # The loop may have ended after this RPC's listener was told nothing and before it was queued. What is no longer
        # queued was sent, and its listener hears how that ended, even where the device answered and hung up at once.
        if self._lost is None or self._q.empty():
            return
        if isinstance(self._lost, TransportError):
            raise self._lost
        raise TransportError("the session is gone") from self._lost

    def _transport_register(self, selector: Any, event: int) -> None:
        self._selector = selector
        super()._transport_register(selector, event)
        selector.register(self._bell, selectors.EVENT_READ)
        plain = selector.select

        def select(timeout: float | None = None) -> Events:
            # With nothing queued there is nothing to look at until a byte comes, on either side.
            patience = self._until_nudge()
            events = plain(patience if self._q.empty() else timeout)
            if not events and patience is not None and self._until_nudge() == 0:
                self._first_sent_s = None
                self._q.put(NUDGE)
            return self._relevant(events)

        selector.select = select

    def _until_nudge(self) -> float | None:
        """Seconds until the first request needs a nudge; None when it needs none."""
        since = self._first_sent_s
        return None if since is None else max(0.0, since + NUDGE_AFTER_S - time.monotonic())

    def _relevant(self, events: Events) -> Events:
        """The events without the bell, and without readiness that is only the device's stderr."""
        kept = []
        for key, mask in events:
            if key.fileobj is self._bell:
                with contextlib.suppress(BlockingIOError):
                    self._bell.recv(4096)
            elif self._readable():
                kept.append((key, mask))
        return kept

    def _readable(self) -> bool:
        """Whether a read would return at once: data, or the end."""
        channel = self._channel
        if channel.recv_stderr_ready():
            channel.recv_stderr(READ_BYTES)
        return bool(channel.recv_ready() or channel.eof_received or channel.closed)

    def _transport_read(self) -> bytes:
        # ncclient looks at its whole buffer after every read: with 4 kB reads that is quadratic in the reply.
        data: bytes = self._channel.recv(READ_BYTES)
        return data

    def _dispatch_message(self, raw: str) -> None:
        self._first_sent_s = None
        if NUDGE_ID in raw[:HEAD_CHARACTERS]:
            return
        if _DOCTYPE.match(raw):
            raise TransportError("the device sent a document type declaration")
        super()._dispatch_message(raw)

    def _dispatch_error(self, err: Exception) -> None:
        # The first reason is the one to tell: what follows is only the end of the connection.
        self._lost = self._lost or err
        super()._dispatch_error(self._lost)

    def close(self) -> None:
        """End the session and free what it held; safe to call twice, and from the loop's own thread."""
        self._closing.set()
        self._connected = False
        transport = self._transport
        if transport is not None:
            # paramiko's reader looks at its flag ten times a second; an ended socket tells it at once
            with contextlib.suppress(OSError):
                transport.sock.shutdown(socket.SHUT_RDWR)
            transport.close()
        if threading.current_thread() is not self:
            self._free()

    def _free(self) -> None:
        with self._ending:
            if self.is_alive():
                with contextlib.suppress(OSError):
                    self._button.send(b"\0")
                self.join(JOIN_S)
            if self._selector is not None and not self.is_alive():
                self._selector.close()  # ncclient leaves that to the garbage collector: a file per device
            if self._channel is not None:
                self._channel.close()
            self._bell.close()
            self._button.close()
