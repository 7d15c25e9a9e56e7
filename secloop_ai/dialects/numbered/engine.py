"""Packet filters with numbered entries, as a section of a dialect: our entries go before everything that is not ours.

They go into the ACL of their place, when it is attached nowhere else and has free numbers before its first entry;
into an ACL of our own that ends in a permit, where the place has none. Numbers of others are never touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from secloop_ai.contracts import DeviceModel, FilterOp, PacketRule, RuleAction, TaggedOp
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.compose import of_kind
from secloop_ai.dialects.marks import Mark
from secloop_ai.dialects.tree import Node
from secloop_ai.dialects.xml import Element

from .adapter import PERMIT_REST_KEPT, Acl, Adapter, Entry
from .numbering import numbered
from .places import Key, Survey, host, permit_rest, room_in
from .reading import read

Ranked = list[tuple[int, PacketRule]]


@dataclass(frozen=True)
class NumberedFilters:
    """The section; everything a vendor says in its own way is the adapter's."""

    adapter: Adapter
    kind: ClassVar = FilterOp

    @property
    def tables(self) -> tuple[Node, ...]:
        """How this part is built."""
        return self.adapter.tables

    def read(self, root: Element) -> DeviceModel:
        """ACLs and attachments."""
        return read(self.adapter, root)

    def apply(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Put the operations' rules in place.

        Raises:
            DialectError: a rule the vendor cannot express, an ACL without room, or one that other places share.
        """
        self.put(root, of_kind(ops, FilterOp))

    def put(self, root: Element, ops: Sequence[tuple[str, FilterOp]]) -> None:
        """The same for operations with their tags.

        Raises:
            DialectError: as `apply`.
        """
        hosts: dict[Key, Acl] = {}
        wanted: dict[Key, dict[str, Ranked]] = {}
        for tag, op in ops:
            if not self.adapter.takes(op):
                continue
            acl = host(self.adapter, root, tag, op)
            hosts[acl.key] = acl
            rules = wanted.setdefault(acl.key, {}).setdefault(tag, [])
            rules += [(op.rank, rule) for rule in op.rules]
        for key, acl in hosts.items():
            self._put(root, acl, wanted[key])
            self._settle_rest(root, acl)

    def remove(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Take our entries with these tags out, and our own ACLs that are left without any."""
        tags = {tag for tag, _ in of_kind(ops, FilterOp)}
        for acl in self._filters(root) if tags else ():
            entries = self.adapter.entries(acl)
            mine = [e for e in entries if e.mark and e.mark.tag in tags]
            for entry in mine:
                self.adapter.erase(root, acl, entry)
            left = [e for e in entries if e not in mine]
            if mine and self.adapter.is_own(acl) and all(e.is_rest for e in left):
                self._delete(root, acl, keep=any(e.label == PERMIT_REST_KEPT for e in left))
            elif mine:
                self._settle_rest(root, acl)

    def tags(self, root: Element) -> Iterator[str]:
        """Tags of our entries."""
        for acl in self._filters(root):
            yield from (e.mark.tag for e in self.adapter.entries(acl) if e.mark)

    def subtrees(self, root: Element, ops: Sequence[TaggedOp]) -> Iterator[tuple[str, list[Element]]]:
        """The places' attachments, the ACLs these depend on, and how often those are attached."""
        adapter, there, mine = self.adapter, Survey(self.adapter, root), list(self._mine(ops))
        keys: set[Key] = {(adapter.own_name(op), op.family) for _, op in mine}
        keys |= {a.key for _, op in mine for a in there.held_at(op)[:1]}
        keys |= self._carriers(root, {tag for tag, _ in mine})
        acls = {key: there.acls.get(key) for key in sorted(keys, key=str)}
        points = {op.interface for _, op in mine}
        points |= {p.interface for key, acl in acls.items() if acl and adapter.is_own(acl) for p in there.uses(key)}
        for interface in sorted(points):
            point = adapter.point(root, interface)
            yield adapter.point_path(interface), [] if point is None else [point]
        for key, acl in acls.items():
            path = adapter.acl_path(*key)
            yield path, [] if acl is None else [acl.element]
            for place in there.uses(key):
                found = adapter.point(root, place.interface)
                yield f"{path} at {place}", [] if found is None else [found]
            if acl is not None:
                yield from adapter.extras(root, acl)
        if mine and there.acls and all(adapter.is_own(acl) for acl in there.acls.values()):
            yield from ((path, root.findall(tag)) for path, tag in adapter.tops)

    def _mine(self, ops: Sequence[TaggedOp]) -> Iterator[tuple[str, FilterOp]]:
        return ((tag, op) for tag, op in of_kind(ops, FilterOp) if self.adapter.takes(op))

    def _filters(self, root: Element) -> list[Acl]:
        return [acl for acl in self.adapter.acls(root) if acl.family is not None]

    def _carriers(self, root: Element, tags: set[str]) -> set[Key]:
        """The ACLs with entries of these tags."""
        found = ((acl, e.mark) for acl in self._filters(root) for e in self.adapter.entries(acl))
        return {acl.key for acl, mark in found if mark and mark.tag in tags}

    def _delete(self, root: Element, acl: Acl, *, keep: bool) -> None:
        """Detach an ACL of ours everywhere, then delete it."""
        for place in Survey(self.adapter, root).uses(acl.key):
            self.adapter.detach(root, place, acl, keep=keep)
        self.adapter.destroy(root, acl)

    def _put(self, root: Element, acl: Acl, wanted: Mapping[str, Ranked]) -> None:
        """Make the entries of each tag exactly these rules, each with its rank, and all of ours stand in order."""
        entries = self.adapter.entries(acl)
        held = {e.mark: e for e in entries if e.mark}
        new: dict[Mark, PacketRule] = {}
        for tag, rules in wanted.items():
            ranked = sorted(rules, key=lambda pair: pair[0])
            mine = sorted(mark for mark in held if mark.tag == tag)
            if self._says(root, acl, [held[mark] for mark in mine], ranked):
                continue
            for mark in mine:
                self.adapter.erase(root, acl, held.pop(mark))
            new |= {Mark(rank, tag, number): rule for number, (rank, rule) in enumerate(ranked)}
        room = room_in(self.adapter, acl, entries)
        numbers = numbered({mark: entry.number for mark, entry in held.items()}, list(new), room)
        if numbers is None:
            raise DialectError(self._crowded(root, acl, entries, len(held) + len(new), room.holds))
        for mark, entry in held.items():
            if entry.number != numbers[mark]:
                self.adapter.renumber(root, acl, entry, numbers[mark])
        for mark, rule in new.items():
            self.adapter.write(root, acl, numbers[mark], str(mark), rule)

    def _says(self, root: Element, acl: Acl, mine: Sequence[Entry], ranked: Ranked) -> bool:
        """Whether the entries of a tag are these rules already."""
        if [e.mark.rank for e in mine if e.mark] != [rank for rank, _ in ranked]:
            return False
        pairs = zip(mine, ranked, strict=True)
        return all(self.adapter.meaning(root, acl, e, e.label or "").says(rule) for e, (_, rule) in pairs)

    def _settle_rest(self, root: Element, acl: Acl) -> None:
        """Close an ACL with a permit of ours where, without our entries, what nothing matches would pass."""
        entries = self.adapter.entries(acl)
        rests = [e for e in entries if e.is_rest]
        if self.adapter.is_own(acl):
            needed = not (self.adapter.chained and Survey(self.adapter, root).followed(acl))
        else:
            needed = self._opens(acl, [e for e in entries if not e.is_rest])
        if needed and not rests:
            permit_rest(self.adapter, root, acl, PERMIT_REST_KEPT)
        for entry in rests if not needed else ():
            self.adapter.erase(root, acl, entry)

    def _opens(self, acl: Acl, entries: Sequence[Entry]) -> bool:
        """Whether a foreign ACL lets pass what nothing matches, and our entries alone would end that."""
        foreign = [e for e in entries if e.mark is None]
        passes = self.adapter.unmatched(acl, foreign) is RuleAction.PERMIT
        return len(foreign) < len(entries) and passes and self.adapter.unmatched(acl, entries) is not RuleAction.PERMIT

    def _crowded(self, root: Element, acl: Acl, entries: Sequence[Entry], wanted: int, holds: int) -> str:
        foreign = next((e.number for e in entries if e.mark is None), 0)
        places = ", ".join(str(p) for p in Survey(self.adapter, root).uses(acl.key))
        return (
            f"acl {acl.name} (IPv{acl.family}) at {places} has room for {holds} of our {wanted} entries before its "
            f"entry {foreign}: renumber it so that more numbers from {self.adapter.numbers.start} on are free"
        )
