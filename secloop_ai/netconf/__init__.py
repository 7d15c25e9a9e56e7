"""NETCONF: sessions, the network-wide transaction, and the recovery of one that broke off."""

from __future__ import annotations

from .inventory import CONNECTION, NetconfConnection, nornir_from
from .recover import settle_pending
from .session import Session, open_session
from .transaction import run_transaction
from .work import Work, new_persist_id

__all__ = [
    "CONNECTION",
    "NetconfConnection",
    "Session",
    "Work",
    "new_persist_id",
    "nornir_from",
    "open_session",
    "run_transaction",
    "settle_pending",
]
