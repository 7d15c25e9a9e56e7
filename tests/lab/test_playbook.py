"""playbooks/lab.yml: up, up again, down."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from secloop_ai.loop.runner import project_dir

from .support import lab_name, needs_lab

pytestmark = needs_lab
NAME = lab_name("p")


def play(state: str, inventory: Path) -> tuple[int, int]:
    """Exit status, and how many tasks changed something."""
    project = project_dir()
    done = subprocess.run(
        [
            *(Path(sys.executable).parent / "ansible-playbook", "playbooks/lab.yml", "-e", f"state={state}"),
            *("-e", f"lab_name={NAME}", "-e", f"lab_inventory={inventory}"),
        ],
        cwd=project,
        env={**os.environ, "ANSIBLE_CONFIG": str(project / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    changed = re.search(r"changed=(\d+)", done.stdout)
    assert changed, done.stdout + done.stderr
    return done.returncode, int(changed[1])


def test_the_lab_comes_up_once_and_goes(tmp_path: Path) -> None:
    assert play("up", tmp_path / "inventory") == (0, 1)
    assert list((tmp_path / "inventory").iterdir())
    assert play("up", tmp_path / "inventory") == (0, 0)
    assert play("down", tmp_path / "inventory") == (0, 1)
