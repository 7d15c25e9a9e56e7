"""Every dialect put to the proof: each action rendered, held against the vendor's YANG, applied and taken back."""

from __future__ import annotations

from .bench import check
from .cells import ACTION_ROWS, Cell, Row, State

__all__ = ["ACTION_ROWS", "Cell", "Row", "State", "check"]
