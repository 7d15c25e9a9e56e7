"""One live run of a case, recorded: the very trial that an evaluation makes, on clones that are looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from labs.battlefield.services import Place, Serving
from labs.battlefield.trial import TRIAL_S, LiveField
from labs.scenario import Case
from labs.validator.harness import Row, evaluate_on
from labs.validator.measurement import Measurement
from secloop_ai.contracts import AlertSummary, Policy

from .alerts import rule_names
from .recorder import Label, without_words
from .timeline import ActionApplied, EvidenceFact, Timeline
from .watched import Studio, plain, words_of

Told = Callable[[str], None]


class Order(NamedTuple):
    """What is to be played.

    Attributes:
        kinds: kind and weaknesses behind each (host, service).
        policy: None plays the undefended run alone.
        mid_attack: answer while the attack runs, not before it.
        limit_s: seconds that the attack of one run may take.
    """

    case: Case
    kinds: Mapping[Place, Serving]
    policy: Policy | None = None
    mid_attack: bool = False
    limit_s: float = TRIAL_S


def play(order: Order, told: Told = lambda _: None) -> Timeline:
    """Play it: the undefended twin first, then, with a policy, the defended run; each on a clone of its own.

    Where the guard refuses what the policy proposes, nothing is executed: the run shown is the twin's, and the verdict
    says so.

    Args:
        order: what.
        told: is told in one line what happens.

    Raises:
        TrialTimeoutError: the attack took too long.
        PolicyError: the policy could not answer.
        LabError: a clone could not be built, or a tool is missing, or the clone was lost on the way.
    """
    studio = Studio(Label("undefended"))
    live = LiveField(order.case, order.kinds, limit_s=order.limit_s, clone=studio.clone)
    told(f"{order.case.case_id}: the undefended twin")
    twin = live.undefended()
    undefended = studio.recorders[0].timeline(twin)
    if order.policy is None:
        return undefended
    told(f"{order.case.case_id}: {len(live.alerts())} summaries of alerts; the run with {order.policy.name}")
    if order.mid_attack:
        studio.label = Label("mid-attack", order.policy.name)
        verdict = live.respond(order.policy)
        return studio.recorders[-1].timeline(verdict, twin)
    studio.label = Label("blue-first", order.policy.name)
    row = evaluate_on(order.policy, live)
    evidence = tuple(_evidence(a) for a in live.alerts())
    if row.measurement.refusals:
        return _refused(undefended, twin, row, evidence)
    return studio.recorders[-1].timeline(row.measurement, twin, evidence)


def _evidence(summary: AlertSummary) -> EvidenceFact:
    return EvidenceFact(
        name=rule_names().get(summary.signature_id, ""),
        **{name: getattr(summary, name) for name in EvidenceFact.model_fields if name != "name"},
    )


def _refused(undefended: Timeline, twin: Measurement, row: Row, evidence: tuple[EvidenceFact, ...]) -> Timeline:
    refusal = ActionApplied(
        at_s=0.0,
        began_s=0.0,
        policy=plain(row.policy),
        actions=words_of(row.actions),
        outcome="refused",
        reasons=tuple(map(plain, row.measurement.refusals)),
    )
    return undefended.model_copy(
        update={
            "mode": "blue-first",
            "policy": row.policy,
            "events": (refusal, *undefended.events),
            "evidence": evidence,
            "verdict": without_words(row.measurement),
            "twin": without_words(twin),
        }
    )
