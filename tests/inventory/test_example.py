"""The inventory that users copy first."""

from __future__ import annotations

import json
import re
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from secloop_ai.contracts import Environment
from secloop_ai.inventory import load_environment
from tests.inventory.tree import ansible

EXAMPLE = Path(__file__).parents[2] / "inventory" / "example"
DOCUMENTATION = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")


@pytest.fixture(scope="module")
def environment() -> Environment:
    return load_environment([str(EXAMPLE)], known_dialects=["ietf"])


def test_it_shows_a_small_operators_network(environment: Environment) -> None:
    assert [d.name for d in environment.devices] == ["edge1", "edge2", "dist1"]
    assert {d.dialect for d in environment.devices} == {"ietf"}
    assert {h.zone for h in environment.hosts} == {"dmz", "office", "infra", "soc", "sensors"}
    assert {h.role for h in environment.hosts} == {"server", "workstation", "resolver", "soc", "sensor"}
    assert all(h.attached_to for h in environment.hosts)
    for name in ("block_ip", "isolate_host", "restrict_service"):
        assert name in environment.offered_actions()


def test_what_must_never_be_touched_is_protected(environment: Environment) -> None:
    for name in ("dns1", "soc1", "sensor-edge", "sensor-office"):
        host = environment.host(name)
        assert host is not None
        assert all(any(a in net for net in environment.protected) for a in host.addresses)
    for device in environment.devices:
        assert all(any(a in net for net in environment.protected) for a in device.own_addresses())
    www = environment.host("www1")
    assert www is not None
    assert not any(www.addresses[0] in net for net in environment.protected)


def test_an_outside_source_enters_at_the_edge_alone(environment: Environment) -> None:
    entries = environment.entries_for(ip_address("203.0.113.200"))
    assert [(d.name, i.name) for d, i in entries] == [("edge1", "eth0"), ("edge2", "eth0")]
    assert environment.zone_of(ip_address("203.0.113.200")) == "internet"
    assert environment.zone_of(ip_address("198.51.100.99")) == "office"
    assert environment.zone_of(ip_address("2001:db8:0:20::99")) == "office"


def test_ansible_takes_it(environment: Environment) -> None:
    listed = json.loads(ansible("ansible-inventory", "-i", str(EXAMPLE), "--list"))
    names = {h.name for h in environment.hosts} | {d.name for d in environment.devices}
    assert set(listed["_meta"]["hostvars"]) == names


def test_it_uses_documentation_addresses_only() -> None:
    nets = [ip_network(n) for n in DOCUMENTATION]
    anywhere = {ip_address("0.0.0.0"), ip_address("::")}
    found = set()
    for file in EXAMPLE.rglob("*.*"):
        for text in re.findall(r"\b\d+\.\d+\.\d+\.\d+\b|\b[0-9a-f]+(?::[0-9a-f]*)+:[0-9a-f]*|::", file.read_text()):
            found.add(ip_address(text))
    assert len(found) > 30
    assert [str(a) for a in found - anywhere if not any(a in n for n in nets)] == []
