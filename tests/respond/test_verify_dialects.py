"""Drift is found and repaired on an emulated device of every dialect, and its counters come over its command line."""

from __future__ import annotations

from collections.abc import Iterator
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

from .world import World

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


def console_edit(world: World, edit: str | None) -> None:
    """What an operator does past all locks."""
    assert edit
    world.device.foreign_edit(f'<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">{edit}</config>')


def elsewhere(tagged: TaggedOp) -> TaggedOp:
    """The operation with its rules about another address."""
    assert isinstance(tagged.op, FilterOp)
    rules = [r.model_dump(mode="json") | {"source": "203.0.113.99/32"} for r in tagged.op.rules]
    op = FilterOp.model_validate(tagged.op.model_dump(mode="json") | {"rules": rules})
    return tagged.model_copy(update={"op": op})


def verified(world: World, **wish: bool) -> Any:
    return steps.verify_step({**world.params, **wish}, False)


def test_what_is_gone_or_changed_is_found_and_put_back(world: World) -> None:
    spoken, ops = dialect(world.device.dialect), held(world)
    right = spoken.parse(running(world)).acls
    assert verified(world).values["findings"] == []
    for kind, edit in (
        ("missing", spoken.remove(running(world), ops).edit),
        ("changed", spoken.apply(running(world), [elsewhere(t) for t in ops]).edit),
    ):
        console_edit(world, edit)
        found = verified(world, fix=True)
        assert {f["kind"] for f in found.values["findings"]} == {kind}
        assert found.values["remaining"] == []
        assert spoken.parse(running(world)).acls == right
    assert not verified(world, fix=True).changed


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
