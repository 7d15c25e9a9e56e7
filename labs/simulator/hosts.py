"""What host roles do to a case, as far as they do it live.

- ``stop_process`` freezes a service: whoever needs an answer of it gets none, and its clients lose it. Its port still
  takes connections, so a scan of ports finds it as before.
- ``close_port`` drops what is sent to the port, on the host itself: neighbours of its segment are met, too.
- ``disable_account`` ends the means that log in with that account of that host.
- ``secure_sshd`` ends logins by password over SSH, and nothing else; rightful clients have keys.
- ``harden_kernel`` brings SYN cookies, which a flood of half-open connections cannot fill. Its other settings
  (redirects, source routes, how ARP is answered) stop no means here: a forged ARP answer is believed all the same.
- ``dns_sinkhole`` lets one resolver answer a name, and all below it, with nowhere. Who asks another server, as tunnels
  do that talk to their own, notices nothing.
- ``deploy_hids`` watches. It stops nothing.
- ``patch_vulnerability`` would end what is a flaw of the program; no battlefield offers it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from labs.attacks.base import Means
from labs.scenario import Case, Stage
from labs.scenario.access import process_of
from labs.scenario.accounts import USED_BY
from labs.services.names import ZONE
from secloop_ai.contracts import (
    PROTOCOL_NUMBER,
    Action,
    ClosePort,
    DisableAccount,
    DnsSinkhole,
    HardenKernel,
    Host,
    IPAddress,
    PatchVulnerability,
    SecureSshd,
    StopProcess,
)

from .journeys import Journeys

TCP = 6
DNS_PORT = 53
ASKED = f"www.{ZONE}"
"""The name that rightful clients of a name server ask for."""
Doors = Collection[tuple[int, int]]
"""IP protocol numbers with ports."""


def ended(action: Action, case: Case, journeys: Journeys) -> int:
    """Journeys that a host action ends, as a mask.

    A frozen service ends those of its clients only: a stage that needs an answer is `countered`, one that needs none
    goes on.
    """
    host = _host(action, case)
    if isinstance(action, ClosePort):
        return _towards(host.addresses, {(PROTOCOL_NUMBER[action.protocol], action.port)}, journeys)
    lost: set[str] = set()
    if isinstance(action, StopProcess):
        lost = {s.name for s in host.services if process_of(s.name) == action.process}
    elif isinstance(action, DnsSinkhole) and below(ASKED, action.name):
        lost = {s.name for s in host.services if s.port == DNS_PORT}
    packets = {f.packet for f in case.flows if f.server == host.name and f.service in lost}
    return journeys.mask(lambda j: j.packet in packets)


def countered(action: Action, case: Case, means: Sequence[Means]) -> int:
    """Stages that a host action stops on their target, as a mask by index.

    Args:
        action: of the host plane, and one that its host allows.
        case: whose stages these are.
        means: of every stage, in order.
    """
    host = _host(action, case)
    if (test := _STOPS.get(type(action))) is None:
        return 0
    meant = ((s, m) for s, m in zip(case.stages, means, strict=True) if _meant(action, host, s, m))
    return sum(1 << s.index for s, m in meant if test(action, host, s, m))


def below(name: str, parent: str) -> bool:
    """Whether a name is another one or below it."""
    return f".{name}".endswith(f".{parent}")


def _meant(action: Action, host: Host, stage: Stage, means: Means) -> bool:
    """Whether the means says that the action stops it; a closed port is found in the packets instead."""
    return action.kind in means.countered_by and stage.target_host == host.name and not isinstance(action, ClosePort)


def _needs_process(action: StopProcess, host: Host, stage: Stage, means: Means) -> bool:
    frozen = {(PROTOCOL_NUMBER[s.protocol], s.port) for s in host.services if process_of(s.name) == action.process}
    exchanges = (e for e in means.exchanges(stage) if e.responder in host.addresses)
    return any((e.protocol, e.port) in frozen for e in exchanges)


def _half_open(_: HardenKernel, host: Host, stage: Stage, means: Means) -> bool:
    return all(e.protocol == TCP for e in means.exchanges(stage) if e.responder in host.addresses)


_STOPS: dict[type[Any], Callable[[Any, Host, Stage, Means], bool]] = {
    StopProcess: _needs_process,
    DisableAccount: lambda action, _host, stage, _means: USED_BY.get(stage.means) == action.account,
    SecureSshd: lambda _action, _host, _stage, _means: True,
    HardenKernel: _half_open,
    DnsSinkhole: lambda action, _host, _stage, means: bool(means.asks) and below(means.asks, action.name),
    PatchVulnerability: lambda action, _host, _stage, means: action.package in means.service_kinds,
}
"""What must hold beside the means' own word; an action that is not here stops no stage by itself."""


def _host(action: Action, case: Case) -> Host:
    found = case.environment.host(getattr(action, "host", ""))
    if found is None:
        raise ValueError(f"{action.kind}: it was compiled for a host, and there is none")
    return found


def _towards(addresses: Collection[IPAddress], doors: Doors, journeys: Journeys) -> int:
    return journeys.mask(
        lambda j: j.packet.destination in addresses and (j.packet.protocol, j.packet.destination_port) in doors
    )
