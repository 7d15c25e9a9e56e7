"""Static discard routes in an instance of our own, each with its tags in its description."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from typing import ClassVar, NamedTuple

from secloop_ai.contracts import DeviceModel, DiscardOp, IPNetwork, StaticDiscard, TaggedOp
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.compose import of_kind
from secloop_ai.dialects.marks import tags_in, text_with
from secloop_ai.dialects.tree import Node
from secloop_ai.dialects.xml import Element, add, ensure, identity, identity_name, leaf

from . import names as n


class Route(NamedTuple):
    """A static route, where it stands."""

    element: Element
    names: n.RouteNames
    instance: str

    @property
    def prefix(self) -> IPNetwork:
        """Destination."""
        return ip_network(leaf(self.element, self.names.prefix) or "", strict=False)

    @property
    def tags(self) -> tuple[str, ...]:
        """Mitigations it stands for."""
        return tags_in(self.element.findtext(self.names.text))

    @property
    def discards(self) -> bool:
        """Whether it throws its traffic away."""
        return leaf(self.element, f"{self.names.next_hop}/{self.names.special}") in n.DISCARDS


class Routes:
    """RFC 8349 static routes, as a section of the dialect."""

    kind: ClassVar = DiscardOp
    tables: tuple[Node, ...] = (n.ROUTE_TABLE,)

    def read(self, root: Element) -> DeviceModel:
        """Discard routes; one that stands for several mitigations is listed for each."""
        found = [(r.prefix, tag) for r in _routes(root) if r.discards for tag in r.tags or (None,)]
        return DeviceModel(discards=tuple(StaticDiscard(prefix=p, tag=t) for p, t in found))

    def apply(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Add the routes.

        Raises:
            DialectError: somebody else's static route leads the same prefix elsewhere.
        """
        for tag, op in of_kind(ops, DiscardOp):
            same = [r for r in _routes(root) if r.prefix == op.prefix]
            foreign = next((r for r in same if not r.discards or (not r.tags and r.instance == n.OWN_INSTANCE)), None)
            if foreign:
                raise DialectError(f"{op.prefix} already has a static route in instance '{foreign.instance}', not ours")
            ours = next((r for r in same if r.tags), None)
            if ours is None:
                _add(root, op, tag)
            elif tag not in ours.tags:
                ensure(ours.element, ours.names.text).text = text_with(sorted({*ours.tags, tag}))

    def remove(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Take the tags off our routes, the routes that have none left, and our instance with its last route."""
        gone = {tag for tag, _ in of_kind(ops, DiscardOp)}
        for route in [r for r in _routes(root) if gone & set(r.tags)]:
            left = [tag for tag in route.tags if tag not in gone]
            if left:
                ensure(route.element, route.names.text).text = text_with(left)
            else:
                _delete(root, route)

    def tags(self, root: Element) -> Iterator[str]:
        """Tags of our routes."""
        for route in _routes(root):
            yield from route.tags

    def subtrees(self, root: Element, ops: Sequence[TaggedOp]) -> Iterator[tuple[str, list[Element]]]:
        """Our instance, what goes with it when it is alone, and every route to one of the prefixes."""
        mine = of_kind(ops, DiscardOp)
        if mine:
            path = "/routing/control-plane-protocols"
            every = root.findall(f"{n.ROUTES}/{n.PROTOCOLS}/{n.INSTANCE}")
            own = [i for i in every if leaf(i, n.INSTANCE_NAME) == n.OWN_INSTANCE]
            yield f"{path}/control-plane-protocol[name='{n.OWN_INSTANCE}']", own
            if own == every:
                yield path, own
                tops = root.findall(n.ROUTES)
                if all(part.tag == n.PROTOCOLS for top in tops for part in top):
                    yield "/routing", tops
        for _, op in mine:
            same = [r.element for r in _routes(root) if r.prefix == op.prefix]
            yield f"/routing//static-routes//route[destination-prefix='{op.prefix}']", same


def _instances(root: Element) -> list[Element]:
    """The static routing instances."""
    found = root.iterfind(f"{n.ROUTES}/{n.PROTOCOLS}/{n.INSTANCE}")
    types = ((i, i.find(n.INSTANCE_TYPE)) for i in found)
    return [i for i, kind in types if kind is not None and identity_name(kind, n.ROUTING) == "static"]


def _routes(root: Element) -> list[Route]:
    """Every static route."""
    return [
        Route(element, names, leaf(instance, n.INSTANCE_NAME) or "")
        for instance in _instances(root)
        for names in n.ROUTE.values()
        for element in instance.iterfind(f"{n.STATIC}/{names.container}/{names.route}")
    ]


def _own_instance(root: Element) -> Element:
    """Our routing instance, made when it is not there."""
    for instance in _instances(root):
        if leaf(instance, n.INSTANCE_NAME) == n.OWN_INSTANCE:
            return instance
    instance = add(ensure(ensure(root, n.ROUTES), n.PROTOCOLS), n.INSTANCE)
    add(instance, n.INSTANCE_TYPE, identity(instance, "static", n.ROUTING))
    add(instance, n.INSTANCE_NAME, n.OWN_INSTANCE)
    add(instance, n.INSTANCE_TEXT, n.OWN_INSTANCE_TEXT)
    return instance


def _add(root: Element, op: DiscardOp, tag: str) -> None:
    names = n.ROUTE[op.prefix.version]
    static = ensure(_own_instance(root), n.STATIC)
    route = add(ensure(static, names.container), names.route)
    add(route, names.prefix, str(op.prefix))
    add(route, names.text, text_with([tag]))
    add(add(route, names.next_hop), names.special, n.DISCARDS[0])


def _delete(root: Element, route: Route) -> None:
    parent = route.element.getparent()
    if parent is not None:
        parent.remove(route.element)
    for instance in _instances(root):
        empty = not any(len(container) for container in instance.iterfind(f"{n.STATIC}/*"))
        if empty and leaf(instance, n.INSTANCE_TEXT) == n.OWN_INSTANCE_TEXT:
            holder = instance.getparent()
            if holder is not None:
                holder.remove(instance)
