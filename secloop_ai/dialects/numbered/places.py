"""Where an operation's entries go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from secloop_ai.contracts import Family, FilterOp, PacketRule, RuleAction
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.marks import PERMIT_REST
from secloop_ai.dialects.xml import Element

from .adapter import PERMIT_REST_KEPT, Acl, Adapter, Attached, Entry, Place
from .numbering import Room

Key = tuple[str, Family | None]


@dataclass(frozen=True)
class Survey:
    """What is on a device, read once, when it is first asked for; a change calls for a new one."""

    adapter: Adapter
    root: Element

    @cached_property
    def acls(self) -> dict[Key, Acl]:
        """The ACLs by name and family, in document order."""
        found: dict[Key, Acl] = {}
        for acl in self.adapter.acls(self.root):
            found.setdefault(acl.key, acl)
        return found

    @cached_property
    def attached(self) -> list[Attached]:
        """Every attachment; those of one place in order of evaluation."""
        return list(self.adapter.attachments(self.root))

    def uses(self, key: Key) -> list[Place]:
        """Where an ACL is attached."""
        return [a.place for a in self.attached if a.key == key]

    def held_at(self, op: FilterOp) -> list[Attached]:
        """The ACLs of the operation's family at its place, in order."""
        place = Place(op.interface, op.direction)
        return [a for a in self.attached if a.family == op.family and a.place == place]

    def followed(self, acl: Acl) -> bool:
        """Whether another ACL of the family stands behind this one at some place."""
        everywhere: dict[Place, list[Attached]] = {}
        for attached in self.attached:
            if attached.family == acl.family:
                everywhere.setdefault(attached.place, []).append(attached)
        return any(acl.key in [a.key for a in held[:-1]] for held in everywhere.values())


def room_in(adapter: Adapter, acl: Acl, entries: Sequence[Entry]) -> Room:
    """The numbers before everything that is not ours."""
    foreign = [e.number for e in entries if e.mark is None and not e.is_rest]
    rests = [e.number for e in entries if e.is_rest]
    limit = min([*foreign, *rests], default=adapter.rest)
    return Room(adapter.numbers.start, limit, adapter.span_in(acl), adapter.step)


def host(adapter: Adapter, root: Element, tag: str, op: FilterOp) -> Acl:
    """The ACL that takes the operation's entries; our own is made and attached when it has to be.

    Raises:
        DialectError: the place has an ACL that cannot take them, and no second one can stand beside it.
    """
    there = Survey(adapter, root)
    held = there.held_at(op)
    if not held:
        return _own(there, op, first=False)
    first = there.acls.get(held[0].key)
    if first is not None and (adapter.chained or len(held) == 1) and _takes(there, first, tag, op):
        return first
    if adapter.chained:
        return _own(there, op, first=True)
    raise DialectError(_refusal(there, op, held, first))


def permit_rest(adapter: Adapter, root: Element, acl: Acl, label: str) -> None:
    """Close an ACL with a permit of ours."""
    last = max((e.number for e in adapter.entries(acl)), default=0)
    number = adapter.rest if last < adapter.rest else last + adapter.step
    adapter.write(root, acl, number, label, PacketRule(name=label, action=RuleAction.PERMIT))


def _takes(there: Survey, acl: Acl, tag: str, op: FilterOp) -> bool:
    """Whether our entries may stand in an ACL: no other place feels them, and there is room.

    Where several may stand at one place, one that is too full is as good as one that is shared.
    """
    adapter = there.adapter
    if acl.name == adapter.own_name(op):
        return True
    entries = adapter.entries(acl)
    if len(there.uses(acl.key)) != 1 or adapter.refuses(acl, entries):
        return False
    if not adapter.chained:
        return True
    marks = [e.mark for e in entries if e.mark]
    known = any(mark.tag == tag for mark in marks)
    return known or room_in(adapter, acl, entries).holds >= len(marks) + len(op.rules)


def _refusal(there: Survey, op: FilterOp, held: Sequence[Attached], first: Acl | None) -> str:
    adapter = there.adapter
    place = f"{op.interface} {op.direction}"
    names = " and ".join(a.name for a in held)
    if len(held) > 1:
        return f"{place} has several IPv{op.family} ACLs in no order ({names}): leave one of them there"
    if first is None:
        return f"acl {names} is attached at {place} but not in the configuration: create it or detach it"
    if why := adapter.refuses(first, adapter.entries(first)):
        return f"acl {names} (IPv{op.family}) at {place} {why}"
    others = ", ".join(str(p) for p in there.uses(first.key) if str(p) != place)
    return (
        f"acl {names} (IPv{op.family}) at {place} is attached at {others} too, where our entries would be felt, and "
        f"only one such ACL may stand at a place: attach a copy of it at {place}"
    )


def _own(there: Survey, op: FilterOp, *, first: bool) -> Acl:
    adapter, root, name = there.adapter, there.root, there.adapter.own_name(op)
    own = there.acls.get((name, op.family))
    if own is None:
        kept = adapter.point(root, op.interface) is not None and not _there_for_us(there, op.interface)
        own = adapter.create(root, name, op.family)
        permit_rest(adapter, root, own, PERMIT_REST_KEPT if kept else PERMIT_REST)
    adapter.attach(root, Place(op.interface, op.direction), own, first=first)
    return own


def _there_for_us(there: Survey, interface: str) -> bool:
    """Whether an interface has attachment settings because of us alone."""
    held = [there.acls.get(a.key) for a in there.attached if a.place.interface == interface]
    return bool(held) and all(
        acl is not None and any(e.label == PERMIT_REST for e in there.adapter.entries(acl)) for acl in held
    )
