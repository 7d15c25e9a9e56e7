"""Rules on the ground of a strategy: its targets exist, and the alerts name them."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from secloop_ai.contracts import (
    Action,
    BlackholeRoute,
    BlockFlow,
    BlockIp,
    ClosePort,
    DnsSinkhole,
    Host,
    IPAddress,
    IPNetwork,
    Plane,
    RateLimit,
    RestrictService,
    ShutdownPort,
    StopProcess,
)

from .context import Context, host_of, plain, targets, within
from .hosts import askers, named, services_lost

_BROADCAST = ip_network("255.255.255.255/32")


def target_exists(action: Action, ctx: Context) -> Iterator[str]:
    """Everything an action names is in the inventory or an end of an alert, and the network leads to it."""
    for parameter, network in targets(action):
        if not _unicast(network):
            yield f"{action.kind}: {parameter} {network} is no address a host can have"
        elif not ctx.owners(network) and not any(within(a, network) for a in ctx.named):
            yield f"{action.kind}: {parameter} {network} is neither in the inventory nor an end of an alert"
    yield from _host_exists(action, ctx)
    if isinstance(action, BlockIp | BlockFlow) and not ctx.environment.entries_for(action.source.network_address):
        yield f"{action.kind}: no port of any device leads to {action.source}"
    if isinstance(action, BlackholeRoute) and ctx.environment.device(action.device) is None:
        yield f"{action.kind}: device {action.device} is not in the inventory"
    if isinstance(action, ShutdownPort) and ctx.port(action.device, action.interface) is None:
        yield f"{action.kind}: {action.device} has no port {action.interface} in the inventory"


def _host_exists(action: Action, ctx: Context) -> Iterator[str]:
    name = host_of(action)
    host = ctx.environment.host(name) if name else None
    if isinstance(action, RateLimit):
        host = ctx.environment.host_at(action.destination)
        if host is None:
            yield f"{action.kind}: no inventory host has the address {action.destination}"
    if name and host is None:
        yield f"{action.kind}: host {name} is not in the inventory"
    if host is None or action.spec.plane is not Plane.NETWORK:
        return
    if isinstance(action, RestrictService) and action.service not in (s.name for s in host.services):
        yield f"{action.kind}: host {host.name} has no service {action.service}"
    where = host.attached_to
    if where is None or ctx.port(where.device, where.interface) is None:
        yield f"{action.kind}: the inventory does not say which port host {host.name} is attached to"


def evidence(action: Action, ctx: Context) -> Iterator[str]:
    """An alert's trusted field names the target, or it follows through attachment: host, port, device."""
    if not action.disruptive:
        return
    yield from _known_evidence(action, ctx)
    for parameter, network in targets(action):
        if not any(within(a, network) for a in ctx.named):
            yield f"{action.kind}: no alert in evidence names {parameter} {network}"
        yield from (
            f"{action.kind}: {network} would also take in host {h.name}, which no alert in evidence names"
            for h in (ctx.owners(network) if network.num_addresses > 1 else ())
            if ctx.named.isdisjoint(map(plain, h.addresses))
        )
    yield from _host_named(action, ctx)
    if isinstance(action, BlockFlow) and not _flow_named(action, ctx):
        yield f"{action.kind}: no alert in evidence is between {action.source} and {action.destination}"
    if isinstance(action, BlockFlow | RateLimit) and not _port_hit(
        action.destination, action.protocol, action.port, ctx
    ):
        yield f"{action.kind}: no alert in evidence names {action.protocol} port {action.port} of {action.destination}"
    if isinstance(action, BlackholeRoute) and action.device not in _devices_on_path(action.destination, ctx):
        yield f"{action.kind}: device {action.device} is on the way of no alert about {action.destination}"


def _known_evidence(action: Action, ctx: Context) -> Iterator[str]:
    if not ctx.evidence:
        yield f"{action.kind}: the strategy rests on no alert of this request"
    elif len(ctx.evidence) < len(set(ctx.strategy.evidence)):
        yield f"{action.kind}: the strategy's evidence names alerts that are not of this request"


