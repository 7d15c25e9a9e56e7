"""Where a server keeps less than its hello says: known by what only it announces, met by what does no harm."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from typing import NamedTuple

from secloop_ai.contracts import Device

MINUTE_S = 60


class Quirks(NamedTuple):
    """Departures of a server.

    Attributes:
        restage_after_validate: ``validate`` on the candidate makes a following commit forget what was edited; the
            same edit is sent once more to a discarded candidate.
        timeout_unit_s: seconds in one unit of ``confirm-timeout``; the standard's is one second.
    """

    restage_after_validate: bool = False
    timeout_unit_s: int = 1

    def timeout(self, seconds: float) -> int:
        """What to write into ``confirm-timeout``: never less time than asked for."""
        return ceil(seconds / self.timeout_unit_s)


KNOWN: tuple[tuple[str, Quirks], ...] = (
    # netconfd of yuma123 2.13: edit, validate, commit answers ok and leaves running as it was; the candidate, read in
    # between, holds the edit. Its commit validates again by itself.
    ("http://yuma123.org/ns/yuma123-system", Quirks(restage_after_validate=True)),
)


def quirks_of(capabilities: Iterable[str], device: Device | None = None) -> Quirks:
    """The departures of the server that announces these capabilities, and those the inventory tells of the device."""
    announced = tuple(capabilities)
    found = next((q for mark, q in KNOWN if any(c.startswith(mark) for c in announced)), Quirks())
    minutes = device is not None and device.confirm_timeout_unit == "min"
    return found._replace(timeout_unit_s=MINUTE_S) if minutes else found
