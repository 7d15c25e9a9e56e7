"""From the XML of a request to the names and values of the schema."""

from __future__ import annotations

from .errors import RpcError
from .names import BASE, YANG, Element, base, elements, split_tag, tag_of
from .schema import Kind, SchemaNode
from .tree import Node, Prefixes
from .values import LeafType

OPERATION = base("operation")
INSERT, INSERT_KEY, INSERT_VALUE = f"{{{YANG}}}insert", f"{{{YANG}}}key", f"{{{YANG}}}value"
_ATTRIBUTES = frozenset({OPERATION, INSERT, INSERT_KEY, INSERT_VALUE})


def definition(parent: SchemaNode, element: Element) -> SchemaNode:
    """The schema node of a child element.

    Raises:
        RpcError: unknown-namespace, unknown-element or unknown-attribute.
    """
    tag = tag_of(element)
    known = parent.children.get(tag)
    namespace, local = split_tag(tag)
    if known is None:
        if namespace not in {split_tag(t)[0] for t in parent.children}:
            info = {"bad-element": local, "bad-namespace": namespace}
            raise RpcError("unknown-namespace", f"<{local}>: no module here has namespace {namespace!r}", info=info)
        raise RpcError("unknown-element", f"<{local}> is not defined here", info={"bad-element": local})
    for name in element.attrib:
        if name not in _ATTRIBUTES:
            attribute = split_tag(str(name))[1]
            info = {"bad-attribute": attribute, "bad-element": local}
            raise RpcError("unknown-attribute", f"<{local}> has no attribute {attribute!r}", info=info)
    return known


def leaf_value(schema: SchemaNode, element: Element) -> tuple[str, Prefixes]:
    """The leaf's canonical value and the bindings it needs.

    Raises:
        RpcError: invalid-value, or unknown-element where a leaf holds elements.
    """
    for inside in elements(element):
        name = split_tag(tag_of(inside))[1]
        raise RpcError("unknown-element", f"<{name}> stands inside a leaf", info={"bad-element": name})
    leaf, text = schema.leaf, element.text or ""
    if leaf is None:
        raise TypeError(f"{schema.tag} is no leaf")
    try:
        if leaf.identities is not None:
            return _identity_or_other(leaf, text.strip(), element)
        return leaf.canonical(text if leaf.name.startswith("string") else text.strip()), ()
    except (ValueError, KeyError) as error:
        reason = "no such identity" if isinstance(error, KeyError) else str(error)
        local = split_tag(schema.tag)[1]
        raise RpcError(
            "invalid-value", f"{local} {text[:80]!r}: {reason} ({leaf.name})", info={"bad-element": local}
        ) from None


def _identity_or_other(leaf: LeafType, text: str, element: Element) -> tuple[str, Prefixes]:
    """An identity, or a value of the type that the leaf's union has beside it.

    Raises:
        KeyError, ValueError: neither.
    """
    try:
        return (leaf.identities or {})[_identity(text, element)]
    except (KeyError, ValueError):
        if leaf.canonical is str:
            raise
        return leaf.canonical(text), ()


def _identity(text: str, element: Element) -> str:
    prefix, colon, name = text.rpartition(":")
    namespace = element.nsmap.get(prefix if colon else None)
    if namespace is None:
        raise ValueError(f"prefix {prefix!r} is not bound")
    return f"{{{namespace}}}{name}"


def list_key(schema: SchemaNode, element: Element) -> tuple[Node, ...]:
    """The key leaves of a list entry, in the order of the keys; empty for anything but a list.

    Raises:
        RpcError: missing-element where a key is absent.
    """
    if schema.kind is not Kind.LIST:
        return ()
    found = {tag_of(child): child for child in elements(element) if tag_of(child) in schema.keys}
    leaves: list[Node] = []
    for tag in schema.keys:
        if tag not in found:
            name = split_tag(tag)[1]
            raise RpcError("missing-element", f"the list key <{name}> is absent", info={"bad-element": name})
        text, prefixes = leaf_value(schema.children[tag], found[tag])
        leaves.append(Node(tag, text=text, prefixes=prefixes))
    return tuple(leaves)


def entry_key(schema: SchemaNode, element: Element, keys: tuple[Node, ...]) -> tuple[str, ...]:
    """What tells an entry of a list or leaf-list from the others; empty for anything else.

    Raises:
        RpcError: a leaf-list's entry has a wrong value.
    """
    if schema.kind is Kind.LEAF_LIST:
        return (leaf_value(schema, element)[0],)
    return tuple(leaf.text for leaf in keys)


def unwrap(element: Element) -> Element:
    """The element whose children are top-level configuration: `<config>` or `<data>`, else one is put around.

    Raises:
        ValueError: the document is some other NETCONF element.
    """
    namespace, local = split_tag(tag_of(element))
    if namespace != BASE:
        wrapper = element.makeelement(base("config"))
        wrapper.append(element)
        return wrapper
    if local not in {"config", "data"}:
        raise ValueError(f"<{local}> is not a configuration: give <config>, <data> or one top-level element")
    return element