def _host_named(action: Action, ctx: Context) -> Iterator[str]:
    name = host_of(action)
    host = ctx.environment.host(name) if name else None
    if isinstance(action, DnsSinkhole):
        if not any(askers(action, ctx)):
            yield f"{action.kind}: no alert in evidence shows one of our hosts asking for {action.name}"
    elif isinstance(action, ShutdownPort):
        yield from _behind_named(action, ctx)
    elif host and not named(host, ctx):
        yield f"{action.kind}: no alert in evidence names host {host.name}"
    elif host:
        ports, what = _ports_of(action, host, ctx)
        if ports and not any(_port_hit(a, *port, ctx) for a in host.addresses for port in ports):
            yield f"{action.kind}: no alert in evidence {what} of host {host.name}"


def _ports_of(action: Action, host: Host, ctx: Context) -> tuple[list[tuple[str, int]], str]:
    """The ports of which one must be in an alert, and how to say that none is; none where the host's name will do."""
    if isinstance(action, RestrictService):
        found = [(s.protocol, s.port) for s in host.services if s.name == action.service]
        return list(found), f"is about service {action.service}"
    if isinstance(action, ClosePort):
        return [(action.protocol, action.port)], f"names {action.protocol} port {action.port}"
    if isinstance(action, StopProcess):
        lost = services_lost(action, ctx)
        return [(s.protocol, s.port) for s in lost], f"is about what process {action.process} serves"
    return [], ""


def _behind_named(action: ShutdownPort, ctx: Context) -> Iterator[str]:
    hosts = ctx.behind(action.device, action.interface)
    if not hosts:
        yield f"{action.kind}: no host that an alert names is attached to {action.device} {action.interface}"
    for name in (h.name for h in hosts if not named(h, ctx)):
        yield f"{action.kind}: {action.device} {action.interface} also carries host {name}, which no alert names"


def _flow_named(action: BlockFlow, ctx: Context) -> bool:
    """Whether one alert has the two ends, in either direction."""
    pairs = ((s.source, s.destination) for s in ctx.evidence)
    wanted = plain(action.destination)
    return any(
        (within(one, action.source) and plain(other) == wanted)
        or (within(other, action.source) and plain(one) == wanted)
        for one, other in pairs
    )


def _port_hit(address: IPAddress, protocol: str, port: int, ctx: Context) -> bool:
    """Whether an alert is about that port of the address.

    An alert on the way back from a server names the client's port; there any declared service of the server counts.
    """
    host = ctx.environment.host_at(address)
    declared = host is not None and any((s.protocol, s.port) == (protocol, port) for s in host.services)
    real = plain(address)
    for summary in (s for s in ctx.evidence if s.protocol.value == protocol):
        if plain(summary.destination) == real and summary.destination_port == port:
            return True
        if declared and not summary.to_server and plain(summary.source) == real:
            return True
    return False


def _devices_on_path(destination: IPNetwork, ctx: Context) -> set[str]:
    ends = [
        a for s in ctx.evidence for a in (s.source, s.destination)
        if within(s.source, destination) or within(s.destination, destination)
    ]  # fmt: skip
    return {device.name for a in ends for device, _ in ctx.environment.entries_for(a)}


def prefix_width(action: Action, ctx: Context) -> Iterator[str]:
    """No target prefix is wider than the inventory allows."""
    most = {4: ctx.environment.max_prefix_v4, 6: ctx.environment.max_prefix_v6}
    for parameter, network in targets(action):
        if network.prefixlen < most[network.version]:
            yield f"{action.kind}: {parameter} {network} is wider than /{most[network.version]}"


def _unicast(network: IPNetwork) -> bool:
    return not (network.is_multicast or network.is_loopback or network.is_unspecified or network == _BROADCAST)
