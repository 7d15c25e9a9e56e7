"""Outcomes and cells made for tests, and cases to make them of."""

from __future__ import annotations

from functools import cache
from typing import Any

from labs.scenario import Case, Kind, Split, Suite
from labs.simulator import FastField
from labs.suites import cases
from training.evaluation.cells import Cell, Side
from training.evaluation.outcome import Outcome

SEED = 100


@cache
def held_out(suite: str = "cic-ids2017") -> tuple[Case, ...]:
    """A suite's validation cases."""
    return tuple(cases(suite, Split.VALIDATION, [SEED]))


@cache
def attack() -> Case:
    """A case in which somebody outside attacks a host of ours."""
    return next(
        c
        for suite in Suite
        for c in held_out(suite.value)
        if c.kind is Kind.ATTACK and c.stages[0].source_host is None and c.stages[0].target_host and c.stages[0].service
    )


@cache
def calm() -> Case:
    """A false alarm with alerts."""
    return next(
        c for suite in Suite for c in held_out(suite.value) if c.kind is Kind.FALSE_ALARM and FastField(c).alerts()
    )


def outcome(case: str = "one#1", **values: Any) -> Outcome:
    """An attack's, unless told otherwise."""
    return Outcome(**{"case": case, "kind": Kind.ATTACK, "stages": 1, **values})


def cell(label: str, *outcomes: Outcome, suite: str = "cic-ids2017", seed: int = SEED, **values: Any) -> Cell:
    """A cell of the fast model."""
    side: Side = "fast"
    head = {"label": label, "policy": f"{label}/1", "policy_sha": "ab12", "side": side, "suite": suite}
    rest = {"split": Split.VALIDATION, "split_sha": "cd34", "seed": seed, "candidates": 8, "outcomes": outcomes}
    return Cell.model_validate({**head, **rest, **values})
