"""Battlefields built ahead: up before the job that needs them begins.

A clone that was built ahead is the same as any other: everything but the sensor runs, nothing has been attacked, and
only the waiting is spared. What nobody fetches is taken down.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager

from labs.battlefield import Battlefield
from labs.battlefield.services import Place, Serving
from labs.scenario import Case
from secloop_ai.contracts.errors import LabError

Key = tuple[str, tuple[tuple[Place, Serving], ...]]


class Stock:
    """At most one battlefield that is ready, or is being built."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ready: dict[Key, Future[Battlefield]] = {}
        self._closed = False
        self.fetched = 0

    def prepare(self, case: Case, kinds: Mapping[Place, Serving]) -> None:
        """Build a clone of a case, unless one is there; another one that nobody fetched goes first.

        Raises:
            LabError: it could not be built; whoever fetches it builds one anew.
        """
        key, own = _key(case, kinds), Future[Battlefield]()
        with self._lock:
            if self._closed or key in self._ready:
                return
            old, self._ready = self._ready, {key: own}
        _discard(old)
        try:
            own.set_result(Battlefield(case, kinds).up())
        except LabError as error:
            own.set_exception(error)
            raise

    @contextmanager
    def clone(self, case: Case, kinds: Mapping[Place, Serving]) -> Iterator[Battlefield]:
        """A clone of a case for the block: the one that was built ahead, or one built now.

        Raises:
            LabError: it could not be built.
        """
        with self._lock:
            waiting = self._ready.pop(_key(case, kinds), None)
        if waiting is None or waiting.exception() is not None:
            with Battlefield(case, kinds) as field:
                yield field
            return
        self.fetched += 1
        field = waiting.result()
        try:
            yield field
        finally:
            field.down()

    def close(self) -> None:
        """Take down what nobody fetched; nothing is built ahead any more.

        Raises:
            LabError: a process or a namespace would not go.
        """
        with self._lock:
            self._closed = True
            old, self._ready = self._ready, {}
        _discard(old)


def _key(case: Case, kinds: Mapping[Place, Serving]) -> Key:
    return case.digest(), tuple(sorted(kinds.items()))


def _discard(old: Mapping[Key, Future[Battlefield]]) -> None:
    for future in old.values():
        if future.exception() is None:
            future.result().down()
