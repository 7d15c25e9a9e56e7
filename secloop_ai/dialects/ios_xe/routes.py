"""Static routes to ``Null0``, each with its tags in its name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_network
from typing import ClassVar, NamedTuple

from secloop_ai.contracts import DeviceModel, DiscardOp, IPNetwork, StaticDiscard, TaggedOp
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.compose import of_kind
from secloop_ai.dialects.marks import TAG
from secloop_ai.dialects.tree import Node
from secloop_ai.dialects.xml import Element, add, ensure, leaf, local

from . import names as n

_MARKED = re.compile(rf"secloop((?:,{TAG})+)")
"""A route's name is one word on the device: no spaces in it."""


class Route(NamedTuple):
    """One next hop of a static route, where it stands."""

    element: Element
    names: n.RouteNames
    prefix: IPNetwork | None

    @property
    def tags(self) -> tuple[str, ...]:
        """Mitigations it stands for."""
        found = _MARKED.fullmatch(leaf(self.element, self.names.text) or "")
        return tuple(found[1][1:].split(",")) if found else ()

    @property
    def hop(self) -> str:
        """Where it leads."""
        return leaf(self.element, self.names.hop) or ""


class Routes:
    """Static routes, as a section of the dialect."""

    kind: ClassVar = DiscardOp
    tables: tuple[Node, ...] = (n.TABLE,)

    def read(self, root: Element) -> DeviceModel:
        """Discard routes; one that stands for several mitigations is listed for each."""
        found = [(r.prefix, tag) for r in _routes(root) if r.hop == n.DISCARD for tag in r.tags or (None,)]
        return DeviceModel(discards=tuple(StaticDiscard(prefix=p, tag=t) for p, t in found if p is not None))

    def apply(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Add the routes.

        Raises:
            DialectError: somebody else has a static route to the same prefix.
        """
        for tag, op in of_kind(ops, DiscardOp):
            ours = _ours(root, op.prefix)
            if ours is None:
                _add(root, op.prefix, tag)
            elif tag not in ours.tags:
                _name(ours, {*ours.tags, tag})

    def remove(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Take the tags off our routes, and the routes that have none left."""
        gone = {tag for tag, _ in of_kind(ops, DiscardOp)}
        for route in [r for r in _routes(root) if gone & set(r.tags)]:
            left = set(route.tags) - gone
            if left:
                _name(route, left)
            else:
                _delete(route)

    def tags(self, root: Element) -> Iterator[str]:
        """Tags of our routes."""
        for route in _routes(root):
            yield from route.tags

    def subtrees(self, root: Element, ops: Sequence[TaggedOp]) -> Iterator[tuple[str, list[Element]]]:
        """Every static route to one of the prefixes."""
        for _, op in of_kind(ops, DiscardOp):
            held = [routes for routes, _, prefix in _listed(root) if prefix == op.prefix]
            yield f"/native/{'ip' if op.prefix.version == n.V4 else 'ipv6'}/route[prefix='{op.prefix}']", held


def _listed(root: Element) -> Iterator[tuple[Element, n.RouteNames, IPNetwork | None]]:
    """Every destination of static routes outside the VRFs."""
    for names in n.ROUTES.values():
        for routes in root.iterfind(names.path):
            yield routes, names, _prefix(routes, names)


def _routes(root: Element) -> list[Route]:
    """Every plain next hop of every static route."""
    return [Route(hop, names, prefix) for routes, names, prefix in _listed(root) for hop in routes.iterfind(names.hops)]


def _ours(root: Element, prefix: IPNetwork) -> Route | None:
    """Our route to a prefix.

    Raises:
        DialectError: somebody else leads it somewhere.
    """
    ours = None
    for routes, names, found in _listed(root):
        for part in routes if found == prefix else ():
            route = Route(part, names, found)
            if part.tag == names.hops and route.tags:
                ours = route
            elif part.tag not in (names.prefix, names.mask):
                raise DialectError(
                    f"{prefix} already has a static route to {route.hop or local(part)}, which is not ours"
                )
    return ours


def _prefix(routes: Element, names: n.RouteNames) -> IPNetwork | None:
    """Destination; None when it cannot be read."""
    text = leaf(routes, names.prefix) or ""
    try:
        return ip_network(f"{text}/{leaf(routes, names.mask)}" if names.mask else text, strict=False)
    except ValueError:
        return None


def _add(root: Element, prefix: IPNetwork, tag: str) -> None:
    names = n.ROUTES[prefix.version]
    route = ensure(ensure(ensure(root, n.NATIVE), names.family), n.ROUTE)
    routes = add(route, names.routes)
    if names.mask:
        add(routes, names.prefix, str(prefix.network_address))
        add(routes, names.mask, str(prefix.netmask))
    else:
        add(routes, names.prefix, str(prefix))
    hop = add(routes, names.hops)
    add(hop, names.hop, n.DISCARD)
    add(hop, names.text, _text([tag]))


def _name(route: Route, tags: Iterable[str]) -> None:
    ensure(route.element, route.names.text).text = _text(sorted(tags))


def _text(tags: Iterable[str]) -> str:
    return ",".join(["secloop", *tags])


def _delete(route: Route) -> None:
    """Take a next hop away, and the route with the last of them."""
    routes = route.element.getparent()
    if routes is None:
        return
    routes.remove(route.element)
    holder = routes.getparent()
    if holder is not None and all(part.tag in (route.names.prefix, route.names.mask) for part in routes):
        holder.remove(routes)
