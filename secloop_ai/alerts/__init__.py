"""Ingest and summarise: sensor files in, bounded AlertSummaries out.

`summarise` reads a whole file in one pass and constant memory; `read_alerts` yields its alerts one by one. Neither
trusts a byte of the file: an unreadable line is counted and named, never echoed, and the rest goes on.
"""

from __future__ import annotations

from .eve import read_alerts
from .summarise import summarise
from .table import MAX_OPEN, WINDOW_S
from .tally import Tally

__all__ = ["MAX_OPEN", "WINDOW_S", "Tally", "read_alerts", "summarise"]
