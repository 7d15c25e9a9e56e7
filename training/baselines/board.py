"""A question as a learner with a fixed list of actions meets it: facts, what may be said, and what was said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from secloop_ai.contracts import ActionCall, PolicyRequest
from secloop_ai.policies.reflex import reflex

from .observation import Bits, see, width
from .templates import MOST_CALLS, calls_of, observe, stop, templates

ACTIONS = len(templates()) + 1
OBSERVED = width() + 3 * ACTIONS
"""Marks of an observation: the facts with what the reflex would say, what was said, and the mask."""


class Board(NamedTuple):
    """A question as the learner meets it.

    Attributes:
        facts: the prompt's marks, and one per template that the reflex would say, or for stopping where that is none.
        calls: per template, the call, or None where the request has no room for it.
        most: calls of an answer, at most.
    """

    facts: Bits
    calls: tuple[ActionCall | None, ...]
    most: int

    @classmethod
    def of(cls, prompt: Sequence[str], request: PolicyRequest) -> Board:
        """From a request and its prompt."""
        calls = calls_of(request)
        facts = np.concatenate([see(prompt), _called_for(calls, request)])
        return cls(facts, calls, min(MOST_CALLS, request.environment.max_actions))

    def observation(self, said: Sequence[int]) -> Bits:
        """The facts, one mark per template that was said, and the mask, in a row."""
        spoken = np.zeros(ACTIONS, dtype=np.uint8)
        spoken[list(said)] = 1
        return np.concatenate([self.facts, spoken, self.mask(said)])

    def mask(self, said: Sequence[int]) -> Bits:
        """One mark per action that may come next; to stop is always one. No call is said twice."""
        found = np.array([*(call is not None for call in self.calls), True], dtype=np.uint8)
        found[list(said)] = 0
        if len(said) >= self.most:
            found[: stop()] = 0
        return found

    def answer(self, said: Sequence[int]) -> tuple[ActionCall, ...]:
        """The calls that were said; nothing said is `observe`."""
        return tuple(call for n in said if (call := self.calls[n])) or (observe(),)


def _called_for(calls: Sequence[ActionCall | None], request: PolicyRequest) -> Bits:
    """One mark per action: what the prompt says beside each alert, in the learner's own words."""
    said = {(c.tool, *c.params.values()) for c in reflex(request)}
    found = [call is not None and (call.tool, *call.params.values()) in said for call in calls]
    return np.array([*found, not said], dtype=np.uint8)
