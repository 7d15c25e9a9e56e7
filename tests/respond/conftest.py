"""One emulated device for all tests here, put back to its beginning before each."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from labs.emulator import Device, EmulatedDevice

from .world import World


@pytest.fixture(scope="session")
def emulated() -> Iterator[Device]:
    with EmulatedDevice() as device:
        yield device


@pytest.fixture
def world(emulated: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    emulated.reset()
    monkeypatch.setenv("SECLOOP_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("SECLOOP_PENDING_RPC_INTERVAL_S", "0")  # the emulator's rollback timer never starves
    return World(emulated, tmp_path)


class Switch(http.server.BaseHTTPRequestHandler):
    """A page that can be broken."""

    status = HTTPStatus.OK

    def do_GET(self) -> None:
        self.send_response(type(self).status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def page() -> Iterator[int]:
    """Port of a web server on 127.0.0.2."""
    Switch.status = HTTPStatus.OK
    with http.server.ThreadingHTTPServer(("127.0.0.2", 0), Switch) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()
