"""A NETCONF client of a few lines, to say on the wire what no library would."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncssh

from labs.emulator import Device
from labs.framing import END_OF_MESSAGE

NC = "urn:ietf:params:xml:ns:netconf:base:1.0"
T = TypeVar("T")


def hello(*versions: str) -> bytes:
    inside = "".join(f"<capability>urn:ietf:params:netconf:base:{version}</capability>" for version in versions)
    return f'<hello xmlns="{NC}"><capabilities>{inside}</capabilities></hello>'.encode() + END_OF_MESSAGE


def rpc(operation: str, message_id: str = "1") -> bytes:
    return f'<rpc xmlns="{NC}" message-id="{message_id}">{operation}</rpc>'.encode()


class Wire:
    """The two ends of the subsystem's stream."""

    def __init__(self, writer: asyncssh.SSHWriter[bytes], reader: asyncssh.SSHReader[bytes]) -> None:
        self._writer = writer
        self._reader = reader

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def until(self, end: bytes) -> bytes:
        return await asyncio.wait_for(self._reader.readuntil(end), 15)

    async def rest(self) -> bytes:
        """Everything until the device closes."""
        try:
            return await asyncio.wait_for(self._reader.read(), 15)
        except (asyncssh.Error, OSError):
            return b""


def talk(device: Device, conversation: Callable[[Wire], Awaitable[T]]) -> T:
    """Open the subsystem, checking the host key against known_hosts, and hold the conversation."""

    async def run() -> T:
        connection = await asyncssh.connect(
            device.host,
            device.port,
            username=device.user,
            client_keys=[str(device.private_key)],
            known_hosts=str(device.known_hosts),
            config=None,
            agent_path=None,
        )
        try:
            writer, reader, _ = await connection.open_session(subsystem="netconf", encoding=None)
            return await conversation(Wire(writer, reader))
        finally:
            connection.close()
            await connection.wait_closed()

    return asyncio.run(run())
