"""ansible.netcommon's ``netconf_config`` over the same devices, in an environment of its own with PyPI's `ansible`.

``python -m benchmarks.fleet_ansible JOB`` plays the playbook for the devices of a JSON job and prints its figures.

Its first commit is a plain one: with `confirm`, ansible.netcommon 8.2.0 hands ncclient 0.7.1 the seconds as a number
where it takes a string, and the task fails on every device. The second task sends the commit that would confirm it.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from secloop_ai.contracts import ChangePlan, Environment, LabError
from secloop_ai.contracts.base import Frozen

PACKAGES = ("ansible", "ncclient")
INSTALL_TIMEOUT_S = 1800
PLAY_TIMEOUT_S = 3600
CHILD_SUBREAPER = 36
PLAY = [
    {
        "hosts": "all",
        "gather_facts": False,
        "tasks": [
            {
                "name": "Edit, validate and commit",
                "ansible.netcommon.netconf_config": {
                    "content": "{{ lookup('file', edits ~ '/' ~ inventory_hostname ~ '.xml') }}",
                    "target": "candidate",
                    "lock": "always",
                    "validate": True,
                },
            },
            {"name": "Confirm", "ansible.netcommon.netconf_config": {"confirm_commit": True}},
        ],
    }
]


class Job(Frozen):
    """What to do: the change of every device, with so many forks, by the ansible-playbook of that environment."""

    environment: Environment
    plan: ChangePlan
    concurrency: int
    bin: Path


def installed(cache: Path) -> Path:
    """The bin folder of an environment with PyPI's `ansible`, made in `cache` where there is none.

    Raises:
        LabError: it cannot be installed; quotes pip.
    """
    home = cache / "ansible"
    if not (home / "bin" / "ansible-playbook").exists():
        venv.create(home, with_pip=True)
        _run([str(home / "bin" / "pip"), "install", "--quiet", *PACKAGES], "installing ansible")
    _run([str(home / "bin" / "python"), "-c", "import ansible, ncclient"], "looking at ansible's environment")
    return home / "bin"


def _run(command: Sequence[str], what: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise LabError(f"{what}: no end after {INSTALL_TIMEOUT_S} s") from None
    except subprocess.CalledProcessError as error:
        raise LabError(f"{what}: {error.stderr.strip()[-400:]}") from None


def version(bin_folder: Path) -> str:
    """Which collection that is, for the table."""
    done = subprocess.run(
        [bin_folder / "ansible-galaxy", "collection", "list", "ansible.netcommon"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
    )
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("ansible.netcommon")]
    return lines[0][1] if lines else "of an unknown version"


def play(job: Job) -> dict[str, Any]:
    """Run ansible-playbook; wall and CPU seconds, those of its connection processes included."""
    ctypes.CDLL(None).prctl(CHILD_SUBREAPER, 1)  # they outlive their parent: have them become ours, to be counted
    with tempfile.TemporaryDirectory(prefix="secloop-rival-") as folder:
        root = Path(folder)
        playbook = _write(job, root)
        command = [str(job.bin / "ansible-playbook"), str(playbook), "-i", "hosts.yml", "-f", str(job.concurrency)]
        began = time.perf_counter()
        done = subprocess.run(
            command, cwd=root, env=_environ(root), capture_output=True, text=True, check=False, timeout=PLAY_TIMEOUT_S
        )
        wall_s = time.perf_counter() - began
        _wait_for_all()
    if done.returncode:
        sys.exit(f"netconf_config failed:\n{done.stdout[-2000:]}{done.stderr[-1000:]}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"wall_s": wall_s, "cpu_s": used.ru_utime + used.ru_stime}


def _write(job: Job, root: Path) -> Path:
    edits = root / "edits"
    edits.mkdir()
    for device in job.plan.devices:
        body = f'<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">{device.edit}</config>'
        (edits / f"{device.device}.xml").write_text(body)
    hosts = {
        d.name: {
            "ansible_host": d.connection.address,
            "ansible_port": d.connection.port,
            "ansible_user": d.connection.user,
            "ansible_ssh_private_key_file": d.connection.key_file,
        }
        for d in job.environment.devices
    }
    variables = {
        "ansible_connection": "ansible.netcommon.netconf",
        "ansible_network_os": "default",
        "ansible_python_interpreter": str(job.bin / "python"),
        "edits": str(edits),
    }
    (root / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": variables}}))
    (root / "play.yml").write_text(yaml.safe_dump(PLAY))
    return root / "play.yml"


def _environ(root: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ANSIBLE_", "PYTHON", "VIRTUAL_ENV"))}
    return {
        **kept,
        "HOME": str(root),
        "ANSIBLE_HOME": str(root),
        "ANSIBLE_HOST_KEY_CHECKING": "False",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PERSISTENT_CONNECT_TIMEOUT": "600",
        "ANSIBLE_PERSISTENT_COMMAND_TIMEOUT": "600",
        "ANSIBLE_PERSISTENT_CONTROL_PATH_DIR": str(root / "pc"),
    }


def _wait_for_all(patience_s: float = 60.0) -> None:
    """The connection processes end when the play does; take their exit, so that their CPU time is counted."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        try:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.05)
        except ChildProcessError:
            return


def main(arguments: Sequence[str]) -> int:
    """Do the job and print its figures as JSON."""
    print(json.dumps(play(Job.model_validate_json(Path(arguments[0]).read_bytes()))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
