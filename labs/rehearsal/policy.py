"""Any policy with its candidates rehearsed: best-of-G at inference."""

from __future__ import annotations

from secloop_ai.contracts import Candidate, Policy, PolicyError, PolicyRequest, Rehearsal, sha256_json
from secloop_ai.loop.decide import judge

from .score import AlertRehearsal


class RehearsedPolicy:
    """Asks a policy for many candidates and hands them on, the best rehearsed first.

    Candidates that the guard refuses are not rehearsed; they come last, so that what was refused is still told.

    Args:
        policy: whose candidates.
        candidates: how many it is asked for (the method's G), 1 at least.
        rehearsal: what scores them.

    Raises:
        PolicyError: fewer than one candidate.
    """

    def __init__(self, policy: Policy, *, candidates: int, rehearsal: Rehearsal | None = None) -> None:
        if candidates < 1:
            raise PolicyError(f"a rehearsal of {candidates} candidates: at least one is needed")
        self._policy, self._wanted = policy, candidates
        self._rehearsal = rehearsal or AlertRehearsal()

    @property
    def name(self) -> str:
        """The policy's name, with how many were rehearsed, for the audit."""
        return f"best-of-{self._wanted}/{self._policy.name}"

    def digest(self) -> str:
        """SHA-256 (hex) of the policy's digest and the number rehearsed."""
        return sha256_json([self._policy.digest(), self._wanted])

    def propose(self, request: PolicyRequest, *, n: int, seed: int) -> tuple[Candidate, ...]:
        """Up to `n` candidates, best rehearsed first; of equals the policy's own order holds.

        Raises:
            PolicyError: the policy could not answer, or `n` is less than one.
        """
        if n < 1:
            raise PolicyError(f"{self.name}: asked for {n} candidates")
        proposed = self._policy.propose(request, n=self._wanted, seed=seed)
        judged = [(c, *judge(c, request, self._policy.name)) for c in proposed]
        allowed = [(candidate, strategy) for candidate, strategy, verdict in judged if verdict.allowed]
        scores = self._rehearsal.score(request, [strategy for _, strategy in allowed])
        scored = [c.model_copy(update={"score": s}) for (c, _), s in zip(allowed, scores, strict=True)]
        ranked = sorted(scored, key=lambda c: -c.score)
        refused = [candidate for candidate, _, verdict in judged if not verdict.allowed]
        return (*ranked, *refused)[:n]
