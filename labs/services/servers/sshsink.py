"""The attacker's SSH server, outside: uploads are counted and forgotten; a session is told the loot once enough came.

Run as a file of its own; the one argument is its configuration: ``address``, ``port``, ``account``, ``password``,
``loot`` (what a session is told) and ``needs_bytes``.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import asyncssh

MOST_BYTES = 64 * 1024 * 1024


class Login(asyncssh.SSHServer):
    """One account."""

    config: dict[str, Any]
    received = 0

    def password_auth_supported(self) -> bool:
        """By password alone."""
        return True

    def validate_password(self, username: str, password: str) -> bool:
        """Whether it is the account."""
        return (username, password) == (self.config["account"], self.config["password"])


class Sink(asyncssh.SFTPServer):
    """Files that exist only as a number of bytes."""

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:  # noqa: ARG002 - the base's names
        """A file that keeps nothing."""
        return object()

    def write(self, file_obj: object, offset: int, data: bytes) -> int:  # noqa: ARG002 - the base's names
        """Count.

        Raises:
            asyncssh.SFTPFailure: more came than anybody needs.
        """
        Login.received += len(data)
        if Login.received > MOST_BYTES:
            raise asyncssh.SFTPFailure("full")
        return len(data)

    def close(self, file_obj: object) -> None:
        """Nothing to close."""

    def _attributes(self) -> asyncssh.SFTPAttrs:
        return asyncssh.SFTPAttrs(size=0, uid=0, gid=0, permissions=0o100600, atime=0, mtime=0)

    def stat(self, path: bytes) -> asyncssh.SFTPAttrs:
        """Every path is a file, only the root is a folder.

        Raises:
            asyncssh.SFTPNoSuchFile: as long as nothing was written there, which is always.
        """
        if path in (b"", b"/", b"."):
            return asyncssh.SFTPAttrs(size=0, permissions=0o040700)
        raise asyncssh.SFTPNoSuchFile("no such file")

    lstat = stat

    def fstat(self, file_obj: object) -> asyncssh.SFTPAttrs:  # noqa: ARG002 - the base's name
        """An empty file."""
        return self._attributes()

    def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        """As the client likes."""

    def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None:
        """As the client likes."""

    def realpath(self, path: bytes) -> bytes:
        """Paths are what they are."""
        return b"/" + path.lstrip(b"/")


async def tell(process: asyncssh.SSHServerProcess[bytes]) -> None:
    """Tell the loot if enough has come, whatever was asked for, and close."""
    enough = Login.received >= Login.config["needs_bytes"]
    process.stdout.write(f"{Login.received} {Login.config['loot'] if enough else ''}\n".encode())
    process.exit(0)


async def serve() -> None:
    """Serve as the file says."""
    await asyncssh.listen(
        Login.config["address"],
        Login.config["port"],
        server_factory=Login,
        server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
        process_factory=tell,
        sftp_factory=Sink,
        encoding=None,
        kex_algs=["curve25519-sha256"],
        server_version="OpenSSH_9.2p1",
        allow_scp=False,
    )
    await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    Login.config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    asyncio.run(serve())
