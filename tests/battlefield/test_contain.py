"""When an attack that was met in its middle counts as contained; tests/battlefield/test_trial.py has it live."""

from __future__ import annotations

import pytest

from labs.attacks.base import Receipt
from labs.battlefield.respond import Round, time_to_contain


def went(began: float, *successes: float | None) -> Round:
    """A round whose stages last succeeded then; None: they failed."""
    receipts = tuple(
        Receipt(
            stage=n, means="guess", attempted=True, succeeded=at is not None, started_s=began, ended_s=began + 1,
            last_success_s=at,
        )
        for n, at in enumerate(successes)
    )  # fmt: skip
    return Round(began, receipts)


def test_contained_is_who_fails_when_he_comes_again() -> None:
    rounds = [went(10.0, 11.0), went(12.0, 12.5), went(14.0, None)]
    assert time_to_contain(rounds, first_alert=10.5, answer=13.0) == 2.0


def test_an_attack_that_never_succeeded_after_the_first_alert_took_no_time() -> None:
    assert time_to_contain([went(10.0, 10.2), went(14.0, None)], first_alert=10.5, answer=13.0) == 0.0
    assert time_to_contain([went(10.0, None), went(14.0, None)], first_alert=10.5, answer=13.0) == 0.0


@pytest.mark.parametrize(
    ("rounds", "first_alert", "answer"),
    [
        ([went(10.0, 11.0), went(14.0, None, 14.5)], 10.5, 13.0),  # one stage still succeeds
        ([went(10.0, 11.0), went(12.0, None)], 10.5, 13.0),  # nobody came again
        ([went(10.0, 11.0), went(14.0, None)], 10.5, None),  # nobody acted
        ([went(10.0, 11.0), went(14.0, None)], None, None),  # nobody was told
    ],
)
def test_else_it_is_not_contained(rounds: list[Round], first_alert: float | None, answer: float | None) -> None:
    assert time_to_contain(rounds, first_alert, answer) is None
