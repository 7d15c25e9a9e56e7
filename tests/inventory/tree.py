"""Writes small inventories for the tests of this room."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

HOSTS_YML = """\
all:
  children:
    secloop_devices:
      hosts:
        r1: {ansible_host: 192.0.2.250}
    secloop_hosts:
      hosts:
        web: {ansible_host: 198.51.100.10}
        pc: {ansible_host: 203.0.113.7}
"""
R1_YML = """\
secloop_device:
  dialect: ietf
  interfaces:
    ge0:
      zone: inside
      addresses: [198.51.100.1/24]
    ge1:
      addresses: [203.0.113.1/24]
"""
WEB_YML = """\
secloop_host:
  attached_to: {device: r1, interface: ge0}
  services:
    - name: ssh
      port: 22
      clients: [pc]
"""
GOOD = {"hosts.yml": HOSTS_YML, "host_vars/r1.yml": R1_YML, "host_vars/web.yml": WEB_YML}


def write(folder: Path, files: dict[str, str]) -> str:
    """The files, below the folder; the folder's path as an inventory source."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
        if text.startswith("#!"):
            path.chmod(0o755)
    return str(folder)


def ansible(tool: str, *args: str, **options: str) -> str:
    """What one of Ansible's commands prints; it must succeed."""
    command = [str(Path(sys.executable).with_name(tool)), *args]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=options.get("cwd"))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
