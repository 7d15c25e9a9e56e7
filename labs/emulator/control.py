"""The control channel: JSON lines over a unix socket, beside NETCONF and past all locks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from .datastores import Failures
from .device import VirtualDevice
from .errors import RpcError
from .faults import Fault
from .names import parse_xml
from .reading import unwrap
from .tree import canonical

LINE_LIMIT = 64 * 2**20
Request = Mapping[str, Any]


def _get(device: VirtualDevice, request: Request) -> str:
    return canonical(device.stores.read(request.get("datastore", "running")))


def _set(device: VirtualDevice, request: Request) -> None:
    device.stores.foreign_write(device.stores.parse(unwrap(parse_xml(request["xml"].encode()))))


def _edit(device: VirtualDevice, request: Request) -> None:
    device.stores.foreign_edit(unwrap(parse_xml(request["xml"].encode())))


def _fault(device: VirtualDevice, request: Request) -> None:
    device.faults.add(Fault.model_validate(request["fault"]))


def _log(device: VirtualDevice, request: Request) -> list[Any]:
    del request
    return [line.model_dump(mode="json") for line in device.log]


def _clear(device: VirtualDevice, request: Request) -> None:
    what = request.get("what", ["faults", "log"])
    if "faults" in what:
        device.faults.clear()
    if "log" in what:
        device.log.clear()


def _state(device: VirtualDevice, request: Request) -> Any:
    del request
    return device.state().model_dump(mode="json")


def _reset(device: VirtualDevice, request: Request) -> None:
    del request
    device.reset()


def _deny(device: VirtualDevice, request: Request) -> None:
    device.deny(request.get("paths", ()))


def _reboot(device: VirtualDevice, request: Request) -> None:
    device.reboot(float(request.get("seconds", 0.0)))


def _clock(device: VirtualDevice, request: Request) -> None:
    device.stores.confirmed.jump(float(request["seconds"]))


COMMANDS: dict[str, Callable[[VirtualDevice, Request], Any]] = {
    "get": _get,
    "set": _set,
    "edit": _edit,
    "fault": _fault,
    "log": _log,
    "clear": _clear,
    "state": _state,
    "reset": _reset,
    "deny": _deny,
    "reboot": _reboot,
    "clock": _clock,
}


def answer(devices: Mapping[str, VirtualDevice], line: bytes) -> dict[str, Any]:
    """Serve one command, `{"do": NAME, "device": NAME, ...}`; without a device the first one is meant.

    Returns:
        `{"ok": true, "value": ...}`, or `{"ok": false, "error": SENTENCE}`.
    """
    try:
        return {"ok": True, "value": _dispatch(devices, json.loads(line))}
    except RpcError as error:
        return {"ok": False, "error": f"{error.path}: {error} [{error.tag}]"}
    except KeyError as error:
        return {"ok": False, "error": f"the command needs {error}"}
    except (ValueError, ValidationError, Failures, AttributeError) as error:
        return {"ok": False, "error": str(error)}


def _dispatch(devices: Mapping[str, VirtualDevice], request: Request) -> Any:
    name = request.get("device") or next(iter(devices))
    if name not in devices:
        raise ValueError(f"no device {name!r}")
    if (command := COMMANDS.get(request["do"])) is None:
        raise ValueError(f"no command {request['do']!r}; there are {', '.join(COMMANDS)}")
    return command(devices[name], request)


async def serve_control(path: Path, devices: Mapping[str, VirtualDevice]) -> asyncio.Server:
    """Listen on the unix socket `path`; the directory it stands in keeps others out."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(json.dumps(answer(devices, line)).encode() + b"\n")
            await writer.drain()
        writer.close()

    return await asyncio.start_unix_server(talk, path=path, limit=LINE_LIMIT)
