"""Two emulated gateways in one process, reset for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from labs.emulator import Device as Emulated
from labs.emulator import EmulatedFleet, gateways


@pytest.fixture(scope="session")
def fleet() -> Iterator[tuple[Emulated, ...]]:
    with EmulatedFleet(gateways(2)) as devices:
        yield devices


@pytest.fixture
def pair(fleet: tuple[Emulated, ...]) -> tuple[Emulated, Emulated]:
    """gw1 and gw2, fresh."""
    for device in fleet:
        device.reset()
    return fleet[0], fleet[1]


@pytest.fixture
def gateway(pair: tuple[Emulated, Emulated]) -> Emulated:
    """gw1, fresh."""
    return pair[0]
