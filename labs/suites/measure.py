"""Runs trials live and beside it in the fast model, and keeps each row as soon as it is there.

A policy sees the alerts that the live sensor raised in the undefended twin; the first of its candidates that the guard
allows is put on a fresh clone and, the same strategy, into the fast model. Nothing is drawn again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from labs.battlefield.trial import LiveField
from labs.executor import Job, Result, open_executor, progress
from labs.scenario import Case, Scenario, Split, Suite
from labs.simulator import FastField
from labs.simulator.oracle import ORACLE, OTHER, best_answer, other_answer
from labs.validator import BASELINES, Measurement, baseline, refused
from secloop_ai.contracts import (
    TTLS_S,
    ActionCall,
    AlertSummary,
    Candidate,
    GuardRefusal,
    ObserveReason,
    PolicyRequest,
    Refusal,
    Role,
    Strategy,
    sha256_json,
)
from secloop_ai.loop.decide import build_request, decide, judge

from .cases import case_of
from .load import SuiteError, load_suite
from .measured import CANDIDATES, MEASURED, Alone, Row, Trial, case_sha, compact, open_store, rows_of, to_json

NAME = "measure/1"
ACTING, ISOLATE = "random-acting", "isolate-target"
"""What a learner tries at first: calls at random, the first candidate that the guard allows and that does something.
And the heavy hand, which takes the host that an alert names off the network. No baselines to be beaten: they bring
strategies of every kind, harmful ones too."""
POLICIES = (*BASELINES, ORACLE, OTHER, ACTING, ISOLATE)
MANY = 64
"""Candidates of a random draw that is to act."""
TRIAL_S = 900.0
"""Seconds for a twin and one strategy on a machine that is busy with other things."""
CALL = "labs.suites.measure:measure"


class Chosen(NamedTuple):
    """What a policy would do, or why the guard lets it do nothing."""

    strategy: Strategy | None
    refusals: tuple[Refusal, ...] = ()


def choose(policy: str, case: Case, alerts: Sequence[AlertSummary], seed: int) -> Chosen:
    """The first of a policy's candidates that the guard allows.

    Raises:
        PolicyError: no such policy, or it could not answer.
    """
    if policy in {ORACLE, OTHER}:
        if best := best_answer(case, alerts) if policy == ORACLE else other_answer(case, alerts, seed):
            return Chosen(best)
        policy = BASELINES[0]  # nothing is right: leave it alone
    request = build_request(alerts, case.environment)
    if policy in {ACTING, ISOLATE}:
        return _acting(request, seed) if policy == ACTING else _isolating(request)
    try:
        return Chosen(decide(request, baseline(policy), candidates=CANDIDATES, seed=seed).strategy)
    except GuardRefusal as refusal:
        return Chosen(None, refusal.verdict.verdict.refusals if refusal.verdict else ())


def _acting(request: PolicyRequest, seed: int) -> Chosen:
    """The first strategy of many drawn at random that is allowed and does something."""
    proposed = baseline("random-valid").propose(request, n=MANY, seed=seed)
    return _first(request, proposed, lambda strategy: not strategy.quiet)


def _isolating(request: PolicyRequest) -> Chosen:
    """The first host an alert names, those attacked before those that attack, that the guard lets be isolated."""
    hosts = {s.address: s.slot for s in request.pointers.of(Role.HOST)}
    named = [*(s.destination for s in request.summaries), *(s.source for s in request.summaries)]
    slots = dict.fromkeys(hosts[a] for a in named if a in hosts)
    calls = [ActionCall(tool="isolate_host", params={"host": slot}, ttl_s=TTLS_S[0]) for slot in slots]
    calls = calls or [ActionCall(tool="observe", params={"reason": ObserveReason.INFORMATIONAL.value}, ttl_s=TTLS_S[0])]
    return _first(request, [Candidate(calls=(call,)) for call in calls])


def _first(
    request: PolicyRequest, proposed: Iterable[Candidate], wanted: Callable[[Strategy], bool] = lambda _: True
) -> Chosen:
    refusals: tuple[Refusal, ...] = ()
    for candidate in proposed:
        strategy, verdict = judge(candidate, request, NAME)
        if verdict.allowed and wanted(strategy):
            return Chosen(strategy)
        refusals = refusals or verdict.refusals
    return Chosen(None, refusals)


def plan(split: Split, seeds: Iterable[int], policies: Sequence[str] = POLICIES, repeat: int = 0) -> Iterator[Trial]:
    """Every scenario of the split with every seed and policy; a case's policies follow one another."""
    chosen = [s for suite in Suite for s in load_suite(suite) if s.split is split]
    for seed in seeds:
        # one suite after the other would leave the last one without rows when time is short
        for scenario in sorted(chosen, key=lambda s: case_of(s, seed).digest()):
            for policy in policies:
                yield Trial(suite=scenario.suite.value, scenario=scenario.name, seed=seed, policy=policy, repeat=repeat)


class _Kept(NamedTuple):
    """The battlefields of the last case, for its next policy."""

    key: str
    live: LiveField
    fast: FastField


_kept: list[_Kept] = []


def _fields(trial: Trial) -> _Kept:
    if not _kept or _kept[0].key != trial.case_key:
        scenario = _scenario(trial)
        case = case_of(scenario, trial.seed)
        _kept[:] = [_Kept(trial.case_key, LiveField.of(scenario, case.seed), FastField(case))]
    return _kept[0]


def _scenario(trial: Trial) -> Scenario:
    found = next((s for s in load_suite(trial.suite) if s.name == trial.scenario), None)
    if found is None:
        raise SuiteError(f"{trial.suite}: no scenario {trial.scenario}")
    return found


