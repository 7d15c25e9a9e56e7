"""How our entries are told from everybody else's: by name, or by a word in a free text."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from secloop_ai.contracts import Direction, Family

TAG = r"[0-9a-f]{10}-\d{1,2}"
PERMIT_REST = "secloop-permit-rest"
"""Last entry of an ACL of ours: what our entries do not name passes, also where an ACL denies by default."""
NAME_LIMIT = 64
_OWN = "secloop-"
_MARK = re.compile(rf"sl-({TAG})-(\d)-(\d{{1,4}})")
_OWN_NAME = re.compile(r"secloop-.+-(in|out)-v[46]")
_TEXT = re.compile(rf"secloop( {TAG})+")
_SHORT = {Direction.INGRESS: "in", Direction.EGRESS: "out"}


class Mark(NamedTuple):
    """What the name of one of our entries says; marks sort as the entries stand in a filter.

    Attributes:
        rank: of the operation it belongs to.
        tag: mitigation id.
        number: counts the mitigation's entries in one ACL.
    """

    rank: int
    tag: str
    number: int

    def __str__(self) -> str:
        return f"sl-{self.tag}-{self.rank}-{self.number}"


@lru_cache(maxsize=4096)
def mark_of(name: str | None) -> Mark | None:
    """The mark in an entry's name; None for somebody else's entry."""
    found = _MARK.fullmatch(name or "")
    return Mark(int(found[2]), found[1], int(found[3])) if found else None


def own_acl(interface: str, direction: Direction, family: Family) -> str:
    """Name of our own ACL at one place; a long interface name is cut and told apart by a hash."""
    end = f"-{_SHORT[direction]}-v{family}"
    room = NAME_LIMIT - len(_OWN) - len(end)
    if len(interface) > room:
        interface = f"{interface[: room - 9]}-{hashlib.sha256(interface.encode()).hexdigest()[:8]}"
    return f"{_OWN}{interface}{end}"


def is_own_acl(name: str | None) -> bool:
    """Whether an ACL of that name was made by us."""
    return _OWN_NAME.fullmatch(name or "") is not None


def text_with(tags: Iterable[str]) -> str:
    """A free text (a description, a remark) that carries these tags."""
    return " ".join(["secloop", *tags])


def tags_in(text: str | None) -> tuple[str, ...]:
    """The tags a free text carries; none when it is not ours."""
    return tuple(text.split()[1:]) if text and _TEXT.fullmatch(text.strip()) else ()
