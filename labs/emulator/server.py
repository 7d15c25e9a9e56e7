"""The SSH side of a device: it accepts TCP connections, checks the key and opens NETCONF sessions."""

from __future__ import annotations

import asyncio
import socket
import struct

import asyncssh

from .device import VirtualDevice
from .faults import Fault, FaultKind, Step
from .session import NetconfSession

ADDRESS = "127.0.0.1"
_BACKLOG = 128
_LOGIN_TIMEOUT_S = 30
_HALF_A_BANNER = b"SSH-2.0-Asy"
_NO_BANNER = b"\n#42\nno ssh here\n##\n"


def listening_socket(port: int) -> socket.socket:
    """A TCP socket that listens on 127.0.0.1 (port 0: any free one)."""
    listener = socket.create_server((ADDRESS, port), backlog=_BACKLOG)
    listener.setblocking(False)  # noqa: FBT003 - the socket module's own signature
    return listener


class SshFront:
    """Serves one device on one listening socket.

    Args:
        device: the device behind it.
        listener: a non-blocking socket that listens already.
        host_key: what it shows its clients.
        client_key: the only key it lets in.
    """

    def __init__(
        self,
        device: VirtualDevice,
        listener: socket.socket,
        *,
        host_key: asyncssh.SSHKey,
        client_key: asyncssh.SSHKey,
    ) -> None:
        self._device = device
        self._listener = listener
        self._opening: set[asyncio.Task[None]] = set()
        self._options = asyncssh.SSHServerConnectionOptions(
            server_factory=lambda: _Gate(device, client_key),
            server_host_keys=[host_key],
            config=None,
            encoding=None,
            kex_algs=["curve25519-sha256", "curve25519-sha256@libssh.org"],
            compression_algs=None,
            login_timeout=_LOGIN_TIMEOUT_S,
            gss_host=None,
            allow_pty=False,
            line_editor=False,
            agent_forwarding=False,
        )

    @property
    def port(self) -> int:
        """The TCP port it listens on."""
        return int(self._listener.getsockname()[1])

    async def accept_forever(self) -> None:
        """Take connections until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(self._listener)
            task = loop.create_task(self._open(connection))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _open(self, connection: socket.socket) -> None:
        fault = self._device.faults.strike(Step.CONNECT)
        if fault and fault.kind is FaultKind.REBOOT:
            self._device.reboot(fault.seconds)
        if self._device.down_s:
            self._device.record(Step.CONNECT, outcome="down", performed=False)
            _reset(connection)
            return
        dropped = fault is not None and fault.kind is not FaultKind.DELAY
        self._device.record(Step.CONNECT, outcome=fault.kind if fault else "ok", performed=not dropped)
        if fault and fault.kind is FaultKind.DELAY:
            await asyncio.sleep(fault.seconds)
        if dropped:
            await _turn_away(connection, fault)
            return
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await asyncssh.run_server(connection, options=self._options)
        except (OSError, asyncssh.Error):
            self._device.record(Step.AUTH, outcome="closed", performed=False)


async def _turn_away(connection: socket.socket, fault: Fault | None) -> None:
    said = {FaultKind.TRUNCATE: _HALF_A_BANNER, FaultKind.FRAMING: _NO_BANNER}
    with connection:
        if fault and fault.kind in said:
            await asyncio.get_running_loop().sock_sendall(connection, said[fault.kind])


def _reset(connection: socket.socket) -> None:
    """Answer as a machine that is down would, as nearly as a listening socket can."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class _Gate(asyncssh.SSHServer):
    """One SSH connection: who may enter, and what a channel gets."""

    def __init__(self, device: VirtualDevice, client_key: asyncssh.SSHKey) -> None:
        self._device = device
        self._allowed = client_key.public_data
        self._fault: Fault | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Asyncssh hands over the connection."""
        self._connection = conn

    async def begin_auth(self, username: str) -> bool:
        """A client names itself: the place for faults of `auth`."""
        del username
        self._fault = self._device.faults.strike(Step.AUTH)
        if self._fault and self._fault.kind is FaultKind.DELAY:
            await asyncio.sleep(self._fault.seconds)
        if self._fault and self._fault.kind is FaultKind.DROP:
            self._connection.abort()
        return True

    def public_key_auth_supported(self) -> bool:
        """Keys are the only way in."""
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """The one user with the one key."""
        refused = self._fault is not None and self._fault.kind is FaultKind.ERROR
        return not refused and username == self._device.spec.user and key.public_data == self._allowed

    def auth_completed(self) -> None:
        """The client is in."""
        self._device.record(Step.AUTH, outcome=self._fault.kind if self._fault else "ok")
        if self._fault and self._fault.kind is FaultKind.DROP_AFTER:
            self._connection.abort()

    def session_requested(self) -> asyncssh.SSHServerSession[bytes]:
        """A channel opens."""
        return NetconfSession(self._device, self._connection.abort)
