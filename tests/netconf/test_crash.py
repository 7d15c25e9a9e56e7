"""The controller dies between commit and confirm."""

from __future__ import annotations

import pytest

from labs.emulator import Device as Emulated
from secloop_ai.contracts import Outcome
from secloop_ai.netconf import settle_pending

from .change import SETTINGS, held, holds
from .crash_child import die_while_pending
from .parts import contract, until
from .watches import quiet

Pair = tuple[Emulated, Emulated]


@pytest.mark.slow
def test_devices_roll_back_by_themselves_and_recovery_sees_it(pair: Pair) -> None:
    base = [d.running() for d in pair]
    journal = die_while_pending([contract(d) for d in pair], timeout_s=5.0)
    assert all(holds(d) for d in pair)
    until(lambda: not any(d.state().pending for d in pair))
    assert [d.running() for d in pair] == base
    report = settle_pending(journal, [held(d) for d in pair], settings=SETTINGS)
    assert report.outcome is Outcome.UNDONE
    assert [d.running() for d in pair] == base
    assert quiet(*pair)


def test_recovery_does_not_wait_for_the_timeout(pair: Pair) -> None:
    base = [d.running() for d in pair]
    journal = die_while_pending([contract(d) for d in pair], timeout_s=600.0)
    assert all(holds(d) for d in pair)
    report = settle_pending(journal, [held(d) for d in pair], settings=SETTINGS)
    assert report.outcome is Outcome.UNDONE
    assert report.transaction_id == journal.transaction_id
    assert [d.running() for d in pair] == base
    assert all(d.served("cancel") for d in pair)
    assert quiet(*pair)
