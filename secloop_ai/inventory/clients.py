"""Who uses a service: inventory hosts by name, or prefixes."""

from __future__ import annotations

from secloop_ai.contracts import Host, IPNetwork, Service

from .build import DraftHost
from .findings import Findings, did_you_mean
from .schema import HOST, HOSTS, parse_prefix
from .source import RawInventory


def with_clients(draft: DraftHost, raw: RawInventory, findings: Findings) -> Host:
    """The host with its services, every client looked up."""
    services = []
    for n, service in enumerate(draft.services):
        clients = []
        for m, text in enumerate(service.clients):
            try:
                clients.append(client(text, raw))
            except ValueError as error:
                findings.add(draft.raw, (HOST, "services", n, "clients", m), str(error))
        services.append(Service(**{**dict(service), "clients": tuple(clients)}))
    return draft.host.model_copy(update={"services": tuple(services)})


def client(text: str, raw: RawInventory) -> str | IPNetwork:
    """A client as the Environment holds it: a host's name where there is such a host, else a prefix.

    Raises:
        ValueError: it is neither; the text says what it may have been meant to be.
    """
    host = raw.by_name.get(text)
    if host and HOSTS in host.groups:
        return text
    if host:
        raise ValueError(f"{text!r} is not in the group {HOSTS}")
    if text in raw.groups:
        raise ValueError(f"{text!r} is a group: name its hosts, or give clients: \"{{{{ groups['{text}'] }}}}\"")
    try:
        return parse_prefix(text)
    except ValueError as error:
        if text[:1].isdigit() or ":" in text:
            raise
        raise ValueError(f"{text!r} is neither a host nor a prefix{did_you_mean(text, raw.by_name)}") from error
