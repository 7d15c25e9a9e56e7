"""The same on a Ray cluster of two worker processes; and a clear word where Ray is not installed."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs.executor import Executor, open_executor
from labs.lab.processes import start_ticks
from secloop_ai.contracts.errors import LabError
from tests.battlefield.support import eventually

from .work import job

HAS_RAY = importlib.util.find_spec("ray") is not None
LACKING = "Ray is not installed: pip install 'secloop[ray]'"
LISTENING = "0A"
LOOPBACK = {"0100007F", "0" * 24 + "01000000", "0" * 16 + "FFFF0000" + "0100007F"}


def listeners() -> set[tuple[str, str]]:
    """Address and port of every TCP socket of this machine that listens."""
    lines = [line.split() for name in ("tcp", "tcp6") for line in Path("/proc/net", name).read_text().splitlines()[1:]]
    bound = [fields[1].split(":") for fields in lines if fields[3] == LISTENING]
    return {(address, port) for address, port in bound}


@pytest.fixture(scope="module")
def before() -> set[tuple[str, str]]:
    return listeners()


@pytest.fixture(scope="module")
def own_end() -> object:
    """What SIGTERM does before there is a cluster."""
    return signal.getsignal(signal.SIGTERM)


@pytest.fixture(scope="module")
def executor(before: set[tuple[str, str]], own_end: object) -> Iterator[Executor]:
    with open_executor("ray", 2, retries=1) as made:
        yield made


@pytest.mark.slow
@pytest.mark.skipif(not HAS_RAY, reason=LACKING)
class TestCluster:
    """Two actors of a cluster that is begun for the tests."""

    def test_two_processes_answer_what_one_would(self, executor: Executor) -> None:
        jobs = [job(n, "double", number=n) for n in range(100)]
        assert {r.key: r.value for r in executor.run(jobs)} == {str(n): 2 * n for n in range(100)}
        pids = {r.value for r in executor.run([job(n, "wait_and_say") for n in range(20)])}
        assert len(pids) == 2
        assert os.getpid() not in pids

    def test_the_programs_own_answer_to_sigterm_stands(self, own_end: object, executor: Executor) -> None:
        assert [r.value for r in executor.run([job(1, "double", number=1)])] == [2]
        assert signal.getsignal(signal.SIGTERM) is own_end

    def test_errors_are_told_as_everywhere(self, executor: Executor) -> None:
        found = {r.key: r.error for r in executor.run([job("no", "refuse"), job("oh", "blunder"), job("j", "no_json")])}
        assert found["no"] == "the bridge is up"
        assert found["oh"].startswith("ZeroDivisionError")
        assert "returned no JSON" in found["j"]

    def test_a_lost_workers_job_is_run_again(self, executor: Executor, tmp_path: Path) -> None:
        others = [job(n, "double", number=n) for n in range(10)]
        found = {r.key: r for r in executor.run([job("x", "die", times=1, log=str(tmp_path / "log")), *others])}
        assert found["x"].value == found["x"].tries == 2
        assert all(found[str(n)].value == 2 * n for n in range(10))

    def test_a_job_that_always_loses_its_worker_is_an_error(self, executor: Executor, tmp_path: Path) -> None:
        (found,) = executor.run([job("x", "die", times=9, log=str(tmp_path / "log"))])
        assert found.error.startswith("the worker ended")
        assert found.tries == 2

    def test_a_job_that_hangs_is_killed_with_its_children(self, executor: Executor, tmp_path: Path) -> None:
        pids = tmp_path / "pids"
        (found,) = executor.run([job("x", "hang", timeout_s=3.0, pids=str(pids))])
        assert found.error == "no answer within 3 s (2 tries)"
        left = [int(pid) for pid in pids.read_text(encoding="ascii").split()]
        assert len(left) == 4
        assert eventually(lambda: not any(map(start_ticks, left)))

    def test_it_is_on_loopback_alone(self, executor: Executor, before: set[tuple[str, str]]) -> None:
        assert list(executor.run([job("a", "double", number=1)]))
        ours = {address for address, _ in listeners() - before}
        assert ours
        assert ours <= LOOPBACK


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(LabError, match=r"pip install 'secloop\[ray\]'"), open_executor("ray", 2):
        pass