def measure(**trial: Any) -> dict[str, Any]:
    """One trial, as a job; the row as JSON. Needs root and the lab.

    Raises:
        LabError: it could not be run.
        SuiteError: no such scenario.
    """
    asked = Trial.model_validate(trial)
    _, live, fast = _fields(asked)
    case = fast.case
    chosen = choose(asked.policy, case, live.alerts(), asked.seed)
    sides: tuple[Measurement, ...]
    if chosen.strategy is None:
        sides = tuple(refused(side.undefended(), chosen.refusals) for side in (live, fast))
    else:
        sides = (live.evaluate(chosen.strategy), fast.evaluate(chosen.strategy))
    row = Row(
        **_head(asked, case),
        alerts=len(live.alerts()),
        actions=chosen.strategy.actions if chosen.strategy else (),
        refused=chosen.strategy is None,
        live=compact(sides[0]),
        fast=compact(sides[1]),
        alone=alone(asked, fast, chosen.strategy),
    )
    return to_json(row)


def _head(trial: Trial, case: Case) -> dict[str, Any]:
    date = datetime.now(UTC).date().isoformat()
    split = _scenario(trial).split
    return {"trial": trial, "split": split, "case_id": case.case_id, "case_sha": case_sha(case), "date": date}


def alone(trial: Trial, fast: FastField, other: Strategy | None) -> Alone:
    """The policy on the fast model and its alerts; `other` is what it chose with the live ones."""
    chosen = choose(trial.policy, fast.case, fast.alerts(), trial.seed)
    if chosen.strategy is None:
        return Alone(correct=False, valid=fast.undefended().valid, refused=True, same=other is None)
    found = fast.evaluate(chosen.strategy)
    same = other is not None and other.actions == chosen.strategy.actions
    return Alone(correct=found.correct, valid=found.valid, refused=False, same=same)


def stale(row: Row) -> bool:
    """Whether the case that the row was measured on is no longer the scenario's."""
    return row.case_sha != _sha(row.trial.model_copy(update={"policy": "", "repeat": 0}))


@cache
def _sha(trial: Trial) -> str:
    return case_sha(case_of(_scenario(trial), trial.seed))


def run(
    trials: Iterable[Trial],
    path: Path = MEASURED,
    *,
    kind: str = "local",
    workers: int | None = None,
    limit: int | None = None,
) -> Iterator[Row]:
    """Run what the file does not hold yet, what is stale there, and what could not be run; rows as they come.

    Args:
        trials: see `plan`.
        path: rows are appended to it at once.
        kind: of the executor.
        workers: trials side by side.
        limit: battlefields side by side on this machine, other people's among them.

    Raises:
        InputError: the file cannot be used.
        LabError: no worker can be started.
    """
    store = open_store(path)
    known = {r.trial: r for r in rows_of(store)}
    todo = {t.key: t for t in trials if t not in known or known[t].error or stale(known[t])}
    jobs = [
        Job(key=key, call=CALL, arguments=trial.model_dump(), timeout_s=TRIAL_S, group=trial.case_key)
        for key, trial in todo.items()
    ]
    with open_executor(kind, workers, limit=limit) as executor:
        for result in progress(executor.run(jobs), len(jobs), title="trials"):
            row = _row(result, todo[result.key], known.get(todo[result.key]))
            store.append(result.key, to_json(row))
            yield row


def _row(result: Result, trial: Trial, before: Row | None) -> Row:
    """The job's row, or one that says why there is none; it knows of the tries before."""
    earlier = (*before.tried_before, before.error) if before and before.error else ()
    if result.ok:
        return Row.model_validate(result.value).model_copy(update={"tried_before": earlier})
    case = case_of(_scenario(trial), trial.seed)
    return Row(**_head(trial, case), error=result.error[:400], tried_before=earlier)


def fresh_fast(row: Row) -> Row:
    """The row with the fast model's word as it is now; the live one stays."""
    case = case_of(_scenario(row.trial), row.trial.seed)
    if row.live is None or case_sha(case) != row.case_sha:
        return row
    fast = FastField(case)
    if row.refused:
        found = fast.undefended().model_copy(update=_refusal(row.live))
        strategy = None
    else:
        strategy = Strategy(actions=row.actions, evidence=(), policy=row.trial.policy)
        found = fast.evaluate(strategy)
    return row.model_copy(update={"fast": compact(found), "alone": alone(row.trial, fast, strategy)})


def _refusal(live: Measurement) -> dict[str, Any]:
    return {name: getattr(live, name) for name in ("quiet_strategy", "executed", "rs_exe", "refusals")}


def refresh(path: Path = MEASURED) -> int:
    """Ask the fast model anew about every row; how many of its words changed.

    Raises:
        InputError: the file cannot be used.
    """
    store, changed = open_store(path), 0
    for row in rows_of(store):
        now = fresh_fast(row)
        if now != row:
            changed += 1
            store.append(row.trial.key, to_json(now))
    return changed


def again(rows: Sequence[Row], pairs: int) -> Iterator[Trial]:
    """Whole cases once more, until that many pairs are run twice: in an order that no result has part in."""
    cases: dict[str, list[Row]] = {}
    for row in rows:
        if row.valid and not row.refused and not row.trial.repeat:
            cases.setdefault(row.trial.case_key, []).append(row)
    left = pairs
    for _, own in sorted(cases.items(), key=lambda item: sha256_json(item[0])):
        if left <= 0:
            return
        left -= len(own)
        yield from (r.trial.model_copy(update={"repeat": 1}) for r in own)
