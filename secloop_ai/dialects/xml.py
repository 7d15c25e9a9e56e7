"""XML as all dialects use it: a parser that fetches and expands nothing, canonical text, digests."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, TypeAlias

from lxml import etree

from secloop_ai.contracts.errors import DialectError

Element: TypeAlias = etree._Element  # noqa: SLF001 - the only name lxml gives its elements
BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
OPERATION = f"{{{BASE}}}operation"
_ROOTS = ("data", "config")
_PARSER = etree.XMLParser(
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    huge_tree=True,
    remove_blank_text=True,
    remove_comments=True,
    remove_pis=True,
)
_EMPTY, _BLANK = re.compile("/>"), re.compile(r">(?:\s|&#13;)")
_NEAR = 3
"""Up to this child it is quicker to look at each than to ask lxml: keys come first, and most containers are short."""
etree.register_namespace("nc", BASE)


def load(data: str) -> Element:
    """The ``<data>`` element of a get-config reply, without the white space between elements.

    Raises:
        DialectError: not XML, with a document type, or another element.
    """
    try:
        root: Element = etree.fromstring(data.encode(), _PARSER)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise DialectError(f"the configuration is not XML: {error}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise DialectError("the configuration carries a document type, which NETCONF forbids")
    if (name := local(root)) not in _ROOTS:
        raise DialectError(f"expected the <data> of a get-config reply, found <{name}>")
    return root


def text_of(element: Element) -> str:
    """The element as XML text."""
    return etree.tostring(element, encoding="unicode", with_tail=False)


def canonical(element: Element) -> bytes:
    """The element in exclusive canonical XML: what an ancestor declares and nobody uses does not matter."""
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False, with_tail=False)


def digest(elements: Iterable[Element]) -> str:
    """SHA-256 (hex) of the canonical XML of the elements, one after the other."""
    total = hashlib.sha256()
    for element in elements:
        total.update(canonical(element))
    return total.hexdigest()


def indented(element: Element) -> str:
    """The element as stable text with one leaf a line, for people. Changes the element's white space."""
    etree.indent(element, space="  ")
    return text_of(element) + "\n"


def local(element: Element) -> str:
    """The element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def leaf(parent: Element, tag: str) -> str | None:
    """The text of a child leaf without surrounding white space; None when there is no such child."""
    if not _plain(tag):
        text = parent.findtext(tag)
        return None if text is None else text.strip()
    found = first(parent, tag)
    return None if found is None else (found.text or "").strip()


def first(parent: Element, tag: str) -> Element | None:
    """The first child of that name; faster than ``find``, and for one step only."""
    for at, child in enumerate(parent):
        if child.tag == tag:
            return child
        if at == _NEAR:
            return next(parent.iterchildren(tag), None)
    return None


def reach(root: Element, *tags: str) -> Element | None:
    """What stands below `root` along these tags, each of them there once at most."""
    found: Element | None = root
    for tag in tags:
        if found is None:
            return None
        found = first(found, tag)
    return found


def below(root: Element, *tags: str) -> list[Element]:
    """What stands below `root` along these tags, in document order; faster than ``iterfind``."""
    found = [root]
    for tag in tags:
        found = [child for element in found for child in element.iterchildren(tag)]
    return found


def add(parent: Element, tag: str, text: str | None = None) -> Element:
    """Append a child; its namespace becomes the default one where the parent has not declared it."""
    space = _space(tag)
    if not space or str(parent.tag).startswith(space):
        element: Element = etree.SubElement(parent, tag)
    else:
        uri = space[1:-1]
        nsmap: Any = None if uri in parent.nsmap.values() else {None: uri}
        element = etree.SubElement(parent, tag, nsmap=nsmap)
    if text is not None:
        element.text = text
    return element


def hollow(root: Element) -> list[Element]:
    """What below has neither children nor text, in document order."""
    return [e for e in root.iterdescendants() if not len(e) and (not (text := e.text) or text.isspace())]


def may_be_hollow(text: str) -> bool:
    """Whether anything hollow may be in what :func:`text_of` gave; much quicker than looking for it."""
    return bool(_EMPTY.search(text) or _BLANK.search(text))


def add_bound(parent: Element, tag: str, prefix: str, uri: str) -> Element:
    """Append a child that binds a prefix, for an identity of another module in it."""
    element: Element = etree.SubElement(parent, tag, nsmap={prefix: uri})
    return element


def top(tag: str) -> Element:
    """An element of its own, its namespace the default one."""
    nsmap: Any = {None: tag[1:].partition("}")[0]}
    element: Element = etree.Element(tag, nsmap=nsmap)
    return element


def ensure(parent: Element, tag: str) -> Element:
    """The child of that name, made when it is not there."""
    found = first(parent, tag)
    return add(parent, tag) if found is None else found


def identity(place: Element, name: str, namespace: str) -> str:
    """An identity as it is written in a leaf below `place`, where that namespace is declared."""
    bound = place.nsmap
    if bound.get(None) == namespace:
        return name
    prefix = next((p for p, uri in bound.items() if p and uri == namespace), None)
    return f"{prefix}:{name}" if prefix else name


def identity_name(element: Element, namespace: str) -> str | None:
    """The identity a leaf holds, without prefix; None when it is of another namespace."""
    prefix, _, name = (element.text or "").strip().rpartition(":")
    if prefix and element.nsmap.get(prefix, namespace) != namespace:
        return None
    return name


def move(parent: Element, index: int, element: Element) -> None:
    """Move an element to `index` below `parent`, keeping prefixes in its leaves bound.

    lxml drops a prefix declared on the element where the new place knows the namespace by another one; leaves that
    hold an identity of it (``acl:drop``) would be left with a prefix nobody declares.
    """
    bound = list(_bound(element))
    parent.insert(index, element)
    for inner, prefix, uri, name in bound:
        if inner.nsmap.get(prefix) != uri:
            inner.text = identity(inner, name, uri)


def _bound(element: Element) -> Iterator[tuple[Element, str, str, str]]:
    for inner in element.iter():
        prefix, colon, name = (inner.text or "").partition(":")
        if colon and (uri := inner.nsmap.get(prefix)):
            yield inner, prefix, uri, name


@cache
def _space(tag: str) -> str:
    """The namespace of a name, with its braces; empty where it has none."""
    return tag[: tag.index("}") + 1] if tag.startswith("{") else ""


@cache
def _plain(tag: str) -> bool:
    """Whether it is the name of a child, not a path."""
    return tag.count("{") <= 1 and "/" not in tag.rpartition("}")[2]
