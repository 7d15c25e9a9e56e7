"""From what a chat model wrote to candidates: nothing it says becomes an exception, and nothing is dropped.

An answer that is no strategy becomes a candidate without a call, which the guard refuses under ``closed-schema``; its
rationale says what was wrong in our words, never in the model's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from pydantic import ValidationError

from secloop_ai.contracts import ActionCall, Candidate, sha256_json
from secloop_ai.contracts.base import Frozen

MAX_TEXT = 65_536
"""Characters of an answer that are looked at."""
_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_FENCE = re.compile(r"\A```(?:json)?\s*\n(.*?)\n?```\Z", re.DOTALL)
_FIELDS = frozenset({"calls", *ActionCall.model_fields})


class Reply(NamedTuple):
    """One answer of a chat model.

    Attributes:
        text: as written; None where the server said that the model refused.
        ended: ``length``: cut off at the token limit.
        log_probability: of all its tokens at temperature 1, under the grammar's mask if there was one; None: unknown.
        tokens: how many it took; 0: unknown.
    """

    text: str | None
    ended: Literal["stop", "length", "other"] = "stop"
    log_probability: float | None = None
    tokens: int = 0


class Reading(NamedTuple):
    """What an answer says, or what is wrong with it."""

    calls: tuple[ActionCall, ...]
    problem: str = ""


class _Strategy(Frozen):
    calls: tuple[ActionCall, ...]


def read(reply: Reply) -> Reading:
    """The calls of an answer: JSON alone, or in one code fence, or after a reasoning model's thoughts."""
    if reply.text is None:
        return Reading((), "the model refused to answer")
    text = reply.text[:MAX_TEXT]
    text = _THOUGHT.sub("", text).strip()
    if fenced := _FENCE.match(text):
        text = fenced.group(1)
    if not text:
        return Reading((), "the answer is empty")
    try:
        calls = _Strategy.model_validate_json(text, strict=True).calls
    except ValidationError as error:
        return Reading((), _problem(error, reply))
    return Reading(calls, "" if calls else "the answer holds no call")


def _problem(error: ValidationError, reply: Reply) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    if first["type"] == "json_invalid":
        return "the answer was cut off at the token limit" if reply.ended == "length" else "the answer is not JSON"
    place = ".".join(str(p) for p in first["loc"] if isinstance(p, int) or p in _FIELDS)
    return f"the answer is JSON, but not a strategy (at {place or 'its top'})"


def candidates(replies: Sequence[Reply], said_by: str) -> tuple[Candidate, ...]:
    """A candidate for each different strategy and for each answer that is none, the former first.

    The first reply keeps its place before the other strategies; those follow by their log-probability, or in their
    order where it is not known.

    Args:
        replies: the answers, the greedy one first.
        said_by: who answered, for the rationale; with whatever else is to be said of all of them.
    """
    readings = [read(r) for r in replies]
    times: dict[str, list[int]] = {}
    for index, reading in enumerate(readings):
        if not reading.problem:
            times.setdefault(sha256_json([c.model_dump() for c in reading.calls]), []).append(index)
    good = sorted(times.values(), key=lambda at: (0 not in at, -_score(replies, at[0])))
    bad = [
        Candidate(calls=(), score=_score(replies, index), rationale=_short(f"{said_by}; {reading.problem}"))
        for index, reading in enumerate(readings)
        if reading.problem
    ]
    return (*(_candidate(readings[at[0]].calls, replies, at, said_by) for at in good), *bad)


def _candidate(calls: tuple[ActionCall, ...], replies: Sequence[Reply], at: Sequence[int], said_by: str) -> Candidate:
    known = replies[at[0]].log_probability
    parts = [
        said_by,
        *([f"log-probability {known:.2f}"] if known is not None else []),
        *([f"answered {len(at)} times"] if len(at) > 1 else []),
    ]
    return Candidate(calls=calls, score=_score(replies, at[0]), rationale=_short("; ".join(parts)))


def _score(replies: Sequence[Reply], index: int) -> float:
    known = replies[index].log_probability
    return float(-index) if known is None else known


def _short(text: str) -> str:
    return text[:400]
