"""Access lists, their entries and where they are attached, as the shared engine asks for them.

An entry of ours carries its label in a remark. In an IPv4 list that is a leaf of the same entry; in an IPv6 list an
entry is either a remark or a rule, so the remark takes the number before. An interface takes one list a family and
direction. What no entry of a list matches is dropped, unless there is no rule in it at all. Neighbour
discovery, which an IPv6 list lets pass before it drops the rest, is not in the model: its rules know no ICMP types.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar

from secloop_ai.contracts import Family, PacketRule, RuleAction
from secloop_ai.dialects.marks import TAG, mark_of
from secloop_ai.dialects.numbered import RESTS, Acl, Adapter, Attached, Entry, Meaning, Place
from secloop_ai.dialects.tree import Node
from secloop_ai.dialects.xml import Element, add, ensure, leaf, reach
from secloop_ai.dialects.xml import first as first_child

from . import interfaces
from . import names as n
from .entries import read_rule, read_standard
from .rules import write_rule

CLASS_NAME = re.compile(rf"sl-({TAG})-\d-\d{{1,4}}-[0-9a-f]{{6}}")
"""Name of a class of ours, and of the access list that says what is in it; it filters nothing by itself."""
_DIRECTION = {word: direction for direction, word in n.WORD.items()}


class AccessLists(Adapter):
    """Extended IPv4 and named IPv6 access lists; standard IPv4 ones are read."""

    tables: tuple[Node, ...] = (n.TABLE,)
    numbers: ClassVar[range] = range(1, n.LAST_NUMBER[4] + 1)

    def span_in(self, acl: Acl) -> int:
        """An IPv6 entry of ours is two: its remark and its rule."""
        return 2 if acl.family == n.V6 else 1

    def acls(self, root: Element) -> Iterator[Acl]:
        """Every access list but those of our classes."""
        for family, part in n.FAMILY_TAG.items():
            held = reach(root, n.NATIVE, part, n.ACCESS_LIST)
            for element in held.iterchildren(*_LISTS[family]) if held is not None else ():
                name = leaf(element, n.ACL_NAME) or ""
                if element.tag == n.STANDARD or not CLASS_NAME.fullmatch(name):
                    yield Acl(name, family, element)

    def attachments(self, root: Element) -> Iterator[Attached]:
        """Every attachment; a common list comes before the interface's own."""
        held = reach(root, n.NATIVE, n.INTERFACE)
        for found in held.iter(n.ACCESS_GROUP, n.TRAFFIC_FILTER) if held is not None else ():
            holder = found.getparent()
            interface = None if holder is None else holder.getparent()
            name = None if interface is None else interfaces.name_of(interface)
            if name:
                yield from _groups(name, found) if found.tag == n.ACCESS_GROUP else _filters(name, found)

    def point(self, root: Element, interface: str) -> Element | None:
        """The interface, when something is attached to it."""
        found = interfaces.find(root, interface)
        attached = (reach(found, *tags) for tags in _ATTACHING) if found is not None else ()
        return found if any(part is not None for part in attached) else None

    def entries(self, acl: Acl) -> list[Entry]:
        """The entries by number, a remark of ours together with its rule."""
        numbered = [(_number(e), e) for e in acl.element.iterchildren(n.ENTRY)]
        numbered.sort(key=lambda pair: pair[0])
        found: list[Entry] = []
        for number, element in numbered:
            last = found[-1] if found else None
            if last and acl.family == n.V6 and _waits(last) and number == last.number + 1:
                found[-1] = last._replace(elements=(*last.elements, element))
            else:
                found.append(Entry(number, leaf(element, n.REMARK), (element,)))
        return found

    def meaning(self, root: Element, acl: Acl, entry: Entry, name: str) -> Meaning:
        """The rules of an entry; none for a remark."""
        del root
        if acl.element.tag == n.STANDARD:
            return read_standard(entry.elements[0], name)
        rule = _rule(entry)
        if rule is not None and acl.family is not None:
            return read_rule(rule, acl.family, name)
        other = entry.elements[-1].find(n.EVALUATE)
        said = (f"entry {name}: the reflexive list {other.text} is not looked at",) if other is not None else ()
        return Meaning((), said)

    def refuses(self, acl: Acl, entries: Sequence[Entry]) -> str | None:
        """A standard list takes none of ours."""
        del entries
        standard = "is a standard list, which looks at source addresses only: attach an extended one in its place"
        return standard if acl.element.tag == n.STANDARD else None

    def write(self, root: Element, acl: Acl, number: int, label: str, rule: PacketRule) -> None:
        """Add an entry.

        Raises:
            DialectError: the device cannot express the rule.
        """
        del root
        entry = _add_entry(acl, number)
        if acl.family == n.V4:
            write_rule(entry, rule, 4)
            add(entry, n.REMARK, label)
        else:
            add(entry, n.REMARK, label)
            write_rule(_add_entry(acl, number + 1), rule, 6)

    def renumber(self, root: Element, acl: Acl, entry: Entry, number: int) -> None:
        """Give an entry of ours, and its remark, other numbers."""
        del root
        for offset, element in enumerate(entry.elements):
            ensure(element, n.NUMBER).text = str(number + offset)
            _place(acl, element, number + offset)

    def create(self, root: Element, name: str, family: Family) -> Acl:
        """Make an access list without entries."""
        parent = ensure(ensure(ensure(root, n.NATIVE), n.FAMILY_TAG[family]), n.ACCESS_LIST)
        element = add(parent, n.ACL_TAG[family])
        add(element, n.ACL_NAME, name)
        return Acl(name, family, element)

    def destroy(self, root: Element, acl: Acl) -> None:
        """Take an access list away."""
        del root
        if (parent := acl.element.getparent()) is not None:
            parent.remove(acl.element)

    def attach(self, root: Element, place: Place, acl: Acl, *, first: bool) -> None:
        """Attach an access list; there is one a place, so `first` means nothing.

        Raises:
            DialectError: the interface is not in the configuration.
        """
        del first
        interface = interfaces.need(root, place.interface, f"{acl.name} cannot be attached there")
        if acl.family == n.V4:
            side = n.SIDE[place.direction]
            group = ensure(ensure(ensure(ensure(interface, n.IP), n.ACCESS_GROUP), side), n.PLAIN)
            ensure(group, n.GROUP_NAME).text = acl.name
            ensure(group, side)
        elif not any(a.key == acl.key and a.place == place for a in self.attachments(root)):
            held = add(ensure(interface, n.IPV6), n.TRAFFIC_FILTER)
            add(held, n.FILTER_DIRECTION, n.WORD[place.direction])
            add(held, n.FILTER_NAME, acl.name)

    def detach(self, root: Element, place: Place, acl: Acl, *, keep: bool) -> None:
        """Detach an access list; the interface stays in any case."""
        del keep
        interface = interfaces.find(root, place.interface)
        if interface is None:
            return
        if acl.family == n.V4:
            held = interface.findall(f"{n.IP}/{n.ACCESS_GROUP}/{n.SIDE[place.direction]}/{n.PLAIN}")
            gone = [group for group in held if leaf(group, n.GROUP_NAME) == acl.name]
        else:
            gone = [f for f in interface.findall(f"{n.IPV6}/{n.TRAFFIC_FILTER}") if leaf(f, n.FILTER_NAME) == acl.name]
            gone = [f for f in gone if leaf(f, n.FILTER_DIRECTION) == n.WORD[place.direction]]
        for element in gone:
            _drop(element, interface)

    def unmatched(self, acl: Acl, entries: Sequence[Entry]) -> RuleAction:
        """Drop; a list without a rule in it, however, passes everything."""
        del acl
        return RuleAction.DROP if any(_decides(entry) for entry in entries) else RuleAction.PERMIT

    def acl_path(self, name: str, family: Family | None) -> str:
        """A readable path of an access list."""
        return f"/native/{'ipv6' if family == n.V6 else 'ip'}/access-list[name='{name}']"

    def point_path(self, interface: str) -> str:
        """A readable path of an interface's attachments."""
        return f"{interfaces.path(interface)}/access-group"


