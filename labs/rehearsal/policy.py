"""Any policy with its candidates rehearsed: best-of-G at inference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secloop_ai.contracts import CATALOGUE, Candidate, Confident, Plane, Policy, PolicyError, PolicyRequest, sha256_json
from secloop_ai.loop.decide import judge
from secloop_ai.policies import load_policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from secloop_ai.contracts import Rehearsal, Strategy

VERSION = 3
"""Of how candidates are put in order; part of a policy's digest."""
SURE = 0.95
"""Probability of its likeliest answer from which a policy is taken at its word: rehearsing below it brought all that
rehearsing everything did (``python -m training.doubt``)."""


class RehearsedPolicy:
    """Asks a policy for many candidates and hands them on, the best rehearsed first.

    Whether to act at all is the policy's to say: on a twin, every alert is an attack. Where its own first choice is to
    do nothing, its order stays. So it does where a policy that knows how sure it is (`Confident`) is sure, and the
    guard allows what it says.

    Candidates that the guard refuses are not rehearsed; they come last, so that what was refused is still told.

    Args:
        policy: whose candidates.
        candidates: how many it is asked for (the method's G), 1 at least.
        rehearsal: what scores them.
        sure: probability of its likeliest answer from which a policy that knows it is taken at its word.

    Raises:
        PolicyError: fewer than one candidate.
    """

    def __init__(
        self, policy: Policy, *, candidates: int, rehearsal: Rehearsal | None = None, sure: float = SURE
    ) -> None:
        if candidates < 1:
            raise PolicyError(f"a rehearsal of {candidates} candidates: at least one is needed")
        self._policy, self._wanted = policy, candidates
        self._rehearsal, self._certain = rehearsal, sure

    @property
    def name(self) -> str:
        """The policy's name, with how many were rehearsed, for the audit."""
        return f"best-of-{self._wanted}/{self._policy.name}"

    @property
    def asked(self) -> Policy:
        """Whose candidates are rehearsed."""
        return self._policy

    def digest(self) -> str:
        """SHA-256 (hex) of the policy's digest, the number rehearsed, and how."""
        return sha256_json([VERSION, self._policy.digest(), self._wanted])

    def propose(self, request: PolicyRequest, *, n: int, seed: int) -> tuple[Candidate, ...]:
        """Up to `n` candidates, best rehearsed first; of equals the policy's own order holds.

        Raises:
            PolicyError: the policy could not answer, or `n` is less than one.
        """
        if n < 1:
            raise PolicyError(f"{self.name}: asked for {n} candidates")
        proposed = self._policy.propose(request, n=self._wanted, seed=seed)
        if proposed and (_quiet(proposed[0]) or self._sure(proposed[0], request)):
            return proposed[:n]
        judged = [(c, *judge(c, request, self._policy.name)) for c in proposed]
        allowed = [(candidate, strategy) for candidate, strategy, verdict in judged if verdict.allowed]
        scores = self._score(request, [strategy for _, strategy in allowed])
        scored = [c.model_copy(update={"score": s}) for (c, _), s in zip(allowed, scores, strict=True)]
        ranked = sorted(scored, key=lambda c: -c.score)
        refused = [candidate for candidate, _, verdict in judged if not verdict.allowed]
        return (*ranked, *refused)[:n]

    def _sure(self, first: Candidate, request: PolicyRequest) -> bool:
        if not isinstance(self._policy, Confident) or self._policy.probability(first) < self._certain:
            return False
        _, verdict = judge(first, request, self._policy.name)
        return verdict.allowed

    def _score(self, request: PolicyRequest, strategies: Sequence[Strategy]) -> tuple[float, ...]:
        if self._rehearsal is None:
            from .score import AlertRehearsal  # the simulator takes a tenth of a second: not for who never doubts

            self._rehearsal = AlertRehearsal()
        return self._rehearsal.score(request, strategies)


def _quiet(candidate: Candidate) -> bool:
    """Whether it says to do nothing; an answer without a call says nothing."""
    tools = [CATALOGUE.get(call.tool) for call in candidate.calls]
    return bool(tools) and all(tool is not None and tool.spec.plane is Plane.NONE for tool in tools)


def load(argument: str) -> RehearsedPolicy:
    """The policy of ``rehearse:G:POLICY``.

    Raises:
        PolicyError: not of that form, or the other policy cannot start.
    """
    number, _, inner = argument.partition(":")
    return RehearsedPolicy(load_policy(inner), candidates=candidates_of(number, inner))


def candidates_of(number: str, inner: str) -> int:
    """The G of ``G:POLICY``.

    Raises:
        PolicyError: it is no number, or no policy is named.
    """
    if not number.isascii() or not number.isdecimal() or not inner:
        raise PolicyError(
            f"policy 'rehearse:{number}:{inner}': write rehearse:G:POLICY, G being a number of candidates"
        )
    return int(number)
