"""From a suite's split to cases. Each split has address plans of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address
from itertools import count

from labs.scenario import Case, Scenario, Split, Suite, draw

from .load import load_suite

PLANS: dict[Split, frozenset[int]] = {
    Split.TRAIN: frozenset({0, 1, 2}),
    Split.VALIDATION: frozenset({3}),
    Split.TEST: frozenset({4}),
}
"""The networks 10.N.0.0/16 a split's cases may lie in, by N modulo `PARTS`."""
PARTS = 5
STRIDE = 1_000_003
"""From a seed whose address plan belongs to another split to the next one tried (our choice; seeds stay below it)."""


def cases(suite: Suite | str, split: Split | str, seeds: Iterable[int]) -> Iterator[Case]:
    """Every scenario of the split with every seed, seed by seed.

    A seed whose address plan belongs to another split is replaced by the next that fits; ``case.seed`` is the one that
    was drawn, so that ``draw(scenario, case.seed)`` gives the case again. Seeds of 0 to `STRIDE` never meet.

    Raises:
        SuiteError: no such suite, or a file of it cannot be used.
        ValueError: a seed out of range.
    """
    chosen = [s for s in load_suite(suite) if s.split is Split(split)]
    for seed in seeds:
        yield from (case_of(scenario, seed) for scenario in chosen)


def case_of(scenario: Scenario, seed: int) -> Case:
    """The case of the first seed from this one on whose address plan belongs to the scenario's split.

    Raises:
        ValueError: the seed is out of range.
    """
    if not 0 <= seed < STRIDE:
        raise ValueError(f"seed {seed}: not from 0 to {STRIDE - 1}")
    drawn = (draw(scenario, seed + turn * STRIDE) for turn in count())
    return next(case for case in drawn if plan_of(case) % PARTS in PLANS[scenario.split])


def plan_of(case: Case) -> int:
    """N of the network 10.N.0.0/16 that all inside addresses of the case lie in."""
    inside = {
        address.packed[1]
        for device in case.environment.devices
        for address in device.own_addresses()
        if isinstance(address, IPv4Address) and address.packed[0] == 10  # noqa: PLR2004 - 10.0.0.0/8
    }
    (plan,) = inside
    return plan
