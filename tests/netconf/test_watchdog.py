"""Watchdogs: they undo what a dead controller left, stand down when they are told, and are no more than one."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from labs.emulator import Device as Emulated
from labs.emulator import EmulatedFleet
from secloop_ai.contracts import Outcome, WatchdogError
from secloop_ai.loop import deadman, watchfolder
from secloop_ai.loop.deadman import Watchdogs, standing
from secloop_ai.netconf import settle_pending, undo, watch

from .change import SETTINGS, Journal, held, holds, transact, work
from .crash_weak import POINTS, die
from .parts import contract, until
from .watches import Watch, quiet
from .weak import BY_EDIT, HELLOS, specs

Devices = dict[str, Emulated]


@pytest.fixture(scope="module")
def started() -> Iterator[Devices]:
    with EmulatedFleet(specs()) as devices:
        yield {d.name: d for d in devices}


@pytest.fixture
def devices(started: Devices) -> Devices:
    """One of each kind, fresh."""
    for device in started.values():
        device.reset()
    return started


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """Where watchdogs have their folders; none of them outlives the test, however that ends."""
    yield tmp_path / "watchdogs"
    for folder in (tmp_path / "watchdogs").glob("*"):
        end(folder)


def gone(folder: Path) -> bool:
    return not watchfolder.alive(folder)


def end(folder: Path) -> None:
    """Let a watchdog go that waits for longer than a test does."""
    watchfolder.settle(folder)
    watchfolder.decide(folder, "undone")
    until(lambda: gone(folder))


def worker_of(folder: Path) -> int:
    """Process id of the inner half of a watchdog."""
    for stat in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = stat.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"secloop_ai.loop.watchdog" in words and str(folder).encode() in words:
            return int(stat.parent.name)
    raise AssertionError("no watchdog there")


@pytest.mark.parametrize("point", POINTS)
def test_recovery_brings_together_what_a_controller_left_at_any_point(devices: Devices, root: Path, point: str) -> None:
    names = tuple(HELLOS)
    base = {n: devices[n].running() for n in names}
    left = die(point, [contract(devices[n]) for n in names], root, timeout_s=600.0)
    folder = Path(left.safeguard.watchdog)
    assert watchfolder.alive(folder)
    assert [u.device for u in left.safeguard.undos] == list(BY_EDIT)
    report = settle_pending(left, [held(devices[n]) for n in names], settings=SETTINGS, dead_man=Watchdogs(root))
    assert report.outcome is Outcome.UNDONE
    assert {n: devices[n].running() for n in names} == base
    until(lambda: quiet(*devices.values()))
    until(lambda: gone(folder))


@pytest.mark.parametrize("name", BY_EDIT)
def test_a_watchdog_undoes_what_nobody_confirmed(devices: Devices, root: Path, name: str) -> None:
    device = devices[name]
    base = device.running()
    left = die("committed", [contract(device)], root, timeout_s=600.0)
    assert holds(device)
    os.kill(watchfolder.supervisor(Path(left.safeguard.watchdog)), signal.SIGTERM)  # its time being up
    until(lambda: not holds(device))
    assert device.running() == base
    until(lambda: bool(watchfolder.tried(Path(left.safeguard.watchdog))))
    assert standing(left.safeguard.watchdog) == "its watchdog has undone the change"
    report = settle_pending(left, [held(device)], settings=SETTINGS, dead_man=Watchdogs(root))
    assert report.outcome is Outcome.UNDONE
    until(lambda: gone(Path(left.safeguard.watchdog)))


@pytest.mark.slow
def test_a_watchdog_fires_when_its_time_is_up_and_not_before(devices: Devices, root: Path) -> None:
    device = devices["candidate"]
    base = device.running()
    left = die("committed", [contract(device)], root, timeout_s=5.0)
    began = time.monotonic()
    assert holds(device)
    until(lambda: not holds(device), 60.0)
    assert time.monotonic() - began > watch.GRACE_S / 2
    assert device.running() == base
    end(Path(left.safeguard.watchdog))


def test_a_watchdog_that_is_killed_is_started_again(devices: Devices, root: Path) -> None:
    device = devices["running"]
    base = device.running()
    left = die("committed", [contract(device)], root, timeout_s=600.0)
    folder = Path(left.safeguard.watchdog)
    first = worker_of(folder)
    os.kill(first, signal.SIGKILL)
    until(lambda: _other_worker(folder, first), 60.0)
    os.kill(watchfolder.supervisor(folder), signal.SIGTERM)
    until(lambda: device.running() == base, 60.0)
    end(folder)


def _other_worker(folder: Path, first: int) -> bool:
    try:
        return worker_of(folder) != first
    except AssertionError:
        return False


def test_a_watchdog_goes_on_trying_while_the_device_is_down(devices: Devices, root: Path) -> None:
    device = devices["bare"]
    left = die("committed", [contract(device)], root, timeout_s=600.0)
    folder = Path(left.safeguard.watchdog)
    device.fault("connect", "drop", times=None)
    os.kill(watchfolder.supervisor(folder), signal.SIGTERM)
    until(lambda: "goes on trying: bare: connect" in standing(str(folder)))
    assert holds(device)
    device.clear("faults")
    until(lambda: not holds(device), 60.0)
    end(folder)


def test_a_confirmation_that_comes_too_late_is_none(
    devices: Devices, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watchdog has decided to undo: so the transaction is undone."""
    monkeypatch.setattr(undo, "PAUSES_S", (0.0, 0.05))
    device = devices["candidate"]
    base = device.running()
    journal = Journal()
    dogs = Watchdogs(root)

    def fire() -> None:
        watchfolder.decide(Path(journal.begun[-1].safeguard.watchdog), "fired")

    report = transact([work(device)], journal, watch=Watch(on_wait=fire), dead_man=dogs)
    assert report.outcome is Outcome.UNDONE
    assert "had begun to undo" in report.reasons[0]
    assert device.running() == base
    end(Path(journal.begun[-1].safeguard.watchdog))


