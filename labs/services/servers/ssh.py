"""An SSH server without a shell. Run as a file of its own; its one argument is a JSON file.

``accounts`` (name → password, loot) and ``tries`` (passwords a connection may try). A session of any kind is told the
account's loot and closed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import asyncssh

LOGIN_S = 10.0
MOST_CONNECTIONS = 128


class Login(asyncssh.SSHServer):
    """One connection."""

    config: dict[str, Any]
    open_now = 0

    def __init__(self) -> None:
        self.failed = 0
        self.connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Too many at once are turned away."""
        self.connection = conn
        Login.open_now += 1
        if Login.open_now > MOST_CONNECTIONS:
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the base class's name
        """One fewer."""
        Login.open_now -= 1

    def password_auth_supported(self) -> bool:
        """By password alone."""
        return True

    def validate_password(self, username: str, password: str) -> bool:
        """Whether the table says so; after too many wrong ones the connection ends."""
        known = self.config["accounts"].get(username)
        if known is not None and known["password"] == password:
            return True
        self.failed += 1
        if self.failed >= self.config["tries"] and self.connection is not None:
            asyncio.get_running_loop().call_soon(self.connection.abort)
        return False


async def tell(process: asyncssh.SSHServerProcess[bytes]) -> None:
    """Tell the loot, whatever was asked for, and close."""
    name = process.get_extra_info("username")
    process.stdout.write(f"{Login.config['accounts'][name]['loot']}\n".encode())
    process.exit(0)


async def main() -> None:
    """Serve as the configuration says."""
    await asyncssh.listen(
        Login.config["address"],
        Login.config["port"],
        server_factory=Login,
        server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
        process_factory=tell,
        encoding=None,
        kex_algs=["curve25519-sha256"],
        login_timeout=LOGIN_S,
        server_version="OpenSSH_9.2p1",
        allow_scp=False,
    )
    await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    Login.config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    asyncio.run(main())
