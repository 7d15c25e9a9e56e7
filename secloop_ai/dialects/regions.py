"""Sets of packets, as far as one filter rule can describe them, and what an ordered list of rules does with them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from secloop_ai.contracts import Family, IPNetwork, PacketRule, PortRange, RuleAction


class Fate(NamedTuple):
    """What happens to a region: one action, but for some parts of it.

    Attributes:
        action: as text, with its rate.
        rule: name of the rule that decides; None: no rule matches.
        except_for: parts with another action, each as text.
    """

    action: str
    rule: str | None
    except_for: tuple[str, ...]

    def __str__(self) -> str:
        shown = ", ".join(self.except_for[:3])
        more = f" and {len(self.except_for) - 3} more" if len(self.except_for) > 3 else ""  # noqa: PLR2004
        return f"{self.action} (except {shown}{more})" if self.except_for else self.action


def verdict(rule: PacketRule) -> str:
    """A rule's action as text."""
    limit = f" up to {rule.rate_bytes_per_s:g} B/s" if rule.rate_bytes_per_s else ""
    return f"{rule.action}{limit}"


def described(region: PacketRule, family: Family) -> str:
    """A region as text: the rule's fields without its action."""
    text = str(region.model_copy(update={"rate_bytes_per_s": None})).partition(" ")[2]
    return text if region.source or region.destination else f"{text} (IPv{family})"


def covers(rule: PacketRule, region: PacketRule) -> bool:
    """Whether the rule matches every packet of the region."""
    return (
        rule.protocol in (None, region.protocol)
        and _within(region.source, rule.source)
        and _within(region.destination, rule.destination)
        and _inside(region.source_port, rule.source_port)
        and _inside(region.destination_port, rule.destination_port)
    )


def intersection(one: PacketRule, other: PacketRule) -> PacketRule:
    """The packets that both match; the two must overlap. Name and action are the first's."""
    return one.model_copy(
        update={
            "protocol": other.protocol if one.protocol is None else one.protocol,
            "source": _narrower(one.source, other.source),
            "destination": _narrower(one.destination, other.destination),
            "source_port": _common(one.source_port, other.source_port),
            "destination_port": _common(one.destination_port, other.destination_port),
        }
    )


def fate(rules: Iterable[PacketRule], region: PacketRule, family: Family) -> Fate:
    """What the rules, in order, do with the region; what no rule matches passes."""
    parts: list[tuple[PacketRule, PacketRule]] = []
    action, name = str(RuleAction.PERMIT), None
    for rule in rules:
        if not rule.overlaps(region):
            continue
        if covers(rule, region):
            action, name = verdict(rule), rule.name
            break
        part = intersection(region, rule)
        if not any(covers(earlier, part) for earlier, _ in parts):
            parts.append((rule, part))
    others = [f"{verdict(r)} {described(part, family)}" for r, part in parts if verdict(r) != action]
    return Fate(action, name, tuple(others))


def _within(inner: IPNetwork | None, outer: IPNetwork | None) -> bool:
    if outer is None or outer == inner:
        return True
    if inner is None:
        return False
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type] # same version


def _inside(inner: PortRange | None, outer: PortRange | None) -> bool:
    return outer is None or (inner is not None and outer.low <= inner.low and inner.high <= outer.high)


def _narrower(one: IPNetwork | None, other: IPNetwork | None) -> IPNetwork | None:
    if one is None or other is None:
        return one or other
    return one if one.prefixlen >= other.prefixlen else other


def _common(one: PortRange | None, other: PortRange | None) -> PortRange | None:
    if one is None or other is None:
        return one or other
    return PortRange(low=max(one.low, other.low), high=min(one.high, other.high))
