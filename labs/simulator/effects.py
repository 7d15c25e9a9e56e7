"""What one action does to every journey and stage of a case, found once and then only combined.

Operations come from secloop_ai.loop.compile, and what they do to a packet from the DeviceModel they make.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from labs.attacks.base import Means
from labs.scenario import Case, Stage
from secloop_ai.contracts import (
    PROTOCOL_NUMBER,
    Action,
    AdminOp,
    ClosePort,
    DeviceModel,
    DiscardOp,
    DnsSinkhole,
    FilterOp,
    Host,
    Operation,
    Plane,
    PlanError,
    RuleAction,
    StopProcess,
    TaggedOp,
)
from secloop_ai.loop.compile import compile_action

from .devices import device_model
from .journeys import Journey, Journeys, Side

NO_INCIDENT = "0000000000"


class Limit(NamedTuple):
    """A rate limit, and the journeys that share it."""

    rate_bytes_per_s: float
    journeys: int


class Gate(NamedTuple):
    """One operation's entries at one side of a port.

    Attributes:
        met: journeys that some entry decides; `dropped` of them do not pass.
    """

    side: Side
    rank: int
    met: int
    dropped: int
    limits: tuple[Limit, ...]


class Effect(NamedTuple):
    """What an action does.

    Attributes:
        dead: journeys that end whatever else stands: a port down, a discard route, a host's own filter.
        countered: stages that the action stops on a host, as a mask by index.
        fault: why the action cannot be executed; None when it can.
    """

    dead: int = 0
    gates: tuple[Gate, ...] = ()
    countered: int = 0
    fault: str | None = None


class Combined(NamedTuple):
    """What a strategy does: the journeys that end, the limits the others share, the stages stopped on a host."""

    dead: int
    limits: tuple[Limit, ...]
    countered: int


def combine(effects: Sequence[Effect]) -> Combined:
    """The effects together: at each side of a port the entries of lower rank first, then the earlier action's."""
    dead = countered = 0
    sides: dict[Side, list[tuple[int, str, Gate]]] = defaultdict(list)
    for number, effect in enumerate(effects):
        dead |= effect.dead
        countered |= effect.countered
        for gate in effect.gates:
            sides[gate.side].append((gate.rank, str(number), gate))
    limits: list[Limit] = []
    for gates in sides.values():
        decided = 0
        for _, _, gate in sorted(gates, key=lambda g: g[:2]):
            dead |= gate.dropped & ~decided
            limits += [Limit(rate, held) for rate, mask in gate.limits if (held := mask & ~decided)]
            decided |= gate.met
    return Combined(dead, tuple(limits), countered)


def effect_of(action: Action, case: Case, journeys: Journeys, means: Sequence[Means]) -> Effect:
    """What the action does in this case.

    Args:
        action: of the catalogue.
        case: whose journeys and stages these are.
        journeys: all of the case's.
        means: of every stage, in order.
    """
    if action.spec.plane is Plane.HOST:
        return _on_host(action, case, journeys, means)
    if action.spec.plane is Plane.NONE:
        return Effect()
    try:
        compiled = compile_action(action, case.environment)
    except PlanError as error:
        return Effect(fault=str(error))
    dead = 0
    gates: list[Gate] = []
    for device, ops in compiled.items():
        for op in ops:
            model = device_model(device, [TaggedOp(tag=f"{NO_INCIDENT}-0", op=op)])
            if isinstance(op, FilterOp):
                gates += _gate(device, op, model, journeys)
            else:
                dead |= _ended(device, op, model, journeys)
    return Effect(dead=dead, gates=tuple(gates))


def _gate(device: str, op: FilterOp, model: DeviceModel, journeys: Journeys) -> Iterator[Gate]:
    side = (device, op.interface, op.direction)
    met = dropped = 0
    limited: dict[tuple[str, float], int] = defaultdict(int)
    for journey in journeys.by_side.get(side, ()):
        result = model.filter(journey.packet, op.interface, op.direction)
        if result.rule is None:
            continue
        met |= journey.bit
        if result.action is not RuleAction.PERMIT:
            dropped |= journey.bit
        elif rate := result.rule.rate_bytes_per_s:
            limited[result.rule.name, rate] |= journey.bit
    if met:
        yield Gate(side, op.rank, met, dropped, tuple(Limit(rate, mask) for (_, rate), mask in limited.items()))


def _ended(device: str, op: Operation, model: DeviceModel, journeys: Journeys) -> int:
    def ends(journey: Journey) -> bool:
        return any(
            hop.device == device
            and (
                not model.is_up(hop.entered)
                or not model.is_up(hop.left)
                or (isinstance(op, DiscardOp) and model.discards_to(journey.packet))
            )
            for hop in journey.hops
        )

    return journeys.mask(ends) if isinstance(op, AdminOp | DiscardOp) else 0


def _on_host(action: Action, case: Case, journeys: Journeys, means: Sequence[Means]) -> Effect:
    host = case.environment.host(getattr(action, "host", ""))
    if host is None:
        return Effect(fault=f"{action.kind}: no such host")
    if action.kind in case.environment.not_offered:
        return Effect(fault=f"{action.kind}: {case.environment.not_offered[action.kind]}")
    stopped = (s for s, m in zip(case.stages, means, strict=True) if _counters(action, host, s, m, case))
    return Effect(dead=_closed(action, host, journeys), countered=sum(1 << s.index for s in stopped))


def _counters(action: Action, host: Host, stage: Stage, means: Means, case: Case) -> bool:
    """Whether a host action stops a stage: the means says that it can, on this host, and with these parameters.

    An action counts on the stage's target. On its source it counts where an implant runs there, and the stage has no
    target host or the action ends the implant's process.
    """
    if action.kind not in means.countered_by:
        return False
    if isinstance(action, ClosePort) and action.port != stage.port:
        return False
    if isinstance(action, DnsSinkhole) and action.name != stage.params.get("domain", action.name):
        return False
    if host.name == stage.target_host:
        return True
    implant = host.name == stage.source_host and host.name in case.infected
    return implant and (stage.target_host is None or isinstance(action, StopProcess))


def _closed(action: Action, host: Host, journeys: Journeys) -> int:
    """Journeys that end at the host itself: at a port it closed, or at a service whose process is stopped."""
    ports: set[tuple[int, int]] = set()
    if isinstance(action, ClosePort):
        ports = {(PROTOCOL_NUMBER[action.protocol], action.port)}
    elif isinstance(action, StopProcess):
        ports = {(PROTOCOL_NUMBER[s.protocol], s.port) for s in host.services if s.name == action.process}
    return _towards(host, ports, journeys) if ports else 0


def _towards(host: Host, ports: Iterable[tuple[int, int]], journeys: Journeys) -> int:
    wanted = set(ports)
    return journeys.mask(
        lambda j: j.packet.destination in host.addresses and (j.packet.protocol, j.packet.destination_port) in wanted
    )
