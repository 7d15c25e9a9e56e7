"""Shares: as much of SMB 2 as naming one and reading from it needs ([MS-SMB2] 2.2.1.2, 2.2.9, 2.2.19)."""

from __future__ import annotations

import struct

from .base import ServiceOrder, ServiceProgram, config_file, python_server

TREE_CONNECT, READ = 3, 8
DENIED = 0xC0000022
Turn = tuple[str, str, str, str]


def frame(command: int, body: bytes, *, status: int = 0, response: bool = False) -> bytes:
    """A frame of that command, with the length in front that TCP transport asks for."""
    numbers = (64, 0, status, command, 1, int(response), 0, 1, 0xFEFF, 1, 1)
    header = struct.pack("<4sHHIHHIIQIIQ16s", b"\xfeSMB", *numbers, b"")
    return struct.pack(">I", len(header) + len(body)) + header + body


def tree_connect(share: str) -> bytes:
    """A client names a share."""
    path = f"\\\\house\\{share}".encode("utf-16-le")
    return frame(TREE_CONNECT, struct.pack("<HHHH", 9, 0, 72, len(path)) + path)


def read(number: int) -> bytes:
    """A client reads the next piece of a file."""
    return frame(READ, struct.pack("<HBBIQ16sIIIHHB", 49, 80, 0, 4096, number * 4096, bytes(16), 0, 0, 0, 0, 0, 0))


def turns(loot: dict[str, str]) -> list[Turn]:
    """What an open share answers; the loot of ``smb-share-discovery`` and ``smb-share-loot``."""
    found: list[Turn] = []
    if canary := loot.get("smb-share-discovery"):
        found.append(_turn(tree_connect("IPC$"), frame(TREE_CONNECT, canary.encode(), response=True)))
    if canary := loot.get("smb-share-loot"):
        found.append(_turn(tree_connect("backup"), frame(TREE_CONNECT, b"open", response=True)))
        found.append(_turn(read(0)[:18], frame(READ, canary.encode(), response=True)))
    return found


def _turn(said: bytes, answer: bytes) -> Turn:
    return "*", said.decode("latin-1"), answer.decode("latin-1"), "*"


class SmbShare(ServiceProgram):
    """A file server that refuses every share but an open one."""

    kind = "smb-share"

    def command(self, order: ServiceOrder) -> list[str]:
        """The server of conversations."""
        return python_server("chat", order)

    def files(self, order: ServiceOrder) -> dict[str, str]:
        """Open shares, where they are the weakness."""
        denied = frame(TREE_CONNECT, b"", status=DENIED, response=True).decode("latin-1")
        return config_file(order, hello="", ends="", turns=[*turns(order.loot()), ("*", "", denied, "*")])
