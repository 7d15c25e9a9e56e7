"""A PostgreSQL server of our own, on a socket in a private folder."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def programs() -> Path | None:
    """Folder of initdb and pg_ctl; newest release first."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]), reverse=True)
    on_path = shutil.which("initdb")
    return found[0].parent if found else Path(on_path).resolve().parent if on_path else None


def unprivileged() -> int | None:
    """The user to run as: the server refuses root. None when there is none."""
    if os.geteuid() != 0:
        return os.geteuid()
    names = [n for n in ("postgres", "nobody") if n in {p.pw_name for p in pwd.getpwall()}]
    return pwd.getpwnam(names[0]).pw_uid if names else None


@contextmanager
def running() -> Iterator[str]:
    """The server's socket folder and login as the tail of a URL; stopped and removed afterwards."""
    tools, uid = programs(), unprivileged()
    assert tools is not None
    assert uid is not None
    folder = Path(tempfile.mkdtemp(prefix="secloop-pg-"))  # short: a socket's path has at most 107 bytes
    os.chown(folder, uid, -1)
    switch = {} if os.geteuid() else {"user": uid}

    def call(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, timeout=60, cwd=folder, **switch)  # type: ignore[call-overload]

    data = str(folder / "data")
    try:
        call(str(tools / "initdb"), "-D", data, "-U", "ledger", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses='' -c fsync=off -c unix_socket_directories={folder}"
        call(str(tools / "pg_ctl"), "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"?host={folder}&user=ledger"
        finally:
            call(str(tools / "pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)
