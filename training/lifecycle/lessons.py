"""What really happened, as questions to learn from: runs of the ledger with their request, answer and Feedback.

A run is a lesson when it can be told what was asked (the ledger keeps the request), what was answered (the strategy
that Feedback names by its digest) and what came of it. Every run that is none is counted with the reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple

from labs.rehearsal.twin import hypotheses, twin
from labs.scenario import Case
from labs.simulator import FastField
from secloop_ai.contracts import ActionCall, Feedback, Outcome, PolicyError, PolicyRequest, SecLoopError, Strategy
from secloop_ai.ledger import DecisionRecord, Ledger
from secloop_ai.loop.decide import judge
from secloop_ai.policies.embedded import Grammar, encode, spell
from secloop_ai.policies.embedded.encode import shown
from secloop_ai.policies.embedded.grammar import MAX_WORDS
from training.tasks import Task

SETTLED = frozenset(o.value for o in (Outcome.CONFIRMED, Outcome.UNDONE, Outcome.UNCHANGED))


class NoLessonError(SecLoopError):
    """A run from which nothing can be learnt; says which, as ``whose ...``."""


class Lesson(NamedTuple):
    """An incident, what was done about it, and what came of that.

    Attributes:
        task: its battlefield is a rehearsal twin made of the request alone; its case is named after the run.
        words: of the executed answer.
        strategy: that was executed.
        policy_sha256: of the weights that answered.
    """

    task: Task
    calls: tuple[ActionCall, ...]
    words: tuple[str, ...]
    strategy: Strategy
    feedback: Feedback
    policy_sha256: str


class Harvest(NamedTuple):
    """What a ledger has to teach.

    Attributes:
        left_out: why runs are no lessons, each reason with how many.
    """

    lessons: tuple[Lesson, ...]
    left_out: Counter[str]

    def why_not(self) -> str:
        """The reasons in words."""
        return "; ".join(f"{n} {why}" for why, n in self.left_out.most_common()) or "no run has been kept"


def harvest(ledger: Ledger, known: Collection[str], *, positions: int, limit: int = 256) -> Harvest:
    """The lessons of a ledger's newest runs.

    Args:
        ledger: with the Feedback of runs.
        known: words that the weights' training showed.
        positions: words of a prompt and its answer that the weights have room for.
        limit: runs looked at.

    Raises:
        LedgerError: the ledger cannot be read, or is damaged.
    """
    found: list[Lesson] = []
    left_out: Counter[str] = Counter()
    for feedback in ledger.feedbacks(limit):
        try:
            found.append(lesson(ledger, feedback, known, positions))
        except NoLessonError as why:
            left_out[str(why)] += 1
    return Harvest(tuple(found), left_out)


def lesson(ledger: Ledger, feedback: Feedback, known: Collection[str], positions: int) -> Lesson:
    """A run as a lesson.

    Raises:
        NoLessonError: it is none; says why.
        LedgerError: the ledger cannot be read, or is damaged.
    """
    settled(feedback)
    record, request = _asked(ledger, feedback)
    decision = record.decision
    taken = len(decision.rejected)  # the guard's first: all before it were turned down
    if taken >= len(decision.candidates):
        raise NoLessonError("whose candidates were not kept")
    candidate = decision.candidates[taken]
    strategy, verdict = judge(candidate, request, decision.strategy.policy)
    if strategy.digest() != record.strategy_sha256 or not verdict.allowed:
        raise NoLessonError("whose strategy this release resolves or judges otherwise")
    prompt, words = shown(encode(request).words, known), spelt(request, candidate.calls)
    if words is None or len(prompt) + MAX_WORDS > positions:
        raise NoLessonError("whose question or answer these weights cannot speak")
    case, field = _twin(request, feedback)
    task = Task(case, request, field, prompt)
    return Lesson(task, candidate.calls, words, strategy, feedback, decision.policy_sha256)


def settled(feedback: Feedback) -> None:
    """See that a run's outcome says something of its strategy.

    Raises:
        NoLessonError: it does not.
    """
    if feedback.incident_id is None or feedback.rs_exe is None:
        raise NoLessonError("that came to no decision")
    if not feedback.strategy_sha256:
        raise NoLessonError("whose strategy the guard refused, or that an older release collected")
    if feedback.outcome not in SETTLED:
        raise NoLessonError("that ended before a transaction was settled")


def _asked(ledger: Ledger, feedback: Feedback) -> tuple[DecisionRecord, PolicyRequest]:
    """The incident's newest decision for the run's strategy, and what the policy was asked."""
    made = reversed(ledger.incident(feedback.incident_id or "").decisions)
    record = next((d for d in made if d.strategy_sha256 == feedback.strategy_sha256), None)
    if record is None:
        raise NoLessonError("whose decision the ledger does not hold")
    request = ledger.request(record.decision.prompt_sha256)
    if request is None:
        raise NoLessonError("whose request was not kept (decided by an older release)")
    if feedback.outcome == Outcome.UNCHANGED and not record.decision.strategy.quiet:
        raise NoLessonError("that changed nothing, as all of it stood already")
    return record, request


def spelt(request: PolicyRequest, calls: Iterable[ActionCall]) -> tuple[str, ...] | None:
    """The words of an answer; None where the grammar of the request has no such answer."""
    try:
        words = tuple(spell(tuple(calls)))
        Grammar(request).calls(words)
    except (PolicyError, KeyError):
        return None
    return words


def _twin(request: PolicyRequest, feedback: Feedback) -> tuple[Case, FastField]:
    """Case and battlefield: nothing is looked at but the request."""
    case, means = twin(request, hypotheses(request), returns=False)
    named = case.model_copy(update={"scenario": f"run-{feedback.run_id}"})
    return named, FastField(named, means.__getitem__)
