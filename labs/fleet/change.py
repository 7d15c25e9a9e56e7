"""One change of a few emulated devices at once, as the loop plans it from what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from labs.emulator import Device as Emulated
from labs.emulator.profile import load_profile
from secloop_ai.contracts import (
    AdminOp,
    BlockIp,
    ChangePlan,
    Connection,
    Device,
    DeviceOperation,
    Direction,
    Environment,
    FilterOp,
    Interface,
    LabError,
    PacketRule,
    PlannedMitigation,
    RuleAction,
)
from secloop_ai.dialects import dialect
from secloop_ai.loop.context import now
from secloop_ai.loop.devices import read_running
from secloop_ai.loop.draft import Draft
from secloop_ai.loop.plan import Running, plan_response

INCIDENT = "f1ee700000"
SOURCE = ip_address("203.0.113.7")
BLOCK = PacketRule(name="block", action=RuleAction.DROP, source=ip_network(f"{SOURCE}/32"))
OUTSIDE, ACCESS = "outside", "access"


def described(emulated: Emulated, *, timeout_s: float = 30.0) -> Device:
    """An emulated device as an inventory would describe it; `timeout_s` bounds connecting and every RPC."""
    ports = load_profile(emulated.dialect).ports
    where = Connection(
        address=emulated.host,
        port=emulated.port,
        user=emulated.user,
        key_file=str(emulated.private_key),
        known_hosts=str(emulated.known_hosts),
        timeout_s=timeout_s,
    )
    interfaces = tuple(Interface(name=name, management=role == "management") for role, name in ports.items())
    return Device(name=emulated.name, dialect=emulated.dialect, connection=where, interfaces=interfaces)


def network(devices: Iterable[Emulated], *, timeout_s: float = 30.0) -> Environment:
    """The devices as the whole network."""
    return Environment(devices=tuple(described(d, timeout_s=timeout_s) for d in devices))


@dataclass(frozen=True, slots=True)
class Change:
    """A plan, and the devices it is for."""

    environment: Environment
    plan: ChangePlan


def plan_change(environment: Environment, *, concurrency: int = 20) -> Change:
    """Drop one source where it comes in and, where the device offers that, shut one port: two subtrees at once.

    Raises:
        LabError: a device cannot be read, or has no port to filter.
    """
    running, failed = read_running(environment.devices, {}, concurrency=concurrency)
    if failed:
        raise LabError("; ".join(str(error) for error in failed.values()))
    operations = {d.name: _operations(d, running[d.name]) for d in environment.devices}
    mitigation = PlannedMitigation(
        mitigation_id=f"{INCIDENT}-0", action=BlockIp(source=SOURCE, ttl_s=900), ttl_s=900, operations=operations
    )
    draft = Draft(planned=(mitigation,), renewed=())
    return Change(environment, plan_response(INCIDENT, draft, environment, running, now()))


def _operations(device: Device, running: Running) -> tuple[DeviceOperation, ...]:
    spoken = dialect(device.dialect)
    ports = load_profile(device.dialect).ports
    if OUTSIDE not in ports:
        raise LabError(f"{device.name}: the profile of {device.dialect} names no port of the role {OUTSIDE!r}")
    found: list[DeviceOperation] = [
        FilterOp(interface=ports[OUTSIDE], direction=Direction.INGRESS, family=4, rules=(BLOCK,))
    ]
    if ACCESS in ports and "shutdown_port" not in spoken.not_offered(running.capabilities):
        found.append(AdminOp(interface=ports[ACCESS]))
    return tuple(found)


def holdings(devices: Sequence[Emulated]) -> tuple[str, ...]:
    """What each device has in running, as canonical XML."""
    return tuple(d.running() for d in devices)
