"""What an expert checks before a move: who is proven, who is untouchable, which slot stands for what.

The guard checks the same on its own and shares no code with this: a mistake here ends in a refusal, not in a change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv6Address, ip_address, ip_network

from secloop_ai.contracts import (
    AlertSummary,
    Criticality,
    Environment,
    Host,
    IPAddress,
    IPNetwork,
    PolicyRequest,
    Protocol,
    Role,
    Slot,
)

LINK_SCOPE: tuple[IPNetwork, ...] = tuple(map(ip_network, ("224.0.0.0/24", "255.255.255.255/32", "ff02::/16")))
"""Destinations that no router forwards to."""
DNS = 53


@dataclass(frozen=True)
class Facts:
    """A request, seen with an expert's eye."""

    request: PolicyRequest

    @property
    def environment(self) -> Environment:
        """The request's network."""
        return self.request.environment

    @cached_property
    def proven(self) -> frozenset[IPAddress]:
        """Addresses that completed a handshake: theirs for certain."""
        return frozenset(a for s in self.request.summaries if s.handshake for a in (s.source, s.destination))

    @cached_property
    def contacted(self) -> frozenset[tuple[IPAddress, IPAddress]]:
        """Inventory hosts, themselves not to be protected, each with an outside address it opened a flow to."""
        at = self.environment.host_at
        return frozenset(
            (s.source, s.destination)
            for s in self.request.summaries
            if s.to_server and at(s.source) and at(s.destination) is None and self.free(s.source)
        )

    @cached_property
    def untouchable(self) -> tuple[IPNetwork, ...]:
        """The protected set, the devices' own addresses, and the management network."""
        found = list(self.environment.protected)
        for device in self.environment.devices:
            found += map(ip_network, device.own_addresses())
            found += literal(device.connection.address)
            for port in (i for i in device.interfaces if i.management):
                found += [*port.networks, *(a.network for a in port.addresses)]
        return tuple(found)

    @cached_property
    def slots(self) -> dict[tuple[Role, object], str]:
        """(role, entity) → slot."""
        return {key: s.slot for s in self.request.pointers.slots for key in _keys(s)}

    def usable(self, tool: str) -> bool:
        """Whether the request offers the tool."""
        return tool in self.request.offered

    def free(self, *addresses: IPAddress) -> bool:
        """Whether none of the addresses is untouchable, and each is one that a host can have."""
        return all(_unicast(a) and not any(_in(a, n) for n in self.untouchable) for a in addresses)

    def reached(self, address: IPAddress) -> bool:
        """Whether some port is known to lead there."""
        return bool(self.environment.entries_for(address))

    def attached(self, host: Host) -> bool:
        """Whether the host's port is known, so that filters can be put there."""
        where = host.attached_to
        device = self.environment.device(where.device) if where else None
        return bool(where and device and device.interface(where.interface))

    def vital(self, host: Host) -> bool:
        """Whether cutting the host off hurts more than a table may decide."""
        high = Criticality.HIGH
        return host.criticality is high or any(s.criticality is high for s in host.services)

    def may_cut(self, host: Host, summary: AlertSummary) -> bool:
        """Whether the host itself may be cut off: its port known, expendable, and truly the one that acted."""
        certain = not self.proven.isdisjoint(host.addresses) or (
            summary.source in host.addresses and self._on_link(summary) and not self._served_vitally(host)
        )
        return certain and self.attached(host) and not self.vital(host) and self.free(*host.addresses)

    def _served_vitally(self, host: Host) -> bool:
        """Whether the host is a declared client of a service of high criticality."""
        services = [s for h in self.environment.hosts for s in h.services if s.criticality is Criticality.HIGH]
        networks = [n for s in services for n in self.environment.client_networks(s) if n.prefixlen]
        return any(_in(a, n) for a in host.addresses for n in networks)

    def declared(self, address: IPAddress) -> bool:
        """Whether the inventory names the address as somebody's legitimate client (``any`` names nobody)."""
        services = (s for h in self.environment.hosts for s in h.services)
        return any(_in(address, n) for s in services for n in self.environment.client_networks(s) if n.prefixlen)

    def lone(self, host: Host) -> bool:
        """Whether the host's port leads to nothing but the host: no other, nothing protected, no management."""
        where = host.attached_to
        device = self.environment.device(where.device) if where else None
        port = device.interface(where.interface) if device and where else None
        if device is None or port is None or device.connection.address in {str(a.ip) for a in port.addresses}:
            return False
        if any(h.attached_to == where for h in self.environment.hosts if h.name != host.name):
            return False
        behind = [*port.networks, *(a.network for a in port.addresses)]
        own = {ip_network(a) for a in device.own_addresses()}
        kept = [n for n in self.untouchable if n not in own]
        return not any(k.version == b.version and k.overlaps(b) for k in kept for b in behind)

    def allows(self, host: Host, tool: str) -> bool:
        """Whether the host lets a role of that name work on it, and nothing speaks against touching it."""
        return bool(host.access and tool in host.access.actions) and self.free(*host.addresses)

    def resolvers(self, client: IPAddress) -> tuple[Host, ...]:
        """The hosts whose name service the address is a declared client of."""
        return tuple(
            h
            for h in self.environment.hosts
            if h.access
            and h.access.resolver
            and any(_in(client, n) for s in h.services if s.port == DNS for n in self.environment.client_networks(s))
        )

    def our_name(self, domain: str) -> bool:
        """Whether something of the inventory is named under it."""
        known = (*(h.name for h in self.environment.hosts), *(d.connection.address for d in self.environment.devices))
        return any(f".{n.lower()}".endswith(f".{domain}") for n in known)

    def _on_link(self, summary: AlertSummary) -> bool:
        """Whether the alert is of a protocol without handshakes on one link, where no outsider can send from."""
        if summary.protocol is Protocol.TCP:
            return False
        if any(_in(summary.destination, n) for n in LINK_SCOPE):
            return True
        links = [a.network for d in self.environment.devices for i in d.interfaces for a in i.addresses]
        return any(_in(summary.source, n) and _in(summary.destination, n) for n in links)


def _keys(slot: Slot) -> Iterable[tuple[Role, object]]:
    if slot.role in (Role.SOURCE, Role.HOST):
        yield slot.role, slot.address
    if slot.role is Role.HOST:
        yield slot.role, slot.host
    if slot.role is Role.DEVICE:
        yield slot.role, slot.device
    if slot.role is Role.SERVICE:
        yield slot.role, (slot.host, slot.value)
    if slot.role is Role.INTERFACE:
        yield slot.role, (slot.device, slot.value)
    if slot.role is Role.PORT:
        yield slot.role, (slot.protocol, slot.port)
    if slot.role is Role.NAME:
        yield slot.role, slot.value


def literal(address: str) -> list[IPNetwork]:
    """The address as a prefix, if it is one and not a name."""
    try:
        return [ip_network(ip_address(address))]
    except ValueError:
        return []


def _in(address: IPAddress, network: IPNetwork) -> bool:
    return address.version == network.version and address in network


def _unicast(address: IPAddress) -> bool:
    """Whether a host can send from it; IPv4 written as IPv6 is nothing that a filter could match."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return False
    return not (address.is_multicast or address.is_loopback or address.is_unspecified or int(address) == 2**32 - 1)
