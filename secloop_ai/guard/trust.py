"""Rules on whom to believe: who sent what an alert shows.

What a remote attacker can forge is a packet's source address. A completed TCP handshake shows that both ends
answered, so neither address is forged. Three further facts follow from how packets travel:

- An outside *destination* that an inventory host opened a flow to: a packet towards it passes our sensor only when it
  comes from inside. So a block towards it (``block_flow``, ``blackhole_route``) does not rest on a source address and
  needs no handshake; DNS tunnels and UDP beacons have none. It does not hold when the sender is protected or a
  device, when the destination is in the inventory, or (see ``legitimate-clients``) when it is a declared client.
- A protocol without handshakes on one link (DHCP, ARP, name poisoning; both ends in one port's own prefix, or a
  destination of link scope): no router carries such a packet in, so its sender is on that link, and the host may be
  cut off at its port.
- A flow's ends alone prove nothing: an answer to a forged packet goes to the real owner, so traffic both ways is no
  handshake.

``rate_limit`` and ``restrict_service`` hold for a destination, whoever sends, and need no proof of a source. A host
action needs one where it takes a service or a login from those with a right to it: else a forged packet would be all
it takes to have us stop what we serve.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from secloop_ai.contracts import (
    Action,
    BlackholeRoute,
    BlockFlow,
    BlockIp,
    Host,
    IPNetwork,
    IsolateHost,
    Protocol,
    ShutdownPort,
)

from .context import Context, meet, plain, senders, within
from .hosts import subject, takes_from_clients

_LINK_SCOPE: tuple[IPNetwork, ...] = tuple(map(ip_network, ("224.0.0.0/24", "255.255.255.255/32", "ff02::/16")))


def handshake(action: Action, ctx: Context) -> Iterator[str]:
    """Nothing is cut off because of a source address that may be forged."""
    unproven = "no completed handshake was seen, so the address may be forged"
    if isinstance(action, BlockIp) and not proven(action.source, ctx):
        yield f"{action.kind}: of {action.source} {unproven}"
    elif isinstance(action, BlockFlow):
        if not proven(action.source, ctx) and not _contacted(ip_network(action.destination), ctx, by=action.source):
            yield f"{action.kind}: of {action.source} {unproven}"
    elif (host := subject(action, ctx)) is not None:
        if takes_from_clients(action, ctx) and not certain(host, ctx):
            yield f"{action.kind}: with host {host.name} {unproven}"
    elif isinstance(action, BlackholeRoute):
        if not proven(action.destination, ctx) and not _contacted(action.destination, ctx):
            yield f"{action.kind}: of {action.destination} {unproven}"
    else:
        hosts = cut_hosts(action, ctx)
        if hosts and not any(certain(h, ctx) or _on_link(h, ctx) for h in hosts):
            yield f"{action.kind}: of host {hosts[0].name} {unproven}"


def spoofed_self(action: Action, ctx: Context) -> Iterator[str]:
    """Nobody gets one of our own devices or protected hosts blocked by sending in its name."""
    for network in senders(action):
        if any(meet(network, own) for own in ctx.own):
            yield f"{action.kind}: {network} is an address of one of our devices: the alert's source is likely forged"
        elif any(meet(network, kept) for kept in ctx.environment.protected):
            yield f"{action.kind}: {network} is protected: the alert's source is likely forged"


def proven(network: IPNetwork, ctx: Context) -> bool:
    """Whether the evidence holds a completed handshake with an address of the prefix."""
    return any(within(a, network) for a in ctx.proven)


def certain(host: Host, ctx: Context) -> bool:
    """Whether the evidence holds a completed handshake with the host."""
    return any(plain(a) in ctx.proven for a in host.addresses)


def cut_hosts(action: Action, ctx: Context) -> tuple[Host, ...]:
    """The hosts an action cuts off at their port."""
    if isinstance(action, ShutdownPort):
        return ctx.behind(action.device, action.interface)
    host = ctx.environment.host(action.host) if isinstance(action, IsolateHost) else None
    return (host,) if host else ()


def _contacted(destination: IPNetwork, ctx: Context, by: IPNetwork | None = None) -> bool:
    """Whether an inventory host that is not one of our own devices opened a flow to that outside prefix."""
    return not ctx.owners(destination) and any(
        s.to_server
        and within(s.destination, destination)
        and (by is None or within(s.source, by))
        and ctx.environment.host_at(s.source) is not None
        and ctx.protects(ip_network(s.source)) is None
        for s in ctx.evidence
    )


def _on_link(host: Host, ctx: Context) -> bool:
    """Whether the host sent, in a protocol without handshakes, what no router carries."""
    links = [a.network for d in ctx.environment.devices for i in d.interfaces for a in i.addresses]
    return any(
        s.protocol is not Protocol.TCP
        and s.source in host.addresses
        and (
            any(within(s.destination, n) for n in _LINK_SCOPE)
            or any(within(s.source, n) and within(s.destination, n) for n in links)
        )
        for s in ctx.evidence
    )
