"""Devices with less than a persistent confirmed commit, one of each kind."""

from __future__ import annotations

from labs.emulator import DeviceSpec

BARE = (":base:1.0", ":base:1.1")
HELLOS = {
    "persist": (*BARE, ":candidate", ":confirmed-commit:1.1", ":validate:1.1", ":rollback-on-error"),
    "confirmed": (*BARE, ":candidate", ":confirmed-commit:1.0", ":validate:1.0"),
    "candidate": (*BARE, ":writable-running", ":candidate", ":validate:1.1", ":rollback-on-error"),
    "running": (*BARE, ":writable-running", ":validate:1.1", ":rollback-on-error"),
    "bare": (":base:1.0", ":writable-running"),
}
"""Name of a device → its hello: Junos has the one called confirmed, IOS-XE candidate or running."""

BY_EDIT = ("candidate", "running", "bare")
WEAK = ("confirmed", *BY_EDIT)


def specs(*names: str) -> tuple[DeviceSpec, ...]:
    """The specs of those devices, or of one of each kind."""
    return tuple(DeviceSpec(name=n, capabilities=HELLOS[n]) for n in names or HELLOS)
