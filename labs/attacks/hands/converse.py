"""Says prepared things to a TCP port and prints what comes back.

One argument, JSON:
``host``, ``port``, ``rounds`` (each a list of things to say, Latin-1, in a connection of its own), ``wait_s`` (for each
answer), ``pause_s`` (between rounds), ``hello`` (whether the server speaks first).
"""

from __future__ import annotations

import json
import socket
import sys
import time

MOST = 64 * 1024


def hear(connection: socket.socket, wait_s: float) -> str:
    """What comes within `wait_s`; after the first piece only what comes at once."""
    heard = b""
    connection.settimeout(wait_s)
    try:
        while len(heard) < MOST and (data := connection.recv(4096)):
            heard += data
            connection.settimeout(0.05)
    except OSError:
        pass
    return heard.decode("latin-1")


def hold(order: dict[str, object], sayings: list[str]) -> str:
    """One connection."""
    wait_s = float(str(order["wait_s"]))
    try:
        with socket.create_connection((str(order["host"]), int(str(order["port"]))), wait_s) as connection:
            heard = [hear(connection, wait_s)] if order["hello"] else []
            for saying in sayings:
                connection.sendall(saying.encode("latin-1"))
                heard.append(hear(connection, wait_s))
            return "".join(heard)
    except OSError as error:
        return f"[{error.strerror or 'no answer'}]\n"


def main() -> None:
    """Hold every round."""
    order = json.loads(sys.argv[1])
    for number, sayings in enumerate(order["rounds"]):
        if number:
            time.sleep(order["pause_s"])
        text = hold(order, sayings)
        print("".join(c if c.isprintable() or c == "\n" else "." for c in text), flush=True)  # noqa: T201 - its output


if __name__ == "__main__":
    main()
