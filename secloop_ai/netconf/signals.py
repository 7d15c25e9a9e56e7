"""A wish to stop, noted instead of obeyed at once: a transaction ends in order, with its commit taken back."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

CAUGHT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopWish:
    """While entered, SIGINT, SIGTERM and SIGHUP only set :attr:`reason`.

    A signal that is ignored (``nohup``, a background job) stays so; outside the main thread this does nothing. On
    leaving, what was noted is handed on to a handler that the program has set itself: a loop around transactions
    must hear of it, too. Python's own handlers are not called: the transaction's report has told what they would.
    """

    def __init__(self) -> None:
        self.reason = ""
        self._noted: list[int] = []
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            caught = [s for s in CAUGHT if signal.getsignal(s) is not signal.SIG_IGN]
            self._before = {s: signal.signal(s, self._note) for s in caught}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        before, self._before = self._before, {}
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        for noted in self._noted:
            handler = before[signal.Signals(noted)]
            if callable(handler) and handler is not signal.default_int_handler:
                handler(noted, None)

    def _note(self, number: int, frame: FrameType | None) -> None:
        del frame
        self._noted.append(number)
        self.reason = f"interrupted by {signal.Signals(number).name}"
