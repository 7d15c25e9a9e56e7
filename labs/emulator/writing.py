"""Data as a server writes it that puts every name under its module's prefix."""

from __future__ import annotations

from xml.sax.saxutils import escape

from .names import split_tag
from .schema import Schema, SchemaNode
from .tree import Node


def prefixed_xml(schema: Schema, data: Node) -> str:
    """The children of a datastore as XML, prefixes bound on each of them."""
    bound = "".join(f' xmlns:{module.prefix}="{module.namespace}"' for module in schema.modules)
    out: list[str] = []
    for child in data.children:
        _write(schema.root.children[child.tag], child, bound, out)
    return "".join(out)


def _write(schema: SchemaNode, node: Node, bound: str, out: list[str]) -> None:
    name = f"{schema.prefix}:{split_tag(node.tag)[1]}"
    own = "" if bound else "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in node.prefixes)
    out.append(f"<{name}{bound}{own}>")
    if node.text:
        out.append(escape(_text(schema, node), {"\r": "&#xD;"}))
    for child in node.children:
        _write(schema.children[child.tag], child, "", out)
    out.append(f"</{name}>")


def _text(schema: SchemaNode, node: Node) -> str:
    """An identity of the leaf's own module needs its prefix, too: no default namespace is there to say it."""
    known = schema.leaf.identities if schema.leaf else None
    own = known is not None and (node.text, ()) in known.values()
    return f"{schema.prefix}:{node.text}" if own else node.text
