"""Listens to a sensor's event log while it is written: when did which signature fire, on the battlefield's clock."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from labs.battlefield.oddities import as_alert

POLL_S = 0.005
"""How exactly an arrival is known, in seconds."""
KINDS = ("alert", "anomaly")


class Heard(NamedTuple):
    """An event of the log.

    Attributes:
        at_s: when its line was found, at most `POLL_S` after it was written; on the clock given.
        sid: of the signature; 0 for a parser's complaint, which no signature names.
    """

    at_s: float
    sid: int
    source: str
    destination: str


class Ear:
    """Follows an EVE file from its end on, in a thread. A context manager.

    Args:
        path: the log; it may be made later.
        clock: seconds; read once for what is found at one look.
    """

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._path, self._clock = path, clock
        self._at = path.stat().st_size if path.exists() else 0
        self._rest = b""
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self.heard: list[Heard] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()
        self._look()

    def _follow(self) -> None:
        while not self._end.wait(POLL_S):
            self._look()

    def _look(self) -> None:
        if not self._path.exists() or self._path.stat().st_size <= self._at:
            return
        now = self._clock()
        with self._path.open("rb") as file:
            file.seek(self._at)
            data = file.read()
        self._at += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        self.heard += [found for line in lines if (found := read(line, now)) is not None]


def read(line: bytes, at_s: float) -> Heard | None:
    """An alert or a parser's complaint of a whole EVE line; None for every other event, and for a line that is none."""
    if not any(f'"{kind}"'.encode() in line for kind in KINDS):
        return None
    try:
        event: dict[str, Any] = json.loads(as_alert(line) or line)
        if event["event_type"] != "alert":
            return None
        sid = int(event["alert"]["signature_id"])
    except (ValueError, KeyError, TypeError):
        return None
    return Heard(at_s, sid, str(event.get("src_ip", "")), str(event.get("dest_ip", "")))
