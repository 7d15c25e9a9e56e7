"""A case taken apart once: what each stage sends, what each client asks for, and how often."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from labs.attacks.base import Exchange, Means
from labs.attacks.persistence import attempts
from labs.scenario import Case, LegitFlow, Stage

from .journeys import Journeys, answer_to, packet_of

MeansSource = Callable[[str], Means]
"""From the id of a scenario file to the plugin."""
PHASE_S = 10.0
"""Seconds of each part of a run: before, each stage, after. Our choice; only the weights of tries depend on it."""
LEAST_TRIES = 20
"""Legitimate tries in one run, at least."""
TRY_BYTES = 1_000
"""What a legitimate try sends to its service, about; for sharing a rate limit."""
DENIAL = ("T1498.001", "T1499")
"""Techniques (with what is below them) that take the target's service from its clients while they succeed.

Reflection (T1498.002) hurts somebody else, and a service that is stopped here only says so.
"""


class Sending(NamedTuple):
    """One exchange of a stage.

    Attributes:
        opening: bit of its first packet's journey: where rate limits meet its payload.
    """

    opening: int
    exchange: Exchange

    @property
    def demand_bytes_per_s(self) -> float:
        """What it tries to send; an exchange that names no rate spreads its bytes over its patience."""
        return self.exchange.bytes_per_s or self.exchange.bytes_needed / self.exchange.patience_s


class Attempt(NamedTuple):
    """A stage from one address: the journeys that must all hold, and what is sent."""

    journeys: int
    sendings: tuple[Sending, ...]


class StageScript(NamedTuple):
    """A stage as it will be played.

    Attributes:
        able: the target has the weakness, or none is needed; what the attacker runs outside always serves it.
        attempts: how it is tried, in order; only a persistent attacker tries more than once.
        denied: indexes of the flows that get no service while it succeeds.
    """

    stage: Stage
    means: Means
    able: bool
    attempts: tuple[Attempt, ...]
    denied: tuple[int, ...]


class FlowScript(NamedTuple):
    """A client's use of a service.

    Attributes:
        tries: in each part of a run.
    """

    flow: LegitFlow
    opening: int
    journeys: int
    tries: int

    @property
    def demand_bytes_per_s(self) -> float:
        """What it sends to the service."""
        return self.flow.per_minute * TRY_BYTES / 60


class Script(NamedTuple):
    """Everything that happens in a case."""

    journeys: Journeys
    stages: tuple[StageScript, ...]
    flows: tuple[FlowScript, ...]


def write_script(case: Case, means: MeansSource, journeys: Journeys) -> Script:
    """Take a case apart; every packet in it becomes a journey.

    Raises:
        LabError: the source knows no such means.
    """
    stages = tuple(_stage(case, stage, means(stage.means), journeys) for stage in case.stages)
    return Script(journeys, stages, tuple(_flows(case, journeys)))


def _stage(case: Case, stage: Stage, means: Means, journeys: Journeys) -> StageScript:
    denies = any(f"{means.technique}.".startswith(f"{t}.") for t in DENIAL)
    hit = (n for n, f in enumerate(case.flows) if f.server == stage.target_host and stage.service in (None, f.service))
    return StageScript(
        stage=stage,
        means=means,
        able=stage.weak or not means.service_kinds or stage.target_host is None,
        attempts=tuple(_attempt(means.exchanges(s), journeys) for s in attempts(case, stage, lambda _: means)),
        denied=tuple(hit) if denies else (),
    )


def _attempt(exchanges: tuple[Exchange, ...], journeys: Journeys) -> Attempt:
    mask = 0
    sendings = []
    for exchange in exchanges:
        packet = packet_of(exchange.initiator, exchange.responder, exchange.protocol, exchange.port)
        opening = journeys.add(packet).bit
        mask |= opening
        if exchange.two_way:
            mask |= journeys.add(answer_to(packet)).bit
        sendings.append(Sending(opening, exchange))
    return Attempt(mask, tuple(sendings))


def _flows(case: Case, journeys: Journeys) -> Iterator[FlowScript]:
    """The flows with their tries, scaled up where a quiet network would see too few."""
    counts = [max(1, round(f.per_minute * PHASE_S / 60)) for f in case.flows]
    seen = sum(counts) * parts(case)
    scale = -(-LEAST_TRIES // seen) if 0 < seen < LEAST_TRIES else 1
    for flow, count in zip(case.flows, counts, strict=True):
        opening = journeys.add(flow.packet).bit
        mask = opening | journeys.add(answer_to(flow.packet)).bit
        yield FlowScript(flow, opening, mask, count * scale)


def parts(case: Case) -> int:
    """Parts of a run: before, each stage, after."""
    return 2 + len(case.stages)
