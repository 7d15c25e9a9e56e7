"""A dialect's tables say how a configuration is built; from them follows the edit that turns one into another.

A change is made on a copy of the configuration; the edit is what is left of that copy once everything equal to the
original is taken out. So the edit and the state after it can never disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .xml import OPERATION, Element, add, identity, leaf, move, text_of


@dataclass(frozen=True, slots=True)
class Node:
    """A part of the data model that a dialect reads or writes: a list (with keys), a container, or a leaf.

    Attributes:
        tag: name in Clark notation.
        keys: names of a list's keys, in Clark notation.
        children: what is edited below it; nothing: a leaf.
        whole: replaced as one when anything in it changes.
        partial: a container that is not read whole, and so is never deleted.
        shared: a list whose entries others fill too, like containers.
        in_order: a list ordered by its user: when more than an addition at its end or a deletion is needed, the
            container around it is replaced.
    """

    tag: str
    keys: tuple[str, ...] = ()
    children: tuple[Node, ...] = ()
    whole: bool = False
    partial: bool = False
    shared: bool = False
    in_order: bool = False

    @property
    def common(self) -> bool:
        """Whether more than what is ours may be in it."""
        return bool(self.children) and not self.whole and (self.shared or not self.keys)

    def key(self, element: Element) -> tuple[str | None, ...]:
        """What tells a list entry from the others."""
        return tuple(leaf(element, k) for k in self.keys)


def prune(parent: Element, tables: Sequence[Node]) -> None:
    """Take out empty containers: they carry no meaning (RFC 7950 section 7.5.1), and only some servers keep them."""
    for node in tables:
        if node.children:
            for element in parent.findall(node.tag):
                prune(element, node.children)
                if not node.keys and len(element) == 0:
                    parent.remove(element)


def settle(parent: Element, tables: Sequence[Node]) -> None:
    """Bring what is known below `parent` into the order of the tables, and lists into that of their keys.

    Neither order means anything (RFC 7950 sections 7.5.7 and 7.7.8), but for lists ordered by their user.
    """
    known: list[Element] = []
    for node in tables:
        entries = parent.findall(node.tag)
        for element in entries:
            settle(element, node.children)
        known += entries if node.in_order else sorted(entries, key=lambda e: [k or "" for k in node.key(e)])
    first = min((parent.index(e) for e in known), default=0)
    for index, element in enumerate(known, first):
        if parent[index] is not element:
            move(parent, index, element)


def difference(before: Element, after: Element, tables: Sequence[Node], *, tidy: bool = True) -> str | None:
    """The edit-config body that turns `before` into `after`; None when they are equal. Uses `after` up.

    Where the change empties a container, `tidy` deletes it, as some servers show it otherwise; without `tidy` only
    entries that are ours alone are deleted, which is safe also where somebody else has added to the container since.
    """
    return _Edit(tidy).body(before, after, tables)


@dataclass(frozen=True, slots=True)
class _Edit:
    """Reduces a changed configuration to the edit."""

    tidy: bool

    def body(self, before: Element, after: Element, tables: Sequence[Node]) -> str | None:
        if not self._reduce(before, after, tables, keep=()):
            return None
        return "".join(text_of(child) for child in after)

    def _reduce(self, before: Element | None, after: Element, tables: Sequence[Node], keep: Sequence[str]) -> bool:
        """Leave in `after` only what differs from `before`, with its operations; whether anything does."""
        left = {element for node in tables for element in self._changed(before, after, node)}
        for child in list(after):
            if child not in left and child.tag not in keep:
                after.remove(child)
        return bool(left)

    def _changed(self, before: Element | None, after: Element, node: Node) -> list[Element]:
        """The changed, new and deleted elements of one kind, all of them in `after`; the deleted ones last."""
        old = {node.key(e): e for e in (before.findall(node.tag) if before is not None else ())}
        left = [e for e in after.findall(node.tag) if self._differs(old.pop(node.key(e), None), e, node)]
        return left + [self._deletion(after, gone, node) for gone in old.values()]

    def _differs(self, old: Element | None, new: Element, node: Node) -> bool:
        if node.whole:
            if old is not None and text_of(old) == text_of(new):
                return False
            new.set(OPERATION, "replace")
            return True
        if not node.children:
            return old is None or old.text != new.text
        if old is not None and any(_reordered(old, new, child) for child in node.children if child.in_order):
            new.set(OPERATION, "replace")
            return True
        return self._reduce(old, new, node.children, keep=node.keys) or (old is None and bool(node.keys))

    def _deletion(self, parent: Element, gone: Element, node: Node) -> Element:
        element = add(parent, node.tag)
        for key in node.keys:
            if (held := gone.find(key)) is not None:
                _copy(element, held)
        if node.common and (node.partial or not self.tidy):
            for child in (c for c in node.children if c.tag not in node.keys):
                for inner in gone.findall(child.tag):
                    self._deletion(element, inner, child)
        else:
            element.set(OPERATION, "delete")
        return element


def _copy(parent: Element, leaf_element: Element) -> None:
    """Append a copy of a leaf, an identity in it with a prefix that is bound there."""
    copy = add(parent, str(leaf_element.tag), leaf_element.text)
    prefix, _, name = (leaf_element.text or "").partition(":")
    if (uri := leaf_element.nsmap.get(prefix)) and copy.nsmap.get(prefix) != uri:
        copy.text = identity(copy, name, uri)


def _reordered(old: Element, new: Element, node: Node) -> bool:
    """Whether the entries that stay have another order, or a new one stands before one of them."""
    now = [node.key(e) for e in new.findall(node.tag)]
    stay = [k for k in (node.key(e) for e in old.findall(node.tag)) if k in now]
    return now[: len(stay)] != stay
