"""Drift planted on a real NETCONF server is found by name and repaired, and nothing else is touched."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from labs.emulator import EmulatedDevice
from secloop_ai.contracts import Mitigation, MitigationState
from secloop_ai.ledger import open_ledger
from secloop_ai.loop import steps

from .world import World, eve

ACL = "urn:ietf:params:xml:ns:yang:ietf-access-control-list"
ALTERING = ("lock", "edit", "commit", "confirm")


def verified(world: World, *, check: bool = False, **wish: bool) -> Any:
    """verify.yml."""
    return steps.verify_step({**world.params, **wish}, check)


def kinds(result: Any, which: str = "findings") -> list[str]:
    return [f["kind"] for f in result.values[which]]


def only(world: World) -> Mitigation:
    with world.ledger() as ledger:
        (found,) = ledger.mitigations(states=(MitigationState.ACTIVE,))
    return found


def carrier(world: World) -> str:
    """Name of the ACL that holds our entries."""
    found = re.search(r"<name>([^<]+)</name>(?:(?!<acl>).)*?<name>sl-", world.device.running(), re.DOTALL)
    assert found
    return found[1]


def mark(world: World) -> str:
    found = re.search(r"<name>(sl-[^<]+)</name>", world.device.running())
    assert found
    return found[1]


def edit_acls(world: World, inner: str) -> None:
    """What an operator does on the console."""
    world.device.foreign_edit(
        f'<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0">'
        f'<acls xmlns="{ACL}">{inner}</acls></config>'
    )


def test_a_network_as_the_ledger_has_it_shows_no_drift(world: World) -> None:
    world.respond()
    world.device.clear("log")
    found = verified(world)
    assert not found.values["drifted"]
    assert found.values["checked"] == ["gw1"]
    assert found.values["story"][-1] == "no drift"
    assert world.device.served(*ALTERING) == []


def remove_entry(world: World) -> None:
    gone = f'<ace nc:operation="delete"><name>{mark(world)}</name></ace>'
    edit_acls(world, f"<acl><name>{carrier(world)}</name><aces>{gone}</aces></acl>")


def change_entry(world: World) -> None:
    text = world.device.running()
    world.device.set_running(text.replace("203.0.113.66/32", "203.0.113.67/32"))


def detach(world: World) -> None:
    text = world.device.running()
    world.device.set_running(re.sub(r"<attachment-points>.*</attachment-points>", "", text, flags=re.DOTALL))


def put_in_front(world: World) -> None:
    """A permit of an operator's, before our entry."""
    foreign = (
        "<ace><name>vip</name><matches><ipv4><source-ipv4-network>203.0.113.0/24</source-ipv4-network></ipv4></matches>"
        "<actions><forwarding>accept</forwarding></actions></ace>"
    )
    text = world.device.running()
    ours = re.search(rf"<ace><name>{mark(world)}</name>", text)
    assert ours
    world.device.set_running(text[: ours.start()] + foreign + text[ours.start() :])


@pytest.mark.parametrize(
    ("plant", "kind"),
    [(remove_entry, "missing"), (change_entry, "changed"), (detach, "detached"), (put_in_front, "shadowed")],
)
def test_planted_drift_is_found_and_repaired(world: World, plant: Any, kind: str) -> None:
    world.respond()
    before = only(world)
    plant(world)
    drifted = world.device.running()
    found = verified(world)
    (finding,) = found.values["findings"]
    assert (finding["kind"], finding["device"]) == (kind, "gw1")
    assert finding["mitigation_id"] == before.mitigation_id
    assert world.device.running() == drifted
    fixed = verified(world, fix=True)
    assert fixed.changed
    assert fixed.values["repaired"] == [before.mitigation_id]
    assert fixed.values["remaining"] == []
    again = verified(world, fix=True)
    assert not again.changed
    assert again.values["findings"] == []
    after = only(world)
    assert abs((after.expires_at - before.expires_at).total_seconds()) <= 2
    assert after.incident_id == before.incident_id


def test_check_mode_sends_nothing_and_says_what_it_would_do(world: World) -> None:
    world.respond()
    remove_entry(world)
    drifted = world.device.running()
    world.device.clear("log")
    found = verified(world, check=True, fix=True)
    assert found.changed
    assert not found.values["drifted"]
    assert any("203.0.113.66/32" in d["prepared"] for d in found.diff)
    assert world.device.served(*ALTERING) == []
    assert world.device.running() == drifted


def test_what_the_ledger_does_not_know_is_removed_only_when_asked_for(world: World, tmp_path: Path) -> None:
    before = world.device.running()
    world.respond()
    other = {**world.params, "ledger_url": f"sqlite:///{tmp_path / 'other.sqlite'}"}
    step = {**other, "every_device": True}
    (finding,) = steps.verify_step(step, False).values["findings"]
    assert finding["kind"] == "orphan"
    kept = steps.verify_step({**step, "fix": True}, False)
    assert (kept.changed, kept.values["drifted"]) == (False, True)
    assert world.device.running() != before
    swept = steps.verify_step({**step, "fix": True, "orphans": True}, False)
    assert (swept.changed, swept.values["drifted"]) == (True, False)
    assert world.device.running() == before
    with open_ledger(other["ledger_url"]) as ledger:
        assert ledger.pending_commits() == ()


def test_two_incidents_are_repaired_each_for_itself(world: World) -> None:
    world.respond()
    world.respond(eve(world.root / "other.json", source="203.0.113.77"))
    text = world.device.running()
    world.device.set_running(
        text.replace("203.0.113.66/32", "203.0.113.65/32").replace("203.0.113.77/32", "203.0.113.78/32")
    )
    assert kinds(verified(world)) == ["changed", "changed"]
    fixed = verified(world, fix=True)
    assert sorted(fixed.values["repaired"]) == sorted(world.active())
    assert fixed.values["remaining"] == []
    assert world.device.running() == text


def test_a_device_that_is_down_is_named(tmp_path: Path) -> None:
    with EmulatedDevice() as device:
        world = World(device, tmp_path)
        world.respond()
    found = verified(world, fix=True)
    assert kinds(found) == ["unreachable"]
    assert "gw1" in found.values["told"][0]
    assert found.values["drifted"]


def test_a_repair_keeps_to_what_is_protected_now(world: World) -> None:
    world.respond()
    remove_entry(world)
    path = world.inventory / "group_vars" / "all.yml"
    path.write_text(path.read_text().replace("secloop_protected:", "secloop_protected:\n- 203.0.113.0/24"))
    fixed = verified(world, fix=True)
    assert not fixed.changed
    assert kinds(fixed, "remaining") == ["missing"]
    assert any("protected-set" in w for w in fixed.warnings)


def test_a_repair_that_fails_leaves_everything_as_it_was(world: World) -> None:
    world.respond()
    before = only(world)
    remove_entry(world)
    drifted = world.device.running()
    world.device.fault("validate", "error")
    fixed = verified(world, fix=True)
    assert not fixed.changed
    assert any("validate" in w for w in fixed.warnings)
    assert world.device.running() == drifted
    assert only(world) == before


def test_what_is_overdue_is_left_to_the_expirer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.respond()
    remove_entry(world)
    late = only(world).expires_at
    monkeypatch.setattr("secloop_ai.loop.drift_repair.now", lambda: late)
    fixed = verified(world, fix=True)
    assert not fixed.changed
    assert any("left to the expirer" in line for line in fixed.values["story"])
