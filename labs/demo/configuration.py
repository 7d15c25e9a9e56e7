"""The configuration half: no attack, no root. The same playbooks on the embedded NETCONF device."""

from __future__ import annotations

import tempfile
from pathlib import Path

from labs.emulator import EmulatedDevice, write_inventory

from .attack import WITHIN_S
from .play import Player
from .screen import Screen

RECORDED = Path(__file__).resolve().parents[1] / "emulator" / "data" / "ssh-brute-force.eve.json"
COMMITS = ("commit", "confirm")


def run(screen: Screen, why: str) -> int:
    """Respond to a recorded EVE file on the embedded device, then expire; 0 when every check held."""
    screen.line(f"NO ATTACK IS RUN: {why}.")
    screen.line(
        "Shown instead: the configuration half, on an embedded NETCONF device with a recorded EVE file of our own."
    )
    with tempfile.TemporaryDirectory(prefix="secloop-demo-") as scratch:
        inventory = Path(scratch) / "inventory"
        screen.step("Start the embedded NETCONF device (its own process, SSH on loopback)")
        with EmulatedDevice() as device:
            write_inventory(device, inventory)
            screen.fact(f"{device.name} speaks NETCONF at {device.host}:{device.port}")
            player = Player(screen, inventory, Path(scratch) / "state")
            start = device.running()
            variables = {"alert_file": str(RECORDED)}

            screen.step("Look first: --check --diff")
            played = player.play("respond.yml", variables, "--check", "--diff")
            screen.check("check mode ended well", ok=played.rc == 0)
            screen.check("no commit reached the device", ok=not device.served(*COMMITS))

            screen.step("Respond")
            played = player.play("respond.yml", variables)
            screen.check("respond.yml changed the device", ok=played.rc == 0 and played.changed == 1)
            screen.check("the device's configuration is another", ok=device.running() != start)

            screen.step("The same file again: nothing to do")
            played = player.play("respond.yml", variables, quiet=True)
            screen.check(f"second run: changed={played.changed}", ok=played.rc == 0 and played.changed == 0)
            player.secloop("status")

            screen.step("Expire")
            played = player.play("expire.yml", {"within_s": str(WITHIN_S)})
            screen.check("expire.yml ended well", ok=played.rc == 0 and played.changed == 1)
            screen.check("running configuration byte-equal (canonical XML) to the start", ok=device.running() == start)
    return screen.verdict("the change was made, verified and undone; no attack was run")
