"""An SSH server without a shell. Run as a file of its own; its one argument is a JSON file.

``accounts`` (name → password, loot), ``tries`` (passwords a connection may try) and ``etc``, the host's settings: as
OpenSSH would, it follows the drop-ins of ``ssh/sshd_config.d`` in what concerns passwords, anew for each connection,
and lets no locked account in. A session of any kind is told the account's loot and closed.
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
MOST_TRIES = 6
NO_SHELLS = ("nologin", "false")


class Login(asyncssh.SSHServer):
    """One connection."""

    config: dict[str, Any]
    open_now = 0

    def __init__(self) -> None:
        self.failed = 0
        self.settings = drop_ins(self.config["etc"])
        self.tries = min(int(self.config["tries"]), int(self.settings.get("maxauthtries", MOST_TRIES)))
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
        """By password, unless the host's settings say otherwise."""
        return self.settings.get("passwordauthentication", "yes") == "yes"

    def public_key_auth_supported(self) -> bool:
        """Instead of passwords, not beside them; no key fits."""
        return not self.password_auth_supported()

    def validate_password(self, username: str, password: str) -> bool:
        """Whether the table says so; after too many wrong ones the connection ends."""
        known = self.config["accounts"].get(username)
        if known is not None and known["password"] == password and not closed(self.config["etc"], username):
            return True
        self.failed += 1
        if self.failed >= self.tries and self.connection is not None:
            asyncio.get_running_loop().call_soon(self.connection.abort)
        return False


def drop_ins(etc: str) -> dict[str, str]:
    """Settings of the host's SSH server, in lower case; of several the first one holds, as sshd_config(5) has it."""
    found: dict[str, str] = {}
    for path in sorted(Path(etc, "ssh/sshd_config.d").glob("*.conf")) if etc else ():
        for line in path.read_text(encoding="utf-8").splitlines():
            key, _, value = line.strip().partition(" ")
            if key and not key.startswith("#"):
                found.setdefault(key.lower(), value.strip().lower())
    return found


def closed(etc: str, account: str) -> bool:
    """Whether the host lets nobody in by that account: it has a shell that says so."""
    try:
        lines = Path(etc, "passwd").read_text(encoding="utf-8").splitlines() if etc else []
    except OSError:
        return False
    shells = (line.rpartition(":")[2] for line in lines if line.partition(":")[0] == account)
    return any(Path(shell).name in NO_SHELLS for shell in shells)


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
