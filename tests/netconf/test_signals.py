"""A wish to stop is kept for later, and reaches the program's own handler in the end."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from secloop_ai.netconf.signals import StopWish


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    before = {s: signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_the_programs_own_handler_hears_of_it_afterwards() -> None:
    heard: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    with StopWish() as wish:
        os.kill(os.getpid(), signal.SIGTERM)
        assert wish.reason == "interrupted by SIGTERM"
        assert heard == []
    assert heard == [signal.SIGTERM]


def test_pythons_own_handler_is_not_called() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with StopWish() as wish:
        os.kill(os.getpid(), signal.SIGINT)
    assert wish.reason == "interrupted by SIGINT"


def test_an_ignored_signal_stays_ignored() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with StopWish() as wish:
        os.kill(os.getpid(), signal.SIGTERM)
    assert wish.reason == ""
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
