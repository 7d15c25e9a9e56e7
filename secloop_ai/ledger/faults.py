"""From a database driver's error to one plain sentence. SQL and its parameters never appear in it."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import SQLAlchemyError

LOCK_WAIT_S = 10.0
"""How long a writer waits for another one before it gives up, in seconds."""

_HELD = f"another process holds it locked (waited {LOCK_WAIT_S:g} s)"

_SQLITE = {
    sqlite3.SQLITE_PERM: "permission denied",
    sqlite3.SQLITE_BUSY: _HELD,
    sqlite3.SQLITE_LOCKED: _HELD,
    sqlite3.SQLITE_READONLY: "it cannot be written (read-only file, folder or file system)",
    sqlite3.SQLITE_IOERR: "the disk failed to read or write it",
    sqlite3.SQLITE_CORRUPT: "the file is damaged",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened (is the folder there, and may this user read and write it?)",
    sqlite3.SQLITE_NOTADB: "the file is not an SQLite database, or it is damaged",
}

_POSTGRESQL = {
    "55P03": _HELD,
    "53100": "the server's disk is full",
    "25006": "the server is read-only",
    "42501": "permission denied",
    "28000": "the server refused the login",
    "28P01": "the server refused the login",
    "3D000": "the server has no such database",
}


def reason(error: SQLAlchemyError) -> str:
    """What went wrong, for a person."""
    cause = getattr(error, "orig", None) or error.__cause__ or error
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary result code
        return _SQLITE.get(code, str(cause))
    text = str(cause).strip().splitlines() or [type(cause).__name__]
    state = getattr(cause, "sqlstate", None)
    plain = _POSTGRESQL.get(state or "")
    if plain is None:
        return text[0]
    return plain if state == "55P03" else f"{plain}: {text[0]}"
