"""Devices with less than a persistent confirmed commit: every way to commit, confirmed, taken back, and broken off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from labs.emulator import Device as Emulated
from labs.emulator import EmulatedFleet
from secloop_ai.contracts import CommitReport, DeviceState, Outcome
from secloop_ai.loop import watchfolder
from secloop_ai.loop.deadman import Watchdogs
from secloop_ai.netconf import open_session, undo

from .change import TAG, Journal, holds, recover, removal, transact, work
from .parts import BASE, acls, contract, until
from .watches import Watch, probe, quiet
from .weak import BY_EDIT, HELLOS, WEAK, specs

Devices = dict[str, Emulated]
KINDS = ["drop", "drop-after", "truncate", "error"]


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
def dogs(tmp_path: Path) -> Watchdogs:
    return Watchdogs(tmp_path / "watchdogs")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up on a device that stays away, soon."""
    monkeypatch.setattr(undo, "PAUSES_S", (0.0, 0.05, 0.1))


def agree(report: CommitReport, *devices: Emulated) -> None:
    """All devices hold what the report says, and nothing of ours is left on them."""
    until(lambda: all(not d.state().sessions for d in devices))
    assert quiet(*devices)
    wanted = {Outcome.CONFIRMED: True, Outcome.UNDONE: False}[report.outcome]
    assert [holds(d) for d in devices] == [wanted] * len(devices)


def folder_of(journal: Journal) -> Path:
    return Path(journal.begun[-1].safeguard.watchdog)


def test_one_of_each_kind_confirmed_together(devices: Devices, dogs: Watchdogs) -> None:
    base = {n: d.running() for n, d in devices.items()}
    journal = Journal()
    report = transact([work(d) for d in devices.values()], journal, dead_man=dogs)
    assert report.outcome is Outcome.CONFIRMED
    assert {d.device: d.path for d in report.devices} == {n: "running" if n == "bare" else n for n in HELLOS}
    agree(report, *devices.values())
    assert watchfolder.decision_of(folder_of(journal)) == "confirmed"
    until(lambda: not watchfolder.alive(folder_of(journal)))
    report = transact([removal(d) for d in devices.values()], purpose="expire", dead_man=dogs)
    assert report.outcome is Outcome.CONFIRMED
    assert {n: d.running() for n, d in devices.items()} == base


def test_what_a_way_cannot_promise_is_said_with_its_devices(devices: Devices, dogs: Watchdogs) -> None:
    report = transact([work(d) for d in devices.values()], dead_man=dogs)
    said = {w.partition(":")[0]: w for w in report.warnings}
    assert not any(name.startswith("persist") for name in said)
    assert "lives in one session" in said["confirmed"]
    assert "a watchdog process on this machine undoes the change" in said["candidate, running, bare"]
    assert "edited directly" in said["running, bare"]
    assert ":rollback-on-error" in " ".join(w for w in report.warnings if w.startswith("bare:"))


@pytest.mark.parametrize("name", WEAK)
def test_a_red_verification_is_taken_back_byte_for_byte(devices: Devices, dogs: Watchdogs, name: str) -> None:
    device = devices[name]
    base = device.running()
    journal = Journal()
    report = transact([work(device, check=lambda _: ("red",))], journal, dead_man=dogs)
    assert report.outcome is Outcome.UNDONE
    assert report.reasons == (f"{name}: verify: red",)
    assert device.running() == base
    agree(report, device)
    if name in BY_EDIT:
        until(lambda: not watchfolder.alive(folder_of(journal)))
        assert watchfolder.decision_of(folder_of(journal)) == "undone"


def test_a_strong_device_that_fails_takes_the_weak_ones_back(devices: Devices, dogs: Watchdogs) -> None:
    base = {n: d.running() for n, d in devices.items()}
    works = [work(d) for d in devices.values()]
    devices["persist"].fault("commit", "error")
    report = transact(works, dead_man=dogs)
    assert report.outcome is Outcome.UNDONE
    assert {n: d.running() for n, d in devices.items()} == base
    agree(report, *devices.values())


STEPS = {
    "confirmed": ["lock", "discard", "get-config", "edit", "validate", "commit"],
    "candidate": ["lock", "discard", "get-config", "edit", "validate", "commit"],
    "running": ["lock", "get-config", "edit"],
    "bare": ["lock", "get-config", "edit"],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("name", "step"), [(n, s) for n, steps in STEPS.items() for s in steps])
