"""Static discard routes of router ``Base``, each with its tags in its description."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from typing import ClassVar

from secloop_ai.contracts import DeviceModel, DiscardOp, IPNetwork, StaticDiscard, TaggedOp
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.compose import of_kind
from secloop_ai.dialects.marks import tags_in, text_with
from secloop_ai.dialects.tree import Node
from secloop_ai.dialects.xml import Element, add, ensure, leaf

from . import names as n
from .filters import router

_TEXT = f"{n.BLACKHOLE}/{n.DESCRIPTION}"


class Routes:
    """The section; :data:`names.TABLE` has its table."""

    kind: ClassVar = DiscardOp
    tables: tuple[Node, ...] = (n.TABLE,)

    def read(self, root: Element) -> DeviceModel:
        """Discard routes; one that stands for several mitigations is listed for each."""
        pairs = [(_prefix(r), tag) for r in _routes(root) if _discards(r) for tag in _tags(r) or (None,)]
        return DeviceModel(discards=tuple(StaticDiscard(prefix=p, tag=t) for p, t in pairs))

    def apply(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Add the routes.

        Raises:
            DialectError: no router Base, somebody else's route to the prefix, or too many mitigations for its text.
        """
        for tag, op in of_kind(ops, DiscardOp):
            there = next((r for r in _routes(root) if _prefix(r) == op.prefix), None)
            if there is not None and not (_tags(there) and _discards(there)):
                raise DialectError(f"{op.prefix} already has a static route in router {n.BASE}, not ours")
            tags = () if there is None else _tags(there)
            if tag not in tags:
                _describe(_add(root, op.prefix) if there is None else there, sorted({*tags, tag}))

    def remove(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Take the tags off our routes, and the routes that have none left."""
        gone = {tag for tag, _ in of_kind(ops, DiscardOp)}
        for route in _routes(root):
            left = [tag for tag in _tags(route) if tag not in gone]
            parent = route.getparent()
            if not left and _tags(route) and parent is not None:
                parent.remove(route)
            elif len(left) < len(_tags(route)):
                _describe(route, left)

    def tags(self, root: Element) -> Iterator[str]:
        """Tags of our routes."""
        for route in _routes(root):
            yield from _tags(route)

    def subtrees(self, root: Element, ops: Sequence[TaggedOp]) -> Iterator[tuple[str, list[Element]]]:
        """The routes to the prefixes, and all of them where they are ours alone and so go together."""
        mine, routes = of_kind(ops, DiscardOp), _routes(root)
        path = f"/configure/router[router-name='{n.BASE}']/static-routes"
        for _, op in mine:
            yield f"{path}/route[ip-prefix='{op.prefix}']", [r for r in routes if _prefix(r) == op.prefix]
        if mine and all(_tags(r) for r in routes):
            yield path, routes


def _routes(root: Element) -> list[Element]:
    base = router(root)
    routes = base.iterfind(f"{n.STATIC_ROUTES}/{n.ROUTE}") if base is not None else ()
    return [r for r in routes if leaf(r, n.ROUTE_TYPE) == n.UNICAST]


def _prefix(route: Element) -> IPNetwork:
    return ip_network(leaf(route, n.PREFIX) or "", strict=False)


def _tags(route: Element) -> tuple[str, ...]:
    return tags_in(leaf(route, _TEXT))


def _discards(route: Element) -> bool:
    """A discard route is off until it is enabled."""
    return leaf(route, f"{n.BLACKHOLE}/{n.STATE}") == "enable"


def _add(root: Element, prefix: IPNetwork) -> Element:
    base = router(root)
    if base is None:
        raise DialectError(f"{prefix}: router {n.BASE} is not in the configuration")
    route = add(ensure(base, n.STATIC_ROUTES), n.ROUTE)
    add(route, n.PREFIX, str(prefix))
    add(route, n.ROUTE_TYPE, n.UNICAST)
    add(add(route, n.BLACKHOLE), n.STATE, "enable")
    return route


def _describe(route: Element, tags: Sequence[str]) -> None:
    text = text_with(tags)
    if len(text) > n.DESCRIPTION_LENGTH:
        raise DialectError(f"{_prefix(route)}: a route's description cannot carry {len(tags)} mitigations")
    ensure(ensure(route, n.BLACKHOLE), n.DESCRIPTION).text = text
