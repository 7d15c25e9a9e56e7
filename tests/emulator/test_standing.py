"""`secloop lab up --fleet`: a fleet that stands, its inventory, its supervisor, and its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labs.cli import app
from labs.emulator import EVERY, StandingFleet, mixed
from labs.emulator.mix import emulated
from labs.emulator.supervisor import STATE, Supervised
from secloop_ai.contracts.errors import LabError
from secloop_ai.inventory import load_environment

from .conftest import Connect
from .test_process import listens, running
from .waiting import until

MIX = "ietf,srlinux"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[list[str]]:
    """Options that keep a fleet within the test's own folder; it is taken down after the test."""
    run = tmp_path / "run"
    yield ["--run-dir", str(run)]
    StandingFleet("fleet0", run).down()


def secloop(*arguments: str, fails: int = 0) -> str:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == fails, done.output
    return done.output


def emulator(run: Path) -> int:
    return Supervised.model_validate_json((run / STATE).read_bytes()).emulator


def test_up_status_down(place: list[str], tmp_path: Path, connect: Connect) -> None:
    inventory = tmp_path / "inventory"
    up = ["up", "--fleet", "5", "--mix", MIX, "--inventory", str(inventory), *place]
    assert "5 (3 ietf, 2 srlinux)" in secloop(*up)
    status = json.loads(secloop("status", "--json", *place))
    assert (status["state"], status["devices"], status["restarts"]) == ("up", 5, 0)
    assert status["memory_mb"] > 10
    devices = StandingFleet("fleet0", tmp_path / "run").devices()
    assert [device.dialect for device in devices] == ["ietf", "srlinux"] * 2 + ["ietf"]
    assert connect(devices[1]).get_config("running").ok
    assert "5 (3 ietf, 2 srlinux)" in secloop(*up)  # a second `up` finds it up
    assert StandingFleet("fleet0", tmp_path / "run").devices() == devices
    pid = emulator(tmp_path / "run")
    assert "down" in secloop("down", *place)
    assert not running(pid)
    assert not any(listens(device) for device in devices)
    assert not inventory.exists()
    assert not (tmp_path / "run").exists()


def test_the_inventory_is_one_that_secloop_reads(place: list[str], tmp_path: Path) -> None:
    inventory = tmp_path / "inventory"
    mix = ",".join(dialect for dialect in emulated() if dialect in EVERY)
    secloop("up", "--fleet", "7", "--mix", mix, "--inventory", str(inventory), *place)
    environment = load_environment([str(inventory)])
    assert [device.name for device in environment.devices] == [f"gw{n}" for n in range(1, 8)]
    assert {device.dialect for device in environment.devices} == set(mix.split(","))
    assert {host.name for host in environment.hosts} == {"client1", "web1", "app1"}
    assert len(environment.entries_for(ip_address("203.0.113.66"))) == 7, "what is outside comes in everywhere"
    inside = [a for device in environment.devices for a in device.own_addresses() if not a.is_loopback]
    assert len(set(inside)) == len(inside)
    app1 = environment.host("app1")
    assert app1 is not None
    assert app1.attached_to is not None
    assert environment.entries_for(app1.addresses[0])[0][0].name == "gw1"


def test_an_emulator_that_dies_is_started_again_on_the_same_ports(place: list[str], tmp_path: Path) -> None:
    secloop("up", "--fleet", "2", "--mix", "ietf", "--inventory", str(tmp_path / "inventory"), *place)
    fleet = StandingFleet("fleet0", tmp_path / "run")
    devices, first = fleet.devices(), emulator(tmp_path / "run")
    os.kill(first, signal.SIGKILL)
    until(lambda: emulator(tmp_path / "run") != first, 30)
    assert fleet.devices() == devices
    until(lambda: listens(devices[1]))
    assert "restarts:  1" in secloop("status", *place)


def test_a_fleet_whose_supervisor_is_gone_is_degraded_and_can_be_taken_down(place: list[str], tmp_path: Path) -> None:
    secloop("up", "--fleet", "1", "--mix", "ietf", "--inventory", str(tmp_path / "inventory"), *place)
    pid = emulator(tmp_path / "run")
    record = json.loads((tmp_path / "run" / "standing.json").read_text())
    os.kill(record["supervisor"], signal.SIGKILL)
    until(lambda: not running(pid))
    assert "degraded" in secloop("status", *place, fails=1)
    secloop("down", *place)
    assert not (tmp_path / "run").exists()


def test_none_is_there(place: list[str]) -> None:
    secloop("status", "--name", "nobody", *place, fails=3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fleet", "2", "--mix", "klingon"], "klingon"),
        (["--mix", "ietf"], "go with --fleet"),
        (["--fleet", "2", "--mix", "ietf:odd"], "odd"),
    ],
)
def test_what_cannot_be_brought_up(place: list[str], arguments: list[str], message: str) -> None:
    done = CliRunner().invoke(app, ["up", *arguments, *place])
    assert done.exit_code == 1
    assert message in done.output
    assert "Traceback" not in done.output


def test_a_bare_mix_is_a_mix_of_all(place: list[str], tmp_path: Path) -> None:
    assert set(EVERY) <= set(emulated())
    output = secloop("up", "--mix", "--fleet", "6", "--inventory", str(tmp_path / "inventory"), *place)
    assert all(f"1 {dialect}" in output for dialect in EVERY)


def test_what_is_somebody_elses_is_left_alone(place: list[str], tmp_path: Path) -> None:
    hosts = tmp_path / "inventory" / "hosts.yml"
    hosts.parent.mkdir()
    hosts.write_text("all: {}\n")
    done = CliRunner().invoke(app, ["up", "--fleet", "1", "--mix", "ietf", "--inventory", str(hosts.parent), *place])
    assert "somebody else's" in done.output
    assert hosts.read_text() == "all: {}\n"
    run = tmp_path / "run"
    run.mkdir()
    (run / "thesis.txt").write_text("mine")
    with pytest.raises(LabError, match="holds no fleet"):
        StandingFleet("fleet0", run).up(mixed(1, "ietf"), tmp_path / "other")
    assert (run / "thesis.txt").exists()


def test_a_fleet_that_cannot_start_says_why(tmp_path: Path) -> None:
    spec = mixed(1, "ietf")[0].model_copy(update={"config": "<config"})
    fleet = StandingFleet("fleet0", tmp_path / "run")
    with pytest.raises(LabError, match="not well-formed"):
        fleet.up([spec], tmp_path / "inventory")
    assert not fleet.exists


def test_serve_plays_a_mix() -> None:
    command = [sys.executable, "-m", "labs.emulator", "serve", "--count", "2", "--mix", "klingon"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 2
    assert "klingon" in done.stderr
    assert "Traceback" not in done.stderr
