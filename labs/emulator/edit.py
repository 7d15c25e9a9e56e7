"""edit-config on an immutable tree (RFC 6241 section 7.2, RFC 7950 sections 7.5.8 to 7.8.6)."""

from __future__ import annotations

from enum import StrEnum

from .errors import RpcError
from .names import Element, elements, split_tag, tag_of
from .ordering import arrange, insertion, place
from .reading import OPERATION, definition, entry_key, leaf_value, list_key
from .schema import SchemaNode
from .tree import EMPTY, Ident, Node

Siblings = dict[Ident, Node]


class Operation(StrEnum):
    """What to do with one node of the edit."""

    MERGE = "merge"
    REPLACE = "replace"
    CREATE = "create"
    DELETE = "delete"
    REMOVE = "remove"
    NONE = "none"


def apply_edit(root: SchemaNode, current: Node, config: Element, default: Operation) -> Node:
    """The datastore after the edit; the one given is untouched.

    Args:
        root: the schema of the datastore.
        current: the datastore.
        config: the `<config>` element.
        default: the default-operation; `replace` replaces the whole datastore.

    Raises:
        RpcError: the first thing that is wrong, with its path.
    """
    return _children(root, EMPTY if default is Operation.REPLACE else current, config, default)


def apply_each(
    root: SchemaNode, current: Node, config: Element, default: Operation, *, stop_at_error: bool
) -> tuple[Node, list[RpcError]]:
    """As `apply_edit`, one top-level subtree after the other; a wrong one is left out and reported."""
    siblings = {node.ident: node for node in (EMPTY if default is Operation.REPLACE else current).children}
    errors: list[RpcError] = []
    for element in elements(config):
        try:
            _apply(root, siblings, element, default, set())
        except RpcError as error:
            errors.append(error)
            if stop_at_error:
                break
    return current.with_children(arrange(root, siblings.values())), errors


def _children(schema: SchemaNode, current: Node, element: Element, inherited: Operation) -> Node:
    if (element.text or "").strip():
        name = split_tag(schema.tag)[1]
        raise RpcError("bad-element", f"text stands inside <{name}>", info={"bad-element": name})
    siblings = {node.ident: node for node in current.children}
    seen: set[Ident] = set()
    for child in elements(element):
        if tag_of(child) not in schema.keys:
            _apply(schema, siblings, child, inherited, seen)
    return current.with_children(arrange(schema, siblings.values()))


def _apply(parent: SchemaNode, siblings: Siblings, element: Element, inherited: Operation, seen: set[Ident]) -> None:
    schema = definition(parent, element)
    key: tuple[str, ...] = ()
    try:
        keys = list_key(schema, element)
        key = entry_key(schema, element, keys)
        ident = (schema.tag, key)
        _once(ident, seen)
        blank = Node(schema.tag, key, children=keys)
        result = _outcome(schema, siblings.get(ident), blank, element, _operation(element, inherited))
        if result is None:
            siblings.pop(ident, None)
        else:
            place(siblings, result, insertion(schema, element))
            _leave_other_cases(parent, siblings, schema)
    except RpcError as error:
        raise error.within(schema.step(key)) from None


def _once(ident: Ident, seen: set[Ident]) -> None:
    if ident in seen:
        raise RpcError("operation-failed", "the edit holds this entry twice", app_tag="data-not-unique")
    seen.add(ident)


def _outcome(
    schema: SchemaNode, existing: Node | None, blank: Node, element: Element, operation: Operation
) -> Node | None:
    _check_existence(schema, existing, operation)
    if operation in {Operation.DELETE, Operation.REMOVE}:
        return None
    if schema.valued:
        if operation is Operation.NONE:
            return existing
        text, prefixes = leaf_value(schema, element)
        return Node(schema.tag, blank.key, text, prefixes=prefixes)
    keep = existing is not None and operation in {Operation.MERGE, Operation.NONE}
    start = existing if keep and existing is not None else blank
    node = _children(schema, start, element, operation)
    return None if schema.transparent and not node.children else node


def _check_existence(schema: SchemaNode, existing: Node | None, operation: Operation) -> None:
    name = split_tag(schema.tag)[1]
    if operation is Operation.CREATE and existing is not None:
        raise RpcError("data-exists", f"<{name}> exists already", info={"bad-element": name})
    needed = operation is Operation.DELETE or (operation is Operation.NONE and not schema.transparent)
    if needed and existing is None:
        raise RpcError("data-missing", f"<{name}> does not exist", info={"bad-element": name})


def _operation(element: Element, inherited: Operation) -> Operation:
    word = element.get(OPERATION)
    if word is None:
        return inherited
    if word not in {o.value for o in Operation if o is not Operation.NONE}:
        info = {"bad-attribute": "operation", "bad-element": split_tag(tag_of(element))[1]}
        raise RpcError("bad-attribute", f"no such operation: {word!r}", info=info)
    return Operation(word)


def _leave_other_cases(parent: SchemaNode, siblings: Siblings, schema: SchemaNode) -> None:
    """Creating a node of one case removes those of the choice's other cases (RFC 7950 section 7.9)."""
    if not schema.cases:
        return
    mine = dict(schema.cases)
    for ident in list(siblings):
        others = parent.children[ident[0]].cases
        if any(mine.get(choice, case) != case for choice, case in others):
            del siblings[ident]
