"""The order of siblings: canonical for what the system orders, the client's for what users order."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .errors import RpcError
from .names import Element, split_tag, tag_of
from .reading import INSERT, INSERT_KEY, INSERT_VALUE
from .schema import Kind, SchemaNode
from .tree import Ident, Node

_PREDICATE = re.compile(r"\[\s*(?:[\w.-]+:)?([\w.-]+)\s*=\s*(?:'([^']*)'|\"([^\"]*)\")\s*\]")


@dataclass(frozen=True, slots=True)
class Insertion:
    """A yang:insert: `first`, `last`, or `before` / `after` the entry with that key."""

    where: str
    key: tuple[str, ...] = ()


def arrange(schema: SchemaNode, nodes: Iterable[Node]) -> tuple[Node, ...]:
    """Siblings in canonical order: the schema's, then by key unless users order the list."""

    def rank(node: Node) -> tuple[int, tuple[tuple[int, str], ...]]:
        known = schema.children[node.tag]
        return schema.ranks[node.tag], () if known.user_ordered else _sortable(known, node.key)

    return tuple(sorted(nodes, key=rank))


def _sortable(schema: SchemaNode, key: tuple[str, ...]) -> tuple[tuple[int, str], ...]:
    """A key that sorts numbers as numbers and the rest as text."""
    if not any(schema.numeric):
        return tuple((0, text) for text in key)
    pairs = zip(schema.numeric, key, strict=True)
    return tuple((int(text), "") if number else (0, text) for number, text in pairs)


def insertion(schema: SchemaNode, element: Element) -> Insertion | None:
    """What the element's yang:insert asks for (RFC 7950 section 7.8.6).

    Raises:
        RpcError: unknown-attribute where users do not order the list; bad- or missing-attribute.
    """
    by = INSERT_VALUE if schema.kind is Kind.LEAF_LIST else INSERT_KEY
    where, key = element.get(INSERT), element.get(by)
    if where is None and key is None:
        return None
    name = split_tag(tag_of(element))[1]
    if not schema.user_ordered:
        info = {"bad-attribute": "insert", "bad-element": name}
        raise RpcError("unknown-attribute", f"<{name}> is not a list that users order", info=info)
    if where in {"first", "last"}:
        return Insertion(where)
    info = {"bad-attribute": "insert", "bad-element": name}
    if where not in {"before", "after"}:
        raise RpcError("bad-attribute", f"insert={where!r} is none of first, last, before, after", info=info)
    if key is None:
        needed = split_tag(by)[1]
        raise RpcError("missing-attribute", f"insert={where!r} needs {needed}", info=info | {"bad-attribute": needed})
    if schema.kind is Kind.LEAF_LIST:
        return Insertion(where, (key,))
    values = {name: single or double for name, single, double in _PREDICATE.findall(key)}
    return Insertion(where, tuple(values.get(split_tag(tag)[1], "") for tag in schema.keys))


def place(siblings: dict[Ident, Node], node: Node, wanted: Insertion | None) -> None:
    """Put the node among its siblings: where it is already, else last, else where it was asked to go.

    Raises:
        RpcError: bad-attribute (app-tag missing-instance) where the neighbour is absent.
    """
    if wanted is None:
        siblings[node.ident] = node
        return
    others = [other for ident, other in siblings.items() if ident != node.ident]
    index = _index(others, node.tag, wanted)
    others.insert(index, node)
    siblings.clear()
    siblings.update((other.ident, other) for other in others)


def _index(others: list[Node], tag: str, wanted: Insertion) -> int:
    if wanted.where in {"first", "last"}:
        return 0 if wanted.where == "first" else len(others)
    for index, other in enumerate(others):
        if other.ident == (tag, wanted.key):
            return index + (wanted.where == "after")
    raise RpcError(
        "bad-attribute",
        f"insert={wanted.where!r}: there is no entry with key {', '.join(wanted.key)}",
        app_tag="missing-instance",
        info={"bad-attribute": "key", "bad-element": split_tag(tag)[1]},
    )
