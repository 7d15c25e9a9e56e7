"""The whole story on the lab: a real SSH brute force, a real alert, a real NETCONF device."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from labs.lab import Attack, Lab, RunningAttack
from secloop_ai.inventory import load_environment
from secloop_ai.loop.watch import Watch

from .play import Player
from .screen import Screen

TARGET, PORT = "192.0.2.138", 22
OTHER, OTHER_PORT = "192.0.2.10", 80
ALERT_WAIT_S = 30.0
WITHIN_S = 86400
"""The demo ends the mitigation early: everything with less than a day left."""


def run(screen: Screen) -> int:
    """Boot, attack, respond, expire, compare; 0 only if the attack was stopped and the client never lost service."""
    with tempfile.TemporaryDirectory(prefix="secloop-demo-") as scratch:
        state, inventory = Path(scratch) / "state", Path(scratch) / "inventory"
        screen.step("Boot the lab: five network namespaces, a NETCONF server, nftables, Suricata")
        with Lab("demo", inventory_dir=inventory) as lab:
            screen.fact(f"up in {lab.status().boot_s:.2f} s; gateway gw1 speaks NETCONF at {lab.status().address}:830")
            with Watch(load_environment([str(inventory)])) as watch:
                _story(screen, lab, Player(screen, inventory, state), watch)
        screen.step("End the lab")
        screen.check("no namespace of the lab is left", ok=lab.status().state == "down")
    return screen.verdict("the attack was stopped, the client never lost service, and everything was undone")


def _story(screen: Screen, lab: Lab, player: Player, watch: Watch) -> None:
    start = lab.snapshot()
    watch.wait(rounds=3, timeout_s=10)
    _before(screen, lab)
    screen.step("Attack: SSH brute force from 203.0.113.66 (hydra, bounded)")
    with Attack(lab).start_ssh_brute_force(attempts=2000, timeout_s=120.0) as attack:
        seconds = wait_for_alert(lab.eve_path, ALERT_WAIT_S)
        screen.check(
            f"Suricata's alert is in eve.json, {seconds:.2f} s after the attack began", ok=seconds < ALERT_WAIT_S
        )
        watch.commit_sent()
        screen.step("Respond: alert, strategy, guard, plan, confirmed commit, verification")
        played = player.play("respond.yml", {"alert_file": str(lab.eve_path)})
        screen.check("respond.yml ended well and changed the device", ok=played.rc == 0 and played.changed == 1)
        _after(screen, lab, attack)
    _again(screen, lab, player)
    screen.step("Expire: the mitigation leaves, nothing stays behind")
    played = player.play("expire.yml", {"within_s": str(WITHIN_S)})
    screen.check("expire.yml ended well", ok=played.rc == 0 and played.changed == 1)
    screen.check("running configuration byte-equal (canonical XML) to the start", ok=lab.snapshot() == start)
    screen.check("attacker reaches the server again", ok=lab.can_serve("attacker", TARGET, PORT))
    _client(screen, watch)


def _before(screen: Screen, lab: Lab) -> None:
    screen.step("Before")
    screen.check(f"attacker reaches {TARGET}:{PORT}", ok=lab.can_serve("attacker", TARGET, PORT))
    screen.check(f"client reaches {TARGET}:{PORT}", ok=lab.can_serve("client", TARGET, PORT))


def _after(screen: Screen, lab: Lab, attack: RunningAttack) -> None:
    screen.step("After")
    screen.check("hydra was still at it when the answer came", ok=attack.running)
    screen.check(f"attacker no longer reaches {TARGET}:{PORT}", ok=not lab.can_serve("attacker", TARGET, PORT))
    # what else the attacker loses is the strategy's choice: a source blocked loses everything, a service restricted one
    reached = "still reaches" if lab.can_serve("attacker", OTHER, OTHER_PORT) else "no longer reaches"
    screen.fact(f"attacker {reached} {OTHER}:{OTHER_PORT}, which was not attacked")
    screen.check(f"client still reaches {TARGET}:{PORT}", ok=lab.can_serve("client", TARGET, PORT))


def _again(screen: Screen, lab: Lab, player: Player) -> None:
    screen.step("The same file again: nothing to do")
    held = lab.snapshot()
    played = player.play("respond.yml", {"alert_file": str(lab.eve_path)}, quiet=True)
    screen.check(f"second run: changed={played.changed}", ok=played.rc == 0 and played.changed == 0)
    screen.check("running configuration unchanged by it", ok=lab.snapshot() == held)
    player.secloop("status")


def _client(screen: Screen, watch: Watch) -> None:
    screen.step("The client, over the whole demo")
    for probe in watch.results():
        served = f"{probe.tries - probe.failures} of {probe.tries} tries served"
        phase = "before the response" if probe.phase == "before" else "from the response on"
        screen.check(f"{probe.client} -> {probe.service} ({probe.target}) {phase}: {served}", ok=probe.green)


def wait_for_alert(eve: Path, timeout_s: float) -> float:
    """Seconds until an alert event stands in the EVE file; `timeout_s` when none came."""
    began = time.monotonic()
    while (spent := time.monotonic() - began) < timeout_s:
        if eve.exists() and any(_is_alert(line) for line in eve.read_text(errors="replace").splitlines()):
            return spent
        time.sleep(0.02)
    return timeout_s


def _is_alert(line: str) -> bool:
    try:
        return bool(json.loads(line).get("event_type") == "alert")
    except ValueError:  # a line still being written
        return False
