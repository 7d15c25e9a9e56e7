"""Where an operation's entries go."""

from __future__ import annotations

from collections.abc import Sequence

from secloop_ai.contracts import Family, FilterOp, PacketRule, RuleAction
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.marks import PERMIT_REST
from secloop_ai.dialects.xml import Element

from .adapter import PERMIT_REST_KEPT, Acl, Adapter, Attached, Entry, Place
from .numbering import Room


def find(adapter: Adapter, root: Element, key: tuple[str, Family | None]) -> Acl | None:
    """The ACL of that name and family."""
    return next((acl for acl in adapter.acls(root) if acl.key == key), None)


def uses(adapter: Adapter, root: Element, key: tuple[str, Family | None]) -> list[Place]:
    """Where an ACL is attached."""
    return [a.place for a in adapter.attachments(root) if a.key == key]


def held_at(adapter: Adapter, root: Element, op: FilterOp) -> list[Attached]:
    """The ACLs of the operation's family at its place, in order."""
    place = Place(op.interface, op.direction)
    return [a for a in adapter.attachments(root) if a.place == place and a.family == op.family]


def followed(adapter: Adapter, root: Element, acl: Acl) -> bool:
    """Whether another ACL of the family stands behind this one at some place."""
    everywhere: dict[Place, list[Attached]] = {}
    for attached in adapter.attachments(root):
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
    held = held_at(adapter, root, op)
    if not held:
        return _own(adapter, root, op, first=False)
    first = find(adapter, root, held[0].key)
    if first is not None and (adapter.chained or len(held) == 1) and _takes(adapter, root, first, tag, op):
        return first
    if adapter.chained:
        return _own(adapter, root, op, first=True)
    raise DialectError(_refusal(adapter, root, op, held, first))


def permit_rest(adapter: Adapter, root: Element, acl: Acl, label: str) -> None:
    """Close an ACL with a permit of ours."""
    last = max((e.number for e in adapter.entries(acl)), default=0)
    number = adapter.rest if last < adapter.rest else last + adapter.step
    adapter.write(root, acl, number, label, PacketRule(name=label, action=RuleAction.PERMIT))


def _takes(adapter: Adapter, root: Element, acl: Acl, tag: str, op: FilterOp) -> bool:
    """Whether our entries may stand in an ACL: no other place feels them, and there is room.

    Where several may stand at one place, one that is too full is as good as one that is shared.
    """
    if acl.name == adapter.own_name(op):
        return True
    entries = adapter.entries(acl)
    if len(uses(adapter, root, acl.key)) != 1 or adapter.refuses(acl, entries):
        return False
    if not adapter.chained:
        return True
    marks = [e.mark for e in entries if e.mark]
    there = any(mark.tag == tag for mark in marks)
    return there or room_in(adapter, acl, entries).holds >= len(marks) + len(op.rules)


def _refusal(adapter: Adapter, root: Element, op: FilterOp, held: Sequence[Attached], first: Acl | None) -> str:
    place = f"{op.interface} {op.direction}"
    names = " and ".join(a.name for a in held)
    if len(held) > 1:
        return f"{place} has several IPv{op.family} ACLs in no order ({names}): leave one of them there"
    if first is None:
        return f"acl {names} is attached at {place} but not in the configuration: create it or detach it"
    if why := adapter.refuses(first, adapter.entries(first)):
        return f"acl {names} (IPv{op.family}) at {place} {why}"
    others = ", ".join(str(p) for p in uses(adapter, root, first.key) if str(p) != place)
    return (
        f"acl {names} (IPv{op.family}) at {place} is attached at {others} too, where our entries would be felt, and "
        f"only one such ACL may stand at a place: attach a copy of it at {place}"
    )


def _own(adapter: Adapter, root: Element, op: FilterOp, *, first: bool) -> Acl:
    name = adapter.own_name(op)
    own = find(adapter, root, (name, op.family))
    if own is None:
        kept = adapter.point(root, op.interface) is not None and not _there_for_us(adapter, root, op.interface)
        own = adapter.create(root, name, op.family)
        permit_rest(adapter, root, own, PERMIT_REST_KEPT if kept else PERMIT_REST)
    adapter.attach(root, Place(op.interface, op.direction), own, first=first)
    return own


def _there_for_us(adapter: Adapter, root: Element, interface: str) -> bool:
    """Whether an interface has attachment settings because of us alone."""
    held = [find(adapter, root, a.key) for a in adapter.attachments(root) if a.place.interface == interface]
    return bool(held) and all(
        acl is not None and any(e.label == PERMIT_REST for e in adapter.entries(acl)) for acl in held
    )
