#!/usr/bin/python
# Copyright: SecLoop contributors
# SPDX-License-Identifier: Apache-2.0
"""Tighten a host's OpenSSH server by a drop-in of our own; never loosen what is tighter already."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import ClassVar

from ansible.module_utils.secloop_processes import command_line, processes
from ansible.module_utils.secloop_role import Change, Job, Refused, main, nothing, program, read, run, systemd, write

MODE = 0o644
ROOT_LOGIN = ("yes", "prohibit-password", "forced-commands-only", "no")
"""From loose to tight."""
UNITS = ("ssh.service", "sshd.service")


class SecureSshd(Job):
    """Its memory names the drop-in."""

    role = "secure_sshd"
    options: ClassVar = {
        "settings": {"type": "dict", "required": True},
        "config": {"type": "path", "default": "/etc/ssh/sshd_config"},
        "folder": {"type": "path", "default": "/etc/ssh/sshd_config.d"},
        "by_password": {"type": "bool", "default": False},
    }

    def _path(self) -> str:
        return os.path.join(self.values["folder"], f"00-secloop-{self.memory.tag}.conf")

    def apply(self) -> Change:
        """The drop-in, each setting at least as tight as it is now."""
        if self.values["by_password"]:
            raise Refused("the controller logs in by password; that would be its last login")
        if not os.path.isdir(self.values["folder"]):
            raise Refused(f"there is no {self.values['folder']} (OpenSSH 8.2 or newer reads it)")
        now = self._effective()
        wanted = {key: _tighter(key, now.get(key.lower(), ""), str(value)) for key, value in self._settings().items()}
        text = f"# SecLoop, mitigation {self.memory.tag}\n" + "".join(f"{k} {v}\n" for k, v in wanted.items())
        return Change(read(self._path()) or "", text, lambda: self._put(text))

    def _settings(self) -> dict[str, object]:
        settings: dict[str, object] = self.values["settings"]
        for key, value in settings.items():
            if not key.isalnum() or len(str(value).split()) != 1:
                raise Refused(f"{key}: no setting of one word")
        return settings

    def _effective(self) -> dict[str, str]:
        """Setting → value, as the server itself reads its files."""
        lines = run([program("sshd", "openssh-server"), "-T", "-f", self.values["config"]]).splitlines()
        return {key: value for key, _, value in (line.partition(" ") for line in lines)}

    def _put(self, text: str) -> None:
        before = read(self._path())
        self.memory.keep({"path": self._path()})
        write(self._path(), text, MODE)
        try:
            self.verify()  # refuses a file that the server cannot read
        except Refused:
            self._take_back(before)
            raise
        _reload(self.values["config"])

    def _take_back(self, before: str | None) -> None:
        if before is None:
            os.unlink(self._path())
            self.memory.forget()
        else:
            write(self._path(), before, MODE)

    def verify(self) -> str:
        """The settings in force, from the server's own reading of all its files."""
        now = self._effective()
        loose = [
            f"{key} is {now.get(key.lower(), 'not known')}"
            for key, value in self._settings().items()
            if _tighter(key, now.get(key.lower(), ""), str(value)) != _canonical(now.get(key.lower(), ""))
        ]
        if loose:
            raise Refused(f"{'; '.join(loose)}: is the drop-in folder not included first in {self.values['config']}?")
        return "".join(f"{key} {now[key.lower()]}\n" for key in self._settings())

    def undo(self) -> Change:
        """The drop-in goes."""
        if self.memory.own() is None:
            return Change("", "", nothing)
        return Change(read(self._path()) or "", "", self._remove)

    def _remove(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path())
        self.memory.forget()
        _reload(self.values["config"])


def _canonical(value: str) -> str:
    return "prohibit-password" if value == "without-password" else value


def _tighter(key: str, now: str, wanted: str) -> str:
    """The tighter of two values of a setting."""
    now = _canonical(now)
    if key == "PermitRootLogin" and now in ROOT_LOGIN and wanted in ROOT_LOGIN:
        return max(now, wanted, key=ROOT_LOGIN.index)
    return min(now, wanted, key=int) if now.isdigit() and wanted.isdigit() and int(now) else wanted


def _reload(config: str) -> None:
    """Whatever server reads that configuration reads it again; sessions go on."""
    if systemd():
        systemctl = program("systemctl", "systemd")
        for unit in UNITS:
            if run([systemctl, "show", "-p", "ActiveState", "--value", unit]).strip() == "active":
                run([systemctl, "reload", unit])
        return
    names = {one.pid: one.name for one in processes()}
    for one in processes():
        line = command_line(one.pid)
        own = " -f " not in line or f" -f {config} " in f"{line} "
        if one.name == "sshd" and names.get(one.parent) != "sshd" and own:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGHUP)


if __name__ == "__main__":
    main(SecureSshd)
