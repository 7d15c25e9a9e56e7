"""Three devices in one emulator process, and ncclient sessions to them."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ncclient import manager
from ncclient.transport import session as ncclient_session

from labs.emulator import Device, DeviceSpec, EmulatedFleet

Connect = Callable[..., Any]


@pytest.fixture(scope="session")
def fleet() -> Iterator[dict[str, Device]]:
    """gw1: the default. old: base:1.0 with confirmed-commit:1.0. direct: writable-running, no candidate."""
    specs = [
        DeviceSpec(name="gw1"),
        DeviceSpec(name="old", capabilities=(":base:1.0", ":candidate", ":confirmed-commit:1.0")),
        DeviceSpec(name="direct", capabilities=(":base:1.1", ":writable-running", ":validate:1.1")),
    ]
    with EmulatedFleet(specs) as devices:
        yield {device.name: device for device in devices}


@pytest.fixture
def gateway(fleet: dict[str, Device]) -> Device:
    fleet["gw1"].reset()
    return fleet["gw1"]


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Iterator[Connect]:
    """Open ncclient sessions; they are closed after the test, if the device has not done so."""
    monkeypatch.setattr(ncclient_session, "TICK", 0.005)  # ncclient waits this long before it looks at its queue
    opened: list[Any] = []

    def open_session(device: Device, **options: Any) -> Any:
        settings: dict[str, Any] = {
            "host": device.host,
            "port": device.port,
            "sock": (link := prompt_socket(device)),
            "username": device.user,
            "key_filename": str(device.private_key),
            "hostkey_verify": False,
            "allow_agent": False,
            "look_for_keys": False,
            "timeout": 20,
        }
        try:
            opened.append(manager.connect(**(settings | options)))
        except BaseException:
            link.close()
            raise
        return opened[-1]

    yield open_session
    for session in opened:
        if session.connected:
            hang_up(session)


def prompt_socket(device: Device) -> socket.socket:
    """A connection that does not hold small writes back: paramiko's own one costs 40 ms a request."""
    link = socket.create_connection((device.host, device.port))
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return link


def hang_up(session: Any) -> None:
    """Close the TCP connection under an ncclient session, as a killed client would, and wait for its thread."""
    session._session.close()
