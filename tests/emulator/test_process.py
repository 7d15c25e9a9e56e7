"""The emulator's process: its life, its files, its command line."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from labs.emulator import Device, DeviceSpec, EmulatedDevice, EmulatedFleet, gateways
from secloop_ai.contracts.errors import LabError

from .conftest import Connect
from .documents import acl, acls, attach, config
from .waiting import until

ROOT = Path(__file__).parents[2]
PARENT = """
import sys, time
from labs.emulator import EmulatedFleet, gateways
fleet = EmulatedFleet(gateways(1))
devices = fleet.__enter__()
print(fleet.pid, devices[0].control.parent, flush=True)
time.sleep(60)
"""


def running(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def listens(device: Device) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((device.host, device.port)) == 0


def test_a_device_of_ones_own(connect: Connect) -> None:
    own = config(acls(acl("mine")))
    emulated = EmulatedDevice(own, (":base:1.0", ":candidate"), modules=["ietf-access-control-list"], user="ann")
    with emulated as device:
        session, pid = connect(device), emulated.fleet.pid
        assert [uri.partition("?")[0].rpartition(":")[2] for uri in session.server_capabilities][2:] == [
            "ietf-access-control-list"
        ]
        assert "mine" in device.running()
        assert "interfaces" not in device.running()
        assert device.private_key.stat().st_mode & 0o077 == 0
        assert device.control.parent.stat().st_mode & 0o077 == 0
        session.close_session()
    assert not running(pid)
    assert not listens(device)
    assert not device.control.parent.exists()


def test_known_hosts_holds_the_key_of_every_device(fleet: dict[str, Device]) -> None:
    for device in fleet.values():
        command = ["ssh-keygen", "-F", f"[{device.host}]:{device.port}", "-f", str(device.known_hosts)]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "ssh-ed25519 " in found.stdout


def test_a_fleet_in_one_process(connect: Connect) -> None:
    with EmulatedFleet(gateways(12)) as devices:
        assert len({device.port for device in devices}) == 12
        devices[3].set_running(config(acls(acl("only-here"))))
        assert ["only-here" in device.running() for device in devices].count(True) == 1
        assert "only-here" in connect(devices[3]).get_config("running").data_xml
        devices[3].reset()
        assert devices[3].running() == devices[4].running()


def test_the_child_dies_with_its_parent() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        pid, directory = parent.stdout.readline().split()
        child = int(pid)
        assert running(child)
        parent.send_signal(signal.SIGKILL)
    until(lambda: not running(child))
    assert not Path(directory).exists()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (DeviceSpec(config="<config"), "not well-formed"),
        (DeviceSpec(config=config(acls(attach("ge0", "nobody")))), "refers to no"),
        (DeviceSpec(config=config("<x xmlns='urn:example:x'/>")), "urn:example:x"),
        (DeviceSpec(config="<hello xmlns='urn:ietf:params:xml:ns:netconf:base:1.0'/>"), "not a configuration"),
        (DeviceSpec(capabilities=(":candidate",)), "needs :base:1.0 or :base:1.1"),
        (DeviceSpec(dialect="klingon"), "klingon"),
    ],
)
def test_a_wrong_device_does_not_start_and_says_why(spec: DeviceSpec, message: str) -> None:
    with pytest.raises(LabError, match=message) as caught, EmulatedFleet([spec]):
        pass
    assert "Traceback" not in str(caught.value)


def test_a_port_of_choice_and_a_taken_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LabError, match="in use"), EmulatedFleet([DeviceSpec(port=port)]):
            pass
    with EmulatedFleet([DeviceSpec(port=port)]) as (device,):
        assert device.port == port


def test_the_command_line(tmp_path: Path, connect: Connect) -> None:
    directory = tmp_path / "keys"
    command = [sys.executable, "-m", "labs.emulator", "serve", "--count", "2", "--directory", str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith('{"ports":{"gw1":')
        assert {path.name for path in directory.iterdir()} >= {"known_hosts", "client_ed25519", "control.sock"}
        process.terminate()
        assert process.wait(10) == 0


def test_control_commands_that_are_wrong(gateway: Device) -> None:
    before = gateway.running()
    for do, parameters, message in (
        ("dance", {}, "no command 'dance'"),
        ("set", {}, "needs 'xml'"),
        ("set", {"xml": "<a"}, "not well-formed"),
        ("set", {"xml": config(acls(attach("ge0", "nobody")))}, "refers to no"),
        ("edit", {"xml": config(acls("<colour/>"))}, "unknown-element"),
        ("get", {"datastore": "startup"}, "invalid-value"),
        ("fault", {"fault": {"step": "lunch", "kind": "drop"}}, "lunch"),
    ):
        with pytest.raises(LabError, match=message):
            gateway.command(do, **parameters)
    with pytest.raises(LabError, match="no device 'gw9'"):
        gateway.model_copy(update={"name": "gw9"}).running()
    assert gateway.running() == before


def test_a_device_that_is_gone() -> None:
    with EmulatedDevice() as device:
        assert device.state().sessions == ()
    with pytest.raises(LabError, match="control channel"):
        device.running()


def test_devices_of_a_fleet_have_different_names() -> None:
    with pytest.raises(ValidationError, match="same name"):
        EmulatedFleet([DeviceSpec(), DeviceSpec()])


def test_a_fleet_that_was_not_entered_has_no_process() -> None:
    with pytest.raises(LabError, match="does not run"):
        EmulatedFleet(gateways(1)).pid  # noqa: B018 - the property raises
