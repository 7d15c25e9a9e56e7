"""Rules on how far a strategy reaches: what stays untouched, how much it may take away, and from whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_network

from secloop_ai.contracts import (
    Action,
    BlackholeRoute,
    BlockFlow,
    BlockIp,
    Criticality,
    DnsSinkhole,
    Host,
    IPNetwork,
    RestrictService,
    Service,
    ShutdownPort,
)

from .context import Context, host_of, meet, targets
from .form import Finding
from .hosts import ours, services_lost, subject
from .trust import certain, cut_hosts, proven

MAX_HIGH_SHARE = 0.5
"""Share of the services of high criticality that one strategy may cut off."""


def protected_set(action: Action, ctx: Context) -> Iterator[str]:
    """The protected prefixes, the devices' own addresses and the management network are never a target."""
    for parameter, network in targets(action):
        if kept := ctx.protects(network):
            yield f"{action.kind}: {parameter} {network} meets the protected {kept}"
    name = host_of(action)
    host = ctx.environment.host(name) if name else None
    if host and (kept := _kept(host, ctx)):
        yield f"{action.kind}: host {host.name} is in the protected {kept}"
    if isinstance(action, DnsSinkhole) and (own := ours(action, ctx)):
        yield f"{action.kind}: {own} of the inventory is named under {action.name}"
    if isinstance(action, ShutdownPort):
        yield from _port_is_ours(action, ctx)


def _port_is_ours(action: ShutdownPort, ctx: Context) -> Iterator[str]:
    found = ctx.port(action.device, action.interface)
    if found is None:
        return
    device, port = found
    name = f"{action.device} {action.interface}"
    if port.management or device.connection.address in {str(a.ip) for a in port.addresses}:
        yield f"{action.kind}: {name} carries the controller's own management"
    for host in ctx.behind(action.device, action.interface):
        if kept := _kept(host, ctx):
            yield f"{action.kind}: host {host.name} behind {name} is in the protected {kept}"
    own = {ip_network(a) for a in device.own_addresses()}
    nets = [*port.networks, *(a.network for a in port.addresses)]
    for kept in (k for k in ctx.untouchable if k not in own and any(meet(k, n) for n in nets)):
        yield f"{action.kind}: the protected {kept} lies behind {name}"


def _kept(host: Host, ctx: Context) -> IPNetwork | None:
    return next((k for a in host.addresses if (k := ctx.protects(ip_network(a)))), None)


def budget(ctx: Context) -> Iterator[Finding]:
    """A strategy has a bounded number of disruptive actions and cuts off at most half of the vital services."""
    disruptive = [a for _, a in ctx.actions if a.disruptive]
    most = ctx.environment.max_actions
    if len(disruptive) > most:
        yield -1, f"the strategy has {len(disruptive)} disruptive actions, and the budget is {most}"
    vital = {(h.name, s.name) for h in ctx.environment.hosts for s in h.services if s.criticality is Criticality.HIGH}
    gone = {(h.name, s.name) for a in disruptive for h, s in _lost(a, ctx)} & vital
    if len(gone) > MAX_HIGH_SHARE * len(vital):
        yield -1, f"the strategy would cut off {len(gone)} of {len(vital)} services of high criticality"


def _lost(action: Action, ctx: Context) -> Iterator[tuple[Host, Service]]:
    """The services that nobody reaches any more."""
    yield from ((host, s) for host in _silenced(action, ctx) for s in host.services)
    if host := subject(action, ctx):
        yield from ((host, s) for s in services_lost(action, ctx))


def _silenced(action: Action, ctx: Context) -> Iterable[Host]:
    """The hosts whose services can no longer answer."""
    if isinstance(action, BlockIp):
        return ctx.owners(action.source)
    if isinstance(action, BlackholeRoute):
        return ctx.owners(action.destination)
    return cut_hosts(action, ctx)


def legitimate_clients(action: Action, ctx: Context) -> Iterator[str]:
    """A declared client loses a service only on the evidence of its own completed handshake.

    A prefix catches clients that did nothing, so it may hold none. A service without declared clients cannot be left
    to them. A host cut off on the strength of its link alone may be no client of a service of high criticality.
    """
    if isinstance(action, RestrictService):
        host = ctx.environment.host(action.host)
        service = next((s for s in host.services if s.name == action.service), None) if host else None
        if host and service and not ctx.environment.client_networks(service):
            yield f"{action.kind}: service {service.name} of host {host.name} has no declared clients to be left to"
    elif isinstance(action, BlockIp | BlockFlow | BlackholeRoute):
        blocked = action.destination if isinstance(action, BlackholeRoute) else action.source
        if blocked.num_addresses > 1 or not proven(blocked, ctx):
            for host, service in _served(blocked, _concerned(action, ctx), ctx):
                yield f"{action.kind}: {blocked} holds a declared client of {service.name} of host {host.name}"
    for cut in (h for h in cut_hosts(action, ctx) if not certain(h, ctx)):
        for server, service in _served_to(cut, ctx):
            if service.criticality is Criticality.HIGH:
                yield f"{action.kind}: host {cut.name} is a declared client of {service.name} of host {server.name}"


def _concerned(action: BlockIp | BlockFlow | BlackholeRoute, ctx: Context) -> Iterator[tuple[Host, Service]]:
    """The services that a block could take away: of a flow, only those at its port."""
    for host in ctx.environment.hosts:
        if isinstance(action, BlockFlow):
            if action.destination in host.addresses:
                at = (action.protocol, action.port)
                yield from ((host, s) for s in host.services if (s.protocol, s.port) == at)
        else:
            yield from ((host, s) for s in host.services)


def _served(
    network: IPNetwork, services: Iterable[tuple[Host, Service]], ctx: Context
) -> Iterator[tuple[Host, Service]]:
    """The services with a declared client in the prefix; a client of ``any`` is nobody in particular."""
    for host, service in services:
        if any(n.prefixlen and meet(n, network) for n in ctx.environment.client_networks(service)):
            yield host, service


def _served_to(client: Host, ctx: Context) -> Iterator[tuple[Host, Service]]:
    every = [(h, s) for h in ctx.environment.hosts for s in h.services]
    for address in client.addresses:
        yield from _served(ip_network(address), every, ctx)
