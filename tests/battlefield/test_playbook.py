"""The answer through Ansible: the inventory says what the battlefield is, and respond.yml stops the attack there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from labs.attacks.registry import means
from labs.battlefield import Battlefield, inventory, playbook
from labs.battlefield.trial import settle
from labs.scenario import Kind, draw
from secloop_ai.dialects import known
from secloop_ai.inventory import load_environment

from .support import needs_lab, office


@pytest.fixture
def attacked() -> Iterator[Battlefield]:
    with Battlefield.clone(office(), 7) as field:
        field.start_sensor()
        stage = field.case.stages[0]
        receipt = means(stage.means).run(field.red(stage), stage)
        assert receipt.succeeded, receipt.detail
        settle(field)
        yield field


def test_what_is_written_reads_as_the_same_network(tmp_path: Path) -> None:
    environment = draw(office(), 7).environment
    folder = inventory.write(environment, {}, tmp_path / "inventory")
    found = load_environment([str(folder)], known_dialects=known())
    assert {h.name: h for h in found.hosts} == {h.name: h for h in environment.hosts}
    assert [(d.name, d.interfaces) for d in found.devices] == [(d.name, d.interfaces) for d in environment.devices]
    assert set(found.protected) >= set(environment.protected)
    assert found.max_actions == environment.max_actions


@pytest.mark.usefixtures("attacked")
class TestLive:
    """One run of the playbook, looked at from all sides."""

    pytestmark = needs_lab

    def test_the_playbook_stops_the_attack_and_leaves_feedback(self, attacked: Battlefield) -> None:
        assert attacked.case.kind is Kind.ATTACK
        before = attacked.snapshot()
        rehearsed = playbook.respond(attacked, check=True)
        assert rehearsed.feedback.rc == 0, rehearsed.failure
        assert rehearsed.diff
        assert attacked.snapshot() == before

        run = playbook.respond(attacked)
        assert run.feedback.rc == 0, run.failure
        assert run.feedback.changed
        assert run.feedback.rs_exe == 1.0
        assert run.feedback.rs_service == 1.0
        stage = attacked.case.stages[0]
        assert not means(stage.means).run(attacked.red(stage), stage).succeeded

        assert attacked.undo().removed
        assert attacked.snapshot() == before
