"""A case as a policy meets it: the request, its prompt, and the fast model that answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from labs.scenario import Case, Split, Suite
from labs.simulator import FastField
from labs.suites import cases
from secloop_ai.contracts import PolicyRequest
from secloop_ai.loop.decide import build_request
from secloop_ai.policies.embedded import encode

from .drawn import means_source


class Task(NamedTuple):
    """One question to a policy.

    Attributes:
        prompt: of the request, words of the closed vocabulary.
    """

    case: Case
    request: PolicyRequest
    field: FastField
    prompt: tuple[str, ...]


def field_of(case: Case) -> FastField:
    """The fast model of a case, drawn means among its attacks or not."""
    return FastField(case, means_source)


def task_of(case: Case) -> Task:
    """The case on the fast model, with the alerts of its undefended twin."""
    field = field_of(case)
    request = build_request(field.alerts(), case.environment)
    return Task(case, request, field, encode(request).words)


def tasks(split: Split | str, seeds: Iterable[int], suites: Iterable[Suite | str] = tuple(Suite)) -> Iterator[Task]:
    """Every scenario of a split with every seed, suite by suite.

    Raises:
        SuiteError: a suite's file cannot be used.
    """
    kept = tuple(seeds)
    for suite in suites:
        yield from (task_of(case) for case in cases(suite, split, kept))
