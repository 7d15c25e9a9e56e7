"""Workers with battlefields: whatever ends a worker, nothing of its clones is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from labs.battlefield import standing
from labs.battlefield.record import FieldRecord
from labs.battlefield.services import servings
from labs.executor import Executor, Job, Result, open_executor
from labs.executor.warm import Stock
from labs.scenario import draw
from tests.battlefield.support import ROOT, eventually, leftovers, needs_lab, office

pytestmark = [*needs_lab, pytest.mark.slow, pytest.mark.timeout(180)]
SCRIPT = """
import sys
from labs.executor import open_executor
from tests.executor.test_fields import clone
with open_executor("local", 2, limit=64) as executor:
    list(executor.run(clone(name, "hang", log=name) for name in sys.argv[1:]))
"""


def clone(key: object, function: str, *, timeout_s: float = 120.0, **arguments: Any) -> Job:
    """A job of tests.executor.clones."""
    return Job(key=str(key), call=f"tests.executor.clones:{function}", arguments=arguments, timeout_s=timeout_s)


def of(*pids: int) -> list[FieldRecord]:
    """The battlefields of these workers."""
    return [record for record in standing() if record.owner in pids]


def pid_in(path: Path) -> int:
    assert eventually(lambda: path.exists() and bool(path.read_text(encoding="ascii")), 60)
    return int(path.read_text(encoding="ascii").split()[0])


def one(executor: Executor, job: Job) -> Result:
    (found,) = executor.run([job])
    return found


def test_a_worker_killed_on_its_clone_leaves_nothing_and_its_job_is_run_again(tmp_path: Path) -> None:
    with open_executor("local", 1, limit=64) as executor:
        found = one(executor, clone("a", "lose", log=str(tmp_path / "log")))
        pids = [int(p) for p in (tmp_path / "log").read_text(encoding="ascii").split()]
        assert found.error == ""
        assert found.tries == len(pids) == 2
        assert not of(*pids)


def test_a_job_that_hangs_on_its_clone_is_ended_with_it(tmp_path: Path) -> None:
    with open_executor("local", 1, limit=64, retries=0) as executor:
        one(executor, clone("warm", "hold", log=str(tmp_path / "warm")))
        found = one(executor, clone("a", "hang", log=str(tmp_path / "log"), timeout_s=8))
        assert found.error == "no answer within 8 s"
        assert not of(pid_in(tmp_path / "log"))


def test_sigkill_of_the_executor_leaves_nothing_after_lab_reap(tmp_path: Path) -> None:
    logs = [tmp_path / "one", tmp_path / "two"]
    with subprocess.Popen([sys.executable, "-c", SCRIPT, *map(str, logs)], cwd=ROOT) as parent:
        workers = [pid_in(log) for log in logs]
        records = of(*workers)
        parent.send_signal(signal.SIGKILL)
    assert len(records) == 2
    assert eventually(lambda: not any(r.owned for r in records))
    argv = [sys.executable, "-c", "from labs.cli import app; app(['reap'])"]
    reaped = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert reaped.returncode == 0, reaped.stderr
    assert [leftovers(record) for record in records] == [[], []]


def test_two_executors_at_once_share_the_machine_and_no_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labs.executor.machine.PLACE", f"\0test-{os.getpid()}-field-{{}}")
    monkeypatch.setattr("labs.executor.machine.TURN", f"\0test-{os.getpid()}-turn-{{}}")
    logs = [tmp_path / "one", tmp_path / "two"]
    with open_executor("local", 2, limit=2) as first, open_executor("local", 2, limit=2) as second:
        runs = [
            executor.run([clone(n, "hold", log=str(log), seconds=0.3) for n in range(3)])
            for executor, log in zip((first, second), logs, strict=True)
        ]
        firsts = [next(run) for run in runs]  # both are at work from here on
        results = [*firsts, *(r for run in runs for r in run)]
    assert [r.error for r in results] == [""] * 6
    stood = [line.split() for log in logs for line in log.read_text(encoding="ascii").splitlines()]
    spans = [(int(index), float(began), float(ended)) for index, began, ended in stood]
    met = [(a, b) for a, b in combinations(spans, 2) if a[1] < b[2] and b[1] < a[2]]
    assert all(a[0] != b[0] for a, b in met)
    assert max(sum(b <= at < e for _, b, e in spans) for _, at, _ in spans) <= 2


def test_a_clone_built_ahead_is_fetched_once_and_what_nobody_fetches_goes() -> None:
    stock, before = Stock(), of(os.getpid())
    case, kinds = draw(office(), 7), servings(office(), 7)
    stock.prepare(case, kinds)
    (ready,) = (r for r in of(os.getpid()) if r not in before)
    stock.prepare(case, kinds)  # it is there already
    with stock.clone(case, kinds) as field:
        assert field.index == ready.index
        assert sorted(field.snapshot()) == ["core", "edge"]
    assert stock.fetched == 1
    assert of(os.getpid()) == before
    stock.prepare(case, kinds)
    stock.close()
    stock.prepare(case, kinds)
    assert of(os.getpid()) == before
