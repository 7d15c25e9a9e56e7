"""The schema of a new ledger, and the check of an old one's."""

from __future__ import annotations

from sqlalchemy import Connection, inspect

from secloop_ai.contracts.errors import LedgerError

from . import keys
from .database import Database
from .schema import VERSION, meta, metadata

KEY = "schema_version"


def ensure(database: Database) -> None:
    """Create the tables where there are none, or those that an older release lacks; safe while others do the same.

    Raises:
        LedgerError: the ledger is newer than this release, or the database holds something else.
    """
    with database.reading("open it") as c:
        version = _version(c)
    if version is None:
        with database.writing("create its tables") as c:
            version = _version(c)  # another process may have been quicker
            if version is None:
                version = _create(c)
    if version < VERSION:
        with database.writing("bring its tables up to date") as c:
            version = _upgrade(c)
    if version > VERSION:
        raise LedgerError(
            f"{database!r}: written by a newer release (schema {version}, this one knows {VERSION}): upgrade secloop"
        )


def _version(c: Connection) -> int | None:
    """Version of the schema; None when there are no tables of ours."""
    if not inspect(c).has_table(meta.name):
        return None
    version = keys.get(c, KEY)
    if not isinstance(version, int):
        raise LedgerError(f"its table {meta.name} does not say which schema it has")
    return version


def _create(c: Connection) -> int:
    foreign = sorted(set(inspect(c).get_table_names()) & set(metadata.tables))
    if foreign:
        raise LedgerError(f"the database holds tables of something else under our names: {', '.join(foreign)}")
    metadata.create_all(c, checkfirst=False)
    keys.put(c, KEY, VERSION)
    return VERSION


def _upgrade(c: Connection) -> int:
    """Every change so far was a new table: what is there already stays as it is."""
    version = _version(c) or 0
    if version < VERSION:  # another process may have been quicker
        metadata.create_all(c)
        keys.put(c, KEY, VERSION)
    return max(version, VERSION)
