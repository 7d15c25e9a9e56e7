"""What makes the splits honest, as checks: a test runs them, and so does the report."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from labs.scenario import Kind, Scenario, Split, Suite

BENIGN_SHARE = 0.20
"""False alarms and quiet periods in each split."""
BENIGN_SLACK = 0.03
FEWEST_FAMILIES = 8
"""Attack families of a suite, over all its splits."""
Shape = tuple[object, ...]
SEEN_BEFORE: dict[Split, tuple[Split, ...]] = {
    Split.TRAIN: (),
    Split.VALIDATION: (Split.TRAIN,),
    Split.TEST: (Split.TRAIN, Split.VALIDATION),
}
"""Splits that somebody who is judged on a split may have learned from."""


def shape(scenario: Scenario) -> Shape:
    """The topology without names and hosts: the tree of gateways, each with its zones, switched or routed."""
    switched = {z.name: z.switched for z in scenario.zones}
    top = next(g for g in scenario.gateways if g.uplink is None)

    def below(name: str) -> Shape:
        gateway = next(g for g in scenario.gateways if g.name == name)
        zones = sorted(switched[z] for z in gateway.zones)
        return (tuple(zones), tuple(sorted((below(g.name) for g in scenario.gateways if g.uplink == name), key=repr)))

    return below(top.name)


def attack_means(scenarios: Iterable[Scenario]) -> frozenset[str]:
    """Every means that some attack uses."""
    return frozenset(step.means for s in scenarios if s.kind is Kind.ATTACK for step in s.chain)


def violations(scenarios: Sequence[Scenario]) -> Iterator[str]:
    """What is wrong with the splits of all suites together; nothing, in a good tree."""
    yield from _one_split_each("name", ((s.name, s) for s in scenarios))
    yield from _one_split_each("family", ((s.family, s) for s in scenarios))
    yield from _one_split_each("topology", ((str(shape(s)), s) for s in scenarios))
    yield from _names(scenarios)
    yield from _unseen(scenarios)
    for suite in Suite:
        own = [s for s in scenarios if s.suite is suite]
        yield from _shares(suite, own)


def _one_split_each(what: str, keyed: Iterable[tuple[str, Scenario]]) -> Iterator[str]:
    splits: dict[str, set[Split]] = defaultdict(set)
    for key, scenario in keyed:
        splits[key].add(scenario.split)
    yield from (f"{what} {key} is in {' and '.join(sorted(found))}" for key, found in splits.items() if len(found) > 1)


def _names(scenarios: Sequence[Scenario]) -> Iterator[str]:
    times = Counter(s.name for s in scenarios)
    yield from (f"name {name} is used {n} times" for name, n in times.items() if n > 1)


def _unseen(scenarios: Sequence[Scenario]) -> Iterator[str]:
    """Every attack holds a means that nobody who is judged on it can have learned from, benign uses included."""
    for split, before in SEEN_BEFORE.items():
        earlier = [s for s in scenarios if s.split in before]
        seen = {step.means for s in earlier for step in s.chain}
        for scenario in scenarios:
            if scenario.split is split and scenario.kind is Kind.ATTACK and attack_means([scenario]) <= seen:
                yield f"{scenario.name}: no means of it is new in {split.value}"


def _shares(suite: Suite, own: Sequence[Scenario]) -> Iterator[str]:
    families = {s.family for s in own if s.kind is Kind.ATTACK}
    if len(families) < FEWEST_FAMILIES:
        yield f"{suite.value}: {len(families)} attack families, {FEWEST_FAMILIES} are asked for"
    for split in Split:
        kinds = Counter(s.kind for s in own if s.split is split)
        share = 1 - kinds[Kind.ATTACK] / kinds.total() if kinds else 0.0
        if abs(share - BENIGN_SHARE) > BENIGN_SLACK:
            yield f"{suite.value} {split.value}: {share:.0%} false alarms and quiet periods, not {BENIGN_SHARE:.0%}"
