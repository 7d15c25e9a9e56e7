"""What a change does to traffic, and what it changes in the document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher, unified_diff
from typing import NamedTuple

from secloop_ai.contracts import DeviceModel, Direction, Family, Packet, PacketRule, RuleAction

from .boxes import Box, left_of
from .regions import covers, described, intersection, verdict

_FAMILIES: tuple[Family, ...] = (4, 6)
_SHOWN = 3
"""So many parts of a region are named; the rest is counted."""


class Part(NamedTuple):
    """Packets of a region that one rule of a list decides.

    Attributes:
        at: place of the rule in its list; None for what no rule matches, which passes.
        region: what both match; packets that an earlier rule decides are in it, too.
        witness: a packet the rule really decides.
    """

    at: int | None
    rule: PacketRule | None
    region: PacketRule
    witness: Packet

    @property
    def verdict(self) -> str:
        """What happens to its packets."""
        return verdict(self.rule) if self.rule else str(RuleAction.PERMIT)


class Told(NamedTuple):
    """The fate of a region's packets.

    Attributes:
        rest: what happens to those in none of the parts.
        parts: regions with other verdicts; the first that a packet is in counts.
    """

    rest: str
    parts: tuple[tuple[PacketRule, str], ...] = ()

    def of(self, packet: Packet) -> str:
        """The verdict on a packet of the region."""
        return next((said for part, said in self.parts if part.matches(packet)), self.rest)

    def text(self, family: Family) -> str:
        """In words."""
        said = [f"{verdict} {described(part, family)}" for part, verdict in self.parts]
        return f"{self.rest} (except {_few(said)})" if said else self.rest


def _few(said: Sequence[str]) -> str:
    more = f" and {len(said) - _SHOWN} more" if len(said) > _SHOWN else ""
    return ", ".join(said[:_SHOWN]) + more


class TrafficChange(NamedTuple):
    """Packets whose fate changes at one side of an interface.

    Attributes:
        region: they are in it.
        but_for: parts of the region that are not meant: an earlier rule decides about them.
        was, now: what happens to the region's packets outside those parts; alike where they agree.
        because: which rule came or went.
        witness: one of them.
    """

    interface: str
    direction: Direction
    family: Family
    region: PacketRule
    but_for: tuple[PacketRule, ...]
    was: Told
    now: Told
    because: str
    witness: Packet

    def __str__(self) -> str:
        outside = f", but for {_few([described(part, self.family) for part in self.but_for])}" if self.but_for else ""
        where = f"{self.interface} {self.direction}: {described(self.region, self.family)}{outside}"
        return f"{where}: {self.was.text(self.family)} -> {self.now.text(self.family)} ({self.because})"


def traffic_diff(before: DeviceModel, after: DeviceModel) -> tuple[str, ...]:
    """One line per region of packets whose fate changes, per interface and direction; then links and routes.

    A region is what one new, changed, moved or removed rule decides. A region whose packets met several fates is
    said as the main one and the parts that differ; parts that other rules decide are left out of it.
    """
    lines = dict.fromkeys(map(str, traffic_changes(before, after)))
    return (*lines, *_link_lines(before, after), *_discard_lines(before, after))


def traffic_changes(before: DeviceModel, after: DeviceModel) -> Iterator[TrafficChange]:
    """What the filters of two states do differently: nothing where every packet fares as before.

    A packet's fate is its rule's action with its rate; where no rule matches it passes.
    """
    places = dict.fromkeys((a.interface, a.direction) for m in (before, after) for a in m.attachments)
    for interface, direction in places:
        for family in _FAMILIES:
            old, new = (_rules(m, interface, direction, family) for m in (before, after))
            for change in _Lists(old, new, family).changes():
                yield TrafficChange(interface, direction, family, *change)


def document_diff(before_pretty: str, after_pretty: str) -> str:
    """The unified diff of two pretty-printed configurations; empty when they are equal."""
    old, new = before_pretty.splitlines(keepends=True), after_pretty.splitlines(keepends=True)
    return "".join(unified_diff(old, new, "before", "after"))


def _rules(model: DeviceModel, interface: str, direction: Direction, family: Family) -> list[PacketRule]:
    """The rules a packet of the family meets on that side of the interface, in order."""
    acls = [acl for acl in model.attached(interface, direction) if acl.family in (None, family)]
    return [rule for acl in acls for rule in acl.rules if _version(rule) in (None, family)]


def _version(rule: PacketRule) -> int | None:
    network = rule.source or rule.destination
    return None if network is None else network.version


_Change = tuple[PacketRule, tuple[PacketRule, ...], Told, Told, str, Packet]


class _Lists:
    """The rules before and after at one place, for one family.

    A packet whose fate changes is decided after by a rule that is new there (or has moved), or else was decided
    before by one that has gone: what stays in its order on both sides decides alike.
    """

    def __init__(self, old: Sequence[PacketRule], new: Sequence[PacketRule], family: Family) -> None:
        self.old, self.new, self.family = old, new, family
        self.to_new, self.to_old = _matched(old, new)
        self.old_boxes, self.new_boxes = ([Box.of(r, family) for r in rules] for rules in (old, new))

    def changes(self) -> Iterator[_Change]:
        """The changes, those of new rules first."""
        for at, rule in enumerate(self.new):
            if at not in self.to_old:
                yield from self._came(at, rule)
        for at, rule in enumerate(self.old):
            if at not in self.to_new:
                yield from self._went(at, rule)

    def _came(self, at: int, rule: PacketRule) -> Iterator[_Change]:
        parts = self._parts(rule, self.old, self.old_boxes, taken=self.new_boxes[:at])
        changed = [part for part in parts if part.verdict != verdict(rule)]
        if changed:
            outside = self._takers(rule, self.new[:at], self.new_boxes[:at])
            yield rule, outside, _told(parts), Told(verdict(rule)), f"by {rule.name}", changed[0].witness

    def _went(self, at: int, rule: PacketRule) -> Iterator[_Change]:
        """Packets that a rule which came decides about are told of there."""
        parts = self._parts(rule, self.new, self.new_boxes, taken=self.old_boxes[:at])
        changed = [p for p in parts if p.verdict != verdict(rule) and (p.at is None or p.at in self.to_old)]
        if changed:
            outside = self._takers(rule, self.old[:at], self.old_boxes[:at])
            yield rule, outside, Told(verdict(rule)), _told(parts), f"without {rule.name}", changed[0].witness

    def _takers(self, region: PacketRule, rules: Sequence[PacketRule], boxes: Sequence[Box]) -> tuple[PacketRule, ...]:
        """The parts of a region that these rules decide about."""
        return tuple(part.region for part in self._parts(region, rules, boxes) if part.rule)

    def _parts(
        self, region: PacketRule, rules: Sequence[PacketRule], boxes: Sequence[Box], *, taken: Sequence[Box] = ()
    ) -> list[Part]:
        """Who decides about the region's packets outside the taken boxes: rules in their order, at last none."""
        whole = Box.of(region, self.family)
        before = [box for box in taken if box.meets(whole)]
        found: list[Part] = []
        for at, (rule, box) in enumerate(zip(rules, boxes, strict=True)):
            if not box.meets(whole):
                continue
            part = region if covers(rule, region) else intersection(region, rule)
            if witness := left_of(Box.of(part, self.family), before, self.family):
                found.append(Part(at, rule, part, witness))
            if part is region:
                return found
            before.append(box)
        if witness := left_of(whole, before, self.family):
            found.append(Part(None, None, region, witness))
        return found


