"""SSH: logins from a table; whoever gets in is told the loot of that account, whatever he asks for."""

from __future__ import annotations

import sys

from .base import CONFIG, SERVERS, ServiceOrder, ServiceProgram, config_file

ACCOUNTS = {
    "ssh-brute-force": ("operator", "summer-2019"),
    "ssh-pivot": ("deploy", "deploy-once-more"),
}
"""Account and password behind each means; of a means not named here, its id and ``lab-`` with its id."""
TRIES = 3
"""Passwords a connection may try."""


def account(means: str) -> tuple[str, str]:
    """Account and password that a service weak to this means has."""
    return ACCOUNTS.get(means, (means, f"lab-{means}"))


class Ssh(ServiceProgram):
    """An SSH server without accounts but those of its weaknesses; it starts no shell and runs no command."""

    kind = "ssh"

    def command(self, order: ServiceOrder) -> list[str]:
        """Our own server."""
        # asyncssh lies in site-packages: no -S here
        return [sys.executable, "-I", str(SERVERS / "ssh.py"), str(order.root / CONFIG)]

    def files(self, order: ServiceOrder) -> dict[str, str]:
        """Its accounts."""
        accounts = {
            name: {"password": password, "loot": token}
            for means, token in order.loot().items()
            for name, password in (account(means),)
        }
        return config_file(order, accounts=accounts, tries=TRIES)
