"""The standard job: what a strategy does on one case, live or in the fast model.

    job = evaluation("live", "cic-ids2017", "ftp-patator", seed=3, policy="expert-table")
    Measurement.model_validate(result.value)

Strategies of one case share what its field knows, the undefended twin above all, as long as they meet the same worker:
their jobs are of one group.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, Literal

from pydantic import ValidationError

from labs.battlefield.services import servings
from labs.battlefield.trial import LiveField
from labs.scenario import Case, Scenario
from labs.simulator import FastField
from labs.suites import load_suite
from labs.suites.cases import case_of
from labs.validator.baselines import BASELINES, baseline
from labs.validator.harness import Field, evaluate_on
from labs.validator.judge import refused
from labs.validator.measurement import Measurement
from secloop_ai.contracts import Strategy, sha256_json
from secloop_ai.contracts.errors import InputError
from secloop_ai.guard import review
from secloop_ai.loop.decide import build_request
from secloop_ai.policies import load_policy

from .calls import at_end
from .model import Job
from .warm import Stock

HERE = __name__
LIVE_S, FAST_S = 300.0, 60.0
LIVE_KEPT, FAST_KEPT = 4, 64
"""Cases whose field a worker remembers."""
CANDIDATES = 8


def evaluation(
    side: Literal["live", "fast"],
    suite: str,
    scenario: str,
    seed: int,
    *,
    strategy: Mapping[str, Any] | None = None,
    policy: str | None = None,
    policy_seed: int = 0,
    warm: bool = False,
) -> Job:
    """The job that evaluates a strategy, or what a policy says, on one case.

    Args:
        side: ``live`` needs root and the lab.
        suite: of labs/suites.
        scenario: name in the suite.
        seed: of the case; the next one whose address plan is of the scenario's split is taken.
        strategy: a Strategy as JSON; or
        policy: name of a baseline or of a policy back end.
        policy_seed: of the policy.
        warm: build the clone while the worker is still at another job.

    Raises:
        InputError: neither a strategy nor a policy, or both.
    """
    if (strategy is None) == (policy is None):
        raise InputError("an evaluation is of a strategy or of a policy")
    arguments = {"suite": suite, "scenario": scenario, "seed": seed}
    arguments |= {"strategy": dict(strategy)} if strategy else {"policy": policy, "policy_seed": policy_seed}
    case = f"{suite}/{scenario}/{seed}"
    return Job(
        key=f"{side}/{case}/{sha256_json(arguments)[:16]}",
        call=f"{HERE}:{side}",
        arguments=arguments,
        timeout_s=LIVE_S if side == "live" else FAST_S,
        group=case,
        warm=f"{HERE}:prepare" if warm and side == "live" else "",
    )


def live(suite: str, scenario: str, seed: int, **what: Any) -> dict[str, Any]:
    """A Measurement, as JSON, from packets.

    Args:
        suite: of labs/suites.
        scenario: name in the suite.
        seed: of the case.
        what: ``strategy``, or ``policy`` and ``policy_seed``.

    Raises:
        InputError: there is no such scenario, or the strategy is none.
        PolicyError: there is no such policy, or it could not answer.
        LabError: the clone could not be built, or a tool is missing, or time was up.
    """
    return measure(_live_field(suite, scenario, seed), **what).model_dump(mode="json")


def fast(suite: str, scenario: str, seed: int, **what: Any) -> dict[str, Any]:
    """The same from the fast model.

    Args:
        suite: of labs/suites.
        scenario: name in the suite.
        seed: of the case.
        what: ``strategy``, or ``policy`` and ``policy_seed``.

    Raises:
        InputError: there is no such scenario, or the strategy is none.
        PolicyError: there is no such policy, or it could not answer.
    """
    return measure(_fast_field(suite, scenario, seed), **what).model_dump(mode="json")


def prepare(suite: str, scenario: str, seed: int, **_what: Any) -> None:
    """Build the clone that `live` with these arguments will need.

    Args:
        suite: of labs/suites.
        scenario: name in the suite.
        seed: of the case.

    Raises:
        InputError: there is no such scenario.
        LabError: the clone could not be built.
    """
    found, case = _case(suite, scenario, seed)
    stock().prepare(case, servings(found, case.seed))


def measure(
    field: Field, *, strategy: Mapping[str, Any] | None = None, policy: str = "", policy_seed: int = 0
) -> Measurement:
    """A strategy, or what a policy says to the field's alerts, after the guard; what is refused has not executed.

    Raises:
        InputError: the strategy is none.
        PolicyError: there is no such policy, or it could not answer.
    """
    if strategy is None:
        found = baseline(policy) if policy in BASELINES else load_policy(policy)
        return evaluate_on(found, field, candidates=CANDIDATES, seed=policy_seed).measurement
    try:
        given = Strategy.model_validate(strategy)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InputError(f"not a strategy: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    verdict = review(given, build_request(field.alerts(), field.case.environment))
    return field.evaluate(given) if verdict.allowed else refused(field.undefended(), verdict.refusals)


@cache
def stock() -> Stock:
    """This process's battlefields built ahead."""
    made = Stock()
    at_end(made.close)
    return made


@lru_cache(LIVE_KEPT)
def _live_field(suite: str, scenario: str, seed: int) -> LiveField:
    found, case = _case(suite, scenario, seed)
    return LiveField.of(found, case.seed, clone=stock().clone)


@lru_cache(FAST_KEPT)
def _fast_field(suite: str, scenario: str, seed: int) -> FastField:
    return FastField(_case(suite, scenario, seed)[1])


@lru_cache(FAST_KEPT)
def _case(suite: str, scenario: str, seed: int) -> tuple[Scenario, Case]:
    found = _scenarios(suite).get(scenario)
    if found is None:
        raise InputError(f"suite {suite} has no scenario {scenario!r}")
    return found, case_of(found, seed)


@cache
def _scenarios(suite: str) -> dict[str, Scenario]:
    return {s.name: s for s in load_suite(suite)}
