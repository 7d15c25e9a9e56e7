"""Runs service checks over and over until its input closes. Standard library only.

It is sent as source text to wherever the legitimate client is (this machine, a network namespace, a host over
SSH), so it imports nothing of SecLoop. Input: one JSON list of checks on the first line. Output: a JSON line a try.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time

GROWTH = 1.2


def run_check(check: dict[str, str | int | float]) -> tuple[bool, str]:
    """Try a check once; (it served, what was seen)."""
    address = (str(check["address"]), int(check["port"]))
    timeout = float(check["timeout_s"])
    try:
        with socket.create_connection(address, timeout=timeout) as sock:
            sock.settimeout(timeout)
            return converse(sock, check)
    except OSError as error:
        return False, type(error).__name__ if not error.strerror else error.strerror


def converse(sock: socket.socket, check: dict[str, str | int | float]) -> tuple[bool, str]:
    """What the check says after the connection stands."""
    if check["type"] == "tcp":
        return True, "connected"
    if check["type"] == "http":
        host = str(check["address"])
        host = f"[{host}]" if ":" in host else host
        request = (
            f"GET {check['path']} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: secloop-probe\r\nConnection: close\r\n\r\n"
        )
        sock.sendall(request.encode())
    head = first_line(sock)
    if check["type"] == "banner":
        return head.startswith(str(check["expect"])), head[:60]
    parts = head.split()
    status = parts[1] if len(parts) > 1 and parts[0].startswith("HTTP/") else "no status line"
    return status == str(check["expect_status"]), f"HTTP {status}"


def first_line(sock: socket.socket) -> str:
    """What the peer says first, up to the line's end."""
    data = b""
    while b"\n" not in data and len(data) < 512:  # noqa: PLR2004 - longer than any banner or status line
        part = sock.recv(512)
        if not part:
            break
        data += part
    return data.split(b"\n")[0].decode("ascii", "replace").strip()


def watch(check: dict[str, str | int | float], stop: threading.Event) -> None:
    """Try a check again and again, ever more slowly up to its interval; one JSON line each."""
    pause, most = float(check["first_interval_s"]), float(check["interval_s"])
    while not stop.is_set():
        began = time.monotonic()
        ok, detail = run_check(check)
        line = json.dumps({"id": check["id"], "ok": ok, "detail": detail, "ms": 1000 * (time.monotonic() - began)})
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        stop.wait(pause)
        pause = min(most, pause * GROWTH)


def main() -> None:
    """Start a thread a check; end when the input closes."""
    checks = json.loads(sys.stdin.readline())
    stop = threading.Event()
    for check in checks:
        threading.Thread(target=watch, args=(check, stop), daemon=True).start()
    sys.stdin.read()
    stop.set()


if __name__ in {"__main__", "__probe__"}:
    main()
