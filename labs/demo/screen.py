"""What the demo prints: steps, facts, and a verdict at the end."""

from __future__ import annotations

import sys
import time


class Screen:
    """Numbered steps with the seconds they took, and the checks that decide the exit status."""

    def __init__(self) -> None:
        self._number = 0
        self._began = time.monotonic()
        self._checks: list[tuple[bool, str]] = []

    def step(self, title: str) -> None:
        """Begin a step."""
        self._number += 1
        self.line(f"\n[{self._number}] {title}  (at {time.monotonic() - self._began:.1f} s)")

    def line(self, text: str) -> None:
        """Print a line at once, so that it stands in order with what children print."""
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def fact(self, text: str) -> None:
        """An indented line."""
        self.line(f"    {text}")

    def check(self, text: str, *, ok: bool) -> None:
        """A line that counts for the verdict."""
        self._checks.append((ok, text))
        self.fact(f"{'ok  ' if ok else 'FAIL'} {text}")

    def verdict(self, good: str) -> int:
        """Print the end; 0 when every check held."""
        failed = [text for ok, text in self._checks if not ok]
        self.line("")
        if failed:
            self.line(f"DEMO FAILED: {len(failed)} of {len(self._checks)} checks: " + "; ".join(failed))
            return 1
        self.line(f"DEMO PASSED: {good} ({len(self._checks)} checks, {time.monotonic() - self._began:.0f} s)")
        return 0
