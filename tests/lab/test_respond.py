"""The whole story by ansible-playbook: a real attack, a real alert, a real device; and a controller that is killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from labs.demo.attack import wait_for_alert
from labs.demo.play import Player
from labs.demo.screen import Screen
from labs.lab import Attack, Lab
from secloop_ai.contracts import MitigationState, PendingCommit
from secloop_ai.inventory import load_environment
from secloop_ai.ledger import open_ledger
from secloop_ai.loop.watch import Watch
from tests.respond.world import eve

from .support import APP, ATTACKER, WEB, eventually, needs_lab
from .traffic import reaches

pytestmark = [*needs_lab, pytest.mark.slow, pytest.mark.timeout(300)]
DAY_S = "86400"


class Desk:
    """An operator's state directory beside the lab, and the commands run there."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        assert lab.inventory_dir
        self.inventory = lab.inventory_dir
        self.player = Player(Screen(), self.inventory, folder)
        # the table blocks the source, which takes every service from it: what is looked for here
        self.player.environ["SECLOOP_POLICY"] = "playbook"
        self._url = f"sqlite:///{folder / 'ledger.sqlite'}"

    def play(self, name: str, **variables: str) -> int:
        """Run a playbook to its good end; its number of changed tasks."""
        played = self.player.play(name, variables, quiet=True)
        assert played.rc == 0, played.output
        return played.changed

    def incidents(self) -> set[str]:
        """Incidents with something on the network, by the ledger."""
        with open_ledger(self._url) as ledger:
            return {m.incident_id for m in ledger.mitigations(states=(MitigationState.ACTIVE,))}

    def pending(self) -> tuple[PendingCommit, ...]:
        """Commits that were begun and not settled."""
        with open_ledger(self._url) as ledger:
            return ledger.pending_commits()

    def state(self, transaction_id: str) -> str:
        """How a commit stands, by the ledger."""
        with open_ledger(self._url) as ledger:
            return ledger.commit(transaction_id).state

    @contextmanager
    def responding(self, alerts: Path, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
        """respond.yml under way."""
        command = ["playbooks/respond.yml", "-i", str(self.inventory), "-e", f"alert_file={alerts}"]
        with subprocess.Popen(
            [str(self.player.bin / "ansible-playbook"), *command],
            cwd=self.player.project,
            env={**self.player.environ, **{f"SECLOOP_{name.upper()}": value for name, value in settings.items()}},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            yield process


@pytest.fixture
def desk(lab: Lab, tmp_path: Path) -> Iterator[Desk]:
    """Leaves the device byte for byte as it was."""
    before, made = lab.snapshot(), Desk(lab, tmp_path / "state")
    yield made
    if made.incidents():
        made.play("rollback.yml", incident="all")
    assert lab.snapshot() == before


def stopped(lab: Lab) -> bool:
    """Whether the attacker reaches neither server."""
    return not any(reaches(lab, "attacker", address, port) for address, port in ((APP, 22), (WEB, 80)))


def test_an_attack_is_stopped_and_everything_undone(lab: Lab, desk: Desk, tmp_path: Path) -> None:
    start, frozen = lab.snapshot(), tmp_path / "frozen.json"
    with Watch(load_environment([str(desk.inventory)])) as watch:
        watch.wait(rounds=2, timeout_s=30.0)
        with Attack(lab).start_ssh_brute_force(attempts=4000, timeout_s=200.0) as attack:
            wait_for_alert(lab.eve_path, 30.0)
            watch.commit_sent()
            assert desk.play("respond.yml", alert_file=str(lab.eve_path)) == 1
            assert attack.running
            assert stopped(lab)
        held = lab.snapshot()
        assert held != start
        (incident,) = desk.incidents()
        shutil.copyfile(lab.eve_path, frozen)
        assert desk.play("respond.yml", alert_file=str(frozen)) == 0
        assert lab.snapshot() == held

        assert desk.play("rollback.yml", incident=incident) == 1
        assert (lab.snapshot(), desk.incidents()) == (start, set())
        assert not stopped(lab)

        assert desk.play("respond.yml", alert_file=str(frozen)) == 1
        assert stopped(lab)
        assert desk.play("expire.yml") == 0  # its time is not up
        assert desk.play("expire.yml", within_s=DAY_S) == 1
        assert (lab.snapshot(), desk.incidents()) == (start, set())
        assert not stopped(lab)
        served = watch.results()
    assert {probe.phase for probe in served} == {"before", "during"}
    assert [probe for probe in served if not probe.green] == []


def test_a_killed_controller_leaves_nothing_and_the_next_run_goes_through(lab: Lab, desk: Desk, tmp_path: Path) -> None:
    before, alerts = lab.snapshot(), eve(tmp_path / "eve.json")
    endless = {"verify_rounds": "1000", "verify_timeout_s": "100", "confirm_timeout_s": "6"}
    with desk.responding(alerts, **endless) as controller:
        assert eventually(lambda: stopped(lab), within_s=60.0)
        kill(controller.pid)
    assert stopped(lab)  # the device waits for the confirmation
    (pending,) = desk.pending()
    # no NETCONF meanwhile: netconfd serves its rollback timer only when it is idle
    assert eventually(lambda: not stopped(lab), within_s=40.0)
    assert ATTACKER not in lab.exec("gw", ["nft", "list", "table", "inet", "secloop"]).stdout
    assert lab.snapshot() == before
    assert desk.incidents() == set()

    assert desk.play("respond.yml", alert_file=str(alerts)) == 1
    assert stopped(lab)
    assert (desk.pending(), desk.state(pending.transaction_id)) == ((), "undone")
    assert desk.incidents() == {pending.incident_id}


def kill(pid: int) -> None:
    """SIGKILL for ansible-playbook, its workers and its modules: none gets to say anything any more."""
    everybody = [pid, *descendants(pid)]
    for one in everybody:
        os.kill(one, signal.SIGSTOP)
    for one in everybody:
        os.kill(one, signal.SIGKILL)


def descendants(pid: int) -> list[int]:
    """The process's children, and theirs."""
    children = [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text(encoding="ascii").split()
    ]
    return [*children, *(one for child in children for one in descendants(child))]
