"""Subtree filtering (RFC 6241 section 6)."""

from __future__ import annotations

from collections.abc import Sequence

from .errors import RpcError
from .names import Element, elements, split_tag, tag_of
from .reading import leaf_value
from .schema import SchemaNode
from .tree import EMPTY, Node


def select(root: SchemaNode, data: Node, filter_element: Element) -> Node:
    """The part of the datastore that the `<filter>` asks for; an empty filter selects nothing.

    The keys of every list entry selected are included.
    """
    wanted = list(elements(filter_element))
    chosen = (_prune(root.children[n.tag], n, _for(n, wanted)) for n in data.children)
    return EMPTY.with_children(node for node in chosen if node is not None)


def _for(node: Node, wanted: Sequence[Element]) -> list[Element]:
    """The filter elements that name this node; one without a namespace matches any."""
    namespace, local = split_tag(node.tag)
    found = []
    for element in wanted:
        other, name = split_tag(tag_of(element))
        if name == local and other in {"", namespace} and not element.attrib:
            found.append(element)
    return found


def _prune(schema: SchemaNode, node: Node, wanted: Sequence[Element]) -> Node | None:
    if not wanted:
        return None
    if schema.valued:
        kept = any(next(elements(w), None) is None and _equal(schema, node, w) for w in wanted)
        return node if kept else None
    inner: list[Element] = []
    for element in wanted:
        inside = list(elements(element))
        conditions = [e for e in inside if _is_condition(e)]
        if not all(_holds(schema, node, condition) for condition in conditions):
            continue
        if len(conditions) == len(inside):
            return node
        inner.extend(inside)
    return _with_selected(schema, node, inner)


def _with_selected(schema: SchemaNode, node: Node, inner: Sequence[Element]) -> Node | None:
    kept = {c.ident: p for c in node.children if (p := _prune(schema.children[c.tag], c, _for(c, inner)))}
    if not kept:
        return None
    keys = {c.ident: c for c in node.children if c.tag in schema.keys}
    return node.with_children((keys | kept)[c.ident] for c in node.children if c.ident in keys or c.ident in kept)


def _is_condition(element: Element) -> bool:
    """A content match node: no elements, some text."""
    return next(elements(element), None) is None and bool((element.text or "").strip())


def _holds(schema: SchemaNode, node: Node, condition: Element) -> bool:
    for child in node.children:
        if _for(child, [condition]) and _equal(schema.children[child.tag], child, condition):
            return True
    return False


def _equal(schema: SchemaNode, node: Node, element: Element) -> bool:
    if not (element.text or "").strip():
        return True
    if not schema.valued:
        return False
    try:
        return leaf_value(schema, element)[0].strip() == node.text.strip()
    except RpcError:
        return False  # a value that the leaf cannot have matches no instance
