"""A connection to the ledger's database: files kept private, writers one at a time, errors in plain words."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from secloop_ai.contracts.errors import LedgerError

from . import postgresql, sqlite
from .faults import reason

WRITES = "secloop_writes"
"""Execution option of a connection whose transaction is to take the write lock as it begins."""


class Database:
    """Reads and writes as transactions. A write sees every write before it, also other processes'."""

    def __init__(self, url: str) -> None:
        self._label, self._engine = _engine(url)
        self._pid = os.getpid()

    def __repr__(self) -> str:
        return f"<ledger {self._label}>"

    @contextmanager
    def reading(self, doing: str) -> Iterator[Connection]:
        """A consistent view; `doing` says what for in an error.

        Raises:
            LedgerError: it cannot be read; names the place and the reason.
        """
        with self._explained(doing), self._own_engine().connect() as connection:
            yield connection

    @contextmanager
    def writing(self, doing: str) -> Iterator[Connection]:
        """A transaction that holds the write lock from its begin and is on disk when the block has ended.

        Raises:
            LedgerError: it cannot be written; nothing of the block is kept.
        """
        with self._explained(doing), self._own_engine().connect() as connection:
            writer = connection.execution_options(**{WRITES: True})
            with writer.begin():
                yield writer

    def close(self) -> None:
        """Close every connection."""
        self._own_engine().dispose()

    def _own_engine(self) -> Engine:
        if self._pid != os.getpid():  # after a fork the parent's connections are the parent's
            self._engine.dispose(close=False)
            self._pid = os.getpid()
        return self._engine

    @contextmanager
    def _explained(self, doing: str) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise LedgerError(f"ledger {self._label}: cannot {doing}: {reason(error)}") from error
        except LedgerError as error:
            raise LedgerError(f"ledger {self._label}: cannot {doing}: {error}") from None


def _engine(url: str) -> tuple[str, Engine]:
    """A label without secrets, and the engine.

    Raises:
        LedgerError: not a URL, another kind of database, a missing driver, a folder that cannot be made.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise LedgerError(
            "the ledger's URL cannot be read: write sqlite:////absolute/path or postgresql://user@host/database"
        ) from None
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        label, parsed = sqlite.prepare(parsed)
        engine = _created(parsed, label, sqlite.ARGUMENTS)
        event.listen(engine, "connect", sqlite.on_connect)
        event.listen(engine, "begin", lambda c: sqlite.on_begin(c, writes=_writes(c)))
    elif kind in {"postgresql", "postgres"}:
        label, parsed = postgresql.prepare(parsed)
        engine = _created(parsed, label, postgresql.ARGUMENTS)
        event.listen(engine, "begin", lambda c: postgresql.on_begin(c, writes=_writes(c)))
    else:
        raise LedgerError(f"a ledger lives in sqlite or postgresql, not in {kind!r}")
    return label, engine


def _created(url: URL, label: str, arguments: dict[str, Any]) -> Engine:
    try:
        return create_engine(url, hide_parameters=True, **arguments)
    except ModuleNotFoundError as error:
        raise LedgerError(
            f"ledger {label}: the driver {error.name} is not installed: pip install 'secloop[postgresql]'"
        ) from None
    except (NoSuchModuleError, ArgumentError, TypeError, ValueError) as error:
        raise LedgerError(f"ledger {label}: {str(error).splitlines()[0]}") from None


def _writes(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get(WRITES))
