"""Many devices at once: who watches, who failed, how many sessions, how many open files."""

from __future__ import annotations

import resource
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from nornir.core.task import Result, Task

from labs.emulator import Device as Emulated
from labs.emulator import EmulatedFleet, gateways
from secloop_ai.contracts import Environment, Outcome, SettingsError
from secloop_ai.netconf import CONNECTION, descriptors, nornir_from, ssh, take_failed, watched_by
from secloop_ai.settings import Settings

from .change import SETTINGS, holds, transact, work
from .parts import contract

COUNT = 6


class Seen:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.phases: list[tuple[str, int]] = []
        self.steps: list[tuple[str, str, bool]] = []
        self.failed: dict[str, tuple[str, ...]] = {}

    def begin(self, phase: str, devices: int) -> None:
        self.phases.append((phase, devices))

    def step(self, device: str, *, failed: bool) -> None:
        self.steps.append((self.phases[-1][0], device, failed))

    def end(self, failed: tuple[str, ...]) -> None:
        self.failed[self.phases[-1][0]] = failed


@pytest.fixture(scope="module")
def standing() -> Iterator[tuple[Emulated, ...]]:
    with EmulatedFleet(gateways(COUNT)) as devices:
        yield devices


@pytest.fixture
def many(standing: tuple[Emulated, ...]) -> tuple[Emulated, ...]:
    for device in standing:
        device.reset()
    return standing


def test_a_watcher_sees_every_phase_and_device(many: tuple[Emulated, ...]) -> None:
    works = [work(d) for d in many]
    seen = Seen()
    with watched_by(seen):
        report = transact(works)
    assert report.outcome is Outcome.CONFIRMED
    assert {count for _, count in seen.phases} == {COUNT}
    assert [p for p, _ in seen.phases][:3] == ["connect", "lock", "discard"]
    assert {d for p, d, _ in seen.steps if p == "commit"} == {d.name for d in many}
    assert not any(failed for *_, failed in seen.steps)
    before = len(seen.phases)
    many[0].reset()
    transact([work(many[0])])  # nobody watches any more
    assert len(seen.phases) == before


def test_who_failed_is_told_and_asked_again_next_time(many: tuple[Emulated, ...]) -> None:
    works = [work(d) for d in many]
    many[2].fault("edit", "error")
    seen = Seen()
    with watched_by(seen):
        report = transact(works)
    assert report.outcome is Outcome.UNDONE
    assert seen.failed["edit"] == (many[2].name,)
    assert seen.failed["release"] == ()
    assert (many[2].name, "edit") in {(d.device, d.operation) for d in report.devices if d.operation}
    assert transact(works).outcome is Outcome.CONFIRMED


def test_a_host_that_failed_in_a_users_own_run_is_reset(many: tuple[Emulated, ...]) -> None:
    nornir = nornir_from(Environment(devices=tuple(contract(d) for d in many)))
    many[0].fault("connect", "drop")

    def hello(task: Task) -> Result:
        return Result(host=task.host, result=task.host.get_connection(CONNECTION, task.nornir.config).session_id)

    assert set(nornir.run(hello).failed_hosts) == {many[0].name}
    assert many[0].name not in nornir.run(hello)
    assert take_failed(nornir) == (many[0].name,)
    assert take_failed(nornir) == ()
    assert not nornir.run(hello).failed
    nornir.close_connections()


def test_each_device_gets_one_session_and_no_more_are_worked_on_than_asked(many: tuple[Emulated, ...]) -> None:
    works = [work(d) for d in many]
    for device in many:
        device.clear("log")
    busy = Busy()
    with watched_by(busy):
        transact(works, settings=SETTINGS.model_copy(update={"concurrency": 3}))
    assert all(holds(d) for d in many)
    assert [len(d.served("hello")) for d in many] == [1] * COUNT
    assert 1 <= len(busy.threads) <= 3


class Busy(Seen):
    """Notes the threads that work on devices."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: set[str] = set()

    def step(self, device: str, *, failed: bool) -> None:
        super().step(device, failed=failed)
        self.threads.add(threading.current_thread().name)


def test_nothing_stays_open_behind_a_transaction(many: tuple[Emulated, ...]) -> None:
    works = [work(d) for d in many]
    transact(works)
    before = _open_files()
    for device in many:
        device.reset()
    transact([work(d) for d in many])
    assert _open_files() <= before


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_room_is_made_for_the_files_of_many_sessions() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        descriptors.make_room(100)
        wanted = descriptors.REST + 100 * descriptors.PER_SESSION
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (wanted, hard)
        descriptors.make_room(1)
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (wanted, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_too_many_devices_for_this_system_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, 512))
    with pytest.raises(SettingsError, match=r"1000 devices at a time need 6128 open files, and the system allows 512"):
        descriptors.make_room(1000)


def test_a_known_hosts_file_is_read_once_and_again_when_it_changes(many: tuple[Emulated, ...], tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(many[0].known_hosts.read_text())
    where = contract(many[0], known_hosts=str(path)).connection
    first = ssh.known_hosts(where)
    assert ssh.known_hosts(where) is first
    assert ssh.known_keys(first, where)
    path.write_text("")
    assert not ssh.known_keys(ssh.known_hosts(where), where)


def test_concurrency_is_a_setting() -> None:
    assert Settings.load({"SECLOOP_CONCURRENCY": "200", "HOME": "/nowhere"}).concurrency == 200
