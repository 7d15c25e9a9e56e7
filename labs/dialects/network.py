"""The network the actions are compiled for: one gateway with an outside port and a port with two hosts behind it."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any, cast

from secloop_ai.contracts import (
    CATALOGUE,
    Action,
    AdminOp,
    Attachment,
    Connection,
    Device,
    DeviceModel,
    Environment,
    Family,
    Host,
    Interface,
    Operation,
    Service,
    TaggedOp,
)
from secloop_ai.loop.compile import compile_action

TAG = "3fa2b1c4d5-0"
GATEWAY = "gw1"
_SOURCE = {4: "203.0.113.66/32", 6: "2001:db8:66::66/128"}
_SERVER = {4: "192.0.2.138", 6: "2001:db8:30::10"}
_CLIENTS = {4: "198.51.100.0/24", 6: "2001:db8:10::/64"}
_PORT, _RATE_BYTES_PER_S, _TTL_S = 22, 125_000, 3600


def network(connection: Connection, dialect: str, outside: str, inside: str) -> Environment:
    """A gateway of that dialect, whose two ports have those names, and a server of each family behind the second."""
    ports = (
        Interface(name=outside, zone="outside", networks=(ip_network("0.0.0.0/0"), ip_network("::/0"))),
        Interface(name=inside, zone="dmz", networks=tuple(ip_network(a) for a in _SERVER.values())),
    )
    hosts = tuple(
        Host(
            name=f"server{family}",
            addresses=(ip_address(_SERVER[family]),),
            attached_to=Attachment(device=GATEWAY, interface=inside),
            services=(Service(name="ssh", port=_PORT, clients=(ip_network(_CLIENTS[family]),)),),
        )
        for family in _SERVER
    )
    gateway = Device(name=GATEWAY, dialect=dialect, connection=connection, interfaces=ports)
    return Environment(devices=(gateway,), hosts=hosts)


def operations(action: str, family: Family | None, environment: Environment, state: DeviceModel) -> list[TaggedOp]:
    """What the action of that name does on the gateway, with the prior states a plan would find there.

    Raises:
        PlanError: the action cannot be compiled for the network.
    """
    made = compile_action(_action(action, family or 4, environment), environment)
    return [TaggedOp.model_validate({"tag": TAG, "op": _with_prior(one, state)}) for one in made[GATEWAY]]


def _with_prior(operation: Operation, state: DeviceModel) -> Operation:
    if not isinstance(operation, AdminOp):
        return operation
    held = next((i for i in state.interfaces if i.name == operation.interface), None)
    return operation.model_copy(update={"prior": held.enabled if held is not None and held.explicit else None})


def _action(name: str, family: Family, environment: Environment) -> Action:
    """The action with parameters of that family."""
    flow: dict[str, Any] = {"destination": _SERVER[family], "protocol": "tcp", "port": _PORT}
    parameters: dict[str, dict[str, Any]] = {
        "block_ip": {"source": _SOURCE[family]},
        "block_flow": {"source": _SOURCE[family], **flow},
        "rate_limit": {**flow, "rate_bytes_per_s": _RATE_BYTES_PER_S},
        "isolate_host": {"host": f"server{family}"},
        "restrict_service": {"host": f"server{family}", "service": "ssh"},
        "blackhole_route": {"device": GATEWAY, "destination": _SOURCE[family]},
        "shutdown_port": {"device": GATEWAY, "interface": environment.devices[0].interfaces[1].name},
    }
    made = CATALOGUE[name].model_validate({"ttl_s": _TTL_S, **parameters[name]})
    return cast("Action", made)
