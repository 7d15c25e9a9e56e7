"""The ledger in a PostgreSQL database, through the driver psycopg."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.engine import URL

from .faults import LOCK_WAIT_S

ARGUMENTS: dict[str, Any] = {
    "isolation_level": "READ COMMITTED",  # a snapshot taken before the write lock is granted would be stale
    "pool_pre_ping": True,  # a long-lived expirer outlives a restart of the server
    "connect_args": {"connect_timeout": 10},
}

WRITE_LOCK = 0x5EC1_00B0_1ED6_E201
"""Our advisory lock: one writer at a time, as SQLite has it; the audit's chain needs that anyway."""

# A server may be set to lose the last commits in a crash; ours must not be among them.
_SYNC = "current_setting('synchronous_commit')"
_BEGIN = (
    f"SELECT set_config('lock_timeout', '{LOCK_WAIT_S * 1000:.0f}', true),"
    f" set_config('synchronous_commit', CASE {_SYNC} WHEN 'off' THEN 'on' ELSE {_SYNC} END, true)"
)


def prepare(url: URL) -> tuple[str, URL]:
    """A label without user, password or options, and the URL with our driver."""
    host = url.host or url.query.get("host") or "local socket"
    label = f"postgresql://{host}{f':{url.port}' if url.port else ''}/{url.database or ''}"
    return label, url.set(drivername="postgresql+psycopg")


def on_begin(connection: Connection, *, writes: bool) -> None:
    """A writer waits here for the one before it."""
    if writes:
        connection.exec_driver_sql(_BEGIN)
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")
