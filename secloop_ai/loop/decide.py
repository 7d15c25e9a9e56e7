"""From alert summaries to a guarded strategy."""

from __future__ import annotations

from collections.abc import Sequence

from secloop_ai.contracts import (
    AlertSummary,
    Candidate,
    Decision,
    Environment,
    GuardRefusal,
    Policy,
    PolicyRequest,
    Refusal,
    Strategy,
    Verdict,
    incident_id,
)
from secloop_ai.guard import review, schema_verdict
from secloop_ai.policies import build_pointers, rank, resolve

MAX_SUMMARIES = 64
"""Summaries a policy is shown, the most urgent first; how many were cut is said."""


def build_request(summaries: Sequence[AlertSummary], environment: Environment) -> PolicyRequest:
    """What the policy may look at: summaries with their zones, the pointers, and what is offered."""
    zoned = tuple(
        s.model_copy(update={"zones": (environment.zone_of(s.source), environment.zone_of(s.destination))})
        for s in rank(summaries)[:MAX_SUMMARIES]
    )
    return PolicyRequest(
        summaries=zoned,
        environment=environment,
        pointers=build_pointers(zoned, environment),
        offered=environment.offered_actions(),
    )


def decide(request: PolicyRequest, policy: Policy, *, candidates: int, seed: int) -> Decision:
    """Ask the policy, and take the first of its candidates that the guard allows.

    The same summaries, environment, policy and seed give the same decision and the same incident id.

    Raises:
        GuardRefusal: the guard refused every candidate; it carries the Decision of the best one, so that the
            ledger keeps what was refused and why.
        PolicyError: the policy could not answer.
    """
    proposed = policy.propose(request, n=candidates, seed=seed)
    rejected: list[tuple[int, tuple[Refusal, ...]]] = []
    refused: Decision | None = None
    for index, candidate in enumerate(proposed):
        strategy, verdict = judge(candidate, request, policy.name)
        decision = Decision(
            incident_id=incident_id(request.summaries),
            strategy=strategy,
            verdict=verdict,
            candidates=proposed,
            rejected=tuple(rejected),
            prompt_sha256=request.prompt_digest(),
            policy_sha256=policy.digest(),
            seed=seed,
            pointers=request.pointers,
        )
        if verdict.allowed:
            return decision
        refused = refused or decision
        rejected.append((index, verdict.refusals))
    reasons = "; ".join(f"[{r.rule}] {r.reason}" for r in (refused.verdict.refusals if refused else ()))
    raise GuardRefusal(f"the guard refused every candidate: {reasons or 'the policy proposed none'}", verdict=refused)


def judge(candidate: Candidate, request: PolicyRequest, policy_name: str) -> tuple[Strategy, Verdict]:
    """A candidate as a strategy, with the guard's verdict; what does not resolve is refused as outside the schema."""
    strategy, problems = resolve(candidate, request, policy_name)
    if problems:
        return strategy, schema_verdict(problems)
    return strategy, review(strategy, request)
