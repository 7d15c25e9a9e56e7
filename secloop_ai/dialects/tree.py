"""A dialect's tables say how a configuration is built; from them follows the edit that turns one into another.

A change is made on a copy of the configuration; the edit is what is left of that copy once everything equal to the
original is taken out. So the edit and the state after it can never disagree.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import islice, pairwise

from .xml import OPERATION, Element, add, add_bound, first, hollow, identity, leaf, move, text_of

Key = tuple[str | None, ...]
Placing = Callable[[Element, "Element | None"], None]
"""Says in an edit, in the dialect's own way, behind which entry one stands; None: before all others."""
Way = tuple[str, ...]
"""Names of an element and of those around it, from the inside out."""

_END = 3
"""So many names tell nearly all empty elements that stay from those that go."""
_FEW = 4
"""A container with up to so many children is not compared as one: to look at each takes no longer, and tells more."""


@dataclass(frozen=True, slots=True, eq=False)
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
            container around it is replaced, unless `placing` says where the entries stand.
        placing: how the edit places an entry of a list in order, so that the others need not be sent.
        values: a leaf-list, whose entries are told apart by their text.
        merged: a `whole` that is merged when it is new, not replaced.
        presence: a container that means something while it is empty; never deleted.
        gives_way: a case of a choice: its deletion goes before what is added beside it.
        lasting: goes only with what is around it, as what others put there would mean nothing without it.
        points: it names what its siblings hold: in an edit it stands last, but first when it lets go of something.
        leaf: whether it is a leaf.
        fixed: the children whose order can be said by replacing this node only.
    """

    tag: str
    keys: tuple[str, ...] = ()
    children: tuple[Node, ...] = ()
    whole: bool = False
    partial: bool = False
    shared: bool = False
    in_order: bool = False
    placing: Placing | None = None
    values: bool = False
    merged: bool = False
    presence: bool = False
    gives_way: bool = False
    lasting: bool = False
    points: bool = False
    leaf: bool = field(init=False, repr=False)
    fixed: tuple[Node, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "leaf", not (self.children or self.whole or self.keys or self.values))
        object.__setattr__(self, "fixed", tuple(c for c in self.children if c.in_order and not c.placing))

    @property
    def common(self) -> bool:
        """Whether more than what is ours may be in it."""
        return bool(self.children) and not self.whole and (self.shared or not self.keys)

    def key(self, element: Element) -> Key:
        """What tells a list entry from the others."""
        if self.values:
            return ((element.text or "").strip(),)
        return tuple([leaf(element, k) for k in self.keys])


def prune(root: Element, tables: Sequence[Node]) -> bool:
    """Take out empty containers: they carry no meaning (RFC 7950 section 7.5.1), and only some servers keep them.

    Whether there were any.
    """
    droppable = _droppable(tuple(tables), (str(root.tag),))
    ends, found = _ends(droppable), False
    for element in hollow(root):
        if (element.tag,) in ends and (
            element.tag,
            *(e.tag for e in islice(element.iterancestors(), _END - 1)),
        ) in ends:
            way = [element, *element.iterancestors()]
            names = tuple(str(e.tag) for e in way)
            for at, (empty, holder) in enumerate(pairwise(way)):
                if len(empty) or names[at:] not in droppable:
                    break
                holder.remove(empty)
                found = True
    return found


@cache
def _droppable(tables: tuple[Node, ...], above: Way) -> frozenset[Way]:
    """The containers that mean nothing while they are empty, each with what it stands in, from the inside out."""
    here = ((node.tag, *above) for node in tables if node.children and not (node.keys or node.presence))
    inner = (way for node in tables for way in _droppable(node.children, (node.tag, *above)))
    return frozenset((*here, *inner))


@cache
def _ends(droppable: frozenset[Way]) -> frozenset[Way]:
    """The inmost name and names, by which most of what is empty is seen to be none of these."""
    return frozenset(way[:length] for way in droppable for length in (1, _END))


def settle(parent: Element, tables: Sequence[Node]) -> None:
    """Bring what is known below `parent` into the order of the tables, and lists into that of their keys.

    Neither order means anything (RFC 7950 sections 7.5.7 and 7.7.8), but for lists ordered by their user.
    """
    known: list[Element] = []
    for node in tables:
        entries = list(parent.iterchildren(node.tag))
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
        olds, news = _by_tag(before), _by_tag(after)
        left: set[Element] = set()
        pointing: list[str] = []
        for node in tables:
            old, new = olds.get(node.tag, ()), news.get(node.tag, ())
            if node.leaf and old and new:
                if old[0].text != new[0].text:
                    left.add(new[0])
            elif old or new:
                changed = self._changed(old, new, after, node)
                left.update(changed)
                if changed and node.points:
                    pointing.append(node.tag)
        if before is not None and not left:
            return False
        for tag, children in news.items():
            for child in children if tag not in keep else ():
                if child not in left:
                    after.remove(child)
        _set_aside(after, pointing)
        return bool(left)

    def _changed(self, olds: Sequence[Element], news: Sequence[Element], after: Element, node: Node) -> list[Element]:
        """The changed, new, moved and deleted elements of one kind, all of them in `after`."""
        if not node.keys and not node.values:
            return self._changed_one(olds, news, after, node)
        if not olds:
            return [element for element in news if self._differs(None, element, node)]
        old = {node.key(e): e for e in olds}
        if len(old) < len(olds) and [text_of(e) for e in olds] == [text_of(e) for e in news]:
            return []  # a key stands there twice, which no edit could tell apart
        misplaced = _misplaced(list(old), [node.key(e) for e in news]) if node.placing else frozenset()
        left, previous = [], None
        for element in news:
            key = node.key(element)
            was = old.pop(key, None)
            differs = self._differs(was, element, node)
            placed = key in misplaced or (differs and was is not None and node.whole)
            if placed and node.placing:
                if not differs:
                    _keep_only(element, node.keys)
                node.placing(element, previous)
            if differs or placed:
                left.append(element)
            previous = element
        return left + [self._deletion(after, gone, node) for gone in old.values()]

    def _changed_one(
        self, olds: Sequence[Element], news: Sequence[Element], after: Element, node: Node
    ) -> list[Element]:
        """As `_changed`, for what is there once at most."""
        if news:
            return [news[0]] if self._differs(olds[0] if olds else None, news[0], node) else []
        return [self._deletion(after, olds[0], node)]

    def _differs(self, old: Element | None, new: Element, node: Node) -> bool:
        if not (node.children or node.whole):
            return old is None or old.text != new.text
        as_one = node.whole or node.keys or len(new) > _FEW
        if old is not None and as_one and text_of(old) == text_of(new):
            return False
        if node.whole:
            if old is not None or not node.merged:
                new.set(OPERATION, "replace")
            return True
        if node.fixed and old is not None and any(_reordered(old, new, child) for child in node.fixed):
            new.set(OPERATION, "replace")
            return True
        return self._reduce(old, new, node.children, keep=node.keys) or (old is None and bool(node.keys))

    def _deletion(self, parent: Element, gone: Element, node: Node) -> Element:
        element = add(parent, node.tag, (gone.text or "").strip() if node.values else None)
        if node.gives_way:
            parent.insert(0, element)
        for key in node.keys:
            if (held := first(gone, key)) is not None:
                _copy(element, held)
        if node.common and (node.partial or node.presence or not self.tidy):
            for child in (c for c in node.children if c.tag not in node.keys and not c.lasting):
                for inner in list(gone.iterchildren(child.tag)):
                    self._deletion(element, inner, child)
        else:
            element.set(OPERATION, "delete")
        return element


def _set_aside(parent: Element, pointing: Sequence[str]) -> None:
    """Move what names its siblings behind these, or before them where it lets go of something."""
    for element in [e for tag in pointing for e in parent.iterchildren(tag)]:
        lets_go = any(e.get(OPERATION) == "delete" for e in element.iter())
        parent.insert(0 if lets_go else len(parent), element)


def _by_tag(parent: Element | None) -> dict[str, list[Element]]:
    """The children, by their names."""
    found: dict[str, list[Element]] = {}
    for child in parent if parent is not None else ():
        tag = str(child.tag)
        if tag in found:
            found[tag].append(child)
        else:
            found[tag] = [child]
    return found


def _copy(parent: Element, leaf_element: Element) -> None:
    """Append a copy of a leaf, an identity in it with a prefix that is bound there."""
    text = leaf_element.text
    prefix, _, name = (text or "").partition(":")
    uri = leaf_element.nsmap.get(prefix) if prefix and name else None
    if uri and parent.nsmap.get(prefix) != uri:
        copy = add_bound(parent, str(leaf_element.tag), prefix, uri)
        copy.text = identity(copy, name, uri)
    else:
        add(parent, str(leaf_element.tag), text)


def _reordered(old: Element, new: Element, node: Node) -> bool:
    """Whether the entries that stay have another order, or a new one stands before one of them."""
    now = [node.key(e) for e in new.findall(node.tag)]
    stay = [k for k in (node.key(e) for e in old.findall(node.tag)) if k in now]
    return now[: len(stay)] != stay


def _misplaced(old: Sequence[Key], new: Sequence[Key]) -> frozenset[Key]:
    """Which of the new keys do not stand where they are when every new entry is added at the end.

    The most that can keep their order (a longest increasing run of old positions) stay; so do new ones behind all.
    """
    at = {key: index for index, key in enumerate(old)}
    kept = [key for key in new if key in at]
    ends, tails, back = list[int](), list[int](), list[int]()
    for index, key in enumerate(kept):
        length = bisect_left(ends, at[key])
        back.append(tails[length - 1] if length else -1)
        ends[length : length + 1], tails[length : length + 1] = [at[key]], [index]
    moving, index = set(new), tails[-1] if tails else -1
    while index >= 0:
        moving.discard(kept[index])
        index = back[index]
    for key in reversed(new):
        if key in at:
            break
        moving.discard(key)
    return frozenset(moving)


def _keep_only(element: Element, tags: Sequence[str]) -> None:
    for child in [c for c in element if c.tag not in tags]:
        element.remove(child)