def test_a_watchdog_that_does_not_come_up_keeps_the_change_from_being_made(
    devices: Devices, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadman, "SUPERVISOR", "secloop_ai.no_such_module")
    device = devices["candidate"]
    base = device.running()
    journal = Journal()
    with pytest.raises(WatchdogError, match="no_such_module"):
        transact([work(device)], journal, dead_man=Watchdogs(root))
    assert device.running() == base
    assert not journal.begun
    until(lambda: quiet(device))


def test_a_secret_is_written_nowhere(devices: Devices, root: Path) -> None:
    found: list[str] = []
    journal = Journal()

    def look() -> None:
        begun = journal.begun[-1]
        folder = Path(begun.safeguard.watchdog)
        found.extend([begun.model_dump_json(), *(p.read_text() for p in folder.iterdir())])
        found.extend(
            p.read_bytes().decode(errors="replace") for p in Path(f"/proc/{worker_of(folder)}").glob("cmdline")
        )
        assert folder.stat().st_mode & 0o077 == 0

    journal.on_begin = look
    share = replace(work(devices["candidate"]), password=SecretStr("hunter2"))
    assert transact([share], journal, dead_man=Watchdogs(root)).outcome is Outcome.CONFIRMED
    assert len(found) >= 4
    assert "hunter2" not in " ".join(found)


def test_one_decision_is_made_and_stands(root: Path) -> None:
    folder = watchfolder.make(root, "t1")
    assert watchfolder.decide(folder, "confirmed") == "confirmed"
    assert watchfolder.decide(folder, "fired") == "confirmed"
    assert not watchfolder.alive(folder)
    assert Watchdogs(root).stand_down(str(folder), settled="undone")
    assert Watchdogs(root).verdict(str(folder)) == "confirmed"
