"""The controller dies between commit and confirm."""

from __future__ import annotations

import subprocess
import sys

import pytest

from labs.emulator import Device as Emulated
from secloop_ai.contracts import Outcome, PendingCommit
from secloop_ai.netconf import settle_pending

from .change import SETTINGS, held, holds
from .parts import until
from .watches import quiet

Pair = tuple[Emulated, Emulated]


def die_while_pending(pair: Pair, *, timeout_s: float) -> PendingCommit:
    """A controller of its own process, killed with SIGKILL while its commit is pending; what its journal had."""
    command = [sys.executable, "-m", "tests.netconf.crash_child", str(timeout_s), *(d.model_dump_json() for d in pair)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        begun, said = child.stdout.readline(), child.stdout.readline()
        child.kill()
    assert said == "pending\n"
    return PendingCommit.model_validate_json(begun)


@pytest.mark.slow
def test_devices_roll_back_by_themselves_and_recovery_sees_it(pair: Pair) -> None:
    base = [d.running() for d in pair]
    journal = die_while_pending(pair, timeout_s=5.0)
    assert all(holds(d) for d in pair)
    until(lambda: not any(d.state().pending for d in pair))
    assert [d.running() for d in pair] == base
    report = settle_pending(journal, [held(d) for d in pair], settings=SETTINGS)
    assert report.outcome is Outcome.UNDONE
    assert [d.running() for d in pair] == base
    assert quiet(*pair)


def test_recovery_does_not_wait_for_the_timeout(pair: Pair) -> None:
    base = [d.running() for d in pair]
    journal = die_while_pending(pair, timeout_s=600.0)
    assert all(holds(d) for d in pair)
    report = settle_pending(journal, [held(d) for d in pair], settings=SETTINGS)
    assert report.outcome is Outcome.UNDONE
    assert report.transaction_id == journal.transaction_id
    assert [d.running() for d in pair] == base
    assert all(d.served("cancel") for d in pair)
    assert quiet(*pair)
