"""The ``acl`` container: filters by name and type, and the interfaces they are attached to.

An interface of the model is a subinterface where its name ends in a number (``ethernet-1/1.0``), else the port.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import ClassVar

from secloop_ai.contracts import Family, PacketRule, RuleAction
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.marks import mark_of
from secloop_ai.dialects.numbered import Acl, Adapter, Attached, Entry, Found, Meaning, Place
from secloop_ai.dialects.tree import Node
from secloop_ai.dialects.xml import Element, add, below, ensure, leaf, reach

from . import names as n
from .links import sites
from .rules import kbps, read_action, read_match, write_action, write_match

_SUBINTERFACE = re.compile(r"(.+)\.(\d{1,4})")
_PART_OF_HASH = 8


class Filters(Adapter):
    """SR Linux's filters. The boxes evaluate one of each family at a place; what no entry matches passes."""

    tables: tuple[Node, ...] = (n.FILTER_TABLE,)
    numbers: ClassVar[range] = range(1, n.LAST_SEQUENCE + 1)
    rest: ClassVar[int] = 65_000
    tops: ClassVar[tuple[tuple[str, str], ...]] = (("/acl", n.ACLS),)

    def acls(self, root: Element) -> Iterable[Acl]:
        """IPv4, IPv6 and MAC filters."""
        for element in below(root, n.ACLS, n.FILTER):
            yield Acl(leaf(element, n.NAME) or "", n.FAMILY_OF.get(leaf(element, n.TYPE) or ""), element)

    def attachments(self, root: Element) -> Iterable[Attached]:
        """Of every interface."""
        for point in _points(root):
            for direction, side in n.SIDES.items():
                for held in below(point, side, n.FILTER):
                    place = Place(_interface(point), direction)
                    yield Attached(place, leaf(held, n.NAME) or "", n.FAMILY_OF.get(leaf(held, n.TYPE) or ""))

    def point(self, root: Element, interface: str) -> Element | None:
        """The list entry of an interface, whatever its id."""
        return next((p for p in _points(root) if _interface(p) == interface), None)

    def entries(self, acl: Acl) -> list[Entry]:
        """The entries with their descriptions."""
        found = (
            Entry(int(leaf(e, n.SEQUENCE) or 0), leaf(e, n.DESCRIPTION), (e,))
            for e in acl.element.iterchildren(n.ENTRY)
        )
        return sorted(found, key=lambda e: e.number)

    def meaning(self, root: Element, acl: Acl, entry: Entry, name: str) -> Meaning:
        """The rules of an entry; a policer of the filter is its rate."""
        found, (element,) = Found(), entry.elements
        if acl.family is not None:
            read_match(element, acl.family, found)
        limit = read_action(element, found)
        if limit is not None:
            policer = _policer(root, limit)
            rate = leaf(policer, n.PEAK_KBPS) if policer is not None else None
            if rate is None:
                found.notes.append(f"policer {limit} has no rate in kbps")
            else:
                found.rate_bytes_per_s = float(int(rate) * n.BYTES_PER_KBPS)
        return found.meaning(name)

    def write(self, root: Element, acl: Acl, number: int, label: str, rule: PacketRule) -> None:
        """Add an entry, and a policer of its own where the rule has a rate.

        Raises:
            DialectError: a reject, an address of the other family, or a rate that is no whole number of kbit/s.
        """
        if acl.family is None:
            raise DialectError(f"acl {acl.name} filters something else than IP packets")
        entry = add(acl.element, n.ENTRY)
        add(entry, n.SEQUENCE, str(number))
        add(entry, n.DESCRIPTION, label)
        write_match(entry, rule, acl.family)
        limit = None if rule.rate_bytes_per_s is None else _make_policer(root, acl, label, rule)
        write_action(entry, rule, limit)
        _stand_in_order(acl.element, entry, number)

    def erase(self, root: Element, acl: Acl, entry: Entry) -> None:
        """Take an entry away, and its policer if that is ours and nobody else's."""
        super().erase(root, acl, entry)
        limit = read_action(entry.elements[0], Found())
        used = any(e.text == limit for e in root.iterfind(f"{n.ACLS}/{n.FILTER}//{n.POLICER}"))
        policer = None if limit is None or used or not _is_ours(limit) else _policer(root, limit)
        if policer is not None:
            ensure(ensure(root, n.ACLS), n.POLICERS).remove(policer)

    def renumber(self, root: Element, acl: Acl, entry: Entry, number: int) -> None:
        """The key of the list is the number."""
        del root
        (element,) = entry.elements
        ensure(element, n.SEQUENCE).text = str(number)
        _stand_in_order(acl.element, element, number)

    def create(self, root: Element, name: str, family: Family) -> Acl:
        """Behind the filters that are there."""
        acls = ensure(root, n.ACLS)
        element = add(acls, n.FILTER)
        acls.insert(len(acls.findall(n.FILTER)) - 1, element)
        add(element, n.NAME, name)
        add(element, n.TYPE, n.TYPE_OF[family])
        return Acl(name, family, element)

    def destroy(self, root: Element, acl: Acl) -> None:
        """Nothing else belongs to it: its policers went with its entries."""
        ensure(root, n.ACLS).remove(acl.element)

    def attach(self, root: Element, place: Place, acl: Acl, *, first: bool) -> None:
        """Attach behind what other families have there, in a list entry that refers to the interface.

        Raises:
            DialectError: the interface is not in the configuration.
        """
        del first
        point = self.point(root, place.interface)
        if point is None:
            if place.interface not in dict(sites(root)):
                raise DialectError(f"interface {place.interface} is not in the configuration: nothing can filter there")
            point = add(ensure(root, n.ACLS), n.POINT)
            add(point, n.POINT_ID, place.interface)
            _refer(add(point, n.REFERENCE), place.interface)
        held = ensure(point, n.SIDES[place.direction])
        if not any(_is_of(e, acl) for e in held.iterchildren(n.FILTER)):
            attached = add(held, n.FILTER)
            add(attached, n.NAME, acl.name)
            add(attached, n.TYPE, leaf(acl.element, n.TYPE))

    def detach(self, root: Element, place: Place, acl: Acl, *, keep: bool) -> None:
        """Detach; an interface that says no more than what it refers to goes, unless it is kept."""
        for point in [p for p in _points(root) if _interface(p) == place.interface]:
            for side in point.findall(n.SIDES[place.direction]):
                for held in [e for e in side.iterfind(n.FILTER) if _is_of(e, acl)]:
                    side.remove(held)
                if len(side) == 0:
                    point.remove(side)
            if not keep and all(e.tag in (n.POINT_ID, n.REFERENCE) for e in point):
                ensure(root, n.ACLS).remove(point)

    def unmatched(self, acl: Acl, entries: Sequence[Entry]) -> RuleAction:
        """An interface filter lets pass what no entry matches."""
        del acl, entries
        return RuleAction.PERMIT

    def acl_path(self, name: str, family: Family | None) -> str:
        """By name and type."""
        return f"/acl/acl-filter[name='{name}'][type='{n.TYPE_OF[family] if family else 'mac'}']"

    def point_path(self, interface: str) -> str:
        """By the interface it refers to."""
        return f"/acl/interface[interface-id='{interface}']"

    def extras(self, root: Element, acl: Acl) -> Iterable[tuple[str, list[Element]]]:
        """The policers of the entries."""
        names = {e.text or "" for e in acl.element.iter(n.POLICER)}
        for name in sorted(names):
            policer = _policer(root, name)
            yield f"/acl/policers/policer[name='{name}']", [] if policer is None else [policer]


