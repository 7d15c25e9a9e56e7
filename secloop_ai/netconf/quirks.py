"""Where a server keeps less than its hello says: known by what only it announces, met by what does no harm."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Quirks(NamedTuple):
    """Departures of a server.

    Attributes:
        restage_after_validate: ``validate`` on the candidate makes a following commit forget what was edited; the
            same edit is sent once more to a discarded candidate.
    """

    restage_after_validate: bool = False


KNOWN: tuple[tuple[str, Quirks], ...] = (
    # netconfd of yuma123 2.13: edit, validate, commit answers ok and leaves running as it was; the candidate, read in
    # between, holds the edit. Its commit validates again by itself.
    ("http://yuma123.org/ns/yuma123-system", Quirks(restage_after_validate=True)),
)


def quirks_of(capabilities: Iterable[str]) -> Quirks:
    """The departures of the server that announces these capabilities; none for one not listed."""
    announced = tuple(capabilities)
    return next((q for mark, q in KNOWN if any(c.startswith(mark) for c in announced)), Quirks())
