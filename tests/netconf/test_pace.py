"""The pace while a confirmed commit is pending."""

from __future__ import annotations

import pytest

from secloop_ai.netconf import pace as module
from secloop_ai.netconf.pace import Pace


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def test_nothing_waits_while_nothing_is_pending(clock: Clock) -> None:
    pace = Pace(1.0)
    for _ in range(5):
        pace.wait()
    assert clock.slept == []


def test_the_first_goes_at_once_and_the_next_are_spaced(clock: Clock) -> None:
    pace = Pace(1.0)
    pace.begin()
    for _ in range(3):
        pace.wait()
    assert clock.slept == [0.0, 1.0, 1.0]


def test_what_ends_the_pending_commit_goes_at_once_but_only_once(clock: Clock) -> None:
    pace = Pace(1.0)
    pace.begin()
    pace.wait()
    pace.wait(ends=True)
    pace.wait(ends=True)
    assert clock.slept == [0.0, 0.0, 1.0]


def test_time_that_passed_anyway_counts(clock: Clock) -> None:
    pace = Pace(1.0)
    pace.begin()
    pace.wait()
    clock.now += 0.75
    pace.wait()
    clock.now += 5.0
    pace.wait()
    assert clock.slept == [0.0, 0.25, 0.0]


def test_the_end_of_the_pending_commit_ends_the_pace(clock: Clock) -> None:
    pace = Pace(1.0)
    pace.begin()
    pace.wait()
    pace.end()
    pace.wait()
    assert clock.slept == [0.0]
    assert not pace.pending
