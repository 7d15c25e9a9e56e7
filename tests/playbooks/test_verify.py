"""verify.yml and `secloop verify`, as commands: drift is told, planned, repaired, and then there is none."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import ansible_runner
import pytest

from .desk import PROJECT, Desk


@pytest.fixture(scope="module")
def desk(new_desk: Callable[[], Desk]) -> Desk:
    """One desk with one block on its device, for the tests of this module in their order."""
    desk = new_desk()
    desk.respond()
    return desk


def lose_the_entry(desk: Desk) -> None:
    """Somebody takes our entry away on the console."""
    text = desk.device.running()
    without = re.sub(r"<ace><name>sl-.*?</ace>", "", text, flags=re.DOTALL)
    assert without != text
    desk.device.set_running(without)


def test_the_playbook_finds_plans_and_repairs_drift(desk: Desk) -> None:
    held = desk.device.running()
    (mitigation,) = desk.active()
    fine = desk.play("verify.yml")
    assert (fine.rc, fine.changed) == (0, 0)
    assert "no drift" in fine.out
    lose_the_entry(desk)
    drifted = desk.device.running()
    told = desk.play("verify.yml")
    assert (told.failed, told.changed) == (1, 0)
    assert f"gw1: missing: ge0 ingress ({mitigation})" in told.out
    planned = desk.play("verify.yml", "--check", "--diff", secloop_fix="true")
    assert (planned.rc, planned.changed) == (0, 1)
    assert "203.0.113.66/32 -> any: permit -> drop" in planned.out
    assert desk.device.running() == drifted
    fixed = desk.play("verify.yml", secloop_fix="true")
    assert (fixed.rc, fixed.changed) == (0, 1)
    assert f"repaired: {mitigation}" in fixed.out
    assert desk.device.running() == held
    again = desk.play("verify.yml", secloop_fix="true")
    assert (again.rc, again.changed) == (0, 0)
    assert desk.active() == [mitigation]


def test_the_command_does_the_same(desk: Desk) -> None:
    held = desk.device.running()
    (mitigation,) = desk.active()
    lose_the_entry(desk)
    told = desk.on_inventory("verify", "--json")
    assert told.rc == 1
    (finding,) = told.json()["remaining"]
    assert (finding["kind"], finding["mitigation_id"]) == ("missing", mitigation)
    assert desk.on_inventory("verify", "--fix", "--check").rc == 0
    fixed = desk.on_inventory("verify", "--fix")
    assert (fixed.rc, desk.device.running()) == (0, held)
    assert f"repaired: {mitigation}" in fixed.out
    counted = desk.on_inventory("verify", "--counters")
    assert counted.rc == 0
    assert "dialect ietf has no show command" in counted.err
    assert "Traceback" not in counted.said


def test_a_runner_gets_the_findings_as_data(desk: Desk, tmp_path: Path) -> None:
    (mitigation,) = desk.active()
    lose_the_entry(desk)
    results = {}
    for fix in (False, True):
        private = tmp_path / f"run-{fix}"
        private.mkdir()
        run = ansible_runner.run(
            private_data_dir=str(private),
            project_dir=str(PROJECT / "playbooks"),
            playbook="verify.yml",
            inventory=str(desk.inventory),
            extravars={"secloop_fix": fix},
            envvars={**desk.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg")},
            quiet=True,
        )
        (held,) = [
            e["event_data"]["res"]
            for e in run.events
            if e["event"] == "runner_on_ok" and e["event_data"]["task_action"] == "secloop_verify"
        ]
        results[fix] = (run.rc != 0, held)
    failed, found = results[False]
    assert failed
    assert [(f["kind"], f["mitigation_id"], f["device"]) for f in found["remaining"]] == [
        ("missing", mitigation, "gw1")
    ]
    failed, fixed = results[True]
    assert not failed
    assert (fixed["changed"], fixed["repaired"], fixed["remaining"]) == (True, [mitigation], [])
