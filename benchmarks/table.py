"""Rows as text or as JSON, the same figures in both."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def show(rows: Sequence[Mapping[str, Any]], *, as_json: bool, title: str) -> None:
    """Print rows; numbers rounded to four significant digits in the text."""
    if as_json:
        print(json.dumps(list(rows), indent=2))
        return
    print(f"\n{title}")
    if not rows:
        return
    cells = [[_text(v) for v in row.values()] for row in rows]
    names = list(rows[0])
    widths = [max(len(n), *(len(c[i]) for c in cells)) for i, n in enumerate(names)]
    for line in (names, *cells):
        print("  " + "  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)))


def _text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
