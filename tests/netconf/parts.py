"""What the tests of this room share: devices, edits, and a way to wait for another process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from labs.emulator import Device as Emulated
from secloop_ai.contracts import Connection, Device

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
ACLS = "urn:ietf:params:xml:ns:yang:ietf-access-control-list"
ACLS_FILTER = f'<acls xmlns="{ACLS}"/>'


def acls(*names: str) -> str:
    """An edit that adds ACLs of those names."""
    entries = "".join(f"<acl><name>{n}</name><type>ipv4-acl-type</type></acl>" for n in names)
    return f'<acls xmlns="{ACLS}">{entries}</acls>'


def contract(emulated: Emulated, **connection: Any) -> Device:
    """An emulated device as the inventory would describe it."""
    where = {
        "address": emulated.host,
        "port": emulated.port,
        "user": emulated.user,
        "key_file": str(emulated.private_key),
        "known_hosts": str(emulated.known_hosts),
        "timeout_s": 20.0,
    }
    return Device(name=emulated.name, dialect="ietf", connection=Connection.model_validate(where | connection))


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Return as soon as the condition holds; fail the test where it never does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
