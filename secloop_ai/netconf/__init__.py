"""NETCONF: sessions, the network-wide transaction, and the recovery of one that broke off."""

from __future__ import annotations

from .inventory import CONNECTION, NetconfConnection, nornir_from, take_failed
from .progress import Progress, watched_by
from .recover import settle_pending
from .rescue import rescue
from .session import Session, open_session
from .transaction import run_transaction
from .work import Work, new_persist_id

__all__ = [
    "CONNECTION",
    "NetconfConnection",
    "Progress",
    "Session",
    "Work",
    "new_persist_id",
    "nornir_from",
    "open_session",
    "rescue",
    "run_transaction",
    "settle_pending",
    "take_failed",
    "watched_by",
]
