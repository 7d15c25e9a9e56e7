"""Rules on host actions: what a host allows, and what of it the alerts are about.

The guard asks the inventory on its own and shares no code with those who made the slots or will run the role.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from secloop_ai.contracts import (
    Action,
    AlertSummary,
    ClosePort,
    DisableAccount,
    DnsSinkhole,
    EnforceApparmor,
    Host,
    HostAccess,
    PatchVulnerability,
    Plane,
    Service,
    StopProcess,
)

from .context import Context, host_of, plain

COMM = 15
"""Characters of a process's name that Linux keeps: a service's process may be cut to so many."""


def host_access(action: Action, ctx: Context) -> Iterator[str]:
    """A host action is one that its host allows, about an account, process, package or resolver that it has."""
    host = subject(action, ctx)
    if host is None:
        return
    if host.access is None or action.kind not in host.access.actions:
        yield f"{action.kind}: host {host.name} does not allow it"
    else:
        yield from (f"{action.kind}: host {host.name} has no {what}" for what in _lacking(action, host.access))


def _lacking(action: Action, access: HostAccess) -> Iterator[str]:
    if isinstance(action, DisableAccount) and action.account not in access.accounts:
        yield f"account {action.account} that may be named"
    if isinstance(action, StopProcess | EnforceApparmor) and action.process not in access.processes:
        yield f"process {action.process} that may be named"
    if isinstance(action, PatchVulnerability) and action.package not in access.packages:
        yield f"package {action.package} that may be named"
    if isinstance(action, DnsSinkhole) and access.resolver is None:
        yield "resolver"


def subject(action: Action, ctx: Context) -> Host | None:
    """The host that a host action is about, if the inventory knows it."""
    name = host_of(action)
    return ctx.environment.host(name) if name and action.spec.plane is Plane.HOST else None


def services_lost(action: Action, ctx: Context) -> tuple[Service, ...]:
    """The services that a host action takes away: behind a port, or behind a process.

    A process is that of the service of its name. One that is no service's by its name may be any service's.
    """
    host = subject(action, ctx)
    if host is None:
        return ()
    if isinstance(action, ClosePort):
        return tuple(s for s in host.services if (s.protocol, s.port) == (action.protocol, action.port))
    if isinstance(action, StopProcess):
        return tuple(s for s in host.services if s.name[:COMM] == action.process[:COMM]) or host.services
    return ()


def takes_from_clients(action: Action, ctx: Context) -> bool:
    """Whether somebody with a right to it loses a service, or a login."""
    lost = services_lost(action, ctx)
    return isinstance(action, DisableAccount) or any(ctx.environment.client_networks(s) for s in lost)


def askers(action: DnsSinkhole, ctx: Context) -> Iterable[AlertSummary]:
    """The alerts in evidence that show one of our own hosts asking for the name, or using it.

    Who asks matters: an outsider's question must not decide which names our hosts may ask for.
    """
    return (
        s
        for s in ctx.evidence
        if action.name in s.domains and ctx.environment.host_at(s.source if s.to_server else s.destination)
    )


def ours(action: DnsSinkhole, ctx: Context) -> str | None:
    """A host or device of the inventory that is named under the name, if any: nobody makes our own names vanish."""
    known = (*(h.name for h in ctx.environment.hosts), *(d.connection.address for d in ctx.environment.devices))
    return next((n for n in known if f".{n.lower()}".endswith(f".{action.name}")), None)


def named(host: Host, ctx: Context) -> bool:
    """Whether an alert in evidence names the host."""
    return not ctx.named.isdisjoint(map(plain, host.addresses))
