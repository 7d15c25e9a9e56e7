"""A web server of a battlefield host. Run as a file of its own; its one argument is a JSON file.

What it receives is compared with the markers of its rules and forgotten.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

BODY_MOST = 65536
LOOKED_AT = 8192
PAGE = "<!doctype html><title>Service</title><p>This server serves.\n"
REFUSED = "<!doctype html><title>Refused</title>\n"


class Weak:
    """The exchanges this server falls for, and what is left of earlier steps."""

    def __init__(self, rules: list[dict[str, Any]], loot: dict[str, str]) -> None:
        self.rules, self.loot = rules, loot
        self.flags: set[str] = set()

    def answer(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, str] | None:
        """Status and text of the first rule that fits; None: nothing here is weak to this."""
        for rule in self.rules:
            if self._fits(rule, handler, body):
                if rule["sets"]:
                    self.flags.add(rule["sets"])
                return rule["status"], rule["answer"].replace("{canary}", self.loot[rule["means"]])
        return None

    def _fits(self, rule: dict[str, Any], handler: BaseHTTPRequestHandler, body: bytes) -> bool:
        if handler.command != rule["method"] or rule["target"] not in handler.path:
            return False
        if rule["needs"] and rule["needs"] not in self.flags:
            return False
        if rule["header"] and rule["header"][1] not in (handler.headers.get(rule["header"][0]) or ""):
            return False
        return rule["body"].encode() in body


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    sys_version = ""
    weak: Weak

    def handle_any(self) -> None:
        """Any method: a weak answer, or what a sound server says."""
        if self.headers.get("Transfer-Encoding"):
            self.close_connection = True
        size = self.headers.get("Content-Length") or "0"
        body = self.rfile.read(min(int(size), BODY_MOST))[:LOOKED_AT] if size.isdigit() else b""
        if not size.isdigit() or int(size) > BODY_MOST:
            self.close_connection = True
        status, text = self.weak.answer(self, body) or self._sound()
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_HEAD = do_POST = do_PUT = do_OPTIONS = do_DELETE = handle_any  # noqa: N815 - the base class's names

    def _sound(self) -> tuple[int, str]:
        if self.command not in {"GET", "HEAD"}:
            return 403, REFUSED
        return (200, PAGE) if self.path.partition("?")[0] in {"/", "/index.html"} else (404, REFUSED)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Attacks would fill the log."""


class Server(ThreadingHTTPServer):
    """At most so many connections at a time; further ones wait in the kernel's queue."""

    daemon_threads = True
    request_queue_size = 128
    workers: threading.BoundedSemaphore

    def server_bind(self) -> None:
        """Without asking DNS for the own name: where there is none, that takes five seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Wait for a free worker, then serve."""
        self.workers.acquire()
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread to be had
            self.workers.release()
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve, and free the worker."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.workers.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no error."""


def main() -> None:
    """Serve as the file says."""
    with open(sys.argv[1], encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs start-up time
        config = json.load(file)
    Server.address_family = socket.AF_INET6 if ":" in config["address"] else socket.AF_INET
    Handler.weak = Weak(config["rules"], config["loot"])
    Handler.server_version = config["banner"]
    Handler.timeout = config["idle_s"]
    Server.workers = threading.BoundedSemaphore(config["workers"])
    with Server((config["address"], config["port"]), Handler) as server, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


if __name__ == "__main__":
    main()
