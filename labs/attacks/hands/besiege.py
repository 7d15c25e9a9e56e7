"""Besieges a TCP service, and measures from the outside what that does. One argument, JSON; prints one JSON line.

``host``, ``port``, ``seconds``, and either ``tool`` (a command line that besieges) or ``sockets`` connections that each
send ``request`` (Latin-1, ``%d`` is a number that changes) every ``every_s`` seconds. Printed: ``before``, ``during``
and ``after``, each a list of looks: ``answered``, ``silent`` (it takes the connection and says nothing) or
``unreachable``.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import subprocess
import sys
import time
from typing import Any

LOOK_S = 1.0
SETTLE_S = 5.0
MOST_SOCKETS = 100


def look(host: str, port: int) -> str:
    """What a newcomer finds now. It leaves by a reset: a server that knows its peers treats them better."""
    try:
        with socket.create_connection((host, port), LOOK_S) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.settimeout(LOOK_S)
            connection.sendall(b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n")
            return "answered" if connection.recv(64) else "silent"
    except TimeoutError:
        return "silent" if "connection" in locals() else "unreachable"
    except OSError:
        return "unreachable"


def crowd(order: dict[str, Any]) -> list[socket.socket]:
    """So many connections."""
    made = []
    for _ in range(min(MOST_SOCKETS, order["sockets"])):
        with contextlib.suppress(OSError):
            made.append(socket.create_connection((order["host"], order["port"]), LOOK_S))
    for connection in made:
        connection.settimeout(0)
    return made


def press(connections: list[socket.socket], request: str, number: int) -> None:
    """A request on each; answers are thrown away."""
    for connection in connections:
        number += 1
        with contextlib.suppress(OSError):
            connection.send(request.replace("%d", str(number)).encode("latin-1"))
        with contextlib.suppress(OSError):
            connection.recv(65536)


def looks(order: dict[str, Any], times: int) -> list[str]:
    """So many looks, one after the other."""
    return [look(order["host"], order["port"]) for _ in range(times)]


def by_hand(order: dict[str, Any]) -> list[str]:
    """With connections of its own."""
    connections, seen = crowd(order), []
    end, number = time.monotonic() + order["seconds"], 0
    while time.monotonic() < end:
        beat = time.monotonic() + 1.0
        while time.monotonic() < min(beat, end):
            press(connections, order["request"], number)
            number += len(connections)
            time.sleep(order["every_s"])
        seen += looks(order, 1)
    for connection in connections:
        connection.close()
    return seen


def by_tool(order: dict[str, Any]) -> list[str]:
    """With a tool."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(order["tool"], stdin=quiet, stdout=quiet, stderr=quiet) as tool:
        try:
            time.sleep(min(2.0, order["seconds"] / 2))
            end, seen = time.monotonic() + order["seconds"] - 2.0, []
            while time.monotonic() < end and tool.poll() is None:
                seen += looks(order, 1)
                time.sleep(0.2)
        finally:
            tool.kill()
    return seen


def main() -> None:
    """Look, besiege, look again."""
    order = json.loads(sys.argv[1])
    before = looks(order, 1)
    if before == ["unreachable"]:  # what an earlier stage has left in the queue takes that long to go
        time.sleep(SETTLE_S)
        before = looks(order, 1)
    during: list[str] = []
    if before == ["answered"]:
        during = by_tool(order) if order["tool"] else by_hand(order)
        time.sleep(SETTLE_S if order["tool"] else 0)
    after = looks(order, 1)
    print(json.dumps({"before": before, "during": during, "after": after}))  # noqa: T201 - its output


if __name__ == "__main__":
    main()
