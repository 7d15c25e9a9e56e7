"""SSH keys of an emulator: one host key, one client key, both ed25519, made where they are missing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import asyncssh

from .server import ADDRESS

HOST_KEY, CLIENT_KEY, KNOWN_HOSTS = "host_ed25519", "client_ed25519", "known_hosts"


def identity(path: Path, comment: str) -> asyncssh.SSHKey:
    """The private key in `path`, made (mode 0600, with its .pub beside it) where there is none."""
    if path.exists():
        return asyncssh.read_private_key(path)
    key = asyncssh.generate_private_key("ssh-ed25519", comment=comment)
    path.touch(mode=0o600)
    key.write_private_key(path)
    key.write_public_key(path.with_suffix(".pub"))
    return key


def write_known_hosts(path: Path, ports: Iterable[int], host_key: asyncssh.SSHKey) -> None:
    """One line per device, so that clients can check the host key."""
    public = " ".join(host_key.export_public_key().decode().split()[:2])
    path.write_text("".join(f"[{ADDRESS}]:{port} {public}\n" for port in ports), encoding="utf-8")
