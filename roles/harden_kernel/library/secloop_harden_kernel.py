#!/usr/bin/python
# Copyright: SecLoop contributors
# SPDX-License-Identifier: Apache-2.0
"""Set kernel settings, those that this host has, and remember what they were."""

from __future__ import annotations

import glob
import os
import re
from typing import ClassVar

from ansible.module_utils.secloop_role import Change, Job, Refused, main, nothing

ROOT = "/proc/sys"
NETWORK = re.compile(r"net\.[a-z0-9_.*-]+")
ANY = re.compile(r"(net|kernel|vm|fs)\.[a-z0-9_.*-]+")
VALUE = re.compile(r"[0-9]{1,10}")


class HardenKernel(Job):
    """Its memory: ``before``, path of a setting → its value before (that of the first of several mitigations)."""

    role = "harden_kernel"
    options: ClassVar = {
        "settings": {"type": "dict", "required": True},
        "at_least": {"type": "dict", "default": {}},
        "machine": {"type": "dict", "default": {}},
    }

    def apply(self) -> Change:
        """Write what differs."""
        wanted = self._wanted()
        if not wanted:
            raise Refused("this host has none of these settings")
        before = {path: _get(path) for path in wanted}
        return Change(_lines(before), _lines(wanted), lambda: self._write(wanted, before))

    def _wanted(self) -> dict[str, str]:
        """Path → value of every setting that this host has."""
        exact = {**_found(self.values["settings"], NETWORK), **_found(self.values["machine"], ANY)}
        least = _found(self.values["at_least"], NETWORK)
        return {**exact, **{path: max(_get(path), value, key=int) for path, value in least.items()}}

    def _write(self, wanted: dict[str, str], now: dict[str, str]) -> None:
        before = dict(now)
        for memory in (*self.memory.others(), self.memory.own() or {"before": {}}):
            before.update({path: value for path, value in memory["before"].items() if path in wanted})
        self.memory.keep({"before": before})
        for path, value in wanted.items():
            if now[path] != value:
                _set(path, value)

    def verify(self) -> str:
        """Their values, from the kernel."""
        wanted = self._wanted()
        wrong = [f"{path} is {_get(path)}, not {value}" for path, value in wanted.items() if _get(path) != value]
        if wrong or not wanted:
            raise Refused("; ".join(wrong) or "this host has none of these settings")
        return _lines(wanted)

    def undo(self) -> Change:
        """The values before, but of settings that another mitigation holds, or that are gone with their interface."""
        own = self.memory.own()
        if own is None:
            return Change("", "", nothing)
        held = {path for other in self.memory.others() for path in other["before"]}
        back = {p: v for p, v in own["before"].items() if p not in held and os.path.exists(os.path.join(ROOT, p))}
        now = {path: _get(path) for path in back}
        return Change(_lines(now), _lines(back), lambda: self._restore(back, now))

    def _restore(self, back: dict[str, str], now: dict[str, str]) -> None:
        for path, value in reversed(list(back.items())):
            if now[path] != value:
                _set(path, value)
        self.memory.forget()


def _found(settings: dict[str, object], allowed: re.Pattern[str]) -> dict[str, str]:
    """Path below /proc/sys → value, of those that are there; ``*`` is every interface."""
    found = {}
    for name, value in settings.items():
        if not allowed.fullmatch(name) or ".." in name:
            raise Refused(f"{name} is no setting that this role may touch")
        if not VALUE.fullmatch(str(value)):
            raise Refused(f"{name}: {value} is no whole number")
        for path in sorted(glob.glob(os.path.join(ROOT, name.replace(".", "/")))):
            found[os.path.relpath(path, ROOT)] = str(value)
    return found


def _get(path: str) -> str:
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read().strip()


def _set(path: str, value: str) -> None:
    try:
        with open(os.path.join(ROOT, path), "w", encoding="utf-8") as file:
            file.write(value)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from None


def _lines(values: dict[str, str]) -> str:
    return "".join(f"{path.replace('/', '.')} = {value}\n" for path, value in values.items())


if __name__ == "__main__":
    main(HardenKernel)
