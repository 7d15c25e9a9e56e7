"""A change that was applied in part: what a device that cannot roll back leaves behind when it fails midway."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from .ordering import arrange
from .schema import SchemaNode
from .tree import Ident, Node


def parts(schema: SchemaNode, before: Node, after: Node) -> Iterator[Node]:
    """States between the two, each with some of the differences; `after` itself where there is but one."""
    changed = _changed(before, after)
    if len(changed) > 1:
        half = len(changed) // 2
        for some in (changed[:half], changed[half:], changed[:-1], changed[1:]):
            yield _mixed(schema, before, after, set(some))
    if len(changed) == 1:
        yield from _inside(schema, before, after, changed[0])
    else:
        yield after


def _inside(schema: SchemaNode, before: Node, after: Node, ident: Ident) -> Iterator[Node]:
    """The differences all lie in one child."""
    inner = schema.children[ident[0]]
    old, new = _held(before, ident), _held(after, ident)
    whole = new or old
    if inner.valued or whole is None:
        yield after
        return
    bare = whole.with_children(child for child in whole.children if child.tag in inner.keys)
    start, end = old or bare, new or bare
    found = list(parts(inner, start, end))
    if inner.keys and found == [end] and bare not in {old, new}:
        found.insert(0, bare)  # the entry alone, with nothing in it yet or any more
    for part in found:
        children = {child.ident: child for child in (before if old else after).children}
        children[ident] = part
        yield before.with_children(arrange(schema, children.values()))


def _mixed(schema: SchemaNode, before: Node, after: Node, taken: Collection[Ident]) -> Node:
    """`before`, but for the children that are taken from `after`."""
    kept = {child.ident: child for child in before.children if child.ident not in taken}
    new = {child.ident: child for child in after.children if child.ident in taken}
    order = [child.ident for child in (*after.children, *before.children)]
    found = kept | new
    return before.with_children(arrange(schema, (found[i] for i in dict.fromkeys(order) if i in found)))


def _changed(before: Node, after: Node) -> list[Ident]:
    old = {child.ident: child for child in before.children}
    new = {child.ident: child for child in after.children}
    return [ident for ident in dict.fromkeys((*new, *old)) if old.get(ident) != new.get(ident)]


def _held(node: Node, ident: Ident) -> Node | None:
    return next((child for child in node.children if child.ident == ident), None)
