"""Nothing stays behind, whatever happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from typer.testing import CliRunner

from labs.cli import app
from labs.lab import Attack, Lab, sensor
from labs.lab.processes import members
from labs.lab.state import load
from labs.lab.topology import management_link
from secloop_ai.contracts.errors import LabError

from .support import ATTACKER, WEB, block, change, eventually, lab_name, leftovers, links, needs_lab

pytestmark = needs_lab
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def base() -> Iterator[Path]:
    with TemporaryDirectory(prefix="sl-") as folder:
        yield Path(folder)


def new_lab(base: Path, letter: str = "d") -> Lab:
    return Lab(lab_name(letter), base / letter, base / f"inventory-{letter}")


def test_down_leaves_nothing(base: Path) -> None:
    lab = new_lab(base)
    before = links()
    lab.up()
    state = load(lab.paths.root)
    assert state is not None
    assert state.index is not None
    assert management_link(state.index) in links()
    lab.down()
    assert leftovers(lab) == []
    assert eventually(lambda: management_link(state.index or 0) not in links() or links() == before)
    lab.down()  # nothing there: no error
    assert lab.status().state == "down"


def started(stage: str) -> Callable[[Lab], bool]:
    def there(lab: Lab) -> bool:
        try:
            state = load(lab.paths.root)
        except LabError:
            return False
        if stage == "state":
            return state is not None
        if stage == "namespace":
            return Path("/run/netns", lab.netns("gw")).exists()
        return state is not None and any(p.name == stage for p in state.processes)

    return there


@pytest.mark.parametrize("stage", ["state", "namespace", "applier", "sshd-app", "netconfd", "sshd-netconf"])
def test_sigkill_in_the_middle_of_up(base: Path, stage: str) -> None:
    lab = new_lab(base, "k")
    script = (
        "import sys; from pathlib import Path; from labs.lab import Lab; "
        "Lab(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])).up()"
    )
    argv = [sys.executable, "-c", script, lab.name, str(lab.paths.root), str(lab.inventory_dir)]
    with subprocess.Popen(argv, cwd=ROOT) as process:
        reached = started(stage)
        while process.poll() is None and not reached(lab):
            pass
        process.send_signal(signal.SIGKILL)
    assert lab.status().state in {"broken", "up"}  # "up" where the kill came a moment after the end
    lab.down()
    assert leftovers(lab) == []


def test_up_clears_the_remains_of_a_killed_one(base: Path) -> None:
    lab = new_lab(base, "r")
    lab.up()
    netconfd = next(p.pid for p in lab.status().processes if p.name == "netconfd")
    os.kill(netconfd, signal.SIGKILL)
    assert eventually(lambda: lab.status().state == "degraded")
    assert lab.status().dead == ("netconfd",)
    try:
        assert lab.up().state == "up"
    finally:
        lab.down()
    assert leftovers(lab) == []


def test_a_part_that_fails_is_named_and_nothing_stays(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = new_lab(base, "f")
    monkeypatch.setattr(sensor, "argv", lambda *_: ["sh", "-c", "echo no such rule; exit 1"])
    with pytest.raises(LabError, match=r"suricata: ended while it was starting[\s\S]*no such rule"):
        lab.up()
    assert leftovers(lab) == []


def test_two_labs_side_by_side(base: Path) -> None:
    with new_lab(base, "a") as one, new_lab(base, "b") as two:
        assert one.status().address != two.status().address
        change(one, block(ATTACKER))
        assert not one.can_serve("attacker", WEB, 80, timeout_s=0.4)
        assert two.can_serve("attacker", WEB, 80)
        one.down()
        assert two.status().state == "up"
        assert two.can_serve("client", WEB, 80)
    assert leftovers(one) + leftovers(two) == []


def test_a_folder_with_something_else_in_it_is_left_alone(base: Path) -> None:
    lab = new_lab(base, "s")
    lab.paths.root.mkdir()
    precious = lab.paths.root / "precious"
    precious.write_text("x", encoding="utf-8")
    with pytest.raises(LabError, match="is not empty and holds no lab"):
        lab.up()
    lab.down()
    assert precious.read_text(encoding="utf-8") == "x"


def test_a_lab_of_another_run_directory_is_not_overrun_but_can_be_removed(base: Path) -> None:
    first = new_lab(base, "o")
    second = Lab(first.name, base / "elsewhere")
    first.up()
    with pytest.raises(LabError, match="does not know it"):
        second.up()
    second.down()
    assert leftovers(first) == []


def test_command_line(base: Path) -> None:
    lab = new_lab(base, "c")
    where = ["--name", lab.name, "--run-dir", str(lab.paths.root)]
    run = CliRunner()
    up = run.invoke(app, ["up", *where, "--inventory", str(lab.inventory_dir)])
    try:
        assert up.exit_code == 0, up.output
        assert "netconf over ssh" in up.output
        shown = run.invoke(app, ["status", *where, "--json"])
        assert '"state": "up"' in shown.output
    finally:
        down = run.invoke(app, ["down", *where])
    assert down.output == f"lab {lab.name}: down\n"
    assert run.invoke(app, ["status", *where]).exit_code == 3
    assert members([lab.netns("gw")], lab.paths.root) == set()
    assert run.invoke(app, ["status", "--name", "Not A Name"]).exit_code == 1


def test_the_folder_it_is_started_from_stays_as_it_was(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with new_lab(base, "w") as lab:
        with lab.session() as session:
            session.edit(block(ATTACKER))
            session.commit(confirm_timeout_s=60, persist="token")  # netconfd writes its backup now
            session.call("<cancel-commit><persist-id>token</persist-id></cancel-commit>")
        Attack(lab).ssh_brute_force(attempts=8, timeout_s=20)
        places = {Path(f"/proc/{process.pid}/cwd").resolve() for process in lab.status().processes}
        assert places <= {lab.paths.root, Path("/")}  # sshd goes to the root by itself
        assert list(tmp_path.iterdir()) == []
    assert list(tmp_path.iterdir()) == []
    assert leftovers(lab) == []
