"""``configure/filter`` and the router interfaces that its filters are attached to: one of each family on a side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

from secloop_ai.contracts import Family, PacketRule, RuleAction
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.numbered import Acl, Adapter, Attached, Entry, Found, Meaning, Place
from secloop_ai.dialects.tree import Node
from secloop_ai.dialects.xml import Element, add, below, ensure, leaf, reach

from . import names as n
from .rules import read_entry, write_action, write_match


class Filters(Adapter):
    """SR OS's filters; what no entry matches meets the filter's default action, which is to drop unless it is set."""

    tables: tuple[Node, ...] = (n.TABLE,)
    numbers: ClassVar[range] = range(1, 2_097_152)
    tops: ClassVar[tuple[tuple[str, str], ...]] = (("/configure/filter", f"{n.CONFIGURE}/{n.FILTER}"),)

    def acls(self, root: Element) -> Iterable[Acl]:
        """IPv4 and IPv6 filters."""
        for family, tag in n.LISTS.items():
            for element in below(root, n.CONFIGURE, n.FILTER, tag):
                yield Acl(leaf(element, n.NAME) or "", family, element)

    def attachments(self, root: Element) -> Iterable[Attached]:
        """Of every interface."""
        for interface, element in interfaces(root):
            for direction, side in n.SIDES.items():
                held = reach(element, side, n.FILTER)
                for family, tag in n.ATTACHED.items() if held is not None else ():
                    if held is not None and (name := leaf(held, tag)) is not None:
                        yield Attached(Place(interface, direction), name, family)

    def point(self, root: Element, interface: str) -> Element | None:
        """The interface, where it has filters."""
        found = dict(interfaces(root)).get(interface)
        filtered = found is not None and any(reach(found, side) is not None for side in n.SIDES.values())
        return found if filtered else None

    def entries(self, acl: Acl) -> list[Entry]:
        """The entries with their descriptions."""
        found = (
            Entry(int(leaf(e, n.NUMBER) or 0), leaf(e, n.DESCRIPTION), (e,)) for e in acl.element.iterchildren(n.ENTRY)
        )
        return sorted(found, key=lambda e: e.number)

    def meaning(self, root: Element, acl: Acl, entry: Entry, name: str) -> Meaning:
        """The rules of an entry."""
        del root
        found = Found()
        read_entry(entry.elements[0], acl.family or 4, found)
        return found.meaning(name)

    def write(self, root: Element, acl: Acl, number: int, label: str, rule: PacketRule) -> None:
        """Add an entry.

        Raises:
            DialectError: a reject, an address of the other family, or a rate that is no whole number of kbit/s.
        """
        del root
        entry = add(acl.element, n.ENTRY)
        add(entry, n.NUMBER, str(number))
        add(entry, n.DESCRIPTION, label)
        write_match(entry, rule, acl.family or 4)
        write_action(entry, rule)

    def renumber(self, root: Element, acl: Acl, entry: Entry, number: int) -> None:
        """The key of the list is the number."""
        del root, acl
        ensure(entry.elements[0], n.NUMBER).text = str(number)

    def create(self, root: Element, name: str, family: Family) -> Acl:
        """A filter, which the engine closes with a permit."""
        element = add(ensure(ensure(root, n.CONFIGURE), n.FILTER), n.LISTS[family])
        add(element, n.NAME, name)
        return Acl(name, family, element)

    def destroy(self, root: Element, acl: Acl) -> None:
        """Nothing else belongs to it."""
        ensure(ensure(root, n.CONFIGURE), n.FILTER).remove(acl.element)

    def attach(self, root: Element, place: Place, acl: Acl, *, first: bool) -> None:
        """Name the filter at the interface.

        Raises:
            DialectError: router Base has no such interface.
        """
        del first
        found = dict(interfaces(root)).get(place.interface)
        if found is None or acl.family is None:
            raise DialectError(f"interface {place.interface} is not one of router {n.BASE}: nothing can filter there")
        ensure(ensure(ensure(found, n.SIDES[place.direction]), n.FILTER), n.ATTACHED[acl.family]).text = acl.name

    def detach(self, root: Element, place: Place, acl: Acl, *, keep: bool) -> None:
        """Take the name away; what it leaves empty goes by itself."""
        del keep
        held = dict(interfaces(root))[place.interface].find(f"{n.SIDES[place.direction]}/{n.FILTER}")
        if held is not None and acl.family is not None:
            for name in held.findall(n.ATTACHED[acl.family]):
                held.remove(name)

    def unmatched(self, acl: Acl, entries: Sequence[Entry]) -> RuleAction:
        """The default action."""
        del entries
        return RuleAction.PERMIT if leaf(acl.element, n.DEFAULT_ACTION) == "accept" else RuleAction.DROP

    def acl_path(self, name: str, family: Family | None) -> str:
        """By name."""
        return f"/configure/filter/{n.LISTS[family or 4].rpartition('}')[2]}[filter-name='{name}']"

    def point_path(self, interface: str) -> str:
        """By name."""
        return f"/configure/router[router-name='{n.BASE}']/interface[interface-name='{interface}']"


def router(root: Element) -> Element | None:
    """The router ``Base``; others are left alone."""
    found = below(root, n.CONFIGURE, n.ROUTER)
    return next((r for r in found if leaf(r, n.ROUTER_NAME) == n.BASE), None)


def interfaces(root: Element) -> Iterator[tuple[str, Element]]:
    """The interfaces of router ``Base`` by name."""
    base = router(root)
    for element in base.iterchildren(n.INTERFACE) if base is not None else ():
        yield leaf(element, n.INTERFACE_NAME) or "", element
