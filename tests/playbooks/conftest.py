"""One emulated device for the session; a desk of its own, and the device's first configuration, for each module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labs.emulator import Device, EmulatedDevice

from .desk import Desk


@pytest.fixture(scope="session")
def emulated() -> Iterator[Device]:
    with EmulatedDevice() as device:
        yield device


@pytest.fixture(scope="module")
def new_desk(emulated: Device, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Desk]:
    """Makes desks on the one device, which is put back to its beginning for each."""

    def make() -> Desk:
        emulated.reset()
        return Desk(emulated, Path(tmp_path_factory.mktemp("desk")))

    return make


@pytest.fixture(scope="module")
def desk(new_desk: Callable[[], Desk]) -> Desk:
    return new_desk()
