"""From what the red side and the clients say to a verdict: one judge for packets and for the fast model.

What counts is what happened to the attack and to legitimate use, never which alerts came (arXiv 2512.09485, validator;
our choices are named in :mod:`labs.validator.measurement`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from labs.attacks.base import Receipt
from labs.scenario import Case, Kind
from secloop_ai.contracts import Refusal

from .measurement import Measurement, StageOutcome


class Use(NamedTuple):
    """A client's use of a service, tried.

    Attributes:
        service: ``host/service``.
        tries: how often, more than 0.
        served: how often it worked; the fast model expects, so it may be a fraction.
    """

    client: str
    service: str
    tries: int
    served: float


class Run(NamedTuple):
    """One run of a case's chain, defended or not.

    Attributes:
        stages: the red side's word, in order.
        uses: the clients' word.
    """

    stages: tuple[StageOutcome, ...]
    uses: tuple[Use, ...]


class Execution(NamedTuple):
    """How a strategy was carried out.

    Attributes:
        quiet: it changes nothing.
        done, calls: tool calls that executed without error, of how many.
        refusals: the guard's, as ``rule: reason``; with any, nothing was executed.
        fault: why nothing was executed although the guard allowed it.
    """

    quiet: bool
    done: int
    calls: int
    refusals: tuple[str, ...] = ()
    fault: str = ""

    @property
    def share(self) -> float:
        """rs_exe; 0 for a refused strategy."""
        return 0.0 if self.refusals or not self.calls else self.done / self.calls


UNDEFENDED = Execution(quiet=True, done=1, calls=1)
"""What the undefended twin counts as: one `observe`."""


def judge(
    case: Case,
    backend: Literal["live", "fast"],
    execution: Execution,
    run: Run,
    twin: Run,
    *,
    sensor_alive: bool = True,
    rollback_exact: bool | None = None,
    time_to_contain_s: float | None = None,
    seconds: float = 0.0,
) -> Measurement:
    """The validator's report on one strategy.

    Args:
        case: what was run.
        backend: who ran it.
        execution: how the strategy was carried out.
        run: the replay with the strategy in place.
        twin: the same without any.
        sensor_alive: the sensor saw to the end.
        rollback_exact: undo left everything byte-equal; None when it was not tried.
        time_to_contain_s: in seconds, of a run that responds in mid-attack.
        seconds: the evaluation took.
    """
    return Measurement(
        case_id=case.case_id,
        backend=backend,
        kind=case.kind,
        valid=is_valid(case, twin),
        quiet_strategy=execution.quiet,
        executed=execution.share == 1.0,
        rs_exe=execution.share,
        rs_attack=attack_share(case, run.stages),
        rs_service=service_share(run.uses),
        stages=run.stages,
        collateral=collateral(run.uses, twin.uses),
        tries=sum(u.tries for u in run.uses),
        time_to_contain_s=time_to_contain_s,
        sensor_alive=sensor_alive,
        rollback_exact=rollback_exact,
        refusals=execution.refusals,
        fault=execution.fault,
        seconds=seconds,
    )


def refused(undefended: Measurement, refusals: Iterable[Refusal], *, quiet: bool = False) -> Measurement:
    """The report on a strategy that the guard refused: nothing was executed, so the attack ran as in the twin."""
    words = tuple(f"{r.rule}: {r.reason}" for r in refusals)
    return undefended.model_copy(
        update={"quiet_strategy": quiet, "executed": False, "rs_exe": 0.0, "refusals": words or ("guard: refused",)}
    )


def outcome(receipt: Receipt) -> StageOutcome:
    """A receipt as the judge reads it: a stage that was not attempted has not succeeded."""
    return StageOutcome(
        index=receipt.stage,
        means=receipt.means,
        attempted=receipt.attempted,
        succeeded=receipt.attempted and receipt.succeeded,
        detail=receipt.detail,
    )


def is_valid(case: Case, twin: Run) -> bool:
    """Whether every stage succeeded in the undefended twin; a case that attacks nobody is always valid."""
    if case.kind is not Kind.ATTACK:
        return True
    done = {s.index for s in twin.stages if s.succeeded}
    return bool(case.stages) and done.issuperset(s.index for s in case.stages)


def attack_share(case: Case, stages: Sequence[StageOutcome]) -> float:
    """rs_attack: share of the chain's stages that succeeded; 0 where the chain is no attack."""
    if case.kind is not Kind.ATTACK or not case.stages:
        return 0.0
    return sum(s.succeeded for s in stages) / len(case.stages)


def service_share(uses: Sequence[Use]) -> float:
    """rs_service: the mean over clients and services of the share of tries that were served; 1 where nobody tries.

    Every use weighs the same, however often it was tried: who waits for an answer that never comes tries less often.
    """
    return min(1.0, sum(u.served / u.tries for u in uses) / len(uses)) if uses else 1.0


def collateral(uses: Iterable[Use], twin: Iterable[Use]) -> dict[str, float]:
    """Service → share of its tries that the twin served and this run did not; services without loss are left out."""
    now, before = served_share(uses), served_share(twin)
    lost = {name: 1 - now[name] / share for name, share in before.items() if share and name in now}
    return {name: share for name, share in lost.items() if share > 0}


def served_share(uses: Iterable[Use]) -> dict[str, float]:
    """Service → share of its tries that were served."""
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for use in uses:
        row = sums[use.service]
        row[0] += use.served
        row[1] += use.tries
    return {name: served / tries for name, (served, tries) in sums.items() if tries}
