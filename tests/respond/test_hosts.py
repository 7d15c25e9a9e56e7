"""Hosts and devices in one strategy, and the steps of the playbooks on hosts of the user's own inventory."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest
import yaml

from secloop_ai.contracts import Action, BlockIp, DisableAccount, Outcome, TransactionFailed
from secloop_ai.loop import steps
from secloop_ai.loop.context import EXPIRER, Context, now
from secloop_ai.loop.folder import read_plan, write_plan
from secloop_ai.loop.recover import recover_all
from secloop_ai.loop.story import plan_summary
from secloop_ai.loop.undo import roll_back
from tests.loop.ground import ROLES, Ground, variables, with_access
from tests.respond.world import ATTACKER, World

BLOCK = BlockIp(ttl_s=900, source=ip_network(f"{ATTACKER}/32"))
HOST = "app1"


def disable(account: str = "operator") -> Action:
    return DisableAccount(ttl_s=900, host=HOST, account=account)


@pytest.fixture
def ground(world: World) -> Iterator[Ground]:
    context = Context(world.params)
    (world.root / "ground").mkdir()
    made = Ground(with_access(context.environment(), HOST), world.root / "ground", (HOST,))
    made.ledger.heartbeat(EXPIRER, interval_s=3600, now=now())
    yield made
    made.ledger.close()


def test_hosts_and_devices_in_one_strategy_come_and_go_together(world: World, ground: Ground) -> None:
    before = world.device.running()
    report = ground.apply(BLOCK, disable())
    assert report.outcome == "confirmed"
    assert ([d.state for d in report.devices], [h.state for h in report.hosts]) == (["confirmed"], ["confirmed"])
    assert ATTACKER in world.device.running()
    assert ground.disabled(HOST) == ["operator"]
    assert {m.mitigation_id: list(m.operations) for m in ground.active()} == {
        "aaaaaaaaaa-0": ["gw1"],
        "aaaaaaaaaa-1": [HOST],
    }
    assert sorted(roll_back(ground, "aaaaaaaaaa").removed) == ["aaaaaaaaaa-0", "aaaaaaaaaa-1"]
    assert (world.device.running(), ground.disabled(HOST)) == (before, [])
    assert ground.active() == ()


def test_a_device_that_fails_undoes_the_hosts(world: World, ground: Ground) -> None:
    before = world.device.running()
    world.device.fault("validate", "error")
    with pytest.raises(TransactionFailed, match="gw1: validate") as raised:
        ground.apply(BLOCK, disable())
    report = raised.value.report
    assert report.outcome == "undone"
    assert ([d.state for d in report.devices], [h.state for h in report.hosts]) == (["undone"], ["undone"])
    assert (world.device.running(), ground.disabled(HOST)) == (before, [])
    assert ground.active() == ()
    assert ground.ledger.pending_commits() == ()


@pytest.mark.exhaustive
def test_a_host_that_fails_keeps_the_devices_out_of_it(world: World, ground: Ground) -> None:
    plan = ground.plan(BLOCK, disable("no-verify"))
    world.device.clear("log")
    with pytest.raises(TransactionFailed, match=f"{HOST}: It must be disabled"):
        ground.commit(plan)
    assert world.device.served("lock", "edit", "commit") == []
    assert ground.active() == ()


def test_a_controller_that_dies_after_the_devices_agreed_is_finished(
    world: World, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = ground.ledger.settle_commit

    def die(report: Any, **more: Any) -> None:
        if report.hosts:
            raise KeyboardInterrupt
        settle(report, **more)

    monkeypatch.setattr(ground.ledger, "settle_commit", die)
    with pytest.raises(KeyboardInterrupt):
        ground.apply(BLOCK, disable())
    monkeypatch.setattr(ground.ledger, "settle_commit", settle)
    (pending,) = ground.ledger.pending_commits()
    assert pending.devices == (HOST,)
    (report,) = recover_all(ground)
    assert report.outcome == Outcome.CONFIRMED
    assert (ATTACKER in world.device.running(), ground.disabled(HOST)) == (True, ["operator"])
    assert {m.mitigation_id for m in ground.active()} == {"aaaaaaaaaa-0", "aaaaaaaaaa-1"}


def test_the_steps_of_the_playbooks(world: World, ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_ROLES_PATH", str(ROLES))
    access = {"actions": ["disable_account"], "accounts": ["operator"]}
    world.edit_host(HOST, {"access": access})
    path = world.inventory / "host_vars" / f"{HOST}.yml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | variables(ground.root, HOST)))
    environment = Context(world.params).environment()
    assert "disable_account" in environment.offered_actions()

    content = ground.plan(disable())
    folder = world.root / "plan"
    write_plan(folder, content, plan_summary(content.plan, None, (), now()))
    line = f"{HOST}: disable_account account=operator (by aaaaaaaaaa-0)"
    assert line in (folder / "summary.txt").read_text()
    assert (folder / "hosts" / HOST / "roles.txt").read_text() == line.removeprefix(f"{HOST}: ") + "\n"
    assert read_plan(folder) == content

    checked = steps.commit_step({**world.params, "plan_dir": str(folder)}, True)
    assert checked.changed
    assert f"{HOST}: the roles would change it" in checked.values["story"]
    assert any("aaaaaaaaaa-0" in part["prepared"] for part in checked.diff)
    assert ground.disabled(HOST) == []

    done = steps.commit_step({**world.params, "plan_dir": str(folder)}, False)
    assert (done.changed, done.values["outcome"]) == (True, "confirmed")
    assert ground.disabled(HOST) == ["operator"]
    assert done.values["report"]["hosts"][0]["host"] == HOST
    again = steps.commit_step({**world.params, "plan_dir": str(folder)}, False)
    assert (again.changed, again.values["outcome"]) == (False, "unchanged")
    gone = steps.rollback_step({**world.params, "incident": "all"}, False)
    assert (gone.changed, gone.values["removed"]) == (True, ["aaaaaaaaaa-0"])
    assert ground.disabled(HOST) == []
