"""Ports and their subinterfaces, by name; a subinterface is named after its port and index (``ethernet-1/1.0``)."""

from __future__ import annotations

from collections.abc import Iterator

from secloop_ai.dialects.admin_state import AdminStates
from secloop_ai.dialects.xml import Element, leaf

from . import names as n


def sites(root: Element) -> Iterator[tuple[str, Element]]:
    """Every port and subinterface by its full name."""
    for port in root.iterchildren(n.INTERFACE):
        name = leaf(port, n.IF_NAME) or ""
        yield name, port
        for inner in port.iterchildren(n.SUBINTERFACE):
            yield f"{name}.{leaf(inner, n.IF_INDEX)}", inner


LINKS = AdminStates(sites, n.IF_ADMIN, "/interface[name='{}']", (n.LINK_TABLE,))
