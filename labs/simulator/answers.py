"""Which strategies are right in a case: whether anybody can be, and by how little.

A case without a right answer caps every policy's accuracy, and one that almost any strategy gets right teaches nothing;
a suite should know both of its cases before anybody learns from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product

from secloop_ai.contracts import TTLS_S, ActionCall, Candidate, PolicyRequest, Strategy
from secloop_ai.contracts.base import Frozen
from secloop_ai.guard import review
from secloop_ai.loop.decide import build_request
from secloop_ai.policies import choices, resolve

from .field import FastField

NAME = "answers"
MOST_PAIRED = 60
"""Single actions that are paired with one another, at most; those that hinder the attack come first."""


class Answers(Frozen):
    """The strategies of one and, where none of these is right, two actions that the guard allows.

    Attributes:
        tried: strategies evaluated; `right` of them are correct.
        best: a right one with the fewest actions; None when there is none.
    """

    case_id: str
    valid: bool
    tried: int
    right: int
    best: Strategy | None = None


def answers(field: FastField) -> Answers:
    """Try what the policy could say and the guard would allow; one lifetime stands for all."""
    request = build_request(field.alerts(), field.case.environment)
    singles = [s for c in calls(request) if (s := _allowed((c,), request))]
    scored = [(field.evaluate(s), s) for s in singles]
    right = [s for m, s in scored if m.correct]
    tried = len(scored)
    if not right:
        useful = sorted((m.rs_attack, -m.rs_service, n) for n, (m, s) in enumerate(scored) if not s.quiet)
        chosen = [scored[n][1] for *_, n in useful[:MOST_PAIRED]]
        pairs = [p for one, other in combinations(chosen, 2) if (p := _joined(one, other, request))]
        right = [p for p in pairs if field.evaluate(p).correct]
        tried += len(pairs)
    valid = field.undefended().valid
    return Answers(
        case_id=field.case.case_id, valid=valid, tried=tried, right=len(right), best=right[0] if right else None
    )


def calls(request: PolicyRequest) -> Iterator[ActionCall]:
    """Every call that the closed schema admits, with one lifetime."""
    for name in request.offered:
        for found in choices(name, request):
            for words in product(*found.values()):
                yield ActionCall(tool=name, params=dict(zip(found, words, strict=True)), ttl_s=TTLS_S[0])


def _allowed(chosen: tuple[ActionCall, ...], request: PolicyRequest) -> Strategy | None:
    strategy, problems = resolve(Candidate(calls=chosen), request, NAME)
    return strategy if not problems and review(strategy, request).allowed else None


def _joined(one: Strategy, other: Strategy, request: PolicyRequest) -> Strategy | None:
    evidence = tuple(dict.fromkeys((*one.evidence, *other.evidence)))
    both = one.model_copy(update={"actions": (*one.actions, *other.actions), "evidence": evidence})
    return both if review(both, request).allowed else None
