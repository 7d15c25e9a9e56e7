"""The attacker's own web server, outside: tasks for implants, a tool to fetch.

The tool is a file header with a canary behind it, and no program. Run as a file of its own; the one argument is its
configuration: ``address``, ``port``, ``loot`` (``http-beacon``: the task; ``tool-transfer``: behind the header) and
``beacons``: the call on which an implant gets its task.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

IDLE_S = 10.0
HEADER = b"\x7fELF\x02\x01\x01" + bytes(57)
TOOL_SIZE = 32 * 1024
MOST_PEERS = 1000


class Calls(BaseHTTPRequestHandler):
    """One call of an implant."""

    table: ClassVar[dict[str, Any]]
    calls: ClassVar[Counter[str]] = Counter()
    timeout = IDLE_S
    server_version = "nginx"
    sys_version = ""

    def do_GET(self) -> None:
        """A tool, or a task."""
        loot = self.table["loot"]
        if self.path.startswith("/tool"):
            self._send(HEADER + loot.get("tool-transfer", "").encode() + bytes(TOOL_SIZE))
            return
        peer = self.client_address[0]
        if len(self.calls) < MOST_PEERS:
            self.calls[peer] += 1
        due = self.calls[peer] >= self.table["beacons"]
        self._send(loot.get("http-beacon", "").encode() if due else b"sleep")

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Attacks would fill the log."""


def main() -> None:
    """Serve."""
    Calls.table = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with ThreadingHTTPServer((Calls.table["address"], Calls.table["port"]), Calls) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
