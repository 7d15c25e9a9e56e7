"""Sends messages over TCP, a connection each, and prints what comes back.

``talk.py ADDRESS PORT PAUSE_S UNTIL HEX...`` stops after the first answer that holds the text `UNTIL`, and when two
messages in a row found nobody.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import time

ANSWER_S = 3.0
ANSWER_MOST = 4096


def ask(address: str, port: int, message: bytes) -> bytes:
    """The first answer to the message; nothing when none comes."""
    with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=ANSWER_S) as connection:
        connection.sendall(message)
        return connection.recv(ANSWER_MOST)
    return b""


def main() -> None:
    """Send each message."""
    address, port, pause_s, until, *messages = sys.argv[1:]
    failed = 0
    for message in messages:
        answer = ask(address, int(port), bytes.fromhex(message)).decode("latin-1")
        sys.stdout.write(answer)
        failed = 0 if answer else failed + 1
        if failed > 1 or until in answer:
            return
        time.sleep(float(pause_s))


if __name__ == "__main__":
    main()
