"""The demo that needs no root: six makes of devices, drift found and repaired, everything undone."""

from __future__ import annotations

import pytest

from labs.demo import fleet
from labs.demo.screen import Screen
from labs.emulator import EVERY


def test_every_check_of_the_fleet_demo_holds(capsys: pytest.CaptureFixture[str]) -> None:
    assert fleet.run(Screen()) == 0, capsys.readouterr().out
    said = capsys.readouterr().out
    assert "DEMO PASSED" in said
    assert all(f"({name}) drops {fleet.ATTACKER}" in said for name in EVERY)
    assert said.count(": missing: ") >= 1
    assert said.count(": changed: ") >= 1
