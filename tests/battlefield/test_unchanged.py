"""Attacks and roles on battlefields change nothing of the machine: settings, mounts, processes, files."""

from __future__ import annotations

from pathlib import Path

import pytest

from labs.attacks.registry import all_means
from labs.battlefield.footprint import differences, take

from .support import needs_lab
from .unchanged import ROLES, apart

FEW = ("ssh-brute-force", "web-shell-command")
EVERYTHING = (*(m.id for m in all_means()), ROLES)


def test_what_was_made_changed_and_removed_is_named(tmp_path: Path) -> None:
    for name in ("changed", "removed", "same"):
        (tmp_path / name).write_text("one")
    (tmp_path / "skipped").mkdir()
    before = take([tmp_path], leave_out=[tmp_path / "skipped"])
    assert before.files.keys() == {str(tmp_path / name) for name in ("changed", "removed", "same", "skipped")}
    (tmp_path / "changed").write_text("two")
    (tmp_path / "removed").unlink()
    (tmp_path / "made").symlink_to("same")
    (tmp_path / "skipped" / "new").touch()
    after = take([tmp_path], leave_out=[tmp_path / "skipped"])
    found = [line for line in differences(before, after) if line.startswith("file ")]
    assert [line.split(":")[0] for line in found] == [f"file {tmp_path / n}" for n in ("changed", "made", "removed")]
    assert found[1].split(": ", 1)[1].startswith("absent -> l")
    assert found[2].endswith("-> absent")


def test_settings_mounts_and_processes_are_looked_at(tmp_path: Path) -> None:
    seen = take([tmp_path])
    assert seen.settings["/proc/sys/kernel/ostype"] == "Linux"
    assert "/" in seen.mounts
    assert "1" in seen.processes
    other = seen._replace(settings={**seen.settings, "/proc/sys/kernel/ostype": "Other"}, mounts={}, processes={})
    lines = differences(seen, other)
    assert "setting /proc/sys/kernel/ostype: Linux -> Other" in lines
    assert {line.split()[0] for line in lines} == {"setting", "mount", "process"}


@pytest.mark.lab
@pytest.mark.slow
@needs_lab[1]
@pytest.mark.parametrize(
    "names",
    [
        pytest.param(FEW, id="a few means"),
        pytest.param(EVERYTHING, id="every means and role", marks=[pytest.mark.exhaustive, pytest.mark.timeout(3600)]),
    ],
)
def test_nothing_of_the_machine_differs(names: tuple[str, ...]) -> None:
    found = apart(names)
    assert found["differences"] == []
    assert not {name: how for name, how in found["ran"].items() if how.startswith("not run")}
