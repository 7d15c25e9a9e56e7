"""Who is who in an alert summary: client and server by direction, inside and outside by the inventory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from secloop_ai.contracts import AlertSummary, Environment, Host, IPAddress, Protocol, Service

End = Literal["client", "server", "source", "inside", "outside"]
WITH_PORT = (Protocol.TCP, Protocol.UDP)


class Ends(NamedTuple):
    """The two ends of a summary.

    Attributes:
        client: the end that opened the flow: the alert's source when it fired on traffic to the server.
        inside: the end that is an inventory host; of two, the client; None when neither is.
        outside: the end that no inventory host owns, beside one that does; else None.
    """

    source: IPAddress
    client: IPAddress
    server: IPAddress
    inside: IPAddress | None
    outside: IPAddress | None

    def at(self, end: End) -> IPAddress | None:
        """The address of an end by its name."""
        return {
            "source": self.source,
            "client": self.client,
            "server": self.server,
            "inside": self.inside,
            "outside": self.outside,
        }[end]


def ends_of(summary: AlertSummary, environment: Environment) -> Ends:
    """The ends of a summary."""
    client, server = summary.source, summary.destination
    if not summary.to_server:
        client, server = server, client
    known = [a for a in (client, server) if environment.host_at(a)]
    strange = [a for a in (client, server) if not environment.host_at(a)]
    return Ends(
        source=summary.source,
        client=client,
        server=server,
        inside=known[0] if known else None,
        outside=strange[0] if known and strange else None,
    )


def service_of(summary: AlertSummary, environment: Environment) -> tuple[Host, Service] | None:
    """The inventory's service that the flow uses.

    An alert on the way back to the client names the client's port, not the server's: then the service is the one
    named like the application protocol, or the server's only one of that transport protocol.
    """
    ends = ends_of(summary, environment)
    host = environment.host_at(ends.server)
    if host is None or summary.protocol not in WITH_PORT:
        return None
    offered = [s for s in host.services if s.protocol == summary.protocol.value]
    if summary.to_server:
        fits = [s for s in offered if s.port == summary.destination_port]
    else:
        fits = [s for s in offered if s.name == summary.app_protocol] or (offered if len(offered) == 1 else [])
    return (host, fits[0]) if fits else None


def port_of(summary: AlertSummary, environment: Environment) -> tuple[Literal["tcp", "udp"], int] | None:
    """Protocol and port of the server side of the flow, None where the flow has none or it is not known."""
    if summary.protocol not in WITH_PORT:
        return None
    if summary.to_server:
        protocol: Literal["tcp", "udp"] = "tcp" if summary.protocol is Protocol.TCP else "udp"
        return (protocol, summary.destination_port) if summary.destination_port is not None else None
    found = service_of(summary, environment)
    return (found[1].protocol, found[1].port) if found else None


def rank(summaries: Sequence[AlertSummary]) -> tuple[AlertSummary, ...]:
    """The summaries, most urgent first; any order of the same summaries gives the same."""
    return tuple(sorted(summaries, key=_urgency))


def _urgency(summary: AlertSummary) -> tuple[Any, ...]:
    return (
        summary.severity,
        -summary.count,
        not summary.handshake,
        address_key(summary.source),
        address_key(summary.destination),
        -1 if summary.destination_port is None else summary.destination_port,
        summary.protocol,
        summary.signature_id,
        summary.first_seen,
        summary.to_server,
        summary.classification,
        summary.techniques,
        summary.app_protocol or "",
        summary.last_seen,
    )


def address_key(address: IPAddress) -> tuple[int, int]:
    """Orders addresses of both families."""
    return address.version, int(address)
