"""Namespaces and XML helpers that every part of the emulator shares."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from lxml import etree

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
YANG = "urn:ietf:params:xml:ns:yang:1"
CAPABILITY = "urn:ietf:params:netconf:capability:"
BASE_CAPABILITY = "urn:ietf:params:netconf:base:"

Element = etree._Element  # noqa: SLF001 - lxml offers no public name for its element type


@lru_cache(maxsize=4096)
def split_tag(tag: str) -> tuple[str, str]:
    """`{namespace}local` as (namespace, local); the namespace is empty where there is none."""
    namespace, brace, local = tag.rpartition("}")
    return namespace.removeprefix("{"), local if brace else tag


def base(local: str) -> str:
    """The Clark name of an element of NETCONF's own namespace."""
    return f"{{{BASE}}}{local}"


def elements(parent: Element) -> Iterator[Element]:
    """Child elements, without comments and processing instructions."""
    return (child for child in parent if isinstance(child.tag, str))


def tag_of(element: Element) -> str:
    """The element's Clark name as text."""
    return str(element.tag)


def parse_xml(document: bytes) -> Element:
    """Parse untrusted XML: no DTD, no entity expansion, no network.

    Raises:
        ValueError: the document is not well formed, or carries a document type.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"not well-formed XML: {error.msg}") from error
    info: Any = root.getroottree().docinfo  # lxml-stubs knows none of its fields
    if info.doctype:
        raise ValueError("a document type is not allowed in NETCONF (RFC 6241, section 3)")
    return root
