"""What a persistent attacker tries after a block: from another address, slower, or by another protocol.

One answer for packets and for the fast model: the attempts are stages like any other.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from labs.scenario import Case, Stage
from secloop_ai.contracts import IPAddress

from .base import Means
from .kit import number
from .registry import means

SLOWER = (2, 4)
"""How many times slower, drawn between these."""
MOST = 1 << 20
MeansSource = Callable[[str], Means]


def attempts(case: Case, stage: Stage, source: MeansSource = means) -> tuple[Stage, ...]:
    """The stage as it is tried, one after the other until it succeeds; the stage itself first.

    An attacker that is not persistent tries once. A persistent one outside has as many tries as addresses, each from
    the next; on a host it keeps that host's address. Each further try is made in the same manner, slower, or by another
    protocol, as far as the means knows these, each manner before any comes again; the order is the stage seed's.

    Args:
        case: whose stage it is.
        stage: the one to be tried.
        source: from a means' id to the plugin.

    Raises:
        LabError: there is no such means.
    """
    if not case.persistent:
        return (stage,)
    dice = random.Random(f"persistence-{stage.seed}")
    outside = stage.source_host is None
    manners = _manners(source(stage.means), stage, dice, again=outside)
    places = _other_addresses(case, stage) if outside else (stage.source,) * len(manners)
    if not manners:
        return (stage,)
    further = (manners[n % len(manners)] for n in range(len(places)))
    tries = (way.model_copy(update={"source": place}) for way, place in zip(further, places, strict=True))
    return (stage, *tries)


def _manners(plugin: Means, stage: Stage, dice: random.Random, *, again: bool) -> list[Stage]:
    """The ways to try the stage once more, in drawn order."""
    found = [*([stage] if again else []), *_changed(plugin, stage, dice)]
    dice.shuffle(found)
    return found


def _changed(plugin: Means, stage: Stage, dice: random.Random) -> Iterator[Stage]:
    times = dice.randint(*SLOWER)
    if plugin.paces or plugin.pauses:
        yield slower(plugin, stage, times)
    if (other := plugin.otherwise(stage)) is not None:
        yield other


def slower(plugin: Means, stage: Stage, times: int) -> Stage:
    """The stage at a fraction of its speed: what is a rate divided, what is a pause multiplied."""
    now = {p.name: number(stage, p.name, p.usual, MOST) for p in (*plugin.paces, *plugin.pauses)}
    rates = {p.name: min(now[p.name], max(p.slowest, now[p.name] // times)) for p in plugin.paces}
    pauses = {p.name: max(now[p.name], min(p.slowest, now[p.name] * times)) for p in plugin.pauses}
    return stage.model_copy(update={"params": {**stage.params, **rates, **pauses}})


def _other_addresses(case: Case, stage: Stage) -> tuple[IPAddress, ...]:
    return tuple(p.address for p in case.attackers if p.address != stage.source)
