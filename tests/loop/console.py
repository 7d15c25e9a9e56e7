"""A small command line over SSH: it prints what is recorded for a command, as a device would. For tests."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import asyncssh

from secloop_ai.contracts import Connection, Device

USER = "secloop"
NO_COMMAND = "% Invalid input detected at '^' marker.\n"


class _Gate(asyncssh.SSHServer):
    def __init__(self, allowed: bytes, open_now: list[asyncssh.SSHServerConnection]) -> None:
        self._allowed = allowed
        self._open = open_now

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._open.append(conn)

    def begin_auth(self, username: str) -> bool:
        return username == USER

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == USER and key.public_data == self._allowed


@contextmanager
def console(
    directory: Path,
    answers: Mapping[str, str],
    *,
    dialect: str = "eos",
    silent: bool = False,
    key: Path | None = None,
) -> Iterator[tuple[Device, list[str]]]:
    """A device whose command line answers, and the list of commands it was given.

    With `silent` it never ends a command. `key` is the private key of its clients; it has one of its own otherwise.
    """
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    client_key = asyncssh.read_private_key(str(key)) if key else asyncssh.generate_private_key("ssh-ed25519")
    asked: list[str] = []
    started: queue.Queue[tuple[int, Callable[[], object]]] = queue.Queue()

    async def serve() -> None:
        stop, open_now = asyncio.Event(), list[asyncssh.SSHServerConnection]()
        loop = asyncio.get_running_loop()

        async def answer(process: asyncssh.SSHServerProcess[str]) -> None:
            asked.append(process.command or "")
            process.stdout.write(answers.get(process.command or "", NO_COMMAND))
            if silent:
                await stop.wait()
            process.exit(0)

        server = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=lambda: _Gate(client_key.public_data, open_now),
            server_host_keys=[host_key],
            process_factory=answer,
            config=None,
        )
        started.put((server.get_port(), lambda: loop.call_soon_threadsafe(stop.set)))
        await stop.wait()
        server.close()
        for connection in open_now:
            connection.abort()
            await connection.wait_closed()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    port, end = started.get(timeout=30)
    try:
        yield _device(directory, port, host_key, client_key, dialect), asked
    finally:
        end()
        thread.join(30)


def _device(directory: Path, port: int, host_key: asyncssh.SSHKey, client_key: asyncssh.SSHKey, dialect: str) -> Device:
    private, known = directory / "id", directory / "known_hosts"
    client_key.write_private_key(str(private))
    private.chmod(0o600)
    known.write_text(f"[127.0.0.1]:{port} {host_key.export_public_key().decode()}")
    where = Connection(
        address="127.0.0.1", port=1, user=USER, key_file=str(private), known_hosts=str(known), timeout_s=10.0
    )
    return Device(name="gw1", dialect=dialect, connection=where, cli_port=port)
