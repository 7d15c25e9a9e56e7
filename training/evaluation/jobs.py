"""Evaluation as jobs of labs/executor: whole cells of the fast model, single live trials, decisions under injection."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from labs.battlefield.services import servings
from labs.battlefield.trial import LiveField
from labs.executor import Job
from labs.executor.evaluate import stock
from labs.scenario import Case, Scenario, Split
from labs.simulator import FastField
from labs.suites import load_suite
from labs.suites.cases import case_of
from secloop_ai.contracts import Policy
from secloop_ai.contracts.errors import InputError

from .cells import Cell, Side
from .outcome import Outcome, play, play_mid
from .policies import policy_of

HERE = __name__
LIVE_S, CELL_S = 600.0, 3_600.0
LIVE_KEPT, FAST_KEPT = 4, 256


def job_of(cell: Cell, spec: str) -> Job:
    """The job that fills a cell.

    Args:
        cell: without outcomes.
        spec: the policy by its name, see :func:`training.evaluation.policies.policy_of`.
    """
    arguments: dict[str, Any] = {"suite": cell.suite, "seed": cell.seed, "policy": spec, "candidates": cell.candidates}
    if cell.side == "fast":
        arguments["split"] = cell.split.value
        group = f"{cell.suite} {cell.seed}"
        return Job(key=cell.key, call=f"{HERE}:fast", arguments=arguments, timeout_s=CELL_S, group=group)
    arguments |= {"scenario": cell.scenario, "side": cell.side}
    group = f"{cell.suite} {cell.scenario} {cell.seed}"
    warm = f"{HERE}:prepare"
    return Job(key=cell.key, call=f"{HERE}:live", arguments=arguments, timeout_s=LIVE_S, group=group, warm=warm)


def fast(suite: str, split: str, seed: int, policy: str, candidates: int) -> list[dict[str, Any]]:
    """Outcomes, as JSON, of every case of a suite's split on the fast model.

    Raises:
        SuiteError: no such suite.
        PolicyError: no such policy, or it could not answer.
    """
    named = _policy(policy)
    scenarios = [s for s in _scenarios(suite).values() if s.split is Split(split)]
    fields = (_fast_field(suite, s.name, seed) for s in scenarios)
    return [_json(play(named, field, candidates=candidates, seed=seed)) for field in fields]


def live(suite: str, scenario: str, seed: int, policy: str, candidates: int, side: Side) -> list[dict[str, Any]]:
    """The outcome, as JSON, of one case on battlefields. Needs root and the lab.

    Raises:
        InputError: no such scenario.
        PolicyError: no such policy, or it could not answer.
        LabError: a battlefield could not be used.
    """
    field, named = _live_field(suite, scenario, seed), _policy(policy)
    if side == "mid":
        return [_json(play_mid(named, field, candidates=candidates, seed=seed))]
    return [_json(play(named, field, candidates=candidates, seed=seed))]


def prepare(suite: str, scenario: str, seed: int, **_what: Any) -> None:
    """Build the clone that `live` with these arguments will need.

    Raises:
        InputError: no such scenario.
        LabError: it could not be built.
    """
    found, case = _case(suite, scenario, seed)
    stock().prepare(case, servings(found, case.seed))


def names(suite: str, split: Split) -> tuple[str, ...]:
    """The scenarios of a suite's split."""
    return tuple(s.name for s in _scenarios(suite).values() if s.split is split)


def _json(outcome: Outcome) -> dict[str, Any]:
    return outcome.model_dump(mode="json", exclude_defaults=True)


@cache
def _policy(spec: str) -> Policy:
    return policy_of(spec)


@lru_cache(LIVE_KEPT)
def _live_field(suite: str, scenario: str, seed: int) -> LiveField:
    found, case = _case(suite, scenario, seed)
    return LiveField.of(found, case.seed, clone=stock().clone)


@lru_cache(FAST_KEPT)
def _fast_field(suite: str, scenario: str, seed: int) -> FastField:
    return FastField(_case(suite, scenario, seed)[1])


def _case(suite: str, scenario: str, seed: int) -> tuple[Scenario, Case]:
    found = _scenarios(suite).get(scenario)
    if found is None:
        raise InputError(f"suite {suite} has no scenario {scenario!r}")
    return found, case_of(found, seed)


@cache
def _scenarios(suite: str) -> dict[str, Scenario]:
    return {s.name: s for s in load_suite(suite)}
