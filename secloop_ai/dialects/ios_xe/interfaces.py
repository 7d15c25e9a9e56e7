"""Interfaces by their names: ``GigabitEthernet0/0/1`` stands as 0/0/1 in the list of its type."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.xml import Element, first, leaf, reach

from . import names as n

_TAGS = {f"{{{n.IOS}}}{kind}": kind for kind in n.TYPES}


@lru_cache(maxsize=1024)
def split(name: str) -> tuple[str, str]:
    """Type and number of an interface.

    Raises:
        DialectError: no type of interface that takes access lists has such names.
    """
    found = n.NUMBERED.fullmatch(name)
    if found is None:
        known = ", ".join(n.TYPES)
        raise DialectError(f"interface {name}: not a type and number as in GigabitEthernet0/0/1; known types: {known}")
    return found[1], found[2]


def listed(root: Element) -> Iterator[tuple[str, Element]]:
    """Every interface of a known type with its whole name, in document order."""
    held = reach(root, n.NATIVE, n.INTERFACE)
    for part in held if held is not None else ():
        for interface in part if part.tag == n.SUBINTERFACES else (part,):
            if name := name_of(interface):
                yield name, interface


def name_of(interface: Element) -> str | None:
    """The whole name of an interface; None when it is of no known type."""
    kind = _TAGS.get(str(interface.tag))
    return kind and f"{kind}{leaf(interface, n.NAME) or ''}"


def find(root: Element, name: str) -> Element | None:
    """The interface of that name."""
    kind, number = split(name)
    held = reach(root, n.NATIVE, n.INTERFACE)
    if held is not None and kind == n.PORT_CHANNEL and "." in number:
        held = first(held, n.SUBINTERFACES)
    every = held.iterchildren(f"{{{n.IOS}}}{kind}") if held is not None else ()
    return next((interface for interface in every if leaf(interface, n.NAME) == number), None)


def need(root: Element, name: str, what: str) -> Element:
    """The interface of that name.

    Raises:
        DialectError: it is not in the configuration; what cannot be done is said.
    """
    found = find(root, name)
    if found is None:
        raise DialectError(f"interface {name} is not in the configuration: {what}")
    return found


def path(name: str) -> str:
    """A readable path of an interface."""
    kind, number = split(name)
    return f"/native/interface/{kind}[name='{number}']"
