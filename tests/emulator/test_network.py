"""The embedded network: its inventory as Ansible reads it, its initial configuration, its recorded alerts."""

from __future__ import annotations

import ipaddress
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from labs.emulator import Device, write_inventory
from labs.emulator.schema import DATA

EVE = DATA / "ssh-brute-force.eve.json"


@pytest.fixture
def inventory(fleet: dict[str, Device], tmp_path: Path) -> dict[str, Any]:
    """What ansible-inventory makes of it."""
    hosts = write_inventory(fleet["gw1"], tmp_path / "embedded")
    command = [str(Path(sys.executable).parent / "ansible-inventory"), "-i", str(hosts), "--list"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "WARNING" not in done.stderr
    return dict(json.loads(done.stdout))


def test_ansible_reads_the_inventory(inventory: dict[str, Any], fleet: dict[str, Device]) -> None:
    device, variables = fleet["gw1"], inventory["_meta"]["hostvars"]
    assert inventory["secloop_devices"]["hosts"] == ["gw1"]
    assert inventory["secloop_hosts"]["hosts"] == ["client1", "web1", "app1"]
    gateway = variables["gw1"]
    assert (gateway["ansible_host"], gateway["ansible_port"]) == (device.host, device.port)
    assert gateway["ansible_ssh_private_key_file"] == str(device.private_key)
    assert gateway["secloop_device"]["known_hosts"] == str(device.known_hosts)
    assert gateway["secloop_protected"] == ["203.0.113.1", "198.51.100.1", "192.0.2.1", "192.0.2.129"]
    assert {s["port"] for s in variables["app1"]["secloop_host"]["services"]} == {8080, 22}


def test_hosts_lie_in_the_networks_of_their_interfaces(inventory: dict[str, Any]) -> None:
    variables = inventory["_meta"]["hostvars"]
    ports = variables["gw1"]["secloop_device"]["interfaces"]
    for name in ("client1", "web1", "app1"):
        host = variables[name]["secloop_host"]
        port = ports[host["attached_to"]["interface"]]
        networks = [ipaddress.ip_network(network) for network in port["networks"]]
        assert host["zone"] == port["zone"]
        for address in host["addresses"]:
            assert any(ipaddress.ip_address(address) in network for network in networks)


def test_the_device_has_the_interfaces_of_the_inventory(inventory: dict[str, Any], gateway: Device) -> None:
    interfaces = inventory["_meta"]["hostvars"]["gw1"]["secloop_device"]["interfaces"]
    running = gateway.running()
    assert all(f"<interface><name>{name}</name>" in running for name in interfaces)
    assert running.count("<interface><name>") == len(interfaces)


def test_the_operators_acl_is_there(gateway: Device) -> None:
    running = gateway.running()
    assert running.index("192.0.2.0/24") < running.index("<forwarding>accept")
    assert "<interface-id>ge0</interface-id><ingress><acl-sets><acl-set><name>edge-in</name>" in running


def test_the_recorded_alerts_are_of_one_brute_force() -> None:
    events = [json.loads(line) for line in EVE.read_text(encoding="utf-8").splitlines()]
    kinds = [event["event_type"] for event in events]
    assert len(events) == 12
    assert {"stats", "flow", "ssh", "alert"} == set(kinds)
    alerts = [event for event in events if event["event_type"] == "alert"]
    assert len(alerts) >= 5
    for alert in alerts:
        assert (alert["src_ip"], alert["dest_ip"], alert["dest_port"]) == ("203.0.113.66", "192.0.2.138", 22)
        assert alert["app_proto"] == "ssh"
        assert alert["alert"]["signature_id"] == 9000001
        assert alert["alert"]["metadata"]["mitre_technique_id"] == ["T1110.001"]
        assert alert["flow"]["pkts_toclient"] > 2, "a handshake was seen"
    stamps = [event["timestamp"] for event in events]
    assert stamps == sorted(stamps)
    assert len({alert["flow_id"] for alert in alerts}) == len(alerts)
