"""A job's call, made here: found by name, answered with JSON or with words."""

from __future__ import annotations

import atexit
import importlib
import json
import traceback
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, NamedTuple, Self

from secloop_ai.contracts.errors import InputError, SecLoopError

FRAMES = 3
"""Calls of a foreign error's traceback that its message shows."""

_ENDINGS: list[Callable[[], object]] = []


class Answer(NamedTuple):
    """What a call came to."""

    value: Any
    error: str


class Caught:
    """A context that keeps any error of its block as words: a SecLoop error's text, else with where it came from."""

    def __init__(self) -> None:
        self.error = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        self.error = describe(error)
        return True


def describe(error: Exception) -> str:
    """An error in words."""
    if isinstance(error, SecLoopError):
        return str(error) or type(error).__name__
    said = "".join(traceback.format_exception_only(error)).strip()
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    return "\n".join([said, *(f"  {f.filename}:{f.lineno} in {f.name}: {f.line or ''}".rstrip() for f in frames)])


def find(name: str) -> Callable[..., Any]:
    """The function behind ``package.module:function``.

    Raises:
        InputError: there is none.
    """
    module, _, function = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise InputError(f"{name}: {error}") from error
    if not callable(found):
        raise InputError(f"{name}: not a function")
    return found  # type: ignore[no-any-return]


def perform(name: str, arguments: Mapping[str, Any]) -> Answer:
    """Make the call; every error is an answer, too."""
    with Caught() as caught:
        value = find(name)(**arguments)
        try:
            return Answer(json.loads(json.dumps(value, allow_nan=False)), "")
        except (TypeError, ValueError) as error:
            raise InputError(f"{name}: returned no JSON: {error}") from None
    return Answer(None, caught.error)


def at_end(action: Callable[[], object]) -> None:
    """Have something done when this worker ends, or where there are no workers, this process."""
    if not _ENDINGS:
        atexit.register(end)
    _ENDINGS.append(action)


def end() -> None:
    """Do what was to be done at the end, the last first; errors are left to whoever clears up behind a worker."""
    while _ENDINGS:
        with Caught():
            _ENDINGS.pop()()