def _told(parts: Sequence[Part]) -> Told:
    """The last part, which is the rest, and those before it whose packets fare otherwise or are held out of such."""
    rest = parts[-1].verdict
    held: list[Part] = []
    for part in reversed(parts[:-1]):
        if part.verdict != rest or any(part.region.overlaps(p.region) for p in held):
            held.append(part)
    return Told(rest, tuple(dict.fromkeys((p.region, p.verdict) for p in reversed(held))))


def _matched(old: Sequence[PacketRule], new: Sequence[PacketRule]) -> tuple[dict[int, int], dict[int, int]]:
    """Index in the other list of each rule that stays, in order, whatever its name."""
    matcher = SequenceMatcher(a=[_effect(r) for r in old], b=[_effect(r) for r in new], autojunk=False)
    pairs = [(m.a + i, m.b + i) for m in matcher.get_matching_blocks() for i in range(m.size)]
    return dict(pairs), {j: i for i, j in pairs}


def _effect(rule: PacketRule) -> tuple[object, ...]:
    fields = (rule.action, rule.protocol, rule.source, rule.destination)
    return (*fields, rule.source_port, rule.destination_port, rule.rate_bytes_per_s)


def _link_lines(before: DeviceModel, after: DeviceModel) -> Iterator[str]:
    words = {True: "up", False: "down"}
    for name in dict.fromkeys(i.name for m in (before, after) for i in m.interfaces):
        was, now = before.is_up(name), after.is_up(name)
        if was != now:
            yield f"{name}: link {words[was]} -> {words[now]}"


def _discard_lines(before: DeviceModel, after: DeviceModel) -> Iterator[str]:
    was, now = ({d.prefix: d.tag for d in m.discards} for m in (before, after))
    for prefix in (p for p in now if p not in was):
        yield f"to {prefix}: routed -> discarded (by {now[prefix] or 'a route of no mitigation'})"
    for prefix in (p for p in was if p not in now):
        yield f"to {prefix}: discarded -> routed (without {was[prefix] or 'a route of no mitigation'})"
