"""A door that opens to who knocks: three ports touched in order, then the real one answers.

The sequence is the protocol's whole secret, and the answer is the canary; nothing else is behind the door. Run as a
file of its own; the one argument is its configuration: ``address``, ``port``, ``knocks`` (ports), ``behind`` (what the
door says to who knocked; empty: it opens to nobody) and ``else``.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from pathlib import Path

PATIENCE_S = 10.0
MOST_PEERS = 1000
HOLD_S = 0.2


class Door:
    """Who has knocked how far."""

    def __init__(self, knocks: list[int], behind: str, other: str) -> None:
        self.knocks, self.behind, self.other = knocks, behind, other
        self.heard: dict[str, tuple[int, float]] = {}

    def touch(self, peer: str, port: int, now_s: float) -> str:
        """What the peer is told at that port."""
        step, since = self.heard.pop(peer, (0, now_s))
        if now_s - since > PATIENCE_S:
            step = 0
        if step < len(self.knocks) and port == self.knocks[step]:
            if len(self.heard) < MOST_PEERS:
                self.heard[peer] = (step + 1, now_s)
            return ""
        if port in self.knocks:
            return ""
        return self.behind if self.behind and step == len(self.knocks) else self.other


def main() -> None:
    """Serve, one connection after the other."""
    config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    door = Door(config["knocks"], config["behind"], config["else"])
    waiting = selectors.DefaultSelector()
    for port in (*config["knocks"], config["port"]):
        listener = socket.create_server((config["address"], port), backlog=64)
        waiting.register(listener, selectors.EVENT_READ, port)
    while True:
        for key, _ in waiting.select():
            listener = key.fileobj  # type: ignore[assignment]
            connection, peer = listener.accept()
            with connection:
                connection.settimeout(HOLD_S)
                try:
                    connection.sendall(door.touch(peer[0], key.data, time.monotonic()).encode())
                except OSError:
                    continue


if __name__ == "__main__":
    main()
