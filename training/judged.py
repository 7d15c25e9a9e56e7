"""A strategy and its request as the judge looks at them: who the alerts name, and what each action cuts off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_network
from typing import NamedTuple

from secloop_ai.contracts import (
    Action,
    AlertSummary,
    BlackholeRoute,
    BlockFlow,
    BlockIp,
    ClosePort,
    DnsSinkhole,
    Environment,
    Host,
    IPAddress,
    IPNetwork,
    IsolateHost,
    Plane,
    PolicyRequest,
    RateLimit,
    RestrictService,
    Service,
    ShutdownPort,
    StopProcess,
    Strategy,
)
from secloop_ai.policies.ends import Ends, ends_of, port_of


class Use(NamedTuple):
    """A declared use of a service.

    Attributes:
        client: prefix of the client; one of length 0 is anybody.
    """

    client: IPNetwork
    server: Host
    service: Service

    @property
    def port(self) -> tuple[str, int]:
        """Protocol and port."""
        return self.service.protocol, self.service.port


class Seen(NamedTuple):
    """An alert with its ends, and the port of its server."""

    summary: AlertSummary
    ends: Ends
    port: tuple[str, int] | None


@dataclass(frozen=True)
class View:
    """One strategy under judgement."""

    strategy: Strategy
    request: PolicyRequest

    @property
    def environment(self) -> Environment:
        """The request's network."""
        return self.request.environment

    @cached_property
    def acting(self) -> tuple[Action, ...]:
        """The actions that change anything."""
        return tuple(a for a in self.strategy.actions if a.spec.plane is not Plane.NONE)

    @cached_property
    def alerts(self) -> tuple[Seen, ...]:
        """All of the request."""
        env = self.environment
        return tuple(Seen(s, ends_of(s, env), port_of(s, env)) for s in self.request.summaries)

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """Every declared use of a service."""
        services = ((host, service) for host in self.environment.hosts for service in host.services)
        return tuple(Use(c, h, s) for h, s in services for c in self.environment.client_networks(s))

    def naming(self, action: Action) -> tuple[Seen, ...]:
        """The alerts that name what the action is about."""
        return tuple(seen for seen in self.alerts if self._names(seen, action))

    def _names(self, seen: Seen, action: Action) -> bool:
        client, server = seen.ends.client, seen.ends.server
        hosts = self.targets(action)
        match action:
            case BlockIp() | BlackholeRoute():
                return any(within(a, cut_off(action)) for a in (client, server))
            case BlockFlow():
                return within(client, action.source) and action.destination == server
            case RateLimit() | ClosePort() | RestrictService():
                return seen.port in self.ports(action) and any(server in h.addresses for h in hosts)
            case DnsSinkhole():
                return action.name in seen.summary.domains
            case _:
                return any(a in h.addresses for h in hosts for a in (client, server))

    def ports(self, action: RateLimit | ClosePort | RestrictService) -> tuple[tuple[str, int], ...]:
        """The port an action is about."""
        if not isinstance(action, RestrictService):
            return ((action.protocol, action.port),)
        return tuple((s.protocol, s.port) for h in self.targets(action) for s in h.services if s.name == action.service)

    def targets(self, action: Action) -> tuple[Host, ...]:
        """The inventory hosts that an action is about."""
        env = self.environment
        match action:
            case ShutdownPort():
                at = (action.device, action.interface)
                placed = ((h, h.attached_to) for h in env.hosts)
                return tuple(h for h, where in placed if where and (where.device, where.interface) == at)
            case BlockIp() | BlackholeRoute():
                return tuple(h for h in env.hosts if any(within(a, cut_off(action)) for a in h.addresses))
            case BlockFlow() | RateLimit():
                found = env.host_at(action.destination)
            case _:
                found = env.host(getattr(action, "host", ""))
        return (found,) if found else ()

    def cut(self, action: Action) -> Iterator[Use]:
        """The declared uses that an action takes away."""
        hosts = self.targets(action)
        alone = tuple(ip_network(a) for h in hosts for a in h.addresses)
        return (use for use in self.uses if self._cuts(action, use, hosts, alone))

    def _cuts(self, action: Action, use: Use, hosts: tuple[Host, ...], alone: tuple[IPNetwork, ...]) -> bool:
        """Whether it takes a use away; `hosts` are its targets, `alone` their addresses."""
        match action:
            case BlockFlow():
                at = (action.protocol, action.port) == use.port and action.destination in use.server.addresses
                return at and holds(action.source, use.client)
            case BlockIp() | BlackholeRoute():
                return holds(cut_off(action), use.client) or use.server in hosts
            case IsolateHost() | ShutdownPort():
                return use.server in hosts or any(holds(a, use.client) for a in alone)
            case ClosePort():
                return use.port in self.ports(action) and use.server in hosts
            case StopProcess():
                return use.server in hosts and use.service.name == action.process
            case _:
                return False

    def alerted(self, use: Use) -> bool:
        """Whether the alerts are about this very use: its client, its server and its port."""
        return any(
            seen.port == use.port and seen.ends.server in use.server.addresses and within(seen.ends.client, use.client)
            for seen in self.alerts
            if use.client.prefixlen
        )

    def acted(self, host: Host) -> bool:
        """Whether an alert shows the host at work itself: it opened the flow, or sent what has no flow."""
        return any(seen.ends.client in host.addresses for seen in self.alerts)


def cut_off(action: BlockIp | BlackholeRoute) -> IPNetwork:
    """The prefix that an action cuts off whole."""
    return action.source if isinstance(action, BlockIp) else action.destination


def within(address: IPAddress, network: IPNetwork) -> bool:
    """Whether a prefix holds an address."""
    return address.version == network.version and address in network


def holds(network: IPNetwork, client: IPNetwork) -> bool:
    """Whether a prefix takes in a declared client; a client of any address is nobody in particular."""
    if not client.prefixlen:
        return False
    return client.version == network.version and client.overlaps(network)


def inside(narrow: IPNetwork, wide: IPNetwork) -> bool:
    """Whether a prefix lies in another."""
    return narrow.version == wide.version and narrow.prefixlen >= wide.prefixlen and narrow.overlaps(wide)
