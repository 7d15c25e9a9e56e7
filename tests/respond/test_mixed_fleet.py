"""One alert, six makes of devices: a single transaction over all of them, and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from labs.emulator import EVERY, Device, EmulatedFleet, mixed, write_fleet_inventory
from secloop_ai.contracts import TransactionFailed

from .world import ATTACKER, World, eve


class Mixed(World):
    """The world behind gateways of many makes."""

    def __init__(self, devices: tuple[Device, ...], root: Path) -> None:
        self.device, self.devices, self.root = devices[0], devices, root
        self.inventory = root / "inventory"
        write_fleet_inventory(devices, self.inventory)
        self.url = f"sqlite:///{root / 'ledger.sqlite'}"
        self.alerts = eve(root / "eve.json")


@pytest.fixture(scope="module")
def gateways() -> Iterator[tuple[Device, ...]]:
    with EmulatedFleet(mixed(len(EVERY))) as devices:
        yield devices


def test_a_source_is_blocked_on_every_make_and_let_in_again(gateways: tuple[Device, ...], tmp_path: Path) -> None:
    world = Mixed(gateways, tmp_path)
    before = {device.name: device.running() for device in gateways}
    committed = world.respond()
    assert committed.changed
    assert len(world.active()) == 1
    for device in gateways:
        assert device.running() != before[device.name], device.dialect
        assert ATTACKER in device.running(), device.dialect
    assert not world.respond().changed
    assert world.expire().changed
    assert {device.name: device.running() for device in gateways} == before
    assert world.active() == []


def test_a_device_that_refuses_keeps_every_other_as_it_was(gateways: tuple[Device, ...], tmp_path: Path) -> None:
    world = Mixed(gateways, tmp_path)
    before = {device.name: device.running() for device in gateways}
    gateways[-1].fault("edit", "error", error_tag="resource-denied", times=None)
    try:
        with pytest.raises(TransactionFailed, match=rf"{gateways[-1].name}: edit \[resource-denied\]"):
            world.respond()
    finally:
        gateways[-1].clear("faults")
    assert {device.name: device.running() for device in gateways} == before
    assert world.active() == []
