"""What happened to every line: the counts behind an IngestReport."""

from __future__ import annotations

import re
from pathlib import Path

from secloop_ai.contracts import IngestReport

MAX_BAD_LINES = 20
MAX_TYPES = 64
MAX_REASON = 120
BLANK = "(blank)"
OTHER = "(other)"

_TYPE = re.compile(r"[A-Za-z0-9_.-]{1,32}", re.ASCII)


class Tally:
    """Counts lines as they are read; ``lines == alerts + sum(skipped) + bad`` at every moment between two lines.

    Attributes:
        lines: all lines, blank ones too (they are skipped under ``(blank)``).
        skipped: other events by type; types beyond the first 64, or not plain names, under ``(other)``.
        bad_lines: the first 20 unusable lines as (number, reason).
    """

    def __init__(self) -> None:
        self.lines = 0
        self.alerts = 0
        self.skipped: dict[str, int] = {}
        self.bad = 0
        self.bad_lines: list[tuple[int, str]] = []

    def skip(self, event_type: str) -> None:
        """Count an event that is not an alert."""
        name = event_type
        if name not in self.skipped and name != BLANK and (len(self.skipped) >= MAX_TYPES or not _TYPE.fullmatch(name)):
            name = OTHER
        self.skipped[name] = self.skipped.get(name, 0) + 1

    def spoil(self, reason: str) -> None:
        """Count the current line as unusable, and keep why while there is room."""
        self.bad += 1
        if len(self.bad_lines) < MAX_BAD_LINES:
            self.bad_lines.append((self.lines, printable(reason)))

    def report(
        self, path: Path | str, *, summaries: int = 0, evicted: int = 0, dropped: int = 0, late: int = 0
    ) -> IngestReport:
        """The counts as a record."""
        return IngestReport(
            path=str(path),
            lines=self.lines,
            alerts=self.alerts,
            skipped=dict(self.skipped),
            bad=self.bad,
            bad_lines=tuple(self.bad_lines),
            summaries=summaries,
            evicted=evicted,
            dropped=dropped,
            late=late,
        )


def printable(reason: str) -> str:
    """A reason without anything a terminal, a template or a mark-up language would act on."""
    return "".join(c if c.isascii() and c.isprintable() and c not in "{}<>&%\\" else "?" for c in reason[:MAX_REASON])