def test_a_weak_device_that_fails_takes_all_back(
    devices: Devices, dogs: Watchdogs, name: str, step: str, kind: str
) -> None:
    pair = (devices[name], devices["persist"])
    base = [d.running() for d in pair]
    works = [work(d) for d in pair]
    pair[0].fault(step, kind)
    report = transact(works, dead_man=dogs)
    assert report.outcome is Outcome.UNDONE
    assert report.devices[0].operation in {step, "validate" if step == "edit" else step}
    assert report.devices[0].device in report.reasons[0]
    assert [d.running() for d in pair] == base
    agree(report, *pair)


@pytest.mark.parametrize("kind", KINDS)
def test_a_session_lost_at_its_confirmation_leaves_nobody_apart(devices: Devices, dogs: Watchdogs, kind: str) -> None:
    """The commit bound to a session is confirmed first: what fails there, fails before anybody is confirmed."""
    works = [work(d) for d in devices.values()]
    devices["confirmed"].fault("confirm", kind)
    report = transact(works, dead_man=dogs)
    assert report.outcome is (Outcome.UNDONE if kind == "drop" else Outcome.CONFIRMED)
    agree(report, *devices.values())


def test_a_session_lost_while_verifying_undoes_all(devices: Devices, dogs: Watchdogs) -> None:
    pair = (devices["confirmed"], devices["candidate"])
    works = [work(d) for d in pair]

    def cut() -> None:
        other = open_session(contract(pair[0]))
        for number in pair[0].state().sessions:
            if str(number) != other.session_id:
                other.kill(str(number))
        other.close()

    report = transact(works, watch=Watch(during=(probe("during"),), on_wait=cut), dead_man=dogs)
    assert report.outcome is Outcome.UNDONE
    assert "rolled back by itself" in report.devices[0].message
    agree(report, *pair)


def test_somebody_elses_later_change_stays_when_ours_is_undone(devices: Devices, dogs: Watchdogs) -> None:
    device = devices["running"]

    def meddle() -> None:
        device.foreign_edit(f'<config xmlns="{BASE}">{acls("theirs")}</config>')

    watch = Watch(before=(probe("before"),), during=(probe("during", failures=1),), on_wait=meddle)
    report = transact([work(device)], watch=watch, dead_man=dogs)
    assert report.outcome is Outcome.UNDONE
    assert "theirs" in device.running()
    assert TAG not in device.running()


def test_a_removal_is_taken_back_byte_for_byte(devices: Devices, dogs: Watchdogs) -> None:
    """A removal that is taken back brings our entries back, where they stood."""
    device = devices["candidate"]
    assert transact([work(device)], dead_man=dogs).outcome is Outcome.CONFIRMED
    with_it = device.running()
    failing = replace(removal(device), check=lambda _: ("red",))
    assert transact([failing], purpose="rollback", dead_man=dogs).outcome is Outcome.UNDONE
    assert device.running() == with_it


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("name", BY_EDIT)
def test_a_device_lost_after_its_commit_is_undone_by_recovery(devices: Devices, dogs: Watchdogs, name: str) -> None:
    pair = (devices[name], devices["persist"])
    base = [d.running() for d in pair]
    works = [work(pair[0]), work(pair[1])]
    pair[0].fault("commit" if name == "candidate" else "edit", "drop-after")
    if name == "running":  # its validation is an edit that is only tried
        pair[0].clear("faults")
        pair[0].fault("edit", "delay", seconds=0.0)
        pair[0].fault("edit", "drop-after")
    journal = Journal(on_begin=lambda: pair[0].fault("connect", "drop", times=None))
    report = transact(works, journal, dead_man=dogs)
    assert report.outcome is Outcome.IN_DOUBT
    assert [d.state for d in report.devices] == [DeviceState.IN_DOUBT, DeviceState.UNDONE]
    assert "the watchdog undoes it from 20" in report.devices[0].message
    assert holds(pair[0])
    assert watchfolder.alive(folder_of(journal))
    pair[0].clear("faults")
    settled = recover(journal, works, dogs)
    assert settled.outcome is Outcome.UNDONE
    assert [d.running() for d in pair] == base
    until(lambda: not watchfolder.alive(folder_of(journal)))
    agree(settled, *pair)


def test_recovery_believes_the_decision(devices: Devices, dogs: Watchdogs) -> None:
    """The controller confirmed everywhere and died before it could say so."""
    works = [work(d) for d in devices.values()]
    journal = Journal()
    assert transact(works, journal, dead_man=dogs).outcome is Outcome.CONFIRMED
    settled = recover(journal, works, dogs)
    assert settled.outcome is Outcome.CONFIRMED
    agree(settled, *devices.values())
