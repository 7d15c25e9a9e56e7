#!/usr/bin/python
# Copyright: SecLoop contributors
# SPDX-License-Identifier: Apache-2.0
"""Lock an account: its password, its expiry, its shell; by usermod, which knows the host's locks and caches."""

from __future__ import annotations

import os
import pwd
from typing import Any, ClassVar, NamedTuple

from ansible.module_utils.secloop_role import Change, Job, Refused, main, nothing, program, run

PACKAGE = "passwd"
PAST = "1"
"""Days since 1970 after which the account is over."""
SHELLS = ("/usr/sbin/nologin", "/sbin/nologin", "/usr/bin/false", "/bin/false")
PASSWORD, EXPIRY = 1, 7
"""Fields of a line of the shadow file."""


class State(NamedTuple):
    """What an account may do. The password itself is in nobody's memory but the shadow file's.

    Attributes:
        locked: there is a ``!`` before the password.
        expiry: days since 1970; empty is never.
    """

    locked: bool
    expiry: str
    shell: str

    def lines(self) -> str:
        """For a person."""
        return f"password locked: {self.locked}\nexpires: {self.expiry or 'never'}\nshell: {self.shell}\n"


class DisableAccount(Job):
    """Its memory: ``account`` and the `State` before (of the first of several mitigations)."""

    role = "disable_account"
    options: ClassVar = {"account": {"type": "str", "required": True}, "controller": {"type": "str", "default": ""}}

    def apply(self) -> Change:
        """Lock it."""
        self._guard()
        now, locked = self._state(), State(locked=True, expiry=PAST, shell=_nologin())
        return Change(now.lines(), locked.lines(), lambda: self._lock(now, locked))

    def _guard(self) -> None:
        account = self.values["account"]
        if account.startswith("-") or ":" in account:
            raise Refused("that is no account's name")
        own = {self.values["controller"], *(os.environ.get(v, "") for v in ("USER", "LOGNAME", "SUDO_USER"))}
        if account in own:
            raise Refused(f"{account} is the account of this very login")
        if self._entry().pw_uid == 0:
            raise Refused(f"{account} is the superuser")

    def _entry(self) -> pwd.struct_passwd:
        try:
            return pwd.getpwnam(self.values["account"])
        except KeyError:
            raise Refused(f"there is no account {self.values['account']}") from None

    def _state(self) -> State:
        """The account as the host's name service has it."""
        shadow = run([program("getent", "libc-bin"), "shadow", self.values["account"]]).rstrip("\n").split(":")
        return State(shadow[PASSWORD].startswith("!"), shadow[EXPIRY], self._entry().pw_shell)

    def _others(self) -> list[dict[str, Any]]:
        return [other for other in self.memory.others() if other["account"] == self.values["account"]]

    def _lock(self, now: State, locked: State) -> None:
        known = [m for m in (self.memory.own(), *self._others()) if m]
        prior = known[0]["prior"] if known else list(now)
        self.memory.keep({"account": self.values["account"], "prior": prior})
        self._become(now, locked)

    def _become(self, now: State, wanted: State) -> None:
        changes: list[str] = []
        if now.locked != wanted.locked:
            changes.append("-L" if wanted.locked else "-U")
        if now.expiry != wanted.expiry:
            changes += ["-e", wanted.expiry]
        if now.shell != wanted.shell:
            changes += ["-s", wanted.shell]
        if changes:
            run([program("usermod", PACKAGE), *changes, self.values["account"]])

    def verify(self) -> str:
        """As a login would find it."""
        now = self._state()
        if not now.locked or now.expiry != PAST or now.shell not in SHELLS:
            raise Refused(f"{self.values['account']} is not locked: {now.lines().strip()}".replace("\n", ", "))
        return now.lines()

    def undo(self) -> Change:
        """Back to the state before, unless another mitigation still wants it locked.

        What somebody else has changed meanwhile stays.
        """
        own = self.memory.own()
        if own is None:
            return Change("", "", nothing)
        now, locked, prior = self._state(), State(locked=True, expiry=PAST, shell=_nologin()), State(*own["prior"])
        back = State(*(p if n == x else n for n, x, p in zip(now, locked, prior)))  # noqa: B905 - Python 3.8 has no strict
        wanted = now if self._others() else back
        return Change(now.lines(), wanted.lines(), lambda: self._unlock(now, wanted))

    def _unlock(self, now: State, wanted: State) -> None:
        self._become(now, wanted)
        self.memory.forget()


def _nologin() -> str:
    return next((shell for shell in SHELLS if os.access(shell, os.X_OK)), SHELLS[0])


if __name__ == "__main__":
    main(DisableAccount)
