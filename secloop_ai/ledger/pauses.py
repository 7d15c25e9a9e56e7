"""The switch that stops the loop: while it is thrown no commit that installs something begins."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from . import audit, keys
from .codec import iso, load
from .views import Pause

KEY = "paused"


def get(c: Connection) -> Pause | None:
    """The pause, or None while the loop may run."""
    found = keys.get(c, KEY)
    return None if found is None else load(Pause, found, "the pause")


def start(c: Connection, reason: str, *, now: datetime) -> None:
    """Pause; a second pause keeps the first one's time and takes the new reason."""
    earlier = get(c)
    since = earlier.since if earlier else now
    keys.put(c, KEY, {"reason": reason, "since": iso(since)})
    audit.append(c, "paused", "loop", now=now, detail=reason)


def end(c: Connection, *, now: datetime) -> None:
    """Let the loop run again; nothing happens when it was not paused."""
    if get(c) is not None:
        keys.drop(c, KEY)
        audit.append(c, "resumed", "loop", now=now)
