"""Heartbeats: whether something that must run, runs."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from secloop_ai.contracts.errors import LedgerError

from .codec import instant, iso
from .schema import heartbeats

MISSED = 2
"""A worker counts as dead once it has been silent for this many of its intervals."""


def beat(c: Connection, worker: str, *, interval_s: float, now: datetime) -> None:
    """Note that the worker lives; it will be heard of again within `interval_s` seconds."""
    if not interval_s > 0:
        raise LedgerError(f"the heartbeat interval of {worker} must be more than 0 s, not {interval_s:g}")
    values = {"beat_at": iso(now), "interval_s": interval_s}
    if not c.execute(update(heartbeats).where(heartbeats.c.worker == worker).values(**values)).rowcount:
        c.execute(insert(heartbeats).values(worker=worker, **values))


def alive(c: Connection, worker: str, *, now: datetime) -> bool:
    """Whether the worker was heard of within twice its interval."""
    row = c.execute(select(heartbeats).where(heartbeats.c.worker == worker)).one_or_none()
    if row is None:
        return False
    return instant(row.beat_at, f"heartbeat of {worker}") + timedelta(seconds=row.interval_s * MISSED) >= now
