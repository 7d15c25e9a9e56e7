"""The emulator's process: builds the devices, listens, says so, and runs until it is told to end."""

from __future__ import annotations

import asyncio
import ctypes
import os
import resource
import signal
import sys
from collections import Counter
from pathlib import Path

from .control import serve_control
from .device import VirtualDevice
from .keys import CLIENT_KEY, HOST_KEY, KNOWN_HOSTS, identity, write_known_hosts
from .server import SshFront, listening_socket
from .spec import FleetSpec, Ready

CONTROL = "control.sock"
_FILES, _FILES_PER_DEVICE = 128, 4
_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Ask the kernel to end this process when the thread that started it ends; does nothing off Linux.

    Raises:
        SystemExit: the parent is gone already.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit(0)


async def serve(fleet: FleetSpec, directory: Path) -> None:
    """Play the devices until SIGTERM or SIGINT.

    Keys, known_hosts and the control socket lie in `directory`. Once every device listens, one line of JSON
    (`Ready`) goes to standard output.

    Raises:
        ValueError: a device's spec is wrong.
        OSError: a port is taken.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    host_key = identity(directory / HOST_KEY, "secloop-emulator")
    client_key = identity(directory / CLIENT_KEY, "secloop-client")
    _allow_many(len(fleet.devices))
    devices = {spec.name: VirtualDevice(spec, loop.call_later) for spec in fleet.devices}
    fronts = {
        name: SshFront(device, listening_socket(device.spec.port), host_key=host_key, client_key=client_key)
        for name, device in devices.items()
    }
    for about, count in Counter(device.yang.about for device in devices.values()).items():
        sys.stderr.write(f"{count} device{'s' if count > 1 else ''}: edits are {about}\n")
    ports = {name: front.port for name, front in fronts.items()}
    write_known_hosts(directory / KNOWN_HOSTS, ports.values(), host_key)
    control = directory / CONTROL
    control.unlink(missing_ok=True)
    server = await serve_control(control, devices)
    accepting = [loop.create_task(front.accept_forever()) for front in fronts.values()]
    sys.stdout.write(Ready(ports=ports).model_dump_json() + "\n")
    sys.stdout.flush()
    await stop.wait()
    server.close()
    for task in accepting:
        task.cancel()
    control.unlink(missing_ok=True)


def _allow_many(devices: int) -> None:
    """Each device has a socket that listens and a connection for every session."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES + _FILES_PER_DEVICE * devices
    if hard == resource.RLIM_INFINITY or wanted <= hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    else:
        sys.stderr.write(f"{devices} devices may want {wanted} open files, the hard limit is {hard}\n")
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
