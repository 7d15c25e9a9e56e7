"""openconfig-acl as the numbered engine asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from secloop_ai.contracts import Direction, Family, PacketRule, RuleAction
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.numbered import Acl, Adapter, Attached, Entry, Meaning, Place
from secloop_ai.dialects.tree import Node
from secloop_ai.dialects.xml import Element, add, below, ensure, first, identity, identity_name, leaf

from . import names as n
from .entries import read_entry, write_entry
from .points import Points

ACTIONS = frozenset(n.FORWARDS.values())


@dataclass(frozen=True)
class OpenConfigAcls(Adapter):
    """ACL sets, one of a type at a place; what no entry matches is dropped.

    The model itself is silent about that; the devices that implement it drop, and to take it so lets no packet pass
    in our model that the device might stop.

    Attributes:
        actions: what an entry may do on this device.
    """

    actions: frozenset[RuleAction] = field(default=ACTIONS)
    tables: tuple[Node, ...] = (n.FILTER_TABLE,)

    tops: ClassVar[tuple[tuple[str, str], ...]] = (("/acl", n.ACLS),)

    def acls(self, root: Element) -> Iterator[Acl]:
        """Every ACL set."""
        for element in below(root, n.ACLS, n.SETS, n.SET):
            yield Acl(leaf(element, n.NAME) or "?", _family(first(element, n.TYPE)), element)

    def attachments(self, root: Element) -> Iterator[Attached]:
        """Every attachment, under the name of the interface that is referred to."""
        for point in below(root, n.ACLS, n.POINTS, n.POINT):
            interface = Points.name(point)
            for direction, side in n.SIDES.items():
                for sets in point.iterchildren(side.sets):
                    place = Place(interface, direction)
                    yield from (Attached(place, *_key(held)) for held in sets.iterchildren(side.set))

    def point(self, root: Element, interface: str) -> Element | None:
        """The interface's entry below ``/acl/interfaces``."""
        return Points(root).get(interface)

    def entries(self, acl: Acl) -> list[Entry]:
        """The entries by their sequence ids."""
        holder = first(acl.element, n.ENTRIES)
        found = [_entry(e) for e in holder.iterchildren(n.ENTRY)] if holder is not None else []
        return sorted(found, key=lambda entry: entry.number)

    def meaning(self, root: Element, acl: Acl, entry: Entry, name: str) -> Meaning:
        """What the entry says."""
        del root
        return read_entry(entry.elements[0], acl.family).meaning(name)

    def write(self, root: Element, acl: Acl, number: int, label: str, rule: PacketRule) -> None:
        """Add an entry, the label in its description."""
        del root
        if rule.action not in self.actions:
            raise DialectError(f"acl {acl.name}: this device's entries cannot {rule.action} ({rule})")
        write_entry(ensure(acl.element, n.ENTRIES), number, label, rule, acl.family)

    def erase(self, root: Element, acl: Acl, entry: Entry) -> None:
        """Take an entry away, and the container with the last one."""
        super().erase(root, acl, entry)
        _drop_if_empty(acl.element, n.ENTRIES)

    def renumber(self, root: Element, acl: Acl, entry: Entry, number: int) -> None:
        """Write another sequence id."""
        del root, acl
        element = entry.elements[0]
        for holder in (element, ensure(element, n.CONFIG)):
            ensure(holder, n.NUMBER).text = str(number)

    def create(self, root: Element, name: str, family: Family) -> Acl:
        """Append an ACL set."""
        acls = ensure(root, n.ACLS)
        sets = first(acls, n.SETS)
        if sets is None:
            sets = add(acls, n.SETS)
            acls.insert(0, sets)
        element = add(sets, n.SET)
        _write_key(element, n.NAME, name, family)
        return Acl(name, family, element)

    def destroy(self, root: Element, acl: Acl) -> None:
        """Take the ACL set away."""
        super().erase(root, acl, Entry(0, None, (acl.element,)))
        _drop_if_empty(root, f"{n.ACLS}/{n.SETS}")
        _drop_if_empty(root, n.ACLS)

    def attach(self, root: Element, place: Place, acl: Acl, *, first: bool) -> None:
        """Attach it; there is no order to ask for."""
        del first
        side = n.SIDES[Direction(place.direction)]
        sets = ensure(Points(root).made(place.interface), side.sets)
        if acl.family is None or any(_key(held) == acl.key for held in sets):
            return
        held = add(sets, side.set)
        _write_key(held, n.SET_NAME, acl.name, acl.family)

    def detach(self, root: Element, place: Place, acl: Acl, *, keep: bool) -> None:
        """Detach it; the interface's entry goes when it was ours and says no more."""
        side = n.SIDES[Direction(place.direction)]
        for point in Points(root).all(place.interface):
            for held in point.findall(f"{side.sets}/{side.set}"):
                if _key(held) == acl.key:
                    ensure(point, side.sets).remove(held)
            _drop_if_empty(point, side.sets)
            if not keep and not any(point.find(s.sets) is not None for s in n.SIDES.values()):
                ensure(ensure(root, n.ACLS), n.POINTS).remove(point)
        _drop_if_empty(root, f"{n.ACLS}/{n.POINTS}")

    def unmatched(self, acl: Acl, entries: Sequence[Entry]) -> RuleAction:
        """Dropped."""
        del acl, entries
        return RuleAction.DROP

    def refuses(self, acl: Acl, entries: Sequence[Entry]) -> str | None:
        """An ACL without entries: some devices drop there, some permit, and ours would decide it."""
        del acl
        return None if entries else "has no entries, and what that means differs by device: give it one, or detach it"

    def acl_path(self, name: str, family: Family | None) -> str:
        """Path of an ACL set."""
        return f"/acl/acl-sets/acl-set[name='{name}'][type='{n.TYPE_OF.get(family or 4)}']"

    def point_path(self, interface: str) -> str:
        """Path of an interface's attachments."""
        return f"/acl/interfaces/interface[id='{interface}']"


def _key(held: Element) -> tuple[str, Family | None]:
    """Name and family of an attached ACL."""
    return leaf(held, n.SET_NAME) or "?", _family(first(held, n.TYPE))


def _entry(element: Element) -> Entry:
    config = first(element, n.CONFIG)
    return Entry(int(leaf(element, n.NUMBER) or 0), leaf(config, n.TEXT) if config is not None else None, (element,))


def _family(kind: Element | None) -> Family | None:
    """The family a type stands for; None for MAC, mixed, MPLS and unknown ones."""
    return n.FAMILY_OF.get(identity_name(kind, n.ACL) or "") if kind is not None else None


def _write_key(entry: Element, tag: str, name: str, family: Family) -> None:
    """Name and type of a new entry, as its keys and below its config."""
    kind = identity(entry, n.TYPE_OF[family], n.ACL)
    add(entry, tag, name)
    add(entry, n.TYPE, kind)
    config = add(entry, n.CONFIG)
    add(config, tag, name)
    add(config, n.TYPE, kind)


def _drop_if_empty(parent: Element, path: str) -> None:
    for element in parent.findall(path):
        holder = element.getparent()
        if len(element) == 0 and holder is not None:
            holder.remove(element)
