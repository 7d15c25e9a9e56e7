"""Static routes to DROP in the default network instance, each with its tags in its description or its index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import ClassVar, NamedTuple

from secloop_ai.contracts import DeviceModel, DiscardOp, IPNetwork, StaticDiscard, TaggedOp
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.compose import of_kind
from secloop_ai.dialects.marks import tags_in, text_with
from secloop_ai.dialects.tree import Node
from secloop_ai.dialects.xml import Element, add, add_bound, ensure, identity, identity_name, leaf

from . import names as n

_DESCRIPTION = (f"{n.NI_CONFIG}/{n.NI_TEXT}",)
_INDEX = (f"{n.HOPS}/{n.HOP}/{n.INDEX}", f"{n.HOPS}/{n.HOP}/{n.NI_CONFIG}/{n.INDEX}")


class Route(NamedTuple):
    """A static route, where it stands."""

    element: Element
    protocol: Element

    @property
    def prefix(self) -> IPNetwork:
        """Destination."""
        return ip_network(leaf(self.element, n.PREFIX) or "", strict=False)

    @property
    def tags(self) -> tuple[str, ...]:
        """Mitigations it stands for."""
        return next((tags for paths in (_DESCRIPTION, _INDEX) if (tags := tags_in(self._text(paths)[0]))), ())

    @property
    def alone(self) -> bool:
        """Whether the protocol's instance is there because of routes like this one."""
        return any(tags_in(text) and made for text, made in map(self._text, (_DESCRIPTION, _INDEX)))

    def retag(self, tags: Sequence[str]) -> None:
        """Write other tags where they stand now."""
        paths = _DESCRIPTION if tags_in(self._text(_DESCRIPTION)[0]) else _INDEX
        text = _marked(tags, alone=self.alone)
        for path in paths:
            for held in self.element.iterfind(path):
                held.text = text

    def _text(self, paths: Sequence[str]) -> tuple[str, bool]:
        """The text there, and whether it says that the protocol's instance is ours."""
        text = leaf(self.element, paths[0]) or ""
        return text.removesuffix(n.MADE_BY_US), text.endswith(n.MADE_BY_US)

    @property
    def discards(self) -> bool:
        """Whether it throws its traffic away, by every next hop."""
        hops = self.element.findall(f"{n.HOPS}/{n.HOP}")
        words = [hop.find(f"{n.NI_CONFIG}/{n.TO}") for hop in hops]
        return bool(hops) and all(w is not None and identity_name(w, n.ROUTING) == n.DISCARD for w in words)


