"""The lab's web server: one fixed page, no rights. Run as a file of its own, with few imports."""

from __future__ import annotations

import os
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NOBODY = 65534
IDLE_S = 30.0
PAGE = b"<!doctype html><title>SecLoop lab</title><p>This server serves.\n"


class Page(BaseHTTPRequestHandler):
    """Answers every path with the one page."""

    timeout = IDLE_S
    protocol_version = "HTTP/1.1"
    server_version = "lab"
    sys_version = ""

    def do_GET(self) -> None:
        """The page."""
        self._head()
        self.wfile.write(PAGE)

    def do_HEAD(self) -> None:
        """The page's headers."""
        self._head()

    def _head(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Attacks would fill the log."""


class Server(ThreadingHTTPServer):
    """IPv4 and IPv6 on one socket."""

    address_family = socket.AF_INET6
    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no error."""


def main() -> None:
    """Serve on the port named by the one argument, as nobody."""
    server = Server(("::", int(sys.argv[1])), Page)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    server.serve_forever()


if __name__ == "__main__":
    main()
