"""Messages between an executor and its worker: JSON objects over a socket pair, each after its length."""

from __future__ import annotations

import json
import socket
import struct
import time
from typing import Any

HEAD = struct.Struct("!Q")
PIECE_BYTES = 1 << 20


class Channel:
    """One end.

    Args:
        sock: connected; the channel owns it.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def send(self, message: dict[str, Any]) -> None:
        """Send an object.

        Raises:
            OSError: the other end is gone.
        """
        text = json.dumps(message).encode()
        self._sock.settimeout(None)
        self._sock.sendall(HEAD.pack(len(text)) + text)

    def receive(self, timeout_s: float | None = None) -> dict[str, Any]:
        """The next object.

        Raises:
            EOFError: the other end is gone.
            TimeoutError: it did not come whole within so many seconds.
        """
        until = None if timeout_s is None else time.monotonic() + timeout_s
        (length,) = HEAD.unpack(self._exactly(HEAD.size, until))
        found: dict[str, Any] = json.loads(self._exactly(length, until))
        return found

    def _exactly(self, count: int, until: float | None) -> bytes:
        data = bytearray()
        while len(data) < count:
            if until is not None and until <= time.monotonic():
                raise TimeoutError
            self._sock.settimeout(None if until is None else max(1e-3, until - time.monotonic()))
            try:
                piece = self._sock.recv(min(PIECE_BYTES, count - len(data)))
            except ConnectionError:
                piece = b""
            if not piece:
                raise EOFError
            data += piece
        return bytes(data)

    def close(self) -> None:
        """Tell the other end that nothing more comes."""
        self._sock.close()
