"""Runs means and roles on battlefields and says what of the machine differs after that, as JSON.

    python -m tests.battlefield.unchanged [MEANS ... | roles ...]

It goes into namespaces of its own, with a /tmp and a /run of their own, so that whoever else works on the machine does
not show: what is on them in there is what the battlefields' controller has.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from labs.attacks.arena import arena
from labs.battlefield import Battlefield, reaper, record
from labs.battlefield.footprint import differences, take
from labs.battlefield.replay import replay
from labs.scenario import load_scenario
from secloop_ai.contracts import HostStep
from secloop_ai.contracts.errors import SecLoopError
from secloop_ai.loop.hosts import AnsibleHosts

from .test_roles import ONE, SCENARIO, plans

ROOT = Path(__file__).resolve().parents[2]
APART = ["unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child"]
APART += ["--mount-proc", "--propagation", "private"]
PREPARE = """
for point in $(grep -o ' /run/netns/[^ ]*' /proc/self/mountinfo); do umount -l "$point"; done
root=$PWD
mount -t tmpfs tmpfs /run && mkdir /run/checkout && mount --bind "$root" /run/checkout || exit 1
mount -t tmpfs tmpfs /tmp && mount -t sysfs sysfs /sys && ip link set lo up || exit 1
case $root in
/tmp/*) mkdir -p "$root" && mount --bind /run/checkout "$root" || exit 1 ;;
esac
umount /run/checkout && rmdir /run/checkout && cd "$root" || exit 1
"$@"; exit $?
"""
"""The shell is the namespace's first process: it collects what is left to it. It starts in the checkout, which may
itself lie below /tmp."""
INSIDE = "SECLOOP_APART"
ROLES = "roles"
ATTACK_S = 120.0
SERVES_S = 2.0
"""Until the attacker's own servers listen, too."""


def run(names: Sequence[str], seed: int) -> dict[str, str]:
    """Each means on a battlefield of its own: how it went, for the reader."""
    found = {}
    for name in names:
        try:
            found[name] = roles() if name == ROLES else attack(name, seed)
        except SecLoopError as error:
            found[name] = f"not run: {error}"
        sys.stderr.write(f"{name}: {found[name]}\n")
    return found


def attack(name: str, seed: int) -> str:
    """One means, undefended, with its sensor."""
    with Battlefield.clone(arena(name, seed), seed) as field:
        field.start_sensor()
        time.sleep(SERVES_S)
        last = replay(field, time.monotonic() + ATTACK_S)[-1]
    return "succeeded" if last.succeeded else f"failed: {last.detail[:100]}"


def roles() -> str:
    """Every role, applied, read back and undone."""
    with Battlefield.clone(load_scenario(SCENARIO), 7) as field:
        runner = AnsibleHosts({node.name: field.login(node.name).variables() for node in field.atlas.hosts()})
        done = [r for step in HostStep for r in runner.run(plans(field, ONE), (step,))]
    bad = [f"{r.host}: {r.task}: {r.message}" for r in done if not r.ok]
    return f"failed: {'; '.join(bad)}" if bad else "succeeded"


class Found(TypedDict):
    """What came of it."""

    ran: dict[str, str]
    differences: list[str]


def apart(names: Sequence[str]) -> Found:
    """The same in namespaces of its own; ``ran`` and ``differences``."""
    command = [
        *APART,
        "sh",
        "-c",
        PREPARE,
        "sh",
        sys.executable,
        "-m",
        "tests.battlefield.unchanged",
        *names,
    ]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, INSIDE: str(os.getpid())}, stdout=subprocess.PIPE, text=True, check=True
    )
    found: Found = json.loads(done.stdout)
    return found


def main(names: Sequence[str]) -> None:
    """Run, compare, print."""
    number = os.environ.get(INSIDE)
    if number is None:
        sys.stdout.write(json.dumps(apart(names), indent=2) + "\n")
        return
    # another controller's battlefields have the same numbers, and whoever removes one kills by its folder's name
    base = record.BASE.with_name(f"apart{number}")
    for room in (record, reaper):
        vars(room)["BASE"] = base
    run(names[:1], 0)  # folders, caches and modules that the first battlefield of a machine brings
    before = take()
    ran = run(names, 1)
    sys.stdout.write(json.dumps({"ran": ran, "differences": differences(before, take())}))


if __name__ == "__main__":
    main(sys.argv[1:])
