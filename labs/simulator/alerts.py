"""The alerts a sensor on the gateways would raise, from what each means says that one may see.

Everything a summary holds is something a sensor has: addresses, ports, counters, and its rule's own words.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from labs.attacks.base import Observable
from labs.scenario import Case
from secloop_ai.alerts import WINDOW_S
from secloop_ai.contracts import AlertSummary, Flow, IPAddress, Protocol, Untrusted

from .paths import Paths
from .script import PHASE_S, StageScript

EPOCH = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
"""When the run of seed 0 begins, on the sensor's clock; another seed's begins as many minutes later."""
ARP = "arp"
BROADCAST = frozenset({ARP, "dhcp"})
"""What every port of a segment gets, so that the gateway's sensor sees it among neighbours too."""
NUMBERED = {1: Protocol.ICMP, 6: Protocol.TCP, 17: Protocol.UDP}
PORTED = (Protocol.TCP, Protocol.UDP)
NAMING = ("dns", "tls", "http")
"""Application protocols that a sensor reads names in."""
LEAST_FRAME_BYTES = 66
MOST_PORTS = 8
"""Ports of one stage that make summaries of their own, at most: a scan touches more, and rules have thresholds."""
SSH_PORT = 22
SERVER_SSH = Observable(sid=9000008, classification="misc-attack", techniques=("T1021",), severity=2, handshake=False)
"""SSH from one server to another, attack or not."""
_DAY_MINUTES = 1_440


def alerts_of(case: Case, attempted: Sequence[StageScript], paths: Paths) -> tuple[AlertSummary, ...]:
    """Summaries of what was attempted, and of what daily use sets off, in order of time."""
    found = [summary for scripted in attempted for summary in _of_stage(case, scripted, paths)]
    found += _of_daily_use(case)
    return tuple(sorted(found, key=lambda s: (s.first_seen, s.signature_id)))


def _begin(case: Case) -> datetime:
    return EPOCH + timedelta(minutes=case.seed % _DAY_MINUTES)


def _of_daily_use(case: Case) -> Iterator[AlertSummary]:
    """The one rule that rightful use sets off: SSH from one server to another, once in some seconds per source."""
    servers = {h.name for h in case.environment.hosts if h.services}
    seen = SERVER_SSH.model_copy(update={"count": 1 + len(case.stages)})
    uses = (f for f in case.flows if f.packet.destination_port == SSH_PORT and servers >= {f.client, f.server})
    for packet in {f.client: f.packet for f in uses}.values():
        view = _View(packet.source, packet.destination, Protocol.TCP, SSH_PORT, two_way=False, names=())
        yield _summary(view, seen, SSH_PORT, _begin(case), random.Random(f"{case.case_id} {packet.source}"))


def _of_stage(case: Case, scripted: StageScript, paths: Paths) -> Iterator[AlertSummary]:
    if scripted.means.blind:
        return
    stage = scripted.stage
    start = _begin(case) + timedelta(seconds=stage.index * PHASE_S)
    for number, seen in enumerate(scripted.means.observables(stage)):
        if _passes_a_gateway(scripted, paths) or seen.app_protocol in BROADCAST:
            dice = random.Random((stage.seed << 8) + number)
            yield from _summaries(_view(scripted, seen.app_protocol), seen, start, dice)


def _passes_a_gateway(scripted: StageScript, paths: Paths) -> bool:
    """Whether any of the stage's traffic leaves its segment; a means without traffic is seen by what it causes."""
    sendings = scripted.attempts[0].sendings
    return not sendings or any(paths.between(s.exchange.initiator, s.exchange.responder) for s in sendings)


class _View(NamedTuple):
    """A stage's first exchange as a sensor sees it; its port is None where it goes to many.

    Attributes:
        names: read in its traffic, where the application protocol carries any.
    """

    client: IPAddress
    server: IPAddress
    protocol: Protocol
    port: int | None
    two_way: bool
    names: tuple[str, ...]


def _view(scripted: StageScript, app_protocol: str | None) -> _View:
    stage, sendings, names = scripted.stage, scripted.attempts[0].sendings, scripted.means.names
    if not sendings and app_protocol == ARP:
        return _View(stage.source, stage.target, Protocol.OTHER, None, two_way=False, names=names)
    if not sendings:
        return _View(stage.source, stage.target, _protocol(stage.protocol), stage.port, two_way=True, names=names)
    exchange = sendings[0].exchange
    protocol = NUMBERED.get(exchange.protocol, Protocol.OTHER)
    return _View(exchange.initiator, exchange.responder, protocol, exchange.port, exchange.two_way, names)


def _summaries(view: _View, seen: Observable, start: datetime, dice: random.Random) -> Iterator[AlertSummary]:
    """One summary per destination port: many where ports are tried, or where answers go to a client's many ports."""
    if view.protocol not in PORTED:
        ports: list[int | None] = [None]
    elif seen.to_server and view.port is not None:
        ports = [view.port]
    else:
        among = range(32_768, 61_000) if not seen.to_server else range(1, 1_024)
        ports = list(dice.sample(among, min(seen.count, MOST_PORTS)))
    for number, port in enumerate(ports):
        count = seen.count // len(ports) + (number < seen.count % len(ports))
        yield _summary(view, seen.model_copy(update={"count": count}), port, start, dice)


def _summary(view: _View, seen: Observable, port: int | None, start: datetime, dice: random.Random) -> AlertSummary:
    ported = view.protocol in PORTED
    # what the sensor tells proves a handshake only where it knew the application protocol: secloop_ai/alerts/handshake
    handshake = seen.handshake and view.protocol is Protocol.TCP and seen.app_protocol is not None
    first = start + timedelta(microseconds=dice.randint(50_000, 900_000))
    seconds = min(WINDOW_S, PHASE_S) * dice.uniform(0.2, 0.9) if seen.count > 1 else 0.0
    return AlertSummary(
        signature_id=seen.sid,
        signature=Untrusted.of(f"rule {seen.sid}"),
        source=view.client if seen.to_server else view.server,
        destination=view.server if seen.to_server else view.client,
        destination_port=port,
        protocol=view.protocol,
        app_protocol=seen.app_protocol,
        classification=seen.classification,
        techniques=seen.techniques,
        severity=seen.severity,
        count=seen.count,
        first_seen=first,
        last_seen=first + timedelta(seconds=round(seconds, 6)),
        source_ports=(min(seen.count, 255) if seen.to_server else 1) if ported else 0,
        to_server=seen.to_server,
        handshake=handshake,
        flow=_flow(seen, dice, answered=handshake or view.two_way),
        domains=view.names if seen.app_protocol in NAMING else (),
    )


def _protocol(name: str) -> Protocol:
    return Protocol(name) if name in {p.value for p in Protocol} else Protocol.OTHER


def _flow(seen: Observable, dice: random.Random, *, answered: bool) -> Flow:
    """Counters such as a sensor has when a rule fires: some packets per alert, answered where somebody answers."""
    to_server = seen.count * (dice.randint(4, 12) if seen.handshake else dice.randint(1, 2))
    to_client = (seen.count * dice.randint(3, 10) if seen.handshake else seen.count) if answered else 0
    return Flow(
        packets_to_server=to_server,
        packets_to_client=to_client,
        bytes_to_server=to_server * (LEAST_FRAME_BYTES + dice.randint(0, 180)),
        bytes_to_client=to_client * (LEAST_FRAME_BYTES + dice.randint(0, 500)),
    )
