"""What goes wrong in the attacker's hands: a tool that hangs, a tool that is not there, a whole means at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from labs.attacks import campaign
from labs.attacks.arena import arena
from labs.attacks.base import Red, Tool
from labs.attacks.kit import IMPACT
from labs.attacks.means_b_kit import Command, Scripted
from labs.attacks.measure import Measured, measure
from labs.attacks.registry import all_means, means, missing_tools
from labs.battlefield import Battlefield
from labs.battlefield.replay import attempt, replay
from labs.scenario import Stage, draw
from secloop_ai.contracts.errors import LabError
from tests.battlefield.support import eventually, needs_lab

pytestmark = [*needs_lab, pytest.mark.slow, pytest.mark.timeout(240)]
FOREVER = f"9{os.getpid()}"
"""Seconds, and how the tool's processes are told from all others."""


class Stuck(Scripted):
    """A tool that does not end, does not listen to reason, and has children."""

    id = "stuck"
    about = "A tool that hangs"
    tactic = IMPACT
    technique = "T1499"
    port = 80
    sid, classification = 9002036, "attempted-dos"

    def commands(self, red: Red, stage: Stage) -> Iterable[Command]:  # noqa: ARG002 - the same everywhere
        yield Command(["sh", "-c", f"trap '' TERM; sleep {FOREVER} & setsid sleep {FOREVER} & sleep {FOREVER}"], 1.0)


@pytest.fixture(scope="module")
def field() -> Iterator[Battlefield]:
    """A network without services: nothing here needs any."""
    with Battlefield(draw(arena("sql-injection", 0), 0), host_services=False) as made:
        yield made


def sleepers() -> list[Path]:
    """Processes of the tool, wherever they run."""
    found = []
    for words in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if words.read_bytes() == f"sleep\0{FOREVER}\0".encode():
                found.append(words)
        except OSError:
            continue
    return found


def test_a_tool_that_hangs_is_ended_with_its_children_and_the_receipt_says_so(field: Battlefield) -> None:
    got = attempt(field, Stuck(), field.case.stages[0], time.monotonic() + 60)
    assert got.attempted
    assert not got.succeeded
    assert got.detail.startswith("out of time: sh ended after 1 s")
    assert eventually(lambda: not sleepers())


def test_a_tool_that_is_missing_is_named_with_its_package(field: Battlefield, monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = (Tool(program="no-such", package="none"),)
    monkeypatch.setattr(type(means("sql-injection")), "tools", lacking)
    with pytest.raises(LabError, match=r"sql-injection: needs no-such \(none\)"):
        replay(field, time.monotonic() + 60)
    assert measure("sql-injection", 0)["error"] == "sql-injection: needs no-such (none)"


@pytest.mark.parametrize(
    "plugin",
    [pytest.param(m.id, marks=[] if m.id == "zero-day" else pytest.mark.exhaustive, id=m.id) for m in all_means()],
)
def test_it_is_measured_whole(plugin: str) -> None:
    """On a real battlefield: it succeeds undefended, is seen, and meets the expert table."""
    if lacking := missing_tools(means(plugin)):
        pytest.skip(", ".join(f"{t.program} ({t.package})" for t in lacking))
    row = Measured.model_validate(measure(plugin, 11))
    assert not row.error
    assert row.succeeded, row.detail
    assert row.alerts
    assert row.latency_s is not None
    assert row.refused or row.blocked is not None
    assert (0 in row.alerts) is (plugin == "zero-day")
    assert campaign.key_of(row.means, row.seed) == f"{plugin}#11"
