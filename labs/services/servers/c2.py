"""The far end of an implant. Run as a file of its own; its one argument is a JSON file.

``GET /b/NAME`` is a beacon, ``POST /c/NAME`` brings a bundle, ``POST /d/NAME?total=BYTES`` a piece of stolen data:
bytes are counted and forgotten. The canary comes with the beacon that makes up the number, with a bundle that begins
like an archive, and with the piece that completes the total.
"""

from __future__ import annotations

import json
import socket
import sys
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

BODY_MOST = 1 << 20
NAMES_MOST = 1000
IDLE_S = 10.0
ARCHIVE = b"PK\x03\x04"


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "c2"
    sys_version = ""
    timeout = IDLE_S
    config: ClassVar[dict[str, Any]]
    counted: ClassVar[Counter[str]] = Counter()

    def do_GET(self) -> None:
        """A beacon."""
        enough = self._count(1) >= self.config["beacons"]
        self._say("implant-beacon" if enough and self.path.startswith("/b/") else "")

    def do_POST(self) -> None:
        """A bundle, or a piece of data."""
        size = self.headers.get("Content-Length") or "0"
        body = self.rfile.read(min(int(size), BODY_MOST)) if size.isdigit() else b""
        split = urlsplit(self.path)
        if split.path.startswith("/c/") and body.startswith(ARCHIVE):
            self._say("implant-collect")
            return
        total = parse_qs(split.query).get("total", ["0"])[0]
        arrived = self._count(len(body))
        self._say("exfil-c2" if split.path.startswith("/d/") and total.isdigit() and 0 < int(total) <= arrived else "")

    def _count(self, amount: int) -> int:
        name = urlsplit(self.path).path[:64]
        if name in self.counted or len(self.counted) < NAMES_MOST:
            self.counted[name] += amount
        return self.counted[name]

    def _say(self, means: str) -> None:
        data = self.config["loot"].get(means, "ok").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nothing is written."""


class Server(ThreadingHTTPServer):
    """A thread for each connection."""

    daemon_threads = True

    def server_bind(self) -> None:
        """Without asking DNS for the own name: where there is none, that takes five seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = Handler.config["address"], Handler.config["port"]

    def handle_error(self, request: object, client_address: object) -> None:
        """An implant that hangs up is no error."""


def main() -> None:
    """Serve as the file says."""
    with open(sys.argv[1], encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs start-up time
        Handler.config = json.load(file)
    address = Handler.config["address"]
    Server.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with Server((address, Handler.config["port"]), Handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
