"""Results that outlive the run: JSON lines, each kept at once, so that a later run goes on where this one ended."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from secloop_ai.contracts.errors import InputError


class Store:
    """A file of ``{"key": ..., "value": ...}`` lines; a key that is written again replaces the earlier line.

    A last line that was cut off in writing is taken off the file.

    Args:
        path: the file; it and its folder are made at the first `append`.

    Raises:
        InputError: another line is no such object; names file and line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows = self._load()

    def _load(self) -> dict[str, Any]:
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise InputError(f"{self.path}: {error.strerror}") from None
        whole = text[: text.rfind(b"\n") + 1]
        rows: dict[str, Any] = {}
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                row = json.loads(line)
                rows[row["key"]] = row["value"]
            except (ValueError, KeyError, TypeError) as error:
                raise InputError(f"{self.path}: line {number}: not a key and a value ({error})") from None
        if len(whole) < len(text):
            os.truncate(self.path, len(whole))
        return rows

    def append(self, key: str, value: Any) -> None:
        """Keep a value; it is on the disk's way when this returns.

        Raises:
            InputError: the file cannot be written.
            TypeError: the value is no JSON.
        """
        line = json.dumps({"key": key, "value": value}, separators=(",", ":")) + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line)
        except OSError as error:
            raise InputError(f"{self.path}: {error.strerror}") from None
        self._rows[key] = json.loads(line)["value"]

    def rows(self) -> dict[str, Any]:
        """Key → value, in the order of their first writing."""
        return dict(self._rows)

    def done(self) -> frozenset[str]:
        """Keys that have a value."""
        return frozenset(self._rows)
