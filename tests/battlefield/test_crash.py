"""Nothing survives: SIGKILL of the maker at any stage, then the reaper."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from labs.battlefield import Battlefield, reap, standing
from labs.battlefield.record import BASE, FieldRecord
from labs.lab.processes import NETNS_DIR, members

from .support import OFFICE, ROOT, eventually, leftovers, needs_lab, office

pytestmark = needs_lab
SCRIPT = """
import sys, time
from pathlib import Path
from labs.battlefield import Battlefield
from labs.scenario import load_scenario
field = Battlefield.clone(load_scenario(Path(sys.argv[1])), 5)
field.up()
field.start_sensor()
print("up", flush=True)
time.sleep(600)
"""


def of(pid: int) -> FieldRecord | None:
    return next((r for r in standing() if r.owner == pid), None)


def reached(stage: str) -> Callable[[int], bool]:
    def there(pid: int) -> bool:
        record = of(pid)
        if record is None or stage == "claim":
            return record is not None
        if stage == "namespaces":
            return any((NETNS_DIR / n).exists() for n in record.namespaces)
        if stage == "nodes":
            return bool(members(record.namespaces, Path("/nowhere")))
        return any((record.run_dir / "log").glob(f"{stage}*"))

    return there


@pytest.mark.parametrize("stage", ["claim", "namespaces", "nodes", "netconfd", "suricata"])
def test_sigkill_at_any_stage_leaves_nothing_after_the_reaper(stage: str) -> None:
    with subprocess.Popen([sys.executable, "-c", SCRIPT, str(OFFICE)], cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        arrived = reached(stage)
        while process.poll() is None and not arrived(process.pid):
            pass
        record = of(process.pid)
        process.send_signal(signal.SIGKILL)
    assert record is not None
    record = of(process.pid) or record  # as it stood at the end
    assert not record.owned
    reaped = reap()
    assert record.index in {r.index for r in reaped} or not record.run_dir.exists()
    assert leftovers(record) == []


def test_the_reaper_leaves_the_living_alone() -> None:
    with Battlefield.clone(office(), 2, host_services=False) as field:
        reap()
        assert sorted(field.snapshot()) == ["core", "edge"]


def test_a_folder_claimed_and_never_used_is_removed_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = BASE / "2047"
    folder.mkdir(parents=True)
    reap()
    assert folder.exists()  # its maker may be at it
    monkeypatch.setattr("labs.battlefield.reaper.CLAIM_S", -1.0)
    reap()
    assert eventually(lambda: not folder.exists(), 1)


def test_two_reapers_at_once() -> None:
    script = "from labs.battlefield import reap; reap()"
    with subprocess.Popen([sys.executable, "-c", SCRIPT, str(OFFICE)], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        record = of(process.pid)
        process.send_signal(signal.SIGKILL)
    assert record is not None
    reapers = [subprocess.Popen([sys.executable, "-c", script], cwd=ROOT) for _ in range(3)]
    assert [reaper.wait(60) for reaper in reapers] == [0, 0, 0]
    assert leftovers(record) == []
