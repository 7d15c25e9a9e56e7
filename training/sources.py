"""Where the tasks of a run come from: cases by name, or cases made by a function of their number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol, runtime_checkable

from labs.scenario import Case, Split, Suite
from labs.suites import load_suite
from labs.suites.cases import STRIDE, case_of
from secloop_ai.contracts.errors import InputError

from .tasks import Task, task_of

KEPT = 512
"""Tasks that a source remembers."""


class TaskSource(Protocol):
    """Tasks by their number; the same number always gives the same task."""

    def __len__(self) -> int:
        """How many there are."""

    def task(self, index: int) -> Task:
        """The task of a number from 0 on."""


@runtime_checkable
class Chained(Protocol):
    """A source that knows which of its tasks are of one attack chain: what an adaptive attacker tries again."""

    def kin(self, index: int) -> Sequence[int]:
        """Numbers of the tasks of the same chain, this one's too."""


class Ref(NamedTuple):
    """A case by name."""

    suite: str
    scenario: str
    seed: int

    @classmethod
    def of(cls, case: Case) -> Ref:
        """The names that :func:`labs.suites.cases.case_of` takes for a case of a suite."""
        return cls(case.suite, case.scenario, case.seed % STRIDE)


class CaseTasks:
    """Scenarios of the suites, each with several seeds.

    Args:
        split: whose scenarios.
        seeds: of the cases.
        suites: all by default.

    Raises:
        InputError: no scenario, or no seed.
        SuiteError: a suite's file cannot be used.
    """

    def __init__(self, split: Split | str, seeds: Sequence[int], suites: Sequence[Suite | str] = tuple(Suite)) -> None:
        which = Split(split)
        self._scenarios = tuple(s for suite in suites for s in load_suite(suite) if s.split is which)
        self._seeds = tuple(seeds)
        if not self._scenarios or not self._seeds:
            raise InputError(f"no cases: {len(self._scenarios)} scenarios of {which.value}, {len(self._seeds)} seeds")
        self._made = lru_cache(KEPT)(self._make)

    def __len__(self) -> int:
        return len(self._scenarios) * len(self._seeds)

    def task(self, index: int) -> Task:
        """Scenario by scenario, then seed by seed."""
        return self._made(index)

    def kin(self, index: int) -> Sequence[int]:
        """The same scenario with every seed."""
        return range(index % len(self._scenarios), len(self), len(self._scenarios))

    def _make(self, index: int) -> Task:
        turn, which = divmod(index, len(self._scenarios))
        return task_of(case_of(self._scenarios[which], self._seeds[turn]))


class MadeTasks:
    """Tasks made by a function of their number.

    Args:
        make: gives equal tasks for equal numbers.
        count: how many.
    """

    def __init__(self, make: Callable[[int], Task], count: int) -> None:
        self._made = lru_cache(KEPT)(make)
        self._count = count

    def __len__(self) -> int:
        return self._count

    def task(self, index: int) -> Task:
        """As the function makes it."""
        return self._made(index)
