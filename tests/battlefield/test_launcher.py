"""What the launcher's waiting side says of starts that failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from labs.battlefield.launcher import Starting
from secloop_ai.contracts.errors import LabError

ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


def begun(log: Path, script: str) -> Starting:
    return Starting("sshd-app1", ["sh", "-c", script], log, ENV)


def test_the_process_id_is_what_the_launcher_prints(tmp_path: Path) -> None:
    assert begun(tmp_path / "log", "echo 4711").pid() == 4711


@pytest.mark.parametrize("script", ["echo no such user >&2; exit 1", "echo no such user >&2; echo done"])
def test_a_failed_start_is_named_with_the_end_of_its_log(tmp_path: Path, script: str) -> None:
    with pytest.raises(LabError, match="sshd-app1: not started: no such user"):
        begun(tmp_path / "log", script).pid()


def test_a_start_whose_battlefield_went_meanwhile_is_named_without_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(LabError, match="sshd-app1: not started: no message"):
        begun(log, f"rm {log}; kill -9 $$").pid()
