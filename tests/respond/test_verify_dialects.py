"""Drift is found and repaired on an emulated device of every dialect, and its counters come over its command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from labs.emulator import Device, EmulatedDevice
from labs.emulator.mix import emulated
from secloop_ai.contracts import FilterOp, MitigationState, TaggedOp
from secloop_ai.dialects import dialect
from secloop_ai.loop import steps
from secloop_ai.loop.context import Context
from secloop_ai.loop.drift_check import look
from secloop_ai.loop.show import SHOWS, command
from secloop_ai.loop.show_entries import entries
from tests.loop.console import console

from .world import ATTACKER, World

OTHERS = [name for name in emulated() if name != "ietf"]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=OTHERS)
def device(request: pytest.FixtureRequest) -> Iterator[Device]:
    with EmulatedDevice(dialect=request.param) as device:
        yield device


@pytest.fixture
def world(device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A network with one block on its gateway."""
    device.reset()
    monkeypatch.setenv("SECLOOP_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("SECLOOP_PENDING_RPC_INTERVAL_S", "0")
    world = World(device, tmp_path)
    world.respond()
    return world


def running(world: World) -> str:
    return look(Context(world.params)).running["gw1"].data


def held(world: World) -> list[TaggedOp]:
    with world.ledger() as ledger:
        (found,) = ledger.mitigations(states=(MitigationState.ACTIVE,))
    return [TaggedOp(tag=found.mitigation_id, op=op) for op in found.operations["gw1"] if isinstance(op, FilterOp)]


def take_away(world: World) -> None:
    """An operator removes our entries, past all locks."""
    edit = dialect(world.device.dialect).remove(running(world), held(world)).edit
    world.device.foreign_edit(f'<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">{edit}</config>')


def edit_rule(world: World) -> None:
    """An operator lets another address have the block."""
    text = world.device.running()
    assert ATTACKER in text
    world.device.set_running(text.replace(ATTACKER, "203.0.113.99"))


def verified(world: World, **wish: bool) -> Any:
    return steps.verify_step({**world.params, **wish}, False)


@pytest.mark.parametrize(("plant", "kind"), [(take_away, "missing"), (edit_rule, "changed")])
def test_what_is_gone_or_changed_is_found_and_put_back(world: World, plant: Callable[[World], None], kind: str) -> None:
    spoken = dialect(world.device.dialect)
    right = spoken.parse(running(world)).acls
    plant(world)
    found = verified(world, fix=True)
    assert {f["kind"] for f in found.values["findings"]} == {kind}
    assert found.values["remaining"] == []
    assert spoken.parse(running(world)).acls == right
    again = verified(world, fix=True)
    assert (again.changed, again.values["findings"]) == (False, [])


def test_the_command_line_proves_that_the_entry_matches(world: World, tmp_path: Path) -> None:
    name = world.device.dialect
    if name not in SHOWS:
        pytest.skip(f"dialect {name}: no show command")
    pytest.importorskip("textfsm", reason="the extra `cli` is not installed")
    (entry,) = entries(running(world), SHOWS[name])
    asked = command(name, entry.acl, entry.family)
    printed = {
        "ios_xe": f"Extended IP access list {entry.acl}\n    {entry.label} deny ip host 203.0.113.66 any (7 matches)\n",
        "eos": f"IP Access List {entry.acl}\n  {entry.label} deny ip host 203.0.113.66 any [match 7, 0:00:01 ago]\n",
        "junos": f"Filter: {entry.acl}\nCounters:\nName        Bytes    Packets\n{entry.label}      420          7\n",
        "srlinux": f"acl-filter {entry.acl} type ipv4 {{\nentry {entry.label} {{\nmatched-packets 7\n",
    }
    with console(tmp_path, {asked: printed[name]}, key=world.device.private_key) as (cli, commands):
        trusted = tmp_path / "both"
        trusted.write_text(world.device.known_hosts.read_text() + (tmp_path / "known_hosts").read_text())
        world.edit_host("gw1", {"cli_port": cli.cli_port, "known_hosts": str(trusted)})
        found = verified(world, counters=True)
    assert commands == [asked]
    (counter,) = found.values["counters"]
    assert (counter["mitigation_id"], counter["packets"]) == (held(world)[0].tag, 7)
    assert found.warnings == ()