def _points(root: Element) -> list[Element]:
    return below(root, n.ACLS, n.POINT)


def _interface(point: Element) -> str:
    """The interface a list entry refers to; its id is free, and stands for the interface where nothing else does."""
    reference = reach(point, n.REFERENCE)
    port = None if reference is None else leaf(reference, n.REFERENCE_PORT)
    if reference is None or port is None:
        return leaf(point, n.POINT_ID) or ""
    index = leaf(reference, n.REFERENCE_INDEX)
    return port if index is None else f"{port}.{index}"


def _refer(reference: Element, interface: str) -> None:
    found = _SUBINTERFACE.fullmatch(interface)
    add(reference, n.REFERENCE_PORT, found[1] if found else interface)
    if found:
        add(reference, n.REFERENCE_INDEX, found[2])


def _is_of(held: Element, acl: Acl) -> bool:
    """Whether an attachment is of that filter."""
    return leaf(held, n.NAME) == acl.name and leaf(held, n.TYPE) == leaf(acl.element, n.TYPE)


def _stand_in_order(acl: Element, entry: Element, number: int) -> None:
    """Move an entry before the first with a higher number."""
    others = [e for e in acl.iterchildren(n.ENTRY) if e is not entry]
    behind = next((e for e in others if int(leaf(e, n.SEQUENCE) or 0) > number), None)
    if behind is not None:
        behind.addprevious(entry)
    elif others:
        others[-1].addnext(entry)


def _policer(root: Element, name: str) -> Element | None:
    found = below(root, n.ACLS, n.POLICERS, n.POLICER)
    return next((p for p in found if leaf(p, n.NAME) == name), None)


def _policer_name(acl: Acl, label: str) -> str:
    """A policer is shared by all entries that name it, so each entry's is told apart by a hash of its filter."""
    key = f"{acl.name} {acl.family}"
    return f"{label}-{hashlib.sha256(key.encode()).hexdigest()[:_PART_OF_HASH]}"


def _is_ours(policer: str) -> bool:
    return mark_of(policer.rpartition("-")[0]) is not None


def _make_policer(root: Element, acl: Acl, label: str, rule: PacketRule) -> str:
    """Make the policer of an entry, with a tenth of a second at its rate as the burst; its name."""
    name, rate = _policer_name(acl, label), kbps(rule)
    if _policer(root, name) is None:
        policer = add(ensure(ensure(root, n.ACLS), n.POLICERS), n.POLICER)
        add(policer, n.NAME, name)
        add(policer, n.PEAK_KBPS, str(rate))
        add(policer, n.BURST, str(max(n.LEAST_BURST, rate * n.BYTES_PER_KBPS // 10)))
    return name
