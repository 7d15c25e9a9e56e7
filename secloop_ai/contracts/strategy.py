"""What a policy proposes, what it resolves to, and what the guard says of it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from .actions import Action, Observe
from .alerts import AlertSummary
from .base import Frozen, sha256_json
from .environment import Environment
from .pointers import PointerTable


class ActionCall(Frozen):
    """A tool call as a policy utters it: slots and enumeration values only."""

    tool: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]
    params: dict[str, Annotated[str, Field(pattern=r"^@?[a-z0-9_]{1,40}$")]] = Field(default_factory=dict)
    ttl_s: int


class PolicyRequest(Frozen):
    """Everything a policy may look at."""

    summaries: tuple[AlertSummary, ...]
    environment: Environment
    pointers: PointerTable
    offered: tuple[str, ...]

    def prompt_digest(self) -> str:
        """SHA-256 (hex) of the request, for the audit."""
        return self.digest()


class Candidate(Frozen):
    """One proposal of a policy.

    Attributes:
        score: the policy's own figure for ranking, higher is better; for a language model the log-probability.
    """

    calls: tuple[ActionCall, ...]
    score: float = 0.0
    rationale: str = Field(default="", max_length=400, description="which rule decided; never alert text")


class Strategy(Frozen):
    """An ordered list of actions with its evidence.

    Attributes:
        evidence: ids of the AlertSummaries it answers.
        policy: name and version of what wrote it.
    """

    actions: tuple[Action, ...]
    evidence: tuple[str, ...]
    policy: str
    rationale: str = ""

    @property
    def quiet(self) -> bool:
        """Whether it changes nothing."""
        return all(isinstance(a, Observe) for a in self.actions)


class Refusal(Frozen):
    """Why the guard refuses.

    Attributes:
        rule: name of the guard's rule (``protected-set``, ``handshake``, ...).
        action: index in the strategy, -1 for the strategy as a whole.
    """

    rule: str
    action: int
    reason: str


class Verdict(Frozen):
    """The guard's answer; allowed only without a refusal."""

    refusals: tuple[Refusal, ...] = ()
    rules_checked: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether the strategy may go on."""
        return not self.refusals


class Decision(Frozen):
    """The outcome of deciding: the strategy chosen, all candidates, the verdict, and the digests for the audit."""

    incident_id: Annotated[str, Field(pattern=r"^[0-9a-f]{10}$")]
    strategy: Strategy
    verdict: Verdict
    candidates: tuple[Candidate, ...]
    rejected: tuple[tuple[int, tuple[Refusal, ...]], ...] = Field(
        default=(), description="candidates the guard turned down before the chosen one, with the reasons"
    )
    prompt_sha256: str
    policy_sha256: str
    seed: int
    pointers: PointerTable

    def for_people(self) -> list[dict[str, Any]]:
        """The actions as plain rows."""
        return [a.model_dump(mode="json") for a in self.strategy.actions]


def incident_id(summaries: tuple[AlertSummary, ...]) -> str:
    """Ten hex digits from the evidence: the same alerts give the same incident, so a second run changes nothing."""
    return sha256_json(sorted(s.summary_id for s in summaries))[:10]
