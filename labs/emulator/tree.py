"""The configuration tree: immutable nodes, so that a snapshot costs nothing and an inverse is exact."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from xml.sax.saxutils import escape

from lxml import etree

from .names import BASE, base, split_tag

Ident = tuple[str, tuple[str, ...]]
Prefixes = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Node:
    """One instance of a data node.

    Attributes:
        tag: Clark name.
        key: the key values of a list entry, the value of a leaf-list entry, else empty.
        text: a leaf's canonical value.
        children: in canonical order (the schema's; lists ordered by the system are sorted by key).
        prefixes: the bindings that an identity of another module needs in `text`.
    """

    tag: str
    key: tuple[str, ...] = ()
    text: str = ""
    children: tuple[Node, ...] = ()
    prefixes: Prefixes = ()

    @property
    def ident(self) -> Ident:
        """What tells this node from its siblings."""
        return self.tag, self.key

    def with_children(self, children: Iterable[Node]) -> Node:
        """A copy with other children."""
        return replace(self, children=tuple(children))

    def child(self, tag: str) -> Node | None:
        """The first child of that name."""
        return next((c for c in self.children if c.tag == tag), None)


EMPTY = Node(tag=base("config"))


def to_xml(node: Node, parent_namespace: str = "") -> str:
    """The node as XML: default namespaces only, no white space, close to canonical form already."""
    out: list[str] = []
    _write(node, parent_namespace, out)
    return "".join(out)


def children_xml(node: Node) -> str:
    """The node's children as XML, for a parent element in NETCONF's namespace."""
    out: list[str] = []
    for child in node.children:
        _write(child, BASE, out)
    return "".join(out)


def _write(node: Node, parent_namespace: str, out: list[str]) -> None:
    namespace, local = split_tag(node.tag)
    out.append(f"<{local}")
    if namespace != parent_namespace:
        out.append(f' xmlns="{namespace}"')
    out.extend(f' xmlns:{prefix}="{uri}"' for prefix, uri in node.prefixes)
    out.append(">")
    if node.text:
        out.append(escape(node.text, {"\r": "&#xD;"}))
    for child in node.children:
        _write(child, namespace, out)
    out.append(f"</{local}>")


def canonical(node: Node) -> str:
    """Canonical XML (C14N 1.0) of the node; equal configurations give equal bytes."""
    return etree.tostring(etree.fromstring(to_xml(node)), method="c14n").decode()
