"""Which of our entries have a rate limit, and what classes of traffic follow from that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from secloop_ai.contracts import AclModel, Family, PacketRule, RuleAction
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.marks import Mark, mark_of
from secloop_ai.dialects.numbered import Acl, Adapter, Place
from secloop_ai.dialects.xml import Element

from . import names as n

_BITS = 8


class Spot(NamedTuple):
    """Where the entries of one mitigation stand together."""

    place: Place
    family: Family
    tag: str


class Asked(NamedTuple):
    """What an entry of an operation at hand says, and its rate.

    Attributes:
        bits_per_s: None: without a limit.
    """

    rule: PacketRule
    bits_per_s: int | None


Rates = Mapping[Spot, Sequence[Asked]]
"""A mitigation's entries there, in their order."""


@dataclass(frozen=True, slots=True)
class Limited:
    """A permit of ours in an access list.

    Attributes:
        rule: it permits.
        name: of its class, and of the access list that says what is in it.
        bits_per_s: None: without a limit.
    """

    name: str
    family: Family
    rule: PacketRule
    bits_per_s: int | None


class Policed(NamedTuple):
    """A class of ours as it was read: what it matches, and its rate."""

    rule: PacketRule
    bits_per_s: int

    @property
    def rate_bytes_per_s(self) -> float:
        """The rate as rules have it."""
        return self.bits_per_s / _BITS


def class_name(mark: Mark, acl: str, family: Family) -> str:
    """Name of the class for an entry of ours."""
    return f"{mark}-{sha256(f'{acl}/v{family}'.encode()).hexdigest()[:6]}"


def bits_of(rule: PacketRule) -> int | None:
    """The rate of a limit in bits per second.

    Raises:
        DialectError: a policer cannot have it.
    """
    if rule.rate_bytes_per_s is None:
        return None
    bits = rule.rate_bytes_per_s * _BITS
    if bits != int(bits) or not n.LEAST_BITS_PER_S <= bits <= n.MOST_BITS_PER_S:
        raise DialectError(
            f"rule {rule.name}: a rate of {rule.rate_bytes_per_s!r} bytes per second; a policer takes whole bits per "
            f"second from {n.LEAST_BITS_PER_S} to {n.MOST_BITS_PER_S}, which are bytes per second times {_BITS}"
        )
    return int(bits)


def permits(
    lists: Adapter, root: Element, acl: Acl, place: Place, rates: Rates, held: Mapping[str, Policed]
) -> Iterator[Limited]:
    """Our permits in a list, in order; `rates` are those of the operations at hand, `held` what there was."""
    counts: dict[str, int] = {}
    for entry in lists.entries(acl):
        mark = entry.mark
        if mark is None or acl.family is None:
            continue
        position = counts.get(mark.tag, 0)
        counts[mark.tag] = position + 1
        name = class_name(mark, acl.name, acl.family)
        new, was = rates.get(Spot(place, acl.family, mark.tag)), held.get(name)
        rules: tuple[PacketRule, ...]
        if new is not None:  # just written, or found to be the same
            rules, bits = (new[position].rule,), new[position].bits_per_s
        else:
            rules, bits = lists.meaning(root, acl, entry, name).rules, was.bits_per_s if was else None
        for rule in rules:
            if rule.action is RuleAction.PERMIT:
                yield Limited(name, acl.family, rule, bits)


def classes(found: Sequence[Limited]) -> list[Limited]:
    """The classes that make the limits hold, in order: those with a rate, and permits that some packets meet first."""
    return [
        one
        for at, one in enumerate(found)
        if one.bits_per_s is not None
        or any(
            later.bits_per_s is not None and later.family == one.family and one.rule.overlaps(later.rule)
            for later in found[at + 1 :]
        )
    ]


def with_rates(model: AclModel, key: tuple[str, Family | None], held: Mapping[str, Policed]) -> AclModel:
    """The model of a list, its permits with the rate of their class."""
    name, family = key
    if family is None:
        return model
    rules = []
    for rule in model.rules:
        mark = mark_of(rule.name)
        limit = held.get(class_name(mark, name, family)) if mark else None
        if limit and rule.action is RuleAction.PERMIT and limit.rule.same_effect(rule):
            rule = rule.model_copy(update={"rate_bytes_per_s": limit.rate_bytes_per_s})  # noqa: PLW2901 - the same rule
        rules.append(rule)
    return model.model_copy(update={"rules": tuple(rules)})
