"""The local pool when things go wrong: no job is lost, nothing is left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs.executor import Executor, machine, open_executor
from labs.lab import strays
from labs.lab.processes import start_ticks
from secloop_ai.contracts.errors import InputError
from tests.battlefield.support import eventually

from .work import at_once, job

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys
from labs.executor import open_executor
from tests.executor.work import job
with open_executor("local", 2, limit=64) as executor:
    list(executor.run(job(name, "hang", timeout_s=600, pids=name) for name in sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    """Two workers; places enough for whatever else runs here."""
    with open_executor("local", 2, limit=64, retries=1) as made:
        yield made


def gone(pids: list[int]) -> bool:
    return eventually(lambda: not any(map(start_ticks, pids)))


def read(path: Path) -> list[int]:
    assert eventually(path.exists)
    return [int(pid) for pid in path.read_text(encoding="ascii").split()]


def test_two_jobs_run_at_once_and_no_more(executor: Executor, tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert all(r.ok for r in executor.run(job(n, "wait", seconds=0.1, log=str(log)) for n in range(8)))
    assert at_once(log) == 2


@pytest.mark.parametrize("how", ["kill", "segfault"])
def test_a_job_whose_worker_dies_is_run_again(executor: Executor, tmp_path: Path, how: str) -> None:
    others = [job(n, "double", number=n) for n in range(20)]
    found = {r.key: r for r in executor.run([job("x", "die", times=1, log=str(tmp_path / "log"), how=how), *others])}
    assert found["x"].value == found["x"].tries == 2
    assert all(found[str(n)].value == 2 * n for n in range(20))


def test_a_job_that_always_kills_its_worker_is_an_error_in_the_end(executor: Executor, tmp_path: Path) -> None:
    (found,) = executor.run([job("x", "die", times=9, log=str(tmp_path / "log"))])
    assert found.value is None
    assert found.error == "the worker ended by SIGKILL (2 tries)"
    assert found.tries == 2


def test_a_job_that_leaves_its_process_is_named_with_its_status(executor: Executor) -> None:
    (found,) = executor.run([job("x", "leave")])
    assert found.error == "the worker ended with status 3 (2 tries)"


def test_a_job_that_hangs_is_killed_with_all_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    with open_executor("local", 2, limit=64, retries=0) as executor:
        jobs = [job("x", "hang", timeout_s=3.0, pids=str(pids)), *(job(n, "double", number=n) for n in range(5))]
        found = {r.key: r for r in executor.run(jobs)}
    assert found["x"].error == "no answer within 3 s"
    assert found["x"].seconds >= 3
    assert sum(r.ok for r in found.values()) == 5
    assert len(read(pids)) == 4
    assert gone(read(pids))


def test_leaving_a_run_early_ends_what_is_under_way(executor: Executor, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    run = executor.run([job("x", "hang", pids=str(pids)), job("y", "double", number=1)])
    assert next(iter(run)).key == "y"
    found = read(pids)
    run.close()  # type: ignore[attr-defined]
    assert gone(found)
    assert [r.key for r in executor.run([job("z", "double", number=1)])] == ["z"]


def test_one_run_at_a_time(executor: Executor) -> None:
    run = executor.run(job(n, "double", number=n) for n in range(3))
    next(run)
    with pytest.raises(InputError, match="at another run"):
        next(executor.run([job("z", "double", number=1)]))
    assert len(list(run)) == 2


def test_sigkill_of_the_parent_ends_workers_and_the_reaper_the_rest(tmp_path: Path) -> None:
    files = [tmp_path / "one", tmp_path / "two"]
    with subprocess.Popen([sys.executable, "-c", SCRIPT, *map(str, files)], cwd=ROOT) as parent:
        found = [read(file) for file in files]
        parent.send_signal(signal.SIGKILL)
    assert gone([pids[0] for pids in found])
    strays.kill_strays()  # what `secloop lab reap` begins with
    assert gone([pid for pids in found for pid in pids])


def test_ctrl_c_ends_workers_and_what_they_started(tmp_path: Path) -> None:
    files = [tmp_path / "one", tmp_path / "two"]
    argv = [sys.executable, "-c", SCRIPT, *map(str, files)]
    with subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.PIPE, text=True, process_group=0) as parent:
        found = [read(file) for file in files]
        os.killpg(parent.pid, signal.SIGINT)
        said = parent.communicate(timeout=60)[1]
    assert parent.returncode == -signal.SIGINT
    assert said.strip().endswith("KeyboardInterrupt")
    assert gone([pid for pids in found for pid in pids])


def test_two_executors_share_the_places_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labs.executor.machine.PLACE", f"\0test-{os.getpid()}-place-{{}}")
    monkeypatch.setattr("labs.executor.machine.TURN", f"\0test-{os.getpid()}-turn-{{}}")
    log = tmp_path / "log"
    values: list[str] = []

    def work(name: str) -> None:
        with open_executor("local", 2, limit=2) as executor:
            jobs = (job(f"{name}{n}", "wait", seconds=0.02, log=str(log)) for n in range(30))
            values.extend(r.key for r in executor.run(jobs) if r.ok)

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(values)) == 60
    assert at_once(log) == 2


def test_who_waits_for_others_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("labs.executor.machine.PLACE", f"\0test-{os.getpid()}-taken-{{}}")
    monkeypatch.setattr("labs.executor.machine.TURN", f"\0test-{os.getpid()}-takers-{{}}")
    monkeypatch.setattr("labs.executor.machine.PATIENCE_S", 0.2)
    log = tmp_path / "log"
    with open_executor("local", 1, limit=1) as first, open_executor("local", 1, limit=1) as second:
        holding = threading.Thread(target=lambda: list(first.run([job("a", "wait", seconds=1.5, log=str(log))])))
        holding.start()
        assert eventually(log.exists)
        began = time.monotonic()
        (found,) = second.run([job("b", "double", number=1)])
        assert found.value == 2
        assert time.monotonic() - began > 0.2
        holding.join()
    assert "waiting: others use the 1 place(s) for battlefields on this machine" in capsys.readouterr().err


def test_two_hundred_are_bounded_and_all_done(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with open_executor("local", limit=64) as executor:
        jobs = (job(n, "wait", seconds=0.005, log=str(log)) for n in range(200))
        assert {r.key for r in executor.run(jobs) if r.ok} == {str(n) for n in range(200)}
        assert executor.workers <= max(1, len(os.sched_getaffinity(0)))
    assert at_once(log) <= executor.workers


def test_workers_are_bounded_by_cores_and_by_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    cores = len(os.sched_getaffinity(0))
    assert 1 <= machine.workers_here() <= cores
    for clones, expected in ((0.5, 1), (1.5, 1), (2.5, min(2, cores)), (10_000, cores)):
        monkeypatch.setattr(machine, "free_bytes", lambda n=clones: int(n * machine.CLONE_BYTES))
        assert machine.workers_here() == expected


def test_the_memory_that_is_free_is_the_less_of_kernel_and_control_group(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"/proc/meminfo": ["MemTotal: 9000 kB", "MemAvailable: 5000 kB"]}
    monkeypatch.setattr(machine, "_lines", lambda path: files.get(path, []))
    assert machine.free_bytes() == 5000 * 1024
    files |= {"/sys/fs/cgroup/memory.max": ["4096000"], "/sys/fs/cgroup/memory.current": ["96000"]}
    assert machine.free_bytes() == 4_000_000
    files["/sys/fs/cgroup/memory.max"] = ["max"]
    assert machine.free_bytes() == 5000 * 1024
