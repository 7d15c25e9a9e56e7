"""Which entry of which ACL the CLI calls by which number: read from a configuration. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from secloop_ai.contracts import Family
from secloop_ai.dialects.marks import Mark, mark_of
from secloop_ai.dialects.xml import Element, load, local

from .show import Show

SIX = frozenset({"named-acl", "ACL_IPV6", "ipv6", "inet6"})
"""How the dialects say that an ACL is for IPv6: by its element, its type or the element around it."""


class Entry(NamedTuple):
    """One of our entries where it stands."""

    acl: str
    family: Family
    mark: Mark
    label: str


def entries(data: str, show: Show) -> tuple[Entry, ...]:
    """Every entry of ours in a configuration, with what the CLI calls it.

    Raises:
        DialectError: not XML.
    """
    found = (e for e in load(data).iter() if local(e) == show.mark and mark_of((e.text or "").strip()))
    return tuple(entry for element in found if (entry := _entry(element, show)))


def _entry(element: Element, show: Show) -> Entry | None:
    mark = mark_of((element.text or "").strip())
    holder = element.getparent()
    while holder is not None and show.number is not None and _leaf(holder, show.number) is None:
        holder = holder.getparent()
    acl = next((a for a in holder.iterancestors() if _leaf(a, "name")), None) if holder is not None else None
    if mark is None or holder is None or acl is None:
        return None
    label = str(mark) if show.number is None else _number(holder, show.number)
    return Entry(_leaf(acl, "name") or "", _family(acl), mark, label)


def _number(holder: Element, leaf: str) -> str:
    """The entry's number; where the mark has an entry of its own, that of the one after it."""
    alone = len(holder) == 2  # noqa: PLR2004 - its number, and the mark
    after = holder.getnext() if alone else None
    behind = _leaf(after, leaf) if after is not None else None
    return behind or _leaf(holder, leaf) or ""


def _family(acl: Element) -> Family:
    around = acl.getparent()
    words = {local(acl), (_leaf(acl, "type") or "").rpartition(":")[2], "" if around is None else local(around)}
    return 6 if words & SIX else 4


def _leaf(parent: Element, name: str) -> str | None:
    return next(_texts(parent, name), None)


def _texts(parent: Element, name: str) -> Iterator[str]:
    for child in parent:
        if isinstance(child.tag, str) and local(child) == name and not len(child):
            yield (child.text or "").strip()
