"""How a run went: one row of JSON per point, written as it is reached."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class Curve:
    """Rows in a file, which begins anew.

    Args:
        path: of the file; its folder is there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rows: list[dict[str, Any]] = []
        path.write_text("", encoding="utf-8")

    def add(self, **figures: float) -> None:
        """One row; figures are rounded to six digits."""
        row = {name: round(figure, 6) for name, figure in figures.items()}
        self.rows.append(row)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