@dataclass(frozen=True)
class Routes:
    """Static routes of the default network instance, as a section of the dialect.

    Attributes:
        tag_in_index: whether tags stand in the index of the next hop, where a route has no description.
    """

    kind: ClassVar = DiscardOp
    tag_in_index: bool = False
    tables: tuple[Node, ...] = (n.ROUTE_TABLE,)

    def read(self, root: Element) -> DeviceModel:
        """Discard routes; one that stands for several mitigations is listed for each."""
        found = [(r.prefix, tag) for r in _routes(root) if r.discards for tag in r.tags or (None,)]
        return DeviceModel(discards=tuple(StaticDiscard(prefix=p, tag=t) for p, t in found))

    def apply(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Add the routes.

        Raises:
            DialectError: somebody else has a static route to the prefix (the model takes one), or there is no default
                network instance.
        """
        for tag, op in of_kind(ops, DiscardOp):
            held = next((r for r in _routes(root) if r.prefix == op.prefix), None)
            if held is None:
                self._add(root, op.prefix, tag)
            elif not held.tags and not held.discards:
                raise DialectError(f"{op.prefix} already has a static route that is not ours")
            elif not held.tags:
                raise DialectError(
                    f"{op.prefix} already has a static discard route that is not ours: it stays as it is"
                )
            elif tag not in held.tags:
                held.retag(sorted({*held.tags, tag}))

    def remove(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Take the tags off our routes, the routes that have none left, and the instance we made with its last."""
        gone = {tag for tag, _ in of_kind(ops, DiscardOp)}
        for route in [r for r in _routes(root) if gone & set(r.tags)]:
            left = [tag for tag in route.tags if tag not in gone]
            if left:
                route.retag(left)
            else:
                _delete(route)

    def tags(self, root: Element) -> Iterator[str]:
        """Tags of our routes."""
        for route in _routes(root):
            yield from route.tags

    def subtrees(self, root: Element, ops: Sequence[TaggedOp]) -> Iterator[tuple[str, list[Element]]]:
        """The static protocol's instance where it is ours, and the routes to the prefixes."""
        mine, routes = of_kind(ops, DiscardOp), _routes(root)
        path = "/network-instances/network-instance/protocols/protocol[identifier='STATIC']"
        if mine and all(route.alone for route in routes):
            yield path, _protocols(root)
        for _, op in mine:
            yield f"{path}//static[prefix='{op.prefix}']", [r.element for r in routes if r.prefix == op.prefix]

    def _add(self, root: Element, prefix: IPNetwork, tag: str) -> None:
        held = _protocols(root)
        ours = not held or (len(held) == 1 and any(r.alone for r in _routes(root)))
        text = _marked([tag], alone=ours)
        route = add(ensure(held[0] if held else _made_protocol(root), n.STATICS), n.STATIC)
        add(route, n.PREFIX, str(prefix))
        config = add(route, n.NI_CONFIG)
        add(config, n.PREFIX, str(prefix))
        if not self.tag_in_index:
            add(config, n.NI_TEXT, text)
        hop = add(add(route, n.HOPS), n.HOP)
        index = text if self.tag_in_index else n.HOP_INDEX
        add(hop, n.INDEX, index)
        hop_config = add(hop, n.NI_CONFIG)
        add(hop_config, n.INDEX, index)
        _add_identity(hop_config, n.TO, n.DISCARD, n.ROUTING, "oc-loc-rt")


def _instance(root: Element) -> Element | None:
    """The default network instance."""
    found = root.findall(f"{n.INSTANCES}/{n.INSTANCE}")
    for instance in found:
        kind = instance.find(f"{n.NI_CONFIG}/{n.NI_TYPE}")
        if kind is not None and identity_name(kind, n.NI_TYPES) == n.DEFAULT_TYPE:
            return instance
    return next((i for i in found if leaf(i, n.NI_NAME) in n.DEFAULT_NAMES), None)


def _protocols(root: Element) -> list[Element]:
    """Instances of the static protocol there."""
    instance = _instance(root)
    found = instance.iterfind(f"{n.LISTED}/{n.LIST}") if instance is not None else ()
    kinds = ((p, p.find(n.IDENTIFIER)) for p in found)
    return [p for p, kind in kinds if kind is not None and identity_name(kind, n.POLICY_TYPES) == n.STATIC_PROTOCOL]


def _routes(root: Element) -> list[Route]:
    """Every static route of the default network instance."""
    return [Route(e, p) for p in _protocols(root) for e in p.iterfind(f"{n.STATICS}/{n.STATIC}")]


def _made_protocol(root: Element) -> Element:
    instance = _instance(root)
    if instance is None:
        raise DialectError("the configuration has no default network instance: a static route has no place")
    protocol = add(ensure(instance, n.LISTED), n.LIST)
    _add_identity(protocol, n.IDENTIFIER, n.STATIC_PROTOCOL, n.POLICY_TYPES, "oc-pol-types")
    add(protocol, n.NI_NAME, n.STATIC_PROTOCOL)
    config = add(protocol, n.NI_CONFIG)
    _add_identity(config, n.IDENTIFIER, n.STATIC_PROTOCOL, n.POLICY_TYPES, "oc-pol-types")
    add(config, n.NI_NAME, n.STATIC_PROTOCOL)
    return protocol


def _add_identity(parent: Element, tag: str, name: str, uri: str, prefix: str) -> None:
    """A leaf with an identity of another module."""
    element = add_bound(parent, tag, prefix, uri)
    element.text = identity(element, name, uri)


def _marked(tags: Sequence[str], *, alone: bool) -> str:
    return text_with(tags) + (n.MADE_BY_US if alone else "")


def _delete(route: Route) -> None:
    """Take a route away, and with the last one the instance that we made."""
    alone = route.alone
    holder = ensure(route.protocol, n.STATICS)
    holder.remove(route.element)
    if len(holder) == 0:
        route.protocol.remove(holder)
        parent = route.protocol.getparent()
        if alone and parent is not None:
            parent.remove(route.protocol)