_LISTS: dict[Family, tuple[str, ...]] = {4: (n.STANDARD, n.EXTENDED), 6: (n.NAMED6,)}
_ATTACHING = ((n.IP, n.ACCESS_GROUP), (n.IPV6, n.TRAFFIC_FILTER))


def _groups(interface: str, groups: Element) -> Iterator[Attached]:
    for direction, side in n.SIDE.items():
        held = first_child(groups, side)
        for group in held if held is not None else ():
            for name in (leaf(group, n.GROUP_COMMON), leaf(group, n.GROUP_NAME)):
                if name:
                    yield Attached(Place(interface, direction), name, n.V4)


def _filters(interface: str, held: Element) -> Iterator[Attached]:
    direction = _DIRECTION.get(leaf(held, n.FILTER_DIRECTION) or "")
    for name in (leaf(held, n.FILTER_COMMON), leaf(held, n.FILTER_NAME)):
        if name and direction:
            yield Attached(Place(interface, direction), name, n.V6)


def _number(entry: Element) -> int:
    text = leaf(entry, n.NUMBER) or ""
    return int(text) if text.isdecimal() else 0


def _waits(entry: Entry) -> bool:
    """Whether an entry is a remark of ours whose rule has yet to come."""
    return len(entry.elements) == 1 and _rule(entry) is None and bool(mark_of(entry.label) or entry.label in RESTS)


def _rule(entry: Entry) -> Element | None:
    return first_child(entry.elements[-1], n.RULE)


def _decides(entry: Entry) -> bool:
    return any(part.tag in n.DECIDING for part in entry.elements[-1])


def _add_entry(acl: Acl, number: int) -> Element:
    entry = add(acl.element, n.ENTRY)
    add(entry, n.NUMBER, str(number))
    _place(acl, entry, number)
    return entry


def _place(acl: Acl, entry: Element, number: int) -> None:
    """Move an entry before those with higher numbers."""
    before = None
    for other in acl.element.iterchildren(n.ENTRY, reversed=True):
        if other is not entry:
            if _number(other) < number:
                break
            before = other
    if before is not None:
        before.addprevious(entry)


def _drop(element: Element, top: Element) -> None:
    """Remove an element, and with it the ancestors below `top` that it leaves empty."""
    while element is not top and (parent := element.getparent()) is not None:
        parent.remove(element)
        if len(parent):
            return
        element = parent
