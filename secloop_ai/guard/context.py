"""What the rules look at: a strategy with its evidence, and what must never be touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network, IPv6Address, ip_address, ip_network
from typing import NamedTuple

from pydantic import ValidationError

from secloop_ai.contracts import (
    CATALOGUE,
    TTLS_S,
    Action,
    AlertSummary,
    BlackholeRoute,
    BlockFlow,
    BlockIp,
    Device,
    Environment,
    Host,
    Interface,
    IPAddress,
    IPNetwork,
    PolicyRequest,
    RateLimit,
    Strategy,
)

_MAPPED_BITS = 96


@dataclass(frozen=True)
class Context:
    """One strategy under review."""

    strategy: Strategy
    request: PolicyRequest

    @property
    def environment(self) -> Environment:
        """The request's network."""
        return self.request.environment

    @cached_property
    def actions(self) -> tuple[tuple[int, Action], ...]:
        """The actions that are well formed, with their place."""
        return tuple((n, a) for n, a in enumerate(self.strategy.actions) if malformation(a) is None)

    @cached_property
    def evidence(self) -> tuple[AlertSummary, ...]:
        """The request's summaries that the strategy names as its evidence."""
        ids = set(self.strategy.evidence)
        return tuple(s for s in self.request.summaries if s.summary_id in ids)

    @cached_property
    def named(self) -> frozenset[IPAddress]:
        """Addresses that a trusted field of the evidence names."""
        return frozenset(plain(a) for s in self.evidence for a in (s.source, s.destination))

    @cached_property
    def proven(self) -> frozenset[IPAddress]:
        """Addresses that completed a TCP handshake in the evidence: both ends of such a flow answered."""
        return frozenset(plain(a) for s in self.evidence if s.handshake for a in (s.source, s.destination))

    @property
    def own(self) -> tuple[IPNetwork, ...]:
        """The devices' own addresses and the management network."""
        return _ground(self.environment).own

    @property
    def untouchable(self) -> tuple[IPNetwork, ...]:
        """Everything no action may touch: what the inventory protects, and the devices themselves."""
        return _ground(self.environment).untouchable

    def protects(self, network: IPNetwork) -> IPNetwork | None:
        """The untouchable prefix that a prefix meets, if any."""
        return next((u for u in self.untouchable if meet(u, network)), None)

    def port(self, device: str, interface: str) -> tuple[Device, Interface] | None:
        """A device's port by names."""
        found = self.environment.device(device)
        port = found.interface(interface) if found else None
        return (found, port) if found and port else None

    def behind(self, device: str, interface: str) -> tuple[Host, ...]:
        """The inventory hosts attached to a port."""
        at = ((h, h.attached_to) for h in self.environment.hosts)
        return tuple(h for h, a in at if a and (a.device, a.interface) == (device, interface))

    def owners(self, network: IPNetwork) -> tuple[Host, ...]:
        """The inventory hosts with an address in a prefix."""
        return tuple(h for h in self.environment.hosts if any(within(a, network) for a in h.addresses))


class _Ground(NamedTuple):
    """What is the same for every strategy in one network."""

    environment: Environment
    own: tuple[IPNetwork, ...]
    untouchable: tuple[IPNetwork, ...]


_latest: list[_Ground] = []
"""Of the network asked about last, at most one: the candidates of a request are all reviewed in the same."""


def _ground(environment: Environment) -> _Ground:
    latest = _latest[0] if _latest else None
    if latest is None or latest.environment is not environment:
        own = tuple(_own(environment))
        latest = _Ground(environment, own, (*environment.protected, *own))
        _latest[:] = [latest]
    return latest


def _own(environment: Environment) -> Iterator[IPNetwork]:
    for device in environment.devices:
        yield from map(ip_network, device.own_addresses())
        yield from _literal(device.connection.address)
        for port in (i for i in device.interfaces if i.management):
            yield from (*port.networks, *(a.network for a in port.addresses))


def targets(action: Action) -> Iterator[tuple[str, IPNetwork]]:
    """The prefixes an action names, each with its parameter."""
    if isinstance(action, BlockIp | BlockFlow | RateLimit) and action.source is not None:
        yield "source", unmapped(action.source)
    if isinstance(action, BlockFlow | RateLimit):
        yield "destination", unmapped(ip_network(action.destination))
    if isinstance(action, BlackholeRoute):
        yield "destination", unmapped(action.destination)


def senders(action: Action) -> Iterator[IPNetwork]:
    """The prefixes an action names as where an attack comes from."""
    return (network for parameter, network in targets(action) if parameter == "source")


def host_of(action: Action) -> str | None:
    """The name of the host an action is about, if it names one."""
    name = getattr(action, "host", None)
    return name if isinstance(name, str) else None


def malformation(action: Action) -> str | None:
    """What is wrong with an action's form, its lifetime aside; None for a well-formed one."""
    kind = str(getattr(action, "kind", ""))
    if CATALOGUE.get(kind) is not type(action):
        return "not an action of the catalogue"
    fields = {n: getattr(action, n) for n in type(action).model_fields if hasattr(action, n)}
    try:
        type(action).model_validate({**fields, "ttl_s": TTLS_S[0]})
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False)[0]
        return f"{kind}: {'.'.join(map(str, first['loc']))}: {first['msg']}"
    return None


def meet(one: IPNetwork, other: IPNetwork) -> bool:
    """Whether two prefixes share an address."""
    a, b = unmapped(one), unmapped(other)
    return a.version == b.version and a.overlaps(b)


def within(address: IPAddress, network: IPNetwork) -> bool:
    """Whether a prefix holds an address."""
    real, net = plain(address), unmapped(network)
    return real.version == net.version and real in net


def plain(address: IPAddress) -> IPAddress:
    """An IPv4 address that is written as an IPv6 one (``::ffff:192.0.2.1``) as what it is."""
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def unmapped(network: IPNetwork) -> IPNetwork:
    """The same for a prefix."""
    if isinstance(network, IPv4Network) or network.prefixlen < _MAPPED_BITS:
        return network
    first = network.network_address.ipv4_mapped
    return network if first is None else ip_network((first, network.prefixlen - _MAPPED_BITS))


def _literal(address: str) -> list[IPNetwork]:
    """The address as a prefix, if it is one and not a name to be looked up."""
    try:
        return [ip_network(ip_address(address))]
    except ValueError:
        return []
