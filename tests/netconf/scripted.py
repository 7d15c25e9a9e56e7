"""A NETCONF server that answers whatever it is told to: for what no sane device says."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import asyncssh
from pydantic import SecretStr

from secloop_ai.contracts import Connection, Device

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
END = b"]]>]]>"
PASSWORD = SecretStr("correct horse")
Answer = Callable[[str], str]


def ok(rpc: str) -> str:
    """The reply to anything."""
    return reply(rpc, "<ok/>")


def reply(rpc: str, body: str) -> str:
    """An rpc-reply with the request's message-id."""
    found = re.search(r'message-id="([^"]*)"', rpc)
    assert found
    return f'<rpc-reply xmlns="{BASE}" message-id="{found[1]}">{body}</rpc-reply>'


class Scripted:
    """Serves base:1.0 sessions on 127.0.0.1 in a thread; `answer` turns each rpc into what is sent back, if anything.

    Args:
        directory: for keys and known_hosts.
        noise: what every session says on its stderr before it greets, and before each reply.
    """

    def __init__(self, directory: Path, answer: Answer = ok, *, noise: bytes = b"") -> None:
        self.directory = directory
        self.port = 0
        self._answer = answer
        self._noise = noise
        self._host_key = asyncssh.generate_private_key("ssh-ed25519")
        self._client_key = asyncssh.generate_private_key("ssh-ed25519")
        self._connections: list[asyncssh.SSHServerConnection] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def lock_key(self) -> str:
        """The client key in a file of its own, under the password."""
        path = self.directory / "locked"
        self._client_key.write_private_key(path, passphrase=PASSWORD.get_secret_value(), rounds=64)
        return str(path)

    @property
    def known_hosts(self) -> Path:
        """A known_hosts file with its host key."""
        return self.directory / "known_hosts"

    def device(self, **connection: Any) -> Device:
        """How to reach it: with its key, and with its host key known, unless told otherwise."""
        where = {
            "address": "127.0.0.1",
            "port": self.port,
            "user": "ops",
            "key_file": str(self.directory / "key"),
            "known_hosts": str(self.known_hosts),
            "timeout_s": 10.0,
        }
        return Device(name="odd1", dialect="ietf", connection=Connection.model_validate(where | connection))

    def __enter__(self) -> Self:
        self._client_key.write_private_key(self.directory / "key")
        (self.directory / "key").chmod(0o600)
        self._thread.start()
        assert self._ready.wait(10)
        public = self._host_key.export_public_key().decode()
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {public}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=lambda: _Gate(self._client_key, self._connections),
            server_host_keys=[self._host_key],
            process_factory=self._talk,
            encoding=None,
        )
        self.port = server.get_port()
        self._ready.set()
        await self._stop.wait()
        server.close()
        await server.wait_closed()
        for connection in self._connections:
            connection.abort()
            await connection.wait_closed()

    async def _talk(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        capabilities = f"<capabilities><capability>{BASE.replace(':xml:ns', '')}</capability></capabilities>"
        hello = f'<hello xmlns="{BASE}">{capabilities}<session-id>7</session-id></hello>'
        self._say(process, hello)
        try:
            await process.stdin.readuntil(END)  # the client's hello
            while True:
                rpc = (await process.stdin.readuntil(END)).removesuffix(END).decode()
                if "close-session" in rpc:
                    break
                if answer := self._answer(rpc):
                    self._say(process, answer)
        except (asyncio.IncompleteReadError, asyncssh.BreakReceived):
            pass
        process.exit(0)

    def _say(self, process: asyncssh.SSHServerProcess[bytes], text: str) -> None:
        if self._noise:
            process.stderr.write(self._noise)
        process.stdout.write(text.encode() + END)


class _Gate(asyncssh.SSHServer):
    """One key and one password open it."""

    def __init__(self, key: asyncssh.SSHKey, connections: list[asyncssh.SSHServerConnection]) -> None:
        self._key = key
        self._connections = connections

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Remember it, to close it at the end."""
        self._connections.append(conn)

    def public_key_auth_supported(self) -> bool:
        """Keys are taken."""
        return True

    def password_auth_supported(self) -> bool:
        """Passwords are taken."""
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """The one key."""
        del username
        return key.public_data == self._key.public_data

    def validate_password(self, username: str, password: str) -> bool:
        """The one password."""
        del username
        return password == PASSWORD.get_secret_value()
