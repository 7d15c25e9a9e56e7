"""Emulated NETCONF devices: a real server over SSH in a process of its own, with faults on demand.

with EmulatedDevice() as device:
    device.fault("commit", "drop-after")
    ...                                     # any NETCONF client, at device.host : device.port
    assert device.running() == before
"""

from .client import Device
from .faults import Fault, FaultKind, Step
from .features import DEFAULT_CAPABILITIES
from .inventory import write_inventory
from .process import EmulatedDevice, EmulatedFleet, gateways
from .spec import DeviceSpec, DeviceState, PendingCommit, Served

__all__ = [
    "DEFAULT_CAPABILITIES",
    "Device",
    "DeviceSpec",
    "DeviceState",
    "EmulatedDevice",
    "EmulatedFleet",
    "Fault",
    "FaultKind",
    "PendingCommit",
    "Served",
    "Step",
    "gateways",
    "write_inventory",
]
