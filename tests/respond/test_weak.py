"""From an alert to a change and back on a device without a confirmed commit; its controller dies on the way."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs.emulator import Device, EmulatedDevice
from secloop_ai.contracts import TransactionFailed
from secloop_ai.loop.context import Context
from secloop_ai.loop.deadman import standing
from secloop_ai.loop.recover import recover_all
from tests.netconf.parts import until

from .world import World

HELLO = (":base:1.0", ":base:1.1", ":writable-running", ":candidate", ":validate:1.1", ":rollback-on-error")
DIE = "import sys; from secloop_ai.loop.steps import commit_step; commit_step(eval(sys.argv[1]), False)"


@pytest.fixture(scope="module")
def weak_device() -> Iterator[Device]:
    with EmulatedDevice(capabilities=HELLO) as device:
        yield device


@pytest.fixture
def weak(weak_device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    weak_device.reset()
    monkeypatch.setenv("SECLOOP_STATE_DIR", str(tmp_path / "state"))
    return World(weak_device, tmp_path)


def test_it_is_blocked_with_a_warning_and_expires(weak: World) -> None:
    before = weak.device.running()
    result = weak.apply(weak.plan())
    assert result.values["outcome"] == "confirmed"
    assert any("a watchdog process on this machine" in w for w in result.warnings)
    assert result.values["report"]["devices"][0]["path"] == "candidate"
    assert weak.device.running() != before
    weak.roll_back("all")
    assert weak.device.running() == before


def test_a_failing_commit_is_put_back(weak: World) -> None:
    before = weak.device.running()
    plan = weak.plan()
    weak.device.fault("commit", "drop-after")
    with pytest.raises(TransactionFailed):
        weak.apply(plan)
    assert weak.device.running() == before


def test_a_dead_controllers_change_is_found_and_taken_back(weak: World, page: int) -> None:
    weak.serve_locally(page)
    before = weak.device.running()
    plan = weak.plan()
    environ = {**weak.environ, "SECLOOP_VERIFY_ROUNDS": "1000", "SECLOOP_VERIFY_TIMEOUT_S": "60"}
    step = {**weak.params, "plan_dir": str(plan), "confirm_timeout_s": 600.0}
    with subprocess.Popen([sys.executable, "-c", DIE, repr(step)], env=environ) as controller:
        until(lambda: weak.device.running() != before, seconds=60)
        with weak.ledger() as ledger:
            (left,) = ledger.pending_commits()
        assert recover_all(Context(weak.params)) == ()  # its controller lives: nobody takes it away from it
        assert weak.device.running() != before
        controller.kill()
    assert standing(left.safeguard.watchdog) == "its watchdog waits"
    assert left.safeguard.undos[0].edit
    (report,) = recover_all(Context(weak.params))
    assert (report.outcome, report.transaction_id) == ("undone", left.transaction_id)
    assert weak.device.running() == before
    until(lambda: standing(left.safeguard.watchdog) == "its watchdog was called off: undone")
    assert weak.active() == []
    assert recover_all(Context(weak.params)) == ()
