"""The ledger in an SQLite file: write-ahead log, every commit synced, private to its owner."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.engine import URL

from secloop_ai.contracts.errors import LedgerError

from .faults import LOCK_WAIT_S

ARGUMENTS: dict[str, Any] = {"connect_args": {"timeout": LOCK_WAIT_S, "isolation_level": None}}
"""For the engine. `isolation_level` None: we begin transactions ourselves, in :func:`on_begin`."""

RETRY_S = 0.02
OTHERS = 0o007
_files = threading.Lock()


def prepare(url: URL) -> tuple[str, URL]:
    """Make folder (0700) and file (0600) where they are missing; take others' permissions off an existing file.

    Raises:
        LedgerError: no file named, or the folder or file cannot be made.
    """
    if not url.database or url.database == ":memory:" or url.query:
        raise LedgerError("the ledger's SQLite URL must name a file and nothing else: sqlite:////absolute/path")
    path = Path(url.database).absolute()
    # One thread at a time: closing a descriptor of the file drops the POSIX locks that SQLite holds on it.
    with _files:
        try:
            _private(path)
        except OSError as error:
            raise LedgerError(f"ledger {path}: cannot be made: {error.strerror or error}") from error
    return str(path), url.set(drivername="sqlite", database=str(path))


def _private(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        except FileExistsError:  # another process was quicker, with the same mode
            return
    for part in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        if part.is_file() and part.stat().st_mode & OTHERS and os.geteuid() in {0, part.stat().st_uid}:
            part.chmod(part.stat().st_mode & ~OTHERS & 0o777)


def on_connect(connection: sqlite3.Connection, _record: object) -> None:
    """Set up a new connection. FULL: a commit has reached the disk before the device hears of it."""
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch the file to WAL. The switch does not wait for locks as statements do, so it is tried again."""
    deadline = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(RETRY_S)
        else:
            return


def on_begin(connection: Connection, *, writes: bool) -> None:
    """Begin: a writer takes the lock at once, so that what it reads first still holds when it writes."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
