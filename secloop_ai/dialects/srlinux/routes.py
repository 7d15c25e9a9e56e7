"""Static discard routes. A route has no description, so the name of its next-hop group carries its tags."""

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


class Routes:
    """Static routes of the network instance ``default``, as a section of the dialect."""

    kind: ClassVar = DiscardOp
    tables: tuple[Node, ...] = (n.ROUTE_TABLE,)

    def read(self, root: Element) -> DeviceModel:
        """Discard routes; one that stands for several mitigations is listed for each."""
        instance = _instance(root)
        found = [r for r in _routes(instance) if _discards(instance, r)]
        pairs = [(_prefix(r), tag) for r in found for tag in tags_in(_group_of(r)) or (None,)]
        return DeviceModel(discards=tuple(StaticDiscard(prefix=p, tag=t) for p, t in pairs))

    def apply(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Add the routes.

        Raises:
            DialectError: there is no network instance ``default``, somebody else's static route has the prefix, or
                more mitigations share a prefix than a group's name can carry.
        """
        for tag, op in of_kind(ops, DiscardOp):
            instance = _instance(root)
            if instance is None:
                raise DialectError(f"{op.prefix}: network-instance {n.DEFAULT} is not in the configuration")
            there = next((r for r in _routes(instance) if _prefix(r) == op.prefix), None)
            tags = tags_in(_group_of(there)) if there is not None else ()
            if there is not None and not (tags and _discards(instance, there)):
                group = _group_of(there) or "none"
                raise DialectError(f"{op.prefix} already has a static route (next-hop group {group}), not ours")
            if tag not in tags:
                _lead(instance, op.prefix, there, sorted({*tags, tag}))

    def remove(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Take the tags off our routes, and the routes and groups that have none left."""
        gone, instance = {tag for tag, _ in of_kind(ops, DiscardOp)}, _instance(root)
        for route in _routes(instance) if instance is not None else ():
            tags = tags_in(_group_of(route))
            if instance is not None and gone & set(tags):
                _lead(instance, _prefix(route), route, [tag for tag in tags if tag not in gone])
        for group in instance.findall(f"{n.GROUPS}/{n.GROUP}") if instance is not None else ():
            if instance is not None and gone & set(tags_in(leaf(group, n.GROUP_NAME))):
                _drop_unused(instance, group)

    def tags(self, root: Element) -> Iterator[str]:
        """Tags of our routes."""
        for route in _routes(_instance(root)):
            yield from tags_in(_group_of(route))

    def subtrees(self, root: Element, ops: Sequence[TaggedOp]) -> Iterator[tuple[str, list[Element]]]:
        """The routes to the prefixes with their groups, and the containers where they hold nothing but ours."""
        mine, instance = of_kind(ops, DiscardOp), _instance(root)
        path = f"/network-instance[name='{n.DEFAULT}']"
        for _, op in mine:
            same = [r for r in _routes(instance) if _prefix(r) == op.prefix]
            groups = [g for r in same if (g := _group(instance, _group_of(r))) is not None]
            yield f"{path}/static-routes/route[prefix='{op.prefix}']", [*same, *groups]
        if mine and instance is not None:
            yield path, [e for e in instance if e.tag == n.NI_NAME]
            for tag, entry in ((n.STATIC_ROUTES, n.ROUTE), (n.GROUPS, n.GROUP)):
                held = instance.findall(f"{tag}/{entry}")
                ours = [e for e in held if tags_in(_group_of(e) if entry == n.ROUTE else leaf(e, n.GROUP_NAME))]
                if ours == held:
                    yield f"{path}/{tag.rpartition('}')[2]}", held


def _instance(root: Element) -> Element | None:
    return next((i for i in root.iterfind(n.INSTANCE) if leaf(i, n.NI_NAME) == n.DEFAULT), None)


def _routes(instance: Element | None) -> list[Element]:
    return [] if instance is None else instance.findall(f"{n.STATIC_ROUTES}/{n.ROUTE}")


def _prefix(route: Element) -> IPNetwork:
    return ip_network(leaf(route, n.ROUTE_PREFIX) or "", strict=False)


def _group_of(route: Element) -> str | None:
    """Name of a route's next-hop group."""
    return leaf(route, n.ROUTE_GROUP)


def _group(instance: Element | None, name: str | None) -> Element | None:
    groups = instance.iterfind(f"{n.GROUPS}/{n.GROUP}") if instance is not None else ()
    return next((g for g in groups if leaf(g, n.GROUP_NAME) == name), None)


def _discards(instance: Element | None, route: Element) -> bool:
    """Whether a route throws its traffic away."""
    group = _group(instance, _group_of(route))
    if group is None or n.DOWN in (leaf(group, n.GROUP_ADMIN), leaf(route, n.ROUTE_ADMIN)):
        return False
    return group.find(n.BLACKHOLE) is not None


def _lead(instance: Element, prefix: IPNetwork, route: Element | None, tags: Sequence[str]) -> None:
    """Lead a prefix to the group of these tags, made when it is not there; without tags the route goes.

    The group that the route leaves goes when no other route leads to it.
    """
    name = text_with(tags)
    if len(name) > n.NAME_LENGTH:
        raise DialectError(f"{prefix}: the name of a next-hop group cannot carry {len(tags)} mitigations")
    left = None if route is None else _group(instance, _group_of(route))
    if not tags and route is not None:
        ensure(instance, n.STATIC_ROUTES).remove(route)
    elif tags:
        if _group(instance, name) is None:
            group = add(ensure(instance, n.GROUPS), n.GROUP)
            add(group, n.GROUP_NAME, name)
            add(group, n.BLACKHOLE)
        if route is None:
            route = add(ensure(instance, n.STATIC_ROUTES), n.ROUTE)
            add(route, n.ROUTE_PREFIX, str(prefix))
        ensure(route, n.ROUTE_GROUP).text = name
    if left is not None:
        _drop_unused(instance, left)


def _drop_unused(instance: Element, group: Element) -> None:
    """Delete a group that no route leads to."""
    if not any(_group_of(r) == leaf(group, n.GROUP_NAME) for r in _routes(instance)):
        ensure(instance, n.GROUPS).remove(group)
