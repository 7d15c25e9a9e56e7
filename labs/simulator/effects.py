"""What one action does to every journey and stage of a case, found once and then only combined.

Operations come from secloop_ai.loop.compile, and what they do to a packet from the DeviceModel they make.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from labs.attacks.base import Means
from labs.scenario import Case
from secloop_ai.contracts import (
    Action,
    AdminOp,
    DeviceModel,
    DeviceOperation,
    DiscardOp,
    FilterOp,
    Plane,
    PlanError,
    RoleOp,
    RuleAction,
    TaggedOp,
)
from secloop_ai.loop.compile import compile_action

from .devices import device_model
from .hosts import countered, ended
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
    if action.spec.plane is Plane.NONE:
        return Effect()
    if action.kind in case.environment.not_offered:
        return Effect(fault=f"{action.kind}: {case.environment.not_offered[action.kind]}")
    try:
        compiled = compile_action(action, case.environment)
    except PlanError as error:
        return Effect(fault=str(error))
    if action.spec.plane is Plane.HOST:
        return Effect(dead=ended(action, case, journeys), countered=countered(action, case, means))
    dead = 0
    gates: list[Gate] = []
    for device, ops in compiled.items():
        for op in (o for o in ops if not isinstance(o, RoleOp)):
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


def _ended(device: str, op: DeviceOperation, model: DeviceModel, journeys: Journeys) -> int:
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
