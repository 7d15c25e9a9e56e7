# Copyright: SecLoop contributors
# SPDX-License-Identifier: Apache-2.0
"""What the modules of host roles share: steps, memory of the state before, files written in one piece.

Runs on the host, with its Python (3.8 or newer) and nothing else.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, NamedTuple

from ansible.module_utils.basic import AnsibleModule

SBIN = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
COMMAND_S = 60.0
COMMON = {
    "step": {"type": "str", "required": True, "choices": ["apply", "verify", "undo"]},
    "tag": {"type": "str", "required": True},
    "state_dir": {"type": "path", "required": True},
}


class Refused(Exception):  # noqa: N818 - what the role does
    """The role does not do this, or could not; the text says why."""


class Change(NamedTuple):
    """What a step comes to.

    Attributes:
        before, after: in lines for a person; the same when there is nothing to do.
        act: does it. It is not called in check mode.
    """

    before: str
    after: str
    act: Callable[[], None]


class Memory:
    """What a role remembers on the host under ``state_dir/tag``, apart for each mitigation.

    Args:
        state_dir: of all mitigations; private to root.
        tag: of this one.
        role: whose.

    Raises:
        Refused: the tag is no name of a folder.
    """

    def __init__(self, state_dir: str, tag: str, role: str) -> None:
        if not TAG.fullmatch(tag):
            raise Refused("the tag is no mitigation's id")
        self.state_dir, self.tag, self.role = state_dir, tag, role
        self.folder = os.path.join(state_dir, tag)
        self.path = os.path.join(self.folder, f"{role}.json")

    def own(self) -> dict[str, Any] | None:
        """What this mitigation remembers; None where nothing of it is."""
        return self._read(self.path)

    def others(self) -> list[dict[str, Any]]:
        """What other mitigations of the same role remember."""
        tags = sorted(os.listdir(self.state_dir)) if os.path.isdir(self.state_dir) else []
        found = [self._read(os.path.join(self.state_dir, t, f"{self.role}.json")) for t in tags if t != self.tag]
        return [memory for memory in found if memory is not None]

    def keep(self, value: dict[str, Any]) -> None:
        """Remember, durably, before anything is changed."""
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        write(self.path, json.dumps(value, sort_keys=True) + "\n", 0o600)

    def forget(self) -> None:
        """Nothing of this mitigation is left, nor empty folders."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        self.tidy()

    def tidy(self) -> None:
        """Remove the folders that are empty."""
        for folder in (self.folder, self.state_dir):
            with contextlib.suppress(OSError):
                os.rmdir(folder)

    @contextlib.contextmanager
    def locked(self, *, make: bool) -> Iterator[None]:
        """Alone on this host until the block ends; without `make` nothing is locked where nothing is."""
        if make:
            os.makedirs(self.state_dir, mode=0o700, exist_ok=True)
        handle = self._lock()
        try:
            yield
        finally:
            if make:
                self.tidy()
            if handle is not None:
                os.close(handle)

    def _lock(self) -> int | None:
        while os.path.isdir(self.state_dir):
            handle = os.open(self.state_dir, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(handle, fcntl.LOCK_EX)
            # whoever held it may have removed the folder when it was empty
            if os.path.isdir(self.state_dir) and os.path.samestat(os.fstat(handle), os.stat(self.state_dir)):
                return handle
            os.close(handle)
        return None

    @staticmethod
    def _read(path: str) -> dict[str, Any] | None:
        try:
            with open(path, encoding="utf-8") as file:
                value = json.load(file)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except ValueError as error:
            raise Refused(f"{path}: not what a role wrote: {error}") from None
        if not isinstance(value, dict):
            raise Refused(f"{path}: not what a role wrote")
        return value


class Job:
    """One role's work. Subclasses say what a step comes to.

    Attributes:
        role: its name.
        options: of the module, beside the common ones.
        check: whether this is check mode, in which nothing may be changed on the way either.
    """

    role = ""
    options: ClassVar[dict[str, Any]] = {}

    def __init__(self, values: dict[str, Any], memory: Memory, *, check: bool = False) -> None:
        self.values, self.memory, self.check = values, memory, check

    def apply(self) -> Change:
        """What there is to do so that the action holds.

        Raises:
            Refused: the action is not for this host.
        """
        raise NotImplementedError

    def verify(self) -> str:
        """Read the effect back from the system; returns what was found.

        Raises:
            Refused: the action does not hold.
        """
        raise NotImplementedError

    def undo(self) -> Change:
        """What there is to do so that the state before returns."""
        raise NotImplementedError


def nothing() -> None:
    """The act of a step that has nothing to do."""


def main(kind: type[Job]) -> None:
    """Run a role's module: one step of it."""
    module = AnsibleModule(argument_spec={**COMMON, **kind.options}, supports_check_mode=True)
    values = module.params
    try:
        memory = Memory(values["state_dir"], values["tag"], kind.role)
        with memory.locked(make=values["step"] == "apply" and not module.check_mode):
            module.exit_json(**_step(kind(values, memory, check=module.check_mode), values["step"]))
    except (Refused, OSError) as error:
        module.fail_json(msg=f"{kind.role} {values['step']}: {error}")


def _step(job: Job, step: str) -> dict[str, Any]:
    if step == "verify":
        try:
            return {"changed": False, "found": job.verify()}
        except Refused as error:
            if job.check:  # nothing was applied
                return {"changed": False, "found": f"does not hold: {error}"}
            raise
    change = job.apply() if step == "apply" else job.undo()
    # a mitigation that finds its effect there already is remembered all the same, so that it outlives the other's undo
    known = job.memory.own() is not None
    changed = change.before != change.after or known is (step == "undo")
    if changed and not job.check:
        change.act()
    return {"changed": changed, "diff": {"before": change.before, "after": change.after}}


def write(path: str, text: str, mode: int) -> None:
    """Write a file in one piece; it is there whole or not at all."""
    handle, fresh = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".secloop-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), mode)
        os.replace(fresh, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(fresh)
        raise


def read(path: str) -> str | None:
    """A file's text; None where there is none."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        return None


def program(name: str, package: str) -> str:
    """Path of a program.

    Raises:
        Refused: it is not installed.
    """
    found = shutil.which(name, path=SBIN)
    if found is None:
        raise Refused(f"there is no {name} here (package {package})")
    return found


def run(argv: list[str], stdin: str = "", *, timeout_s: float = COMMAND_S) -> str:
    """A command's output.

    Raises:
        Refused: it failed or took longer than `timeout_s`; with what it said.
    """
    env = {"PATH": SBIN, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            argv, input=stdin, capture_output=True, text=True, errors="replace", timeout=timeout_s, env=env, check=False
        )
    except subprocess.TimeoutExpired:
        raise Refused(f"{os.path.basename(argv[0])} took longer than {timeout_s:g} s") from None
    if done.returncode:
        raise Refused(f"{os.path.basename(argv[0])}: {(done.stderr or done.stdout).strip()[-400:]}")
    return done.stdout


def systemd() -> bool:
    """Whether systemd runs this host."""
    return os.path.isdir("/run/systemd/system")
