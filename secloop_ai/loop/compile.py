"""Actions as vendor-neutral operations: which rule, on which side of which port of which device."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

from secloop_ai.contracts import (
    PROTOCOL_NUMBER,
    Action,
    AdminOp,
    BaseAction,
    BlackholeRoute,
    BlockFlow,
    BlockIp,
    Device,
    Direction,
    DiscardOp,
    Environment,
    FilterOp,
    Host,
    Interface,
    IPAddress,
    IPNetwork,
    IsolateHost,
    Operation,
    PacketRule,
    Plane,
    PlanError,
    PortRange,
    RateLimit,
    RestrictService,
    RuleAction,
    ShutdownPort,
)

from .roles import compile_role

Operations = dict[str, tuple[Operation, ...]]
RANK_BLOCK, RANK_LIMIT, RANK_RESTRICT = 0, 1, 2


def compile_action(action: Action, environment: Environment) -> Operations:
    """Device, or host, name → the operations that make the action hold there.

    Raises:
        PlanError: the environment does not say where the action belongs (an address no port leads to, a host
            without an attachment), a host's access does not allow it, or the action does nothing.
    """
    if action.spec.plane is Plane.HOST:
        name, role = compile_role(action, environment)
        return {name: (role,)}
    compiler = _COMPILERS.get(type(action))
    if compiler is None:
        raise PlanError(f"{action.kind}: no device operation stands for it")
    found: dict[str, list[Operation]] = defaultdict(list)
    for device, operation in compiler(action, environment):
        found[device].append(operation)
    return {name: tuple(ops) for name, ops in sorted(found.items())}


def _filter(interface: str, direction: Direction, rank: int, *rules: PacketRule) -> FilterOp:
    family = next(n.version for r in rules for n in (r.source, r.destination) if n)
    return FilterOp(interface=interface, direction=direction, family=family, rank=rank, rules=rules)


def _entries(source: IPNetwork, action: BaseAction, environment: Environment) -> tuple[tuple[Device, Interface], ...]:
    entries = environment.entries_for(source.network_address)
    if not entries:
        raise PlanError(f"{_name(action)}: no port of any device leads to {source}: give one a network that holds it")
    return entries


def _block_ip(action: BlockIp, environment: Environment) -> list[tuple[str, Operation]]:
    rule = PacketRule(name="block", action=RuleAction.DROP, source=action.source)
    return [
        (device.name, _filter(port.name, Direction.INGRESS, RANK_BLOCK, rule))
        for device, port in _entries(action.source, action, environment)
    ]


def _block_flow(action: BlockFlow, environment: Environment) -> list[tuple[str, Operation]]:
    rule = PacketRule(
        name="block",
        action=RuleAction.DROP,
        protocol=PROTOCOL_NUMBER[action.protocol],
        source=action.source,
        destination=ip_network(action.destination),
        destination_port=PortRange.one(action.port),
    )
    return [
        (device.name, _filter(port.name, Direction.INGRESS, RANK_BLOCK, rule))
        for device, port in _entries(action.source, action, environment)
    ]


def _attachment(host: Host, action: BaseAction, environment: Environment) -> tuple[str, str]:
    where = host.attached_to
    device = environment.device(where.device) if where else None
    if where is None or device is None or device.interface(where.interface) is None:
        raise PlanError(f"{_name(action)}: host {host.name} has no attached_to that names a device and its interface")
    return where.device, where.interface


def _known(name: str, action: BaseAction, environment: Environment) -> Host:
    if host := environment.host(name):
        return host
    raise PlanError(f"{_name(action)}: host {name} is not in the inventory")


def _rate_limit(action: RateLimit, environment: Environment) -> list[tuple[str, Operation]]:
    host = environment.host_at(action.destination)
    if host is None:
        raise PlanError(f"{_name(action)}: no inventory host has the address {action.destination}")
    device, interface = _attachment(host, action, environment)
    rule = PacketRule(
        name="limit",
        action=RuleAction.PERMIT,
        protocol=PROTOCOL_NUMBER[action.protocol],
        source=action.source,
        destination=ip_network(action.destination),
        destination_port=PortRange.one(action.port),
        rate_bytes_per_s=action.rate_bytes_per_s,
    )
    return [(device, _filter(interface, Direction.EGRESS, RANK_LIMIT, rule))]


def _isolate_host(action: IsolateHost, environment: Environment) -> list[tuple[str, Operation]]:
    host = _known(action.host, action, environment)
    device, interface = _attachment(host, action, environment)
    found: list[tuple[str, Operation]] = []
    for address in host.addresses:
        net = ip_network(address)
        away = PacketRule(name="from", action=RuleAction.DROP, source=net)
        towards = PacketRule(name="to", action=RuleAction.DROP, destination=net)
        found.append((device, _filter(interface, Direction.INGRESS, RANK_BLOCK, away)))
        found.append((device, _filter(interface, Direction.EGRESS, RANK_BLOCK, towards)))
    return found


def _restrict_service(action: RestrictService, environment: Environment) -> list[tuple[str, Operation]]:
    host = _known(action.host, action, environment)
    service = next((s for s in host.services if s.name == action.service), None)
    if service is None:
        raise PlanError(f"{_name(action)}: host {host.name} has no service {action.service}")
    device, interface = _attachment(host, action, environment)
    clients = environment.client_networks(service)
    found: list[tuple[str, Operation]] = []
    for address in host.addresses:
        rules = _leave_to(clients, address, PROTOCOL_NUMBER[service.protocol], service.port)
        found.append((device, _filter(interface, Direction.EGRESS, RANK_RESTRICT, *rules)))
    return found


def _leave_to(clients: tuple[IPNetwork, ...], address: IPAddress, protocol: int, port: int) -> list[PacketRule]:
    def rule(name: str, verdict: RuleAction, source: IPNetwork | None) -> PacketRule:
        return PacketRule(
            name=name,
            action=verdict,
            protocol=protocol,
            source=source,
            destination=ip_network(address),
            destination_port=PortRange.one(port),
        )

    permits = [rule(f"client{n}", RuleAction.PERMIT, c) for n, c in enumerate(clients) if c.version == address.version]
    return [*permits, rule("rest", RuleAction.DROP, None)]


def _blackhole_route(action: BlackholeRoute, environment: Environment) -> list[tuple[str, Operation]]:
    if environment.device(action.device) is None:
        raise PlanError(f"{_name(action)}: device {action.device} is not in the inventory")
    return [(action.device, DiscardOp(prefix=action.destination))]


def _shutdown_port(action: ShutdownPort, environment: Environment) -> list[tuple[str, Operation]]:
    device = environment.device(action.device)
    if device is None or device.interface(action.interface) is None:
        raise PlanError(f"{_name(action)}: {action.device} has no port {action.interface} in the inventory")
    return [(action.device, AdminOp(interface=action.interface, enabled=False))]


def _name(action: BaseAction) -> str:
    return str(getattr(action, "kind", type(action).__name__))


_COMPILERS: dict[type[BaseAction], Callable[[Any, Environment], list[tuple[str, Operation]]]] = {
    BlockIp: _block_ip,
    BlockFlow: _block_flow,
    RateLimit: _rate_limit,
    IsolateHost: _isolate_host,
    RestrictService: _restrict_service,
    BlackholeRoute: _blackhole_route,
    ShutdownPort: _shutdown_port,
}
