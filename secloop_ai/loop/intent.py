"""Which loss of service is the very point of an action, so that verification does not take it for damage."""

from __future__ import annotations

from collections.abc import Iterable

from secloop_ai.contracts import (
    Action,
    BlackholeRoute,
    BlockFlow,
    BlockIp,
    ClosePort,
    IPAddress,
    IPNetwork,
    IsolateHost,
    ShutdownPort,
)

from .watch import Check


def meant_to_fail(check: Check, actions: Iterable[Action]) -> bool:
    """Whether one of the actions cuts off the check's client or its server on purpose.

    Only what an action names counts: everybody else's service must survive, or the change is undone.
    """
    return any(_cuts(action, check) for action in actions)


def _cuts(action: Action, check: Check) -> bool:
    ends = (check.client, check.server)
    if isinstance(action, IsolateHost):
        return any(h.name == action.host for h in ends)
    if isinstance(action, ShutdownPort):
        place = (action.device, action.interface)
        return any(h.attached_to and (h.attached_to.device, h.attached_to.interface) == place for h in ends)
    if isinstance(action, BlackholeRoute):
        return any(_within(h.addresses, action.destination) for h in ends)
    if isinstance(action, BlockFlow):
        same = action.destination in check.server.addresses and action.port == check.service.port
        return same and _within(check.client.addresses, action.source)
    if isinstance(action, ClosePort):
        service = check.service
        return check.server.name == action.host and (service.protocol, service.port) == (action.protocol, action.port)
    return isinstance(action, BlockIp) and any(_within(h.addresses, action.source) for h in ends)


def _within(addresses: Iterable[IPAddress], network: IPNetwork) -> bool:
    return any(a.version == network.version and a in network for a in addresses)
