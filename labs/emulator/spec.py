"""What a device is made of, and what it says it did: the records between a process and its emulator."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from secloop_ai.contracts.base import Frozen


class DeviceSpec(Frozen):
    """One emulated device.

    Attributes:
        name: its name in the fleet.
        dialect: which data table and which initial configuration it uses.
        config: its running configuration as XML (`<config>`); None takes `data/DIALECT-initial.xml`.
        variant: another set of protocol capabilities that the vendor's profile knows, such as `candidate`.
        capabilities: protocol capabilities, as URIs or in short form (`:candidate`); None is the profile's.
        modules: the YANG modules it implements; None is all of its dialect's. They join the hello.
        user: the account its clients log in to.
        port: the TCP port on 127.0.0.1; 0 takes a free one.
        deny: paths that clients may not write to, such as `/acl:acls`, with the prefixes of the data table.
        yang: folder of YANG modules with a checker in it (see `yang.py`); None checks edits against the table alone.
    """

    name: str = "gw1"
    dialect: str = "ietf"
    config: str | None = None
    variant: str | None = None
    capabilities: tuple[str, ...] | None = None
    modules: tuple[str, ...] | None = None
    user: str = "secloop"
    port: int = Field(default=0, ge=0, le=65535)
    deny: tuple[str, ...] = ()
    yang: Path | None = None


class FleetSpec(Frozen):
    """The devices that one process plays."""

    devices: tuple[DeviceSpec, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [device.name for device in self.devices]
        if len(set(names)) < len(names):
            raise ValueError("two devices of a fleet have the same name")
        return self


class Served(Frozen):
    """One line of a device's log.

    Attributes:
        session: the NETCONF session-id; 0 where there was none.
        operation: a fault step, or the name of the RPC, or `rollback` for what the device did by itself.
        time_s: UNIX time in seconds.
        outcome: `ok`, an error-tag, or the fault that struck (`drop` ...); `not-checked` of `yang`.
        performed: whether the device did what the operation asks.
        detail: the target, the kind of commit or the reason of a rollback.
    """

    session: int
    operation: str
    time_s: float
    outcome: str
    performed: bool
    detail: str = ""


class PendingCommit(Frozen):
    """A confirmed commit that waits; `left_s` seconds remain."""

    session: int
    persist: str | None
    left_s: float


class DeviceState(Frozen):
    """What a device is busy with.

    Attributes:
        down_s: seconds until a rebooting device accepts connections again; 0 when it is up.
        yang: what edits are checked against beyond the data table, in words.
    """

    sessions: tuple[int, ...]
    locks: dict[str, int]
    candidate_modified: bool
    pending: PendingCommit | None
    down_s: float = 0.0
    yang: str = ""


class Ready(Frozen):
    """What an emulator announces on its standard output once every device listens."""

    ports: dict[str, int]
