"""The networks that means are measured in are sound scenarios, and the same for the same seed."""

from __future__ import annotations

import pytest

from labs.attacks.arena import arena
from labs.attacks.base import Means
from labs.attacks.registry import all_means
from labs.scenario import draw
from labs.scenario.load import inconsistencies
from labs.simulator import FastField
from secloop_ai.contracts.errors import LabError

SEEDS = range(6)


@pytest.mark.parametrize("plugin", all_means(), ids=lambda m: m.id)
def test_a_means_has_a_sound_network_in_which_it_succeeds(plugin: Means) -> None:
    for seed in SEEDS:
        assert list(inconsistencies(arena(plugin.id, seed))) == []
        case = draw(arena(plugin.id, seed), seed)
        assert case.stages[-1].means == plugin.id
        assert case.flows
        assert FastField(case).undefended().valid


def test_seeds_bring_other_topologies_and_addresses() -> None:
    cases = [draw(arena("sql-injection", seed), seed) for seed in SEEDS]
    assert {len(c.environment.devices) for c in cases} == {1, 2}
    assert len({c.stages[0].target for c in cases}) == len(cases)
    assert cases[1] == draw(arena("sql-injection", 1), 1)


def test_a_flood_has_both_its_targets() -> None:
    assert {draw(arena("dos-flood", seed), seed).stages[0].protocol for seed in SEEDS} == {"tcp", "udp"}


def test_an_unknown_means_has_none() -> None:
    with pytest.raises(LabError, match="no attack means"):
        arena("sql-injektion", 0)
