"""The filter entries of one mitigation, as they were put on a device and as they are there now. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from secloop_ai.contracts import DeviceModel, Direction, Family, FilterOp, PacketRule, RuleAction
from secloop_ai.dialects.marks import Mark, mark_of
from secloop_ai.dialects.regions import covers

Place = tuple[str, Direction, Family]


class DriftKind(StrEnum):
    """How a device departs from the ledger."""

    MISSING = "missing"
    CHANGED = "changed"
    MOVED = "moved"
    SHADOWED = "shadowed"
    DETACHED = "detached"
    REENABLED = "re-enabled"
    UNROUTED = "unrouted"
    ORPHAN = "orphan"
    UNREACHABLE = "unreachable"
    UNREADABLE = "unreadable"


class Departure(NamedTuple):
    """Something of a mitigation that is not as it was put: in which way, where, and what is there instead."""

    kind: DriftKind
    where: str
    detail: str


class Held(NamedTuple):
    """An entry of a device.

    Attributes:
        rule: without what its family implies anyway.
    """

    acl: str
    rule: PacketRule
    mark: Mark | None

    def __str__(self) -> str:
        return f"entry {self.rule.name} of ACL {self.acl} ('{self.rule}')"


def departures(model: DeviceModel, tag: str, ops: Sequence[FilterOp]) -> Iterator[Departure]:
    """One for each rule of a mitigation that is not in effect as it was put, and for each entry nobody put there."""
    wanted: dict[Place, list[PacketRule]] = defaultdict(list)
    for op in sorted(ops, key=lambda o: o.rank):
        wanted[op.interface, op.direction, op.family] += [plain(rule, op.family) for rule in op.rules]
    for place, rules in wanted.items():
        where = f"{place[0]} {place[1]}"
        for kind, detail in _at(model, tag, place, rules, wanted):
            yield Departure(kind, where, detail)


def plain(rule: PacketRule, family: Family) -> PacketRule:
    """The rule of a family without prefixes of length 0, which say nothing but that family."""
    fields = {
        name: None
        for name in ("source", "destination")
        if (net := getattr(rule, name)) is not None and net.prefixlen == 0 and net.version == family
    }
    return rule.model_copy(update=fields) if fields else rule


def entries_at(model: DeviceModel, place: Place) -> list[Held]:
    """The entries a packet of the family meets at a place, in order."""
    interface, direction, family = place
    return [
        Held(acl.name, plain(rule, family), mark_of(rule.name))
        for acl in model.attached(interface, direction)
        if acl.family in (None, family)
        for rule in acl.rules
        if _version(rule) in (None, family)
    ]


def _at(
    model: DeviceModel, tag: str, place: Place, rules: Sequence[PacketRule], places: Iterable[Place]
) -> Iterator[tuple[DriftKind, str]]:
    there = entries_at(model, place)
    mine = [n for n, held in enumerate(there) if held.mark and held.mark.tag == tag]
    absent: list[PacketRule] = []
    for rule in rules:
        at = next((n for n in mine if there[n].rule.same_effect(rule)), None)
        if at is None:
            absent.append(rule)
        else:
            mine.remove(at)
            yield from _overtaken(there, at)
    strays = [there[n] for n in mine if not any(there[n].rule.same_effect(rule) for rule in rules)]
    yield from _absent(model, tag, place, absent, strays, places)


def _absent(
    model: DeviceModel,
    tag: str,
    place: Place,
    absent: Sequence[PacketRule],
    strays: Sequence[Held],
    places: Iterable[Place],
) -> Iterator[tuple[DriftKind, str]]:
    """What became of rules that do not stand where they were put, and of entries that nobody put there."""
    left = list(strays)
    loose = _elsewhere(model, tag, place, places)
    for rule in absent:
        at = next((held for held in loose if held.rule.same_effect(rule)), None)
        if at is not None:
            yield DriftKind.DETACHED, f"'{rule}' stands in ACL {at.acl}, which {_hangs(model, at.acl)}"
        elif left:
            yield DriftKind.CHANGED, f"{left.pop(0)} was put as '{rule}'"
        else:
            yield DriftKind.MISSING, f"'{rule}' is gone"
    for held in left:
        yield DriftKind.CHANGED, f"{held} has our mark, but was not put there"


def _elsewhere(model: DeviceModel, tag: str, place: Place, places: Iterable[Place]) -> list[Held]:
    """Entries of a mitigation in ACLs that hang at none of the places where it belongs."""
    belongs = {(interface, direction) for interface, direction, _ in places}
    hung = {name for a in model.attachments if (a.interface, a.direction) in belongs for name in a.acls}
    return [
        Held(acl.name, plain(rule, place[2]), mark)
        for acl in model.acls
        if acl.name not in hung and acl.family in (None, place[2])
        for rule in acl.rules
        if (mark := mark_of(rule.name)) and mark.tag == tag
    ]


def _hangs(model: DeviceModel, acl: str) -> str:
    where = [f"{a.interface} {a.direction}" for a in model.attachments if acl in a.acls]
    return f"is attached to {', '.join(where)} instead" if where else "is not attached any more"


def _overtaken(there: Sequence[Held], at: int) -> Iterator[tuple[DriftKind, str]]:
    """Whether an earlier entry that does not belong before this one does something else with its packets."""
    own = there[at]
    for held in there[:at]:
        if not held.rule.overlaps(own.rule) or _same_end(held.rule, own.rule):
            continue
        how = "every packet" if covers(held.rule, own.rule) else "packets"
        if held.mark is None:
            yield DriftKind.SHADOWED, f"{held} takes {how} before '{own.rule}'"
            return
        if own.mark is not None and held.mark > own.mark:
            yield DriftKind.MOVED, f"{held}, which belongs behind it, takes {how} before '{own.rule}'"
            return


def _same_end(one: PacketRule, other: PacketRule) -> bool:
    """Whether a packet ends alike: refused either way, or let through at the same rate."""
    permits = [r.action is RuleAction.PERMIT for r in (one, other)]
    return permits[0] == permits[1] and one.rate_bytes_per_s == other.rate_bytes_per_s


def _version(rule: PacketRule) -> int | None:
    network = rule.source or rule.destination
    return None if network is None else network.version
