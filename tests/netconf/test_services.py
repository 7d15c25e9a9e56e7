"""Judging the legitimate checks."""

from __future__ import annotations

from secloop_ai.netconf.services import judge

from .watches import probe


def test_green_before_and_after_is_no_problem() -> None:
    assert judge([probe("before")], [probe("before"), probe("during")], 2) == ((), ())


def test_a_check_that_was_never_tried_before_is_ours_when_it_fails() -> None:
    found = judge([probe("before", tries=0)], [probe("during", failures=1)], 2)
    assert len(found.problems) == 1
    assert found.warnings == ()


def test_what_happened_before_is_not_held_against_the_change() -> None:
    assert judge([probe("before", failures=1)], [probe("before", failures=1), probe("during")], 2) == ((), ())


def test_another_target_of_the_same_service_is_another_check() -> None:
    red = probe("before", failures=3).model_copy(update={"target": "192.0.2.11 tcp/80"})
    assert len(judge([red], [probe("during", failures=1)], 2).problems) == 1


def test_a_check_that_owes_rounds_is_a_problem() -> None:
    assert "1 of 2 tries came back in time" in judge([], [probe("during", tries=1)], 2).problems[0]
