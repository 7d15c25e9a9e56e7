"""The audit: lines that name each other by hash, so that a changed or missing one shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from sqlalchemy import Connection, insert, select

from secloop_ai.contracts import sha256_json

from . import keys
from .codec import dump, iso, load, undump
from .schema import audit
from .views import AuditLine

HEAD = "audit_head"
"""Key under which the last line's number and hash are kept: without it a cut-off tail would not show."""

ROOT = "0" * 64
"""What the first line names as the one before it."""


def append(
    c: Connection,
    event: str,
    subject: str,
    *,
    now: datetime,
    detail: str = "",
    digests: Mapping[str, str] | None = None,
) -> None:
    """Add a line; the caller holds the write lock."""
    number, previous = head(c)
    fields = {"at": iso(now), "detail": detail, "digests": dict(digests or {}), "event": event, "line": number + 1}
    content = dump({**fields, "subject": subject})
    sha256 = _link(previous, content)
    c.execute(insert(audit).values(line=number + 1, content=content, previous=previous, sha256=sha256))
    keys.put(c, HEAD, {"line": number + 1, "sha256": sha256})


def head(c: Connection) -> tuple[int, str]:
    """Number and hash of the last line; ``(0, ROOT)`` of an empty audit."""
    found = keys.get(c, HEAD)
    return (int(found["line"]), str(found["sha256"])) if found else (0, ROOT)


def lines(c: Connection, *, limit: int) -> tuple[AuditLine, ...]:
    """The newest lines, oldest first."""
    rows = c.execute(select(audit).order_by(audit.c.line.desc()).limit(limit)).all()
    found = []
    for row in reversed(rows):
        fields = undump(row.content, f"audit line {row.line}")
        chain = {"previous": row.previous, "sha256": row.sha256}
        found.append(load(AuditLine, {**fields, **chain}, f"audit line {row.line}"))
    return tuple(found)


def verify(c: Connection) -> list[int]:
    """Numbers of the lines that are missing, were changed, or do not link to the one before; empty when all hold."""
    last, last_hash = head(c)
    broken: list[int] = []
    expected, previous = 1, ROOT
    for number, content, named, sha256 in _stored(c):
        broken.extend(range(expected, number))
        sound = named == previous and sha256 == _link(named, content)
        # A line past the head, or another one than the head names, was not written by us.
        if not sound or number > last or (number == last and sha256 != last_hash):
            broken.append(number)
        expected, previous = number + 1, sha256
    return broken + list(range(expected, last + 1))


def _stored(c: Connection) -> Iterator[tuple[int, str, str, str]]:
    rows = c.execution_options(yield_per=1000).execute(select(audit).order_by(audit.c.line))
    for row in rows:
        yield row.line, row.content, row.previous, row.sha256


def _link(previous: str, content: str) -> str:
    return sha256_json([previous, content])
