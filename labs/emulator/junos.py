"""Junos's own spellings of an edit, turned into those of RFC 7950."""

from __future__ import annotations

from .names import Element, elements, split_tag, tag_of
from .reading import INSERT, INSERT_KEY, INSERT_VALUE
from .schema import Kind, SchemaNode

_MARKS = ("active", "inactive", "protect", "unprotect")


def respelled(root: SchemaNode, config: Element) -> Element:
    """The edit with `insert="after" name="x"` as yang:insert with its key or value; marks of no effect are dropped.

    Works in place: the request is nobody else's.
    """
    for child in elements(config):
        _respell(root, child)
    return config


def _respell(parent: SchemaNode, element: Element) -> None:
    for mark in _MARKS:
        _taken(element, mark)
    schema = parent.children.get(tag_of(element))
    if schema is None:
        return  # the edit itself says what is wrong with it
    if (where := _taken(element, "insert")) is not None:
        element.set(INSERT, where)
        _neighbour(schema, element)
    for child in elements(element):
        _respell(schema, child)


def _taken(element: Element, attribute: str) -> str | None:
    """The attribute's value; it is gone from the element then."""
    value = element.get(attribute)
    if value is not None:
        del element.attrib[attribute]
    return value


def _neighbour(schema: SchemaNode, element: Element) -> None:
    name = _taken(element, "name")
    if name is None:
        return
    if schema.kind is Kind.LEAF_LIST:
        element.set(INSERT_VALUE, name)
    else:
        quote = '"' if "'" in name else "'"
        key = split_tag(schema.keys[0])[1] if schema.keys else "name"
        element.set(INSERT_KEY, f"[{key}={quote}{name}{quote}]")
