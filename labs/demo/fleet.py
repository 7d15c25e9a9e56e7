"""Six makes of devices, one transaction: respond, drift found and repaired, and the way back. No root, no attack."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from labs.emulator import EVERY, Device, EmulatedFleet, mixed, write_fleet_inventory

from .attack import WITHIN_S
from .configuration import RECORDED
from .play import Player
from .screen import Screen

ATTACKER, ANOTHER = "203.0.113.66", "203.0.113.99"
RESTORED, EDITED = "openconfig", "junos"
"""Where an operator puts an old backup back, and where one changes our rule by hand."""


def run(screen: Screen) -> int:
    """Respond to a recorded EVE file on one device of every dialect; 0 when every check held."""
    with tempfile.TemporaryDirectory(prefix="secloop-demo-") as scratch:
        inventory = Path(scratch) / "inventory"
        screen.step(f"Start an emulated fleet: {', '.join(EVERY)}")
        with EmulatedFleet(mixed(len(EVERY))) as devices:
            write_fleet_inventory(devices, inventory)
            player = Player(screen, inventory, Path(scratch) / "state")
            player.environ["SECLOOP_POLICY"] = "playbook"  # blocks the source: a change of every gateway
            _story(screen, player, devices)
    return screen.verdict("one change on six makes of devices: made, held to the ledger, repaired, undone")


def _story(screen: Screen, player: Player, devices: Sequence[Device]) -> None:
    start = _running(devices)
    screen.step("Respond on all of them in one transaction")
    played = player.play("respond.yml", {"alert_file": str(RECORDED)})
    screen.check("respond.yml ended well", ok=played.rc == 0 and played.changed == 1)
    for device in devices:
        screen.check(f"{device.name} ({device.dialect}) drops {ATTACKER}", ok=ATTACKER in device.running())
    held = _running(devices)

    screen.step("Two devices drift")
    for device, told in _drift(devices, start):
        screen.fact(f"{device.name} ({device.dialect}): {told}")

    screen.step("verify.yml finds it")
    played = player.play("verify.yml")
    drifted = [d.name for d in devices if d.dialect in {RESTORED, EDITED}]
    screen.check("verify.yml failed, as a device departs from the ledger", ok=played.rc != 0)
    screen.check(f"it names {' and '.join(drifted)}", ok=all(f"{n}: " in played.output for n in drifted))

    screen.step("verify.yml repairs it")
    played = player.play("verify.yml", {"secloop_fix": "true"})
    screen.check("verify.yml ended well and changed something", ok=played.rc == 0 and played.changed == 1)
    screen.check("every device is byte for byte as it was after the response", ok=_running(devices) == held)
    played = player.play("verify.yml", quiet=True)
    screen.check("nothing departs any more", ok=played.rc == 0 and played.changed == 0)

    screen.step("Expire")
    played = player.play("expire.yml", {"within_s": str(WITHIN_S)})
    screen.check("expire.yml ended well", ok=played.rc == 0 and played.changed == 1)
    screen.check("every device is byte for byte as it was at the start", ok=_running(devices) == start)


def _running(devices: Sequence[Device]) -> dict[str, str]:
    return {device.name: device.running() for device in devices}


def _drift(devices: Sequence[Device], start: dict[str, str]) -> Iterator[tuple[Device, str]]:
    """Past all locks, as somebody at the console would."""
    for device in devices:
        if device.dialect == RESTORED:
            device.set_running(start[device.name])
            yield device, "an old backup was restored"
        elif device.dialect == EDITED:
            device.set_running(device.running().replace(ATTACKER, ANOTHER))
            yield device, f"our rule was edited by hand: {ANOTHER} instead of {ATTACKER}"
