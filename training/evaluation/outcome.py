"""One policy on one case: what it proposed, what the guard said, what became of it."""

from __future__ import annotations

from labs.battlefield.trial import LiveField
from labs.scenario import Kind
from labs.validator.harness import Field as Battlefield
from labs.validator.judge import refused
from labs.validator.measurement import Measurement
from secloop_ai.contracts import Candidate, Decision, GuardRefusal, Policy, PolicyRequest, Strategy
from secloop_ai.contracts.base import Frozen
from secloop_ai.loop.decide import build_request, decide
from secloop_ai.policies import resolve

from .entities import acted_on, gated

DIGITS = 4


class Outcome(Frozen):
    """What the figures of :mod:`training.evaluation.metrics` are made of.

    Attributes:
        case: scenario and the seed that it was drawn with.
        valid: the whole attack succeeds undefended; otherwise the case proves nothing.
        correct: the method's accuracy for this case.
        stages, through: of the attack in the undefended twin, and those of them that succeeded all the same.
        service: rs_service, the share of legitimate tries that were served.
        lost: services that lost tries which the twin served, of `services` that anybody uses.
        quiet: the strategy is `observe` alone; a refused strategy is not.
        refused: the guard allowed no candidate.
        executed: every tool call was.
        proposed, fitting: candidates, and those of them that fit the closed schema of the request.
        reviewed, turned_down: candidates the guard looked at before it had one, and those of them that it refused.
        acted, benign: entities that the executed strategy acts on, and those of them that are not malicious.
        actions, gated: disruptive actions of it, and those of them whose target trusted fields name.
        mid: the policy answered while the attack was on; then what it proposed and did is not counted.
        contain_s: of such a run, seconds from the first alert to the attacker's last success; None: it never ended.
        tools: of the strategy.
    """

    case: str
    kind: Kind
    valid: bool = True
    correct: bool = False
    stages: int = 0
    through: int = 0
    service: float = 1.0
    lost: int = 0
    services: int = 0
    quiet: bool = False
    refused: bool = False
    executed: bool = True
    proposed: int = 1
    fitting: int = 1
    reviewed: int = 1
    turned_down: int = 0
    acted: int = 0
    benign: int = 0
    actions: int = 0
    gated: int = 0
    mid: bool = False
    contain_s: float | None = None
    tools: tuple[str, ...] = ()

    @property
    def scenario(self) -> str:
        """Its name."""
        return self.case.partition("#")[0]

    @property
    def attack(self) -> bool:
        """Whether there is anything to defend against."""
        return self.kind is Kind.ATTACK


def play(policy: Policy, field: Battlefield, *, candidates: int, seed: int) -> Outcome:
    """Ask the policy as the loop does, and measure what the guard lets through.

    Args:
        policy: sees alerts and inventory, never the case.
        field: live or fast.
        candidates: how many it is asked for; the guard's first is taken.
        seed: of the policy.

    Raises:
        PolicyError: it could not answer.
        LabError: a live battlefield could not be used.
    """
    request = build_request(field.alerts(), field.case.environment)
    try:
        decision: Decision | None = decide(request, policy, candidates=candidates, seed=seed)
    except GuardRefusal as refusal:
        decision = refusal.verdict
    if decision is None or not decision.verdict.allowed:
        why = decision.verdict.refusals if decision else ()
        return _outcome(field, request, decision, None, refused(field.undefended(), why))
    return _outcome(field, request, decision, decision.strategy, field.evaluate(decision.strategy))


def _outcome(
    field: Battlefield,
    request: PolicyRequest,
    decision: Decision | None,
    strategy: Strategy | None,
    found: Measurement,
) -> Outcome:
    case = field.case
    proposed = decision.candidates if decision else ()
    acted = acted_on(strategy, case) if strategy and found.executed else ()
    disruptive = [a for a in strategy.actions if a.disruptive] if strategy else []
    attack = case.kind is Kind.ATTACK
    return Outcome(
        case=case.case_id,
        kind=case.kind,
        valid=found.valid,
        correct=found.correct,
        stages=len(case.stages) if attack else 0,
        through=sum(s.succeeded for s in found.stages) if attack else 0,
        service=round(found.rs_service, DIGITS) if not found.served else 1.0,
        lost=len(found.collateral),
        services=len({(f.server, f.service) for f in case.flows}),
        quiet=strategy is not None and strategy.quiet,
        refused=strategy is None,
        executed=found.executed,
        proposed=len(proposed),
        fitting=sum(fits(c, request) for c in proposed),
        reviewed=len(proposed) if strategy is None else 1 + len(decision.rejected if decision else ()),
        turned_down=len(proposed) if strategy is None else len(decision.rejected if decision else ()),
        acted=len(acted),
        benign=acted.count(False),
        actions=len(disruptive),
        gated=sum(gated(a, request) for a in disruptive),
        tools=tuple(a.kind for a in strategy.actions) if strategy else (),
    )


def play_mid(policy: Policy, field: LiveField, *, candidates: int, seed: int) -> Outcome:
    """Let the policy answer while the attack is on; live alone.

    Raises:
        PolicyError: it could not answer.
        LabError: the battlefield could not be used.
    """
    found = field.respond(policy, candidates=candidates, seed=seed)
    whole = _outcome(field, build_request((), field.case.environment), None, None, found)
    nothing = dict.fromkeys(("proposed", "fitting", "reviewed", "turned_down"), 0)
    update = {"refused": False, "quiet": found.quiet_strategy, "mid": True, "contain_s": found.time_to_contain_s}
    return whole.model_copy(update={**nothing, **update})


def fits(candidate: Candidate, request: PolicyRequest) -> bool:
    """Whether the candidate is one that the request's closed schema admits."""
    return not resolve(candidate, request, "").problems
