"""A TCP server that holds a conversation from a table: hello, and an answer for each beginning of a message.

It keeps one bounded buffer a connection and does nothing with what it receives but compare beginnings. Run as a file
of its own; the one argument is its configuration: ``address``, ``port``, ``hello``, ``ends`` (what ends a message;
empty: whatever arrives at once), ``turns``: rows of state, beginning, answer, next state, and for a login the account,
and ``etc``, the host's settings: a row whose account is locked there does not count. Texts are Latin-1.
"""

from __future__ import annotations

import json
import socketserver
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

IDLE_S = 15.0
MOST_BYTES = 64 * 1024
MOST_MESSAGES = 400
HANG_UP = "bye"
"""The state in which the server closes."""
NO_SHELLS = ("nologin", "false")


class Conversation(socketserver.BaseRequestHandler):
    """One connection."""

    table: ClassVar[dict[str, Any]]

    def handle(self) -> None:
        """Answer until the peer goes, is idle for `IDLE_S`, or has said enough."""
        self.request.settimeout(IDLE_S)
        try:
            self._say(self.table["hello"])
            self._converse()
        except OSError:
            return  # the peer's affair

    def _converse(self) -> None:
        state = "start"
        for message in self._messages():
            state, answer = self._turn(state, message)
            self._say(answer)
            if state == HANG_UP:
                return

    def _turn(self, state: str, message: bytes) -> tuple[str, str]:
        text = message.decode("latin-1").upper()
        for at, beginning, answer, to, *accounts in self.table["turns"]:
            meant = at in (state, "*") and text.startswith(beginning.upper())
            if meant and not any(closed(self.table["etc"], account) for account in accounts):
                return (state if to == "*" else to), answer
        return state, ""

    def _messages(self) -> Iterator[bytes]:
        ends, held, total = self.table["ends"].encode("latin-1"), b"", 0
        for _ in range(MOST_MESSAGES):
            while not (ends in held if ends else held):
                data = self.request.recv(4096)
                total += len(data)
                if not data or total > MOST_BYTES:
                    return
                held += data
            message, _, held = held.partition(ends) if ends else (held, b"", b"")
            yield message

    def _say(self, text: str) -> None:
        if text:
            self.request.sendall(text.encode("latin-1"))


def closed(etc: str, account: str) -> bool:
    """Whether the host lets nobody in by that account: it has a shell that says so."""
    try:
        lines = Path(etc, "passwd").read_text(encoding="utf-8").splitlines() if etc else []
    except OSError:
        return False
    shells = (line.rpartition(":")[2] for line in lines if line.partition(":")[0] == account)
    return any(Path(shell).name in NO_SHELLS for shell in shells)


class Server(socketserver.ThreadingTCPServer):
    """A thread for each connection."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


def main() -> None:
    """Serve."""
    Conversation.table = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with Server((Conversation.table["address"], Conversation.table["port"]), Conversation) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
