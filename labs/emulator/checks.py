"""What must hold of a whole datastore before it may run: references, mandatory leaves, conditions."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from .errors import RpcError
from .names import split_tag
from .schema import SchemaNode
from .tree import Node

Chain = tuple[tuple[SchemaNode, Node], ...]


def violations(root: SchemaNode, data: Node) -> list[RpcError]:
    """Everything that is wrong with the datastore, in document order; empty where it is valid."""
    found: list[RpcError] = []
    targets: dict[tuple[str, ...], set[str]] = {}
    for chain in _walk(((root, data),)):
        schema, node = chain[-1]
        problems = [_dangling(chain, data, targets), _condition(schema, chain), *_missing(schema, node)]
        found.extend(_located(problem, chain) for problem in problems if problem)
    return found


def _walk(chain: Chain) -> Iterator[Chain]:
    schema, node = chain[-1]
    for child in node.children:
        below = (*chain, (schema.children[child.tag], child))
        yield below
        yield from _walk(below)


def _located(error: RpcError, chain: Chain) -> RpcError:
    for schema, node in reversed(chain[1:]):
        error.within(schema.step(node.key))
    return error


def _dangling(chain: Chain, data: Node, targets: dict[tuple[str, ...], set[str]]) -> RpcError | None:
    """RFC 7950 section 15.5."""
    schema, node = chain[-1]
    if schema.leaf is None or not (path := schema.leaf.target):
        return None
    if node.text in _allowed(chain, path, data, targets):
        return None
    name = split_tag(schema.tag)[1]
    what = "../" * schema.leaf.up or "/"
    what += "/".join(split_tag(tag)[1] for tag in path)
    return RpcError("data-missing", f"{name} {node.text!r} refers to no {what}", app_tag="instance-required")


def _allowed(
    chain: Chain, path: tuple[str, ...], data: Node, targets: dict[tuple[str, ...], set[str]]
) -> Collection[str]:
    """The values a leafref may have; those of absolute paths are gathered once."""
    leaf = chain[-1][0].leaf
    if leaf is not None and leaf.up:
        return list(_texts(chain[-1 - leaf.up][1], path)) if leaf.up < len(chain) else ()
    if path not in targets:
        targets[path] = set(_texts(data, path))
    return targets[path]


def _texts(node: Node, path: tuple[str, ...]) -> Iterator[str]:
    if not path:
        yield node.text
        return
    for child in node.children:
        if child.tag == path[0]:
            yield from _texts(child, path[1:])


def _condition(schema: SchemaNode, chain: Chain) -> RpcError | None:
    """RFC 7950 section 8.3.1: a node whose `when` is false is an unknown element."""
    if (when := schema.when) is None:
        return None
    holder = next((node for _, node in reversed(chain[:-1]) if node.tag == when.within), None)
    leaf = holder.child(when.leaf) if holder else None
    if leaf is not None and leaf.text in when.values:
        return None
    name = split_tag(schema.tag)[1]
    condition = f"{split_tag(when.leaf)[1]} is none of {', '.join(when.values)}"
    return RpcError("unknown-element", f"<{name}> is not allowed here: {condition}", info={"bad-element": name})


def _missing(schema: SchemaNode, node: Node) -> Iterator[RpcError]:
    """Mandatory leaves that are absent; one of a case counts only where another node of the case exists."""
    if schema.valued:
        return
    present = {child.tag for child in node.children}
    cases = {case for tag in present for case in schema.children[tag].cases}
    for tag, child in schema.children.items():
        wanted = child.case in cases if child.case else True
        if child.mandatory and wanted and tag not in present:
            name = split_tag(tag)[1]
            yield RpcError("data-missing", f"the mandatory <{name}> is absent", info={"bad-element": name})
        elif child.transparent and wanted and tag not in present:
            for error in _missing(child, Node(tag)):
                yield error.within(child.step())
