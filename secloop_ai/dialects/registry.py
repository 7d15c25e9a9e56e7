"""Which dialects there are: every package beside this file, but for what several of them share."""

from __future__ import annotations

import pkgutil
import threading
from functools import cache
from importlib import import_module
from pathlib import Path

from secloop_ai.contracts.errors import UnknownDialectError
from secloop_ai.contracts.ports import Dialect

_SHARED = frozenset({"numbered"})
"""Packages that dialects are built from."""

# One at a time: they import parts of one another, and threads that do so the other way round would wait for ever.
_IMPORTING = threading.RLock()


@cache
def known() -> tuple[str, ...]:
    """Names of the dialects, sorted."""
    packages = {m.name for m in pkgutil.iter_modules([str(Path(__file__).parent)]) if m.ispkg}
    return tuple(sorted(packages - _SHARED))


@cache
def dialect(name: str) -> Dialect:
    """The dialect of that name.

    Raises:
        UnknownDialectError: there is none; the text names it and those there are.
    """
    if name not in known():
        raise UnknownDialectError(f"unknown dialect '{name}'; known: {', '.join(known())}")
    with _IMPORTING:
        found: Dialect = import_module(f"{__package__}.{name}").DIALECT
    return found
