"""Junos's own marks on configuration: what is deactivated has no effect, what is protected takes no change."""

from __future__ import annotations

from collections.abc import Iterator

from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.xml import Element, leaf, local

INACTIVE, PROTECT = "inactive", "protect"


def active(element: Element) -> bool:
    """Whether it and everything around it has an effect."""
    return all(INACTIVE not in e.attrib for e in _chain(element))


def live(parent: Element, tag: str) -> Iterator[Element]:
    """Children of that name that are not deactivated."""
    return (child for child in parent.iterfind(tag) if INACTIVE not in child.attrib)


def parts(parent: Element | None) -> Iterator[Element]:
    """All children that are not deactivated; comments of the device (``junos:comment``) are left out."""
    for child in parent if parent is not None else ():
        if INACTIVE not in child.attrib and local(child) != "comment":
            yield child


def open_to_change(element: Element, what: str) -> None:
    """See to it that a change below the element would be taken and have an effect.

    Raises:
        DialectError: it, or something around it, is deactivated or protected; `what` says what for.
    """
    for held in _chain(element):
        for mark, verb in ((INACTIVE, "activate"), (PROTECT, "unprotect")) if held.attrib else ():
            if mark in held.attrib:
                name = next((f" {text}" for text in [leaf(held, c.tag) for c in held if local(c) == "name"]), "")
                state = "deactivated" if mark == INACTIVE else "protected"
                raise DialectError(f"{what}: <{local(held)}>{name} is {state} on the device; {verb} it first")


def _chain(element: Element) -> Iterator[Element]:
    yield element
    yield from element.iterancestors()
