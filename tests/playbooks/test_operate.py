"""The expirer, recovery and the kill switch, as commands."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from secloop_ai.contracts import LedgerError
from tests.emulator.waiting import until
from tests.respond.conftest import page
from tests.respond.world import eve

from .desk import Desk

__all__ = ["page"]

LONG_AGO = "2026-01-01T00:00:00.000000+00:00"


@pytest.fixture
def desk(new_desk: Callable[[], Desk]) -> Desk:
    """A desk for each test."""
    return new_desk()


@contextmanager
def watching(desk: Desk, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`secloop expire --watch`, once it is heard of; ended by SIGKILL if the test did not end it."""
    command = ["secloop", "expire", "--watch", "--every", "1", "-i", str(desk.inventory)]
    with log.open("wb") as out:
        watcher = subprocess.Popen(command, env=desk.environ, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        try:
            until(lambda: b"expiring every 1 s" in log.read_bytes(), seconds=30)
            yield watcher
        finally:
            watcher.kill()
            watcher.wait()


def run_out(desk: Desk) -> None:
    """Let the time of every mitigation be up."""
    with closing(sqlite3.connect(desk.root / "ledger.sqlite", timeout=10)) as ledger, ledger:
        (shape,) = ledger.execute("SELECT expires_at FROM mitigations").fetchone()
        assert len(shape) == len(LONG_AGO)
        ledger.execute("UPDATE mitigations SET expires_at = ?", (LONG_AGO,))


def test_the_watcher_beats_expires_and_ends_when_it_is_told_to(desk: Desk) -> None:
    before, log = desk.device.running(), desk.root / "watch.log"
    assert any("no expirer is alive" in w for w in desk.respond().warnings)
    with watching(desk, log) as watcher:
        until(lambda: "no expirer" not in desk.secloop("status").err)
        later = desk.respond(eve(desk.root / "other.json", source="203.0.113.77"))
        assert later.changed
        assert not any("no expirer is alive" in w for w in later.warnings)
        assert len(desk.active()) == 2
        run_out(desk)
        until(lambda: desk.active() == [], seconds=30)
        watcher.send_signal(signal.SIGTERM)
        assert watcher.wait(timeout=30) == 0
    assert desk.device.running() == before
    said = log.read_text()
    assert "permit" in said
    assert "nothing is overdue" not in said
    assert "Traceback" not in said


def test_the_watcher_goes_on_when_a_device_is_not_there(desk: Desk) -> None:
    log = desk.root / "watch.log"
    desk.respond()
    with watching(desk, log) as watcher:
        desk.device.fault("hello", "drop", times=None)
        run_out(desk)
        until(lambda: b"secloop: gw1: " in log.read_bytes(), seconds=30)
        desk.device.clear("faults")
        until(lambda: desk.active() == [], seconds=30)
        watcher.send_signal(signal.SIGINT)
        assert watcher.wait(timeout=30) == 0


def test_a_watcher_with_a_wrong_inventory_does_not_pretend_to_work(desk: Desk) -> None:
    desk.edit_host("gw1", {"dialect": "vrp"})
    done = desk.on_inventory("expire", "--watch")
    assert done.rc == 1
    assert "vrp" in done.err


def test_one_device_that_is_gone_from_the_inventory_holds_nobody_else_up(desk: Desk) -> None:
    desk.respond()
    (kept,) = desk.active()
    desk.respond(eve(desk.root / "other.json", source="203.0.113.77"))
    with closing(sqlite3.connect(desk.root / "ledger.sqlite")) as ledger, ledger:
        move = "UPDATE mitigations SET operations = replace(operations, '\"gw1\"', '\"gw9\"') WHERE mitigation_id = ?"
        assert ledger.execute(move, (kept,)).rowcount == 1
    run_out(desk)
    done = desk.on_inventory("expire", "--json")
    assert done.rc == 1
    assert {row["mitigation"]: row["removed"] for row in done.json()} == {kept: False, **_others(done.json(), kept)}
    assert desk.active() == [kept]
    assert "203.0.113.77" not in desk.device.running()
    played = desk.play("rollback.yml", incident="all")
    assert played.failed == 1
    assert "gw9" in played.said
    assert "Traceback" not in played.said


def _others(rows: list[dict[str, object]], kept: str) -> dict[object, bool]:
    others = {row["mitigation"]: True for row in rows if row["mitigation"] != kept}
    assert len(others) == 1
    return others


def test_what_a_dead_controller_left_open_is_warned_of_and_settled(desk: Desk, page: int) -> None:
    desk.serve_locally(page)
    before = desk.device.running()
    plan = desk.plan()
    environ = {**desk.environ, "SECLOOP_VERIFY_ROUNDS": "1000", "SECLOOP_VERIFY_TIMEOUT_S": "60"}
    code = "import sys; from secloop_ai.loop.steps import commit_step; commit_step(eval(sys.argv[1]), False)"
    step = {**desk.params, "plan_dir": str(plan), "confirm_timeout_s": 60.0}
    with subprocess.Popen([sys.executable, "-c", code, repr(step)], env=environ) as controller:
        until(lambda: desk.device.state().pending is not None, seconds=30)
        controller.kill()
    assert desk.device.running() != before
    assert "is open: run `secloop recover`" in desk.secloop("status").err
    done = desk.on_inventory("recover", "--json")
    (row,) = done.json()
    assert (done.rc, row["outcome"], row["devices"]) == (0, "undone", ["gw1"])
    assert desk.device.running() == before
    assert desk.secloop("status").err == ""
    again = desk.on_inventory("recover")
    assert (again.rc, again.out) == (0, "Nothing is open.\n")


def test_rollback_and_the_kill_switch(desk: Desk) -> None:
    before = desk.device.running()
    desk.respond()
    desk.respond(eve(desk.root / "other.json", source="203.0.113.77"))
    first, second = desk.active()
    told = desk.on_inventory("rollback", first.partition("-")[0])
    assert told.rc == 0
    assert "203.0.113.66/32 -> any: drop -> permit" in told.out
    swept = desk.on_inventory("rollback", "all", "--json")
    assert swept.json() == [{"mitigation": second, "removed": True, "reason": ""}]
    assert desk.device.running() == before


def test_a_paused_loop_installs_nothing_and_still_takes_away(desk: Desk) -> None:
    desk.respond()
    held = desk.device.running()
    assert desk.secloop("pause", "maintenance until noon").rc == 0
    assert "maintenance until noon" in desk.secloop("status").err
    with pytest.raises(LedgerError, match="maintenance until noon"):
        desk.respond(eve(desk.root / "other.json", source="203.0.113.77"))
    assert desk.device.running() == held
    assert desk.on_inventory("rollback", "all").rc == 0
    assert desk.active() == []
    assert desk.secloop("resume").rc == 0
    assert desk.respond().changed
