"""From the ledger to lessons: which runs are some, what they hold, and why the others are left out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from secloop_ai.contracts import Feedback, Policy
from secloop_ai.ledger import Ledger, open_ledger
from secloop_ai.policies import load_policy
from secloop_ai.policies.embedded import Grammar, encode
from secloop_ai.policies.embedded.encode import shown
from secloop_ai.policies.embedded.policy import EmbeddedPolicy
from secloop_ai.policies.embedded.vocabulary import words
from training.lifecycle.lessons import Harvest, harvest

from .making import T0, a_task, decided, observer, wild

KNOWN = frozenset(words())


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(f"sqlite:///{tmp_path}/ledger.sqlite") as opened:
        yield opened


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    return EmbeddedPolicy(wild(tmp_path / "wild"))


def found(ledger: Ledger, **others: Any) -> Harvest:
    return harvest(ledger, KNOWN, positions=512, **others)


def test_a_run_is_a_lesson_with_its_request_its_answer_and_what_came_of_it(ledger: Ledger, policy: Policy) -> None:
    task = a_task()
    feedback = decided(ledger, task.request, policy, rs_attack=0.5)
    (lesson,), left_out = found(ledger)
    assert not left_out
    assert lesson.feedback == feedback
    assert lesson.task.request == task.request
    assert lesson.task.prompt == encode(task.request).words
    assert Grammar(task.request).calls(lesson.words) == lesson.calls
    assert lesson.strategy.digest() == feedback.strategy_sha256
    assert lesson.policy_sha256 == policy.digest()


def test_the_twin_is_made_of_the_request_alone(ledger: Ledger, policy: Policy) -> None:
    task = a_task()
    decided(ledger, task.request, policy)
    (lesson,), _ = found(ledger)
    assert lesson.task.case.environment == task.request.environment
    assert {s.means for s in lesson.task.case.stages}.isdisjoint(s.means for s in task.case.stages)
    assert lesson.task.case.case_id != task.case.case_id


def test_other_back_ends_teach_too_where_their_answer_can_be_spoken(ledger: Ledger) -> None:
    decided(ledger, a_task().request, load_policy("playbook"))
    assert len(found(ledger).lessons) == 1


def test_words_that_training_never_showed_are_shown_as_in_production(ledger: Ledger, policy: Policy) -> None:
    decided(ledger, a_task().request, policy)
    (before,), _ = found(ledger)
    lost = next(w for w in before.task.prompt if w.startswith("app:"))
    (lesson,), _ = harvest(ledger, KNOWN - {lost}, positions=512)
    assert lost not in lesson.task.prompt
    assert lesson.task.prompt == shown(before.task.prompt, KNOWN - {lost})


REASONS: dict[str, dict[str, Any]] = {
    "that came to no decision": {"rs_exe": None},
    "whose strategy the guard refused": {"strategy_sha256": ""},
    "that ended before a transaction was settled": {"outcome": None},
    "that changed nothing": {"outcome": "unchanged"},
    "whose decision the ledger does not hold": {"strategy_sha256": "e" * 64},
}


@pytest.mark.parametrize("why", REASONS)
def test_a_run_that_says_nothing_of_its_strategy_is_left_out_with_the_reason(
    ledger: Ledger, policy: Policy, why: str
) -> None:
    decided(ledger, a_task().request, policy, **REASONS[why])
    lessons, left_out = found(ledger)
    assert lessons == ()
    (reason,) = left_out
    assert reason.startswith(why)
    assert f"1 {why}" in found(ledger).why_not()


def test_in_doubt_is_no_lesson_and_undone_is_one(ledger: Ledger, policy: Policy) -> None:
    decided(ledger, a_task().request, policy, 0, outcome="in_doubt", rs_exe=0.0)
    decided(ledger, a_task().request, policy, 1, outcome="undone", rs_exe=0.0, rs_service=None)
    lessons, left_out = found(ledger)
    assert [lesson.feedback.outcome for lesson in lessons] == ["undone"]
    assert left_out.total() == 1


def test_to_observe_changes_nothing_and_is_a_lesson_all_the_same(ledger: Ledger, tmp_path: Path) -> None:
    decided(ledger, a_task().request, EmbeddedPolicy(observer(tmp_path / "o")), outcome="unchanged", changed=False)
    (lesson,), _ = found(ledger)
    assert lesson.strategy.quiet


def test_a_request_of_an_older_release_is_missed_and_said(ledger: Ledger, policy: Policy) -> None:
    decided(ledger, a_task().request, policy)
    with ledger._db.writing("test") as c:
        c.exec_driver_sql("DELETE FROM requests")
    assert "1 whose request was not kept" in found(ledger).why_not()


def test_a_question_that_the_weights_have_no_room_for_is_left_out(ledger: Ledger, policy: Policy) -> None:
    decided(ledger, a_task().request, policy)
    assert "1 whose question or answer these weights cannot speak" in harvest(ledger, KNOWN, positions=80).why_not()


def test_an_empty_ledger_and_strays(ledger: Ledger) -> None:
    assert found(ledger).why_not() == "no run has been kept"
    ledger.record_feedback(Feedback(run_id="r", incident_id=None, status="failed", rc=4, changed=False), now=T0)
    assert found(ledger).why_not() == "1 that came to no decision"
