"""The table: a row per dialect, action and family, and what each column found."""

from __future__ import annotations

from enum import StrEnum

from secloop_ai.contracts import CATALOGUE, Family, Plane
from secloop_ai.contracts.base import Frozen

FAMILIES: tuple[Family, ...] = (4, 6)
_ONE_FAMILY = frozenset({"shutdown_port"})
"""Actions that are the same whatever the packets' family."""


def _rows() -> tuple[tuple[str, Family | None], ...]:
    found: list[tuple[str, Family | None]] = []
    for name, action in CATALOGUE.items():
        if action.spec.plane is Plane.NETWORK:
            families: tuple[Family | None, ...] = (None,) if name in _ONE_FAMILY else FAMILIES
            found += [(name, family) for family in families]
    return tuple(found)


ACTION_ROWS = _rows()
"""Every network action of the catalogue, with the families it is tried in."""


class State(StrEnum):
    """What became of one check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_OFFERED = "no model"
    NOT_CHECKED = "not checked"


class Cell(Frozen):
    """One check. `text` is what the table shows; `detail` explains anything but a plain pass."""

    state: State
    text: str
    detail: str = ""


class Row(Frozen):
    """One action in one dialect."""

    dialect: str
    action: str
    family: Family | None = None
    rendered: Cell
    valid: Cell
    applied: Cell
    rolled_back: Cell

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The columns, in order."""
        return self.rendered, self.valid, self.applied, self.rolled_back

    @property
    def failed(self) -> bool:
        """Whether a check of it failed."""
        return any(cell.state is State.FAILED for cell in self.cells)

    @property
    def title(self) -> str:
        """The row in words."""
        return f"{self.dialect} {self.action}" + (f" IPv{self.family}" if self.family else "")


def passed(text: str = "yes", detail: str = "") -> Cell:
    """A check that holds."""
    return Cell(state=State.PASSED, text=text, detail=detail)


def failed(detail: str) -> Cell:
    """A check that does not hold; the detail is one sentence."""
    return Cell(state=State.FAILED, text="FAILED", detail=detail)


def not_checked(text: str, detail: str = "") -> Cell:
    """A check that could not be made here."""
    return Cell(state=State.NOT_CHECKED, text=text, detail=detail)


def whole_row(dialect: str, action: str, family: Family | None, cell: Cell) -> Row:
    """A row whose columns all say the same."""
    columns = dict.fromkeys(("rendered", "valid", "applied", "rolled_back"), cell)
    return Row(dialect=dialect, action=action, family=family, **columns)
