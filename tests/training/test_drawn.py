"""Drawn means: the same by name, honest about handshakes, and never for packets."""

from __future__ import annotations

from typing import cast

import pytest

from labs.attacks.base import Red
from labs.scenario import Kind
from secloop_ai.contracts import Protocol
from secloop_ai.contracts.errors import LabError
from training.corpus import DRAWN, Source, task_from
from training.drawn import drawn, means_source

TASKS = [task_from(Source(DRAWN, 0, seed)) for seed in range(40)]


def test_equal_names_are_equal_means() -> None:
    stage = next(s for t in TASKS for s in t.case.stages if s.means.startswith("drawn-"))
    one, other = drawn(stage.means), drawn(stage.means)
    assert one.observables(stage) == other.observables(stage)
    assert one.exchanges(stage) == other.exchanges(stage)


def test_attacks_work_where_nobody_defends() -> None:
    attacks = [t for t in TASKS if t.case.kind is Kind.ATTACK]
    assert len(attacks) > 10
    assert all(t.field.undefended().valid for t in attacks)


def test_no_alert_claims_a_handshake_without_tcp() -> None:
    told = [s for t in TASKS for s in t.request.summaries]
    assert any(s.handshake for s in told)
    assert all(s.protocol is Protocol.TCP for s in told if s.handshake)


def test_it_is_never_played_with_packets() -> None:
    stage = next(s for t in TASKS for s in t.case.stages if s.means.startswith("drawn-"))
    with pytest.raises(LabError, match="fast model alone"):
        means_source(stage.means).run(cast("Red", None), stage)
    with pytest.raises(LabError, match="no attack means"):
        means_source("no-such-means")
