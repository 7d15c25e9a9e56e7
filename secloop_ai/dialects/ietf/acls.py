"""The ``acls`` container of a configuration: its ACLs, and where each is attached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from secloop_ai.contracts import Direction
from secloop_ai.dialects.marks import is_own_acl
from secloop_ai.dialects.xml import Element, add, ensure, identity_name, leaf, move

from . import names as n

Place = tuple[str, Direction]
"""Interface and direction."""


@dataclass(frozen=True, slots=True)
class Acls:
    """A view of the ``<data>`` element; writing makes what is missing."""

    root: Element

    def entries(self) -> list[Element]:
        """Every ACL, in document order."""
        return self.root.findall(f"{n.ACLS}/{n.ACL_ENTRY}")

    def get(self, name: str | None) -> Element | None:
        """The ACL of that name."""
        return next((a for a in self.entries() if leaf(a, n.ACL_NAME) == name), None)

    def points(self) -> list[Element]:
        """Every interface that has attachments."""
        return self.root.findall(f"{n.ACLS}/{n.POINTS}/{n.POINT}")

    def point(self, interface: str) -> Element | None:
        """One interface's attachments."""
        return next((p for p in self.points() if leaf(p, n.POINT_ID) == interface), None)

    def attachments(self) -> Iterator[tuple[Place, Element]]:
        """Every attached ACL's ``acl-set`` with its place, in order of evaluation."""
        for point in self.points():
            for direction, side in n.SIDES.items():
                for entry in point.iterfind(f"{side}/{n.ACL_SETS}/{n.ACL_SET}"):
                    yield (leaf(point, n.POINT_ID) or "", direction), entry

    def at(self, place: Place) -> list[Element]:
        """The ``acl-set`` entries of a place, in order of evaluation."""
        point = self.point(place[0])
        return [] if point is None else point.findall(f"{n.SIDES[place[1]]}/{n.ACL_SETS}/{n.ACL_SET}")

    def places(self, name: str) -> list[Place]:
        """Where an ACL is attached."""
        return [place for place, entry in self.attachments() if leaf(entry, n.ACL_NAME) == name]

    def behind(self, name: str, place: Place) -> list[Element]:
        """The ACLs attached at a place after the one of that name."""
        names = [leaf(entry, n.ACL_NAME) for entry in self.at(place)]
        found = [self.get(other) for other in names[names.index(name) + 1 :]]
        return [acl for acl in found if acl is not None]

    def all_ours(self) -> bool:
        """Whether there are ACLs, and none but ours: taking them away leaves nothing."""
        names = [leaf(acl, n.ACL_NAME) for acl in self.entries()]
        return bool(names) and all(is_own_acl(name) for name in names)

    def create(self, name: str) -> Element:
        """Append an empty ACL, before the attachment points."""
        acls = ensure(self.root, n.ACLS)
        acl = add(acls, n.ACL_ENTRY)
        points = acls.find(n.POINTS)
        if points is not None:
            acls.insert(acls.index(points), acl)
        add(acl, n.ACL_NAME, name)
        return acl

    def attach(self, name: str, place: Place, *, first: bool) -> None:
        """Attach an ACL in front of, or behind, what is attached there; one that is there already is moved."""
        points = ensure(ensure(self.root, n.ACLS), n.POINTS)
        point = self.point(place[0])
        if point is None:
            point = add(points, n.POINT)
            add(point, n.POINT_ID, place[0])
        sets = ensure(ensure(point, n.SIDES[place[1]]), n.ACL_SETS)
        entry = next((e for e in sets if leaf(e, n.ACL_NAME) == name), None)
        if entry is None:
            entry = add(sets, n.ACL_SET)
            add(entry, n.ACL_NAME, name)
        if first:
            move(sets, 0, entry)

    def delete(self, acl: Element, *, keep_points: bool) -> None:
        """Detach an ACL everywhere and delete it; an interface left without attachments goes too, unless kept."""
        name = leaf(acl, n.ACL_NAME)
        for point in self.points():
            held = [e for e in point.iter(n.ACL_SET) if leaf(e, n.ACL_NAME) == name]
            for entry in held:
                _drop(entry, point)
            if held and len(point) == 1 and not keep_points:
                _drop(point, self.root)
        _drop(acl, self.root)


def kind_of(acl: Element) -> n.AclType:
    """What the ACL's type looks at."""
    written = acl.find(n.ACL_TYPE)
    name = identity_name(written, n.ACL) if written is not None else None
    return n.ACL_TYPES.get(name or "", n.OTHER_TYPE)


def _drop(element: Element, top: Element) -> None:
    """Remove an element, and with it the ancestors below `top` that it leaves empty."""
    while element is not top and (parent := element.getparent()) is not None:
        parent.remove(element)
        if len(parent):
            return
        element = parent
