"""What a change does to traffic, and what it changes in the document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher, unified_diff

from secloop_ai.contracts import DeviceModel, Direction, Family, PacketRule

from .regions import covers, described, fate, verdict

_FAMILIES: tuple[Family, ...] = (4, 6)


def traffic_diff(before: DeviceModel, after: DeviceModel) -> tuple[str, ...]:
    """One line per region of packets whose fate changes, per interface and direction; then links and routes.

    A region is what one new, changed, moved or removed rule matches, unless an earlier rule takes all of it. A
    region whose packets met several fates is said as the main one and the parts that differ.
    """
    places = dict.fromkeys((a.interface, a.direction) for m in (before, after) for a in m.attachments)
    lines: dict[str, None] = {}
    for interface, direction in places:
        for family in _FAMILIES:
            old, new = (_rules(m, interface, direction, family) for m in (before, after))
            lines |= dict.fromkeys(f"{interface} {direction}: {line}" for line in _filter_lines(old, new, family))
    return (*lines, *_link_lines(before, after), *_discard_lines(before, after))


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


def _filter_lines(old: Sequence[PacketRule], new: Sequence[PacketRule], family: Family) -> Iterator[str]:
    """A line per changed rule that decides about something; a rule that stays in its order is not one."""
    to_new, to_old = _matched(old, new)
    said: set[tuple[str, str, str]] = set()
    for at, rule in enumerate(new):
        if at in to_old or any(covers(r, rule) for r in new[:at]):
            continue
        was = fate((r for i, r in enumerate(old) if to_new.get(i, at) >= at), rule, family)
        if was.action != verdict(rule) or was.except_for:
            line = (described(rule, family), str(was), verdict(rule))
            said.add(line)
            yield f"{line[0]}: {line[1]} -> {line[2]} (by {rule.name})"
    for at, rule in enumerate(old):
        if at in to_new or any(covers(r, rule) for r in old[:at]):
            continue
        now = fate((r for j, r in enumerate(new) if to_old.get(j, at) >= at), rule, family)
        line = (described(rule, family), verdict(rule), str(now))
        if (now.action != verdict(rule) or now.except_for) and line not in said:
            yield f"{line[0]}: {line[1]} -> {line[2]} (without {rule.name})"


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
