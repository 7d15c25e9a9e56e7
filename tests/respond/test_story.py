"""From an EVE file to a change, to the same bytes as before."""

from __future__ import annotations

import pytest

from secloop_ai.contracts import StalePlanError, TransactionFailed

from .world import World, eve

FOREIGN = """
<acls xmlns="urn:ietf:params:xml:ns:yang:ietf-access-control-list"><acl><name>edge-in</name><aces><ace>
<name>operator-night-shift</name><matches><ipv4><source-ipv4-network>198.18.0.9/32</source-ipv4-network></ipv4>
</matches><actions><forwarding>drop</forwarding></actions></ace></aces></acl></acls>
"""


def test_a_response_is_made_verified_and_undone_byte_for_byte(world: World) -> None:
    before = world.device.running()
    result = world.respond()
    assert result.changed
    assert result.values["outcome"] == "confirmed"
    assert "203.0.113.66/32" in world.device.running()
    assert len(world.active()) == 1
    removed = world.expire()
    assert removed.changed
    assert world.active() == []
    assert world.device.running() == before


def test_the_same_file_again_changes_nothing(world: World) -> None:
    world.respond()
    held = world.device.running()
    world.device.clear("log")
    again = world.respond()
    assert not again.changed
    assert again.values["outcome"] == "unchanged"
    assert world.device.running() == held
    assert not world.device.served("edit", "commit", "confirm", "lock")


def test_what_somebody_took_away_is_put_back(world: World) -> None:
    before = world.device.running()
    world.respond()
    held = world.device.running()
    world.device.set_running(before)
    assert world.respond().changed
    assert world.device.running() == held


def test_a_lost_ledger_is_no_reason_for_a_second_entry(world: World) -> None:
    world.respond()
    held = world.device.running()
    (world.root / "ledger.sqlite").unlink()
    assert not world.respond().changed
    assert world.device.running() == held
    assert len(world.active()) == 1


def test_another_incident_with_the_same_effect_extends_the_first(world: World) -> None:
    world.respond()
    with world.ledger() as ledger:
        (first,) = ledger.mitigations()
    later = world.respond(eve(world.root / "later.json", destination="192.0.2.10", port=80))
    assert not later.changed
    with world.ledger() as ledger:
        (second,) = ledger.mitigations()
    assert second.mitigation_id == first.mitigation_id
    assert second.expires_at > first.expires_at


def test_a_foreign_edit_between_commit_and_expiry_stays(world: World) -> None:
    world.respond()
    world.device.foreign_edit(FOREIGN)
    world.expire()
    after = world.device.running()
    assert "operator-night-shift" in after
    assert "203.0.113.66" not in after


def test_a_foreign_edit_between_plan_and_commit_refuses_the_plan(world: World) -> None:
    plan = world.plan()
    world.device.foreign_edit(FOREIGN)
    foreign = world.device.running()
    with pytest.raises(TransactionFailed, match="edge-in"):
        world.apply(plan)
    assert world.device.running() == foreign
    assert world.active() == []


def test_two_mitigations_on_one_acl_leave_in_any_order(world: World) -> None:
    before = world.device.running()
    first = world.respond()
    second = world.respond(eve(world.root / "other.json", source="203.0.113.77"))
    one, two = (r.values["report"]["plan_id"] for r in (first, second))
    assert one != two
    incidents = [m.split("-")[0] for m in world.active()]
    world.roll_back(incidents[0])
    assert "203.0.113.66" not in world.device.running()
    assert "203.0.113.77" in world.device.running()
    world.roll_back(incidents[1])
    assert world.device.running() == before


def test_a_rolled_back_incident_can_come_back(world: World) -> None:
    world.respond()
    (incident,) = {m.split("-")[0] for m in world.active()}
    world.roll_back(incident)
    assert world.respond().changed
    assert len(world.active()) == 1


def test_the_kill_switch_takes_everything(world: World) -> None:
    before = world.device.running()
    world.respond()
    world.respond(eve(world.root / "other.json", source="203.0.113.77"))
    world.roll_back("all")
    assert world.device.running() == before
    assert world.active() == []


def test_an_expirer_that_is_not_alive_is_said(world: World) -> None:
    warned = world.respond()
    assert any("no expirer is alive" in w for w in warned.warnings)


@pytest.mark.parametrize("name", ["plan.json", "devices/gw1/edit.xml", "summary.txt"])
def test_a_changed_file_refuses_the_plan(world: World, name: str) -> None:
    before = world.device.running()
    plan = world.plan()
    path = plan / name
    path.write_text(path.read_text() + " ")
    with pytest.raises(StalePlanError, match=name):
        world.apply(plan)
    assert world.device.running() == before


def test_an_added_and_a_missing_file_refuse_the_plan(world: World) -> None:
    plan = world.plan()
    (plan / "devices/gw1/more.xml").write_text("<x/>")
    with pytest.raises(StalePlanError, match=r"more\.xml"):
        world.apply(plan)
    (plan / "devices/gw1/more.xml").unlink()
    (plan / "devices/gw1/inverse.xml").unlink()
    with pytest.raises(StalePlanError, match=r"inverse\.xml"):
        world.apply(plan)


def test_a_plan_is_held_to_todays_protected_set(world: World) -> None:
    from secloop_ai.contracts import GuardRefusal

    plan = world.plan()
    protected = world.inventory / "group_vars" / "all.yml"
    protected.write_text(protected.read_text().replace("secloop_protected:", "secloop_protected:\n- 203.0.113.66"))
    with pytest.raises(GuardRefusal, match="protected-set"):
        world.apply(plan)
