"""Single values of the whole ledger: schema version, head of the audit, the pause."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from .codec import dump, undump
from .schema import meta


def get(c: Connection, key: str) -> Any:
    """The value, or None."""
    text = c.execute(select(meta.c.value).where(meta.c.key == key)).scalar()
    return None if text is None else undump(text, f"the value {key!r}")


def put(c: Connection, key: str, value: Any) -> None:
    """Set the value; the caller holds the write lock."""
    text = dump(value)
    if not c.execute(update(meta).where(meta.c.key == key).values(value=text)).rowcount:
        c.execute(insert(meta).values(key=key, value=text))


def drop(c: Connection, key: str) -> None:
    """Remove the value if it is there."""
    c.execute(delete(meta).where(meta.c.key == key))
