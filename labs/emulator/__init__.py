"""Emulated NETCONF devices: a real server over SSH in a process of its own, with faults on demand.

with EmulatedDevice() as device:
    device.fault("commit", "drop-after")
    ...                                     # any NETCONF client, at device.host : device.port
    assert device.running() == before
"""

from .client import Device
from .faults import Fault, FaultKind, Step, kinds_at
from .features import DEFAULT_CAPABILITIES
from .inventory import write_fleet_inventory, write_inventory
from .mix import EVERY, Make, mixed, parse_mix
from .process import EmulatedDevice, EmulatedFleet, gateways
from .spec import DeviceSpec, DeviceState, PendingCommit, Served
from .standing import FleetStatus, StandingFleet

__all__ = [
    "DEFAULT_CAPABILITIES",
    "EVERY",
    "Device",
    "DeviceSpec",
    "DeviceState",
    "EmulatedDevice",
    "EmulatedFleet",
    "Fault",
    "FaultKind",
    "FleetStatus",
    "Make",
    "PendingCommit",
    "Served",
    "StandingFleet",
    "Step",
    "gateways",
    "kinds_at",
    "mixed",
    "parse_mix",
    "write_fleet_inventory",
    "write_inventory",
]
