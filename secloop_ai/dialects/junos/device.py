"""Filters of a Junos configuration, the units they hang on, and in which order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from secloop_ai.contracts import Direction, Family, FilterOp
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.marks import is_own_acl
from secloop_ai.dialects.xml import Element, add, ensure, leaf, local

from . import names
from .activity import live, open_to_change


class Place(NamedTuple):
    """One side of one unit, for one family.

    Attributes:
        unit: ``ge-0/0/0.0``.
    """

    unit: str
    direction: Direction
    family: Family

    def __str__(self) -> str:
        return f"{self.unit} {self.direction} ({names.FAMILY[self.family]})"


class Attached(NamedTuple):
    """A filter's name where it is attached; `element` is its list entry, or the single's container."""

    place: Place
    name: str
    element: Element


@dataclass(frozen=True, slots=True)
class Device:
    """A view of the ``<data>`` element; writing makes what is missing."""

    root: Element
    n: names.Names

    @property
    def firewall(self) -> Element | None:
        """The ``firewall`` hierarchy."""
        return self.root.find(f"{self.n.configuration}/{self.n.fw.firewall}")

    def filters(self, family: Family) -> Iterator[Element]:
        """Every filter of a family; those outside of any family are IPv4's."""
        fw = self.n.fw
        yield from self.root.iterfind(f"{self.n.filters[family]}/{fw.filter}")
        if family == 4:  # noqa: PLR2004 - IPv4
            yield from self.root.iterfind(f"{self.n.configuration}/{fw.firewall}/{fw.filter}")

    def get(self, name: str, family: Family) -> Element | None:
        """The filter of that name."""
        return next((f for f in self.filters(family) if leaf(f, self.n.fw.name) == name), None)

    def unit(self, name: str) -> Element | None:
        """The logical interface of that name."""
        i = self.n.ifs
        port, _, number = name.rpartition(".")
        for interface in self.root.iterfind(f"{self.n.configuration}/{i.interfaces}/{i.interface}"):
            if leaf(interface, i.name) == port:
                return next((u for u in interface.iterfind(i.unit) if leaf(u, i.name) == number), None)
        return None

    def attached(self) -> Iterator[Attached]:
        """Everything attached to units, also what is deactivated; at each place in order of evaluation."""
        i, ends = self.n.ifs, self.n.ends
        way = (i.family, i.unit, i.interface)
        for word in self.root.iter(i.filter_name, *ends):
            alone = word.tag == i.filter_name
            if not (alone or len(word) == 0):
                continue
            element = word.getparent() if alone else word
            chain = [] if element is None else list(islice(element.iterancestors(), 5))
            family = self._family.get(str(chain[1].tag)) if len(chain) == 5 else None  # noqa: PLR2004 - up to interface
            if element is None or family is None or tuple(e.tag for e in chain[2:]) != way or element.tag not in ends:
                continue
            unit = f"{leaf(chain[4], i.name)}.{leaf(chain[3], i.name)}"
            place = Place(unit, ends[str(element.tag)], family)
            yield Attached(place, (word.text or "").strip(), element)

    @property
    def _family(self) -> dict[str, Family]:
        return {self.n.ifs.inet: 4, self.n.ifs.inet6: 6}

    def names_in(self, container: Element, direction: Direction) -> list[str]:
        """The filters that hang in one family's container, in order of evaluation."""
        side, i = self.n.sides[direction], self.n.ifs
        alone = [name for single in container.iterchildren(side.single) if (name := leaf(single, i.filter_name))]
        return [*alone, *((e.text or "").strip() for e in container.iterchildren(side.many, side.chain))]

    def at(self, place: Place) -> list[str]:
        """The filters at a place, in order of evaluation."""
        i, unit = self.n.ifs, self.unit(place.unit)
        path = f"{i.family}/{names.fw_family(i)[place.family]}/{i.filter}"
        container = None if unit is None else unit.find(path)
        return [] if container is None else self.names_in(container, place.direction)

    def hung(self, name: str, family: Family) -> list[Attached]:
        """Where a filter is attached to units."""
        return [a for a in self.attached() if (a.name, a.place.family) == (name, family)]

    def uses(self, name: str, family: Family) -> list[Element]:
        """Where a filter is named: on units, and in terms of other filters that include it."""
        fw = self.n.fw
        terms = (t for f in self.filters(family) for t in f.iterfind(f"{fw.term}/{fw.filter}"))
        hung = [attached.element for attached in self.hung(name, family)]
        return [*hung, *(t for t in terms if (t.text or "").strip() == name)]

    def containers(self, family: Family) -> list[Element]:
        """The family's part of the firewall."""
        return self.root.findall(self.n.filters[family])

    def all_ours(self, holder: Element) -> bool:
        """Whether a part of the firewall holds filters of ours and none of others, nor anything else."""
        fw = self.n.fw
        filters = list(holder.iter(fw.filter))
        others = [e for e in holder if e.tag not in (fw.filter, fw.family, fw.policer)]
        named = [f for f in filters if len(f)]
        return bool(named) and not others and all(is_own_acl(leaf(f, fw.name)) for f in named)

    def create(self, name: str, family: Family) -> Element:
        """Append an empty filter."""
        fw = self.n.fw
        firewall = ensure(ensure(self.root, self.n.configuration), fw.firewall)
        holder = ensure(ensure(firewall, fw.family), names.fw_family(fw)[family])
        made = add(holder, fw.filter)
        add(made, fw.name, name)
        return made

    def family_of(self, op: FilterOp) -> tuple[Place, Element]:
        """The place an operation is for, and the unit's family there.

        Raises:
            DialectError: no such unit, or nothing of that family passes there, or the device takes no change of it.
        """
        i = self.n.ifs
        unit = self.unit(op.interface)
        if unit is None:
            hint = "" if "." in op.interface else f" (a filter goes on a unit: {op.interface}.0 perhaps)"
            raise DialectError(f"there is no logical interface {op.interface} in the configuration{hint}")
        family = unit.find(f"{i.family}/{names.fw_family(i)[op.family]}")
        if family is None:
            kind = names.FAMILY[op.family]
            raise DialectError(f"{op.interface} has no family {kind}: nothing of IPv{op.family} passes to be filtered")
        place = Place(op.interface, op.direction, op.family)
        filters = family.find(i.filter)
        open_to_change(family if filters is None else filters, f"{place}: no filter can be attached")
        side = self.n.sides[op.direction]
        for held in filters if filters is not None else ():
            if held.tag in (side.single, side.many):
                open_to_change(held, f"{place}: no filter can be attached")
            elif held.tag == side.chain:
                raise DialectError(f"{place}: an {local(held)} stands there, and no filter of ours goes with it")
        return place, family

    def attach_first(self, name: str, place: Place, family: Element) -> bool:
        """Put a filter in front of what is attached at a place; whether that made a list of a single filter.

        Raises:
            DialectError: what is attached there cannot be part of a list.
        """
        i, side = self.n.ifs, self.n.sides[place.direction]
        container = ensure(family, i.filter)
        single = container.find(side.single)
        if odd := [local(c) for c in (() if single is None else single) if c.tag != i.filter_name]:
            raise DialectError(
                f"{place}: its filter has a <{odd[0]}>, so none of ours can go in front; remove it first"
            )
        listed = container.findall(side.many)
        if single is None and not listed:
            add(add(container, side.single), i.filter_name, name)
            return False
        if single is None:
            entry = next((e for e in listed if (e.text or "").strip() == name), None)
            entry = add(container, side.many, name) if entry is None else entry
            container.insert(container.index(listed[0]), entry)
            return False
        held, at = leaf(single, i.filter_name), container.index(single)
        container.remove(single)
        for offset, text in enumerate((name, held)):
            container.insert(at + offset, add(container, side.many, text))
        return True

    def detach(self, name: str, family: Family, *, single_again: bool) -> None:
        """Take a filter off wherever it is attached; with `single_again` a list that then holds one is one no more."""
        i = self.n.ifs
        for attached in self.hung(name, family):
            side, element = self.n.sides[attached.place.direction], attached.element
            container = element.getparent()
            if container is None:
                continue
            container.remove(element)
            left = container.findall(side.many)
            if single_again and element.tag == side.many and len(left) == 1:
                single = add(container, side.single)
                add(single, i.filter_name, (left[0].text or "").strip())
                container.replace(left[0], single)

    def ranges(self) -> list[str]:
        """Interface ranges: what they give their members is not looked at."""
        i = self.n.ifs
        found = self.root.iterfind(f"{self.n.configuration}/{i.interfaces}")
        return [leaf(r, i.name) or "?" for top in found for r in live(top, i.interface_range)]
