"""Which actions a network offers, and why not the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from secloop_ai.contracts import CATALOGUE, Connection, Device, Environment, HostAccess, Plane
from secloop_ai.inventory import load_environment, merge_not_offered
from tests.inventory.tree import GOOD, HOSTS_YML, R1_YML, WEB_YML, write

HOST_ACTIONS = [name for name, kind in CATALOGUE.items() if kind.spec.plane is Plane.HOST]
NETWORK_ACTIONS = [name for name, kind in CATALOGUE.items() if kind.spec.plane is Plane.NETWORK]


def device(name: str) -> Device:
    return Device(name=name, dialect="ietf", connection=Connection(address=name))


def test_host_actions_wait_for_their_roles(tmp_path: Path) -> None:
    environment = load_environment([write(tmp_path, GOOD)])
    assert environment.offered_actions() == (*NETWORK_ACTIONS, "observe")
    assert environment.not_offered == {
        name: f"its role does not exist yet: no folder {name!r} in Ansible's roles path" for name in HOST_ACTIONS
    }


def test_a_role_and_a_host_that_allows_it_make_its_action_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roles = {f"{name}/tasks/main.yml": "[]\n" for name in ("close_port", "disable_account")}
    write(tmp_path / "roles", roles)
    monkeypatch.setenv("ANSIBLE_ROLES_PATH", f"/nowhere:{tmp_path / 'roles'}")
    access = "  access:\n    actions: [disable_account, stop_process]\n    accounts: [ann]\n    processes: [x]\n"
    source = write(tmp_path / "inv", {**GOOD, "host_vars/web.yml": WEB_YML + access})
    environment = load_environment([source])
    assert set(HOST_ACTIONS) - set(environment.not_offered) == {"disable_account"}
    assert environment.not_offered["close_port"] == "no host allows it: no secloop_host.access.actions lists it"
    assert "its role does not exist yet" in environment.not_offered["stop_process"]
    web = environment.host("web")
    assert web is not None
    assert web.access == HostAccess(actions=("disable_account", "stop_process"), accounts=("ann",), processes=("x",))

    write(tmp_path / "inv", {"hosts.yml": HOSTS_YML.replace("secloop_hosts", "others"), "host_vars/web.yml": "{}\n"})
    assert load_environment([source]).not_offered["close_port"] == "the inventory has no host"


def test_without_a_device_no_network_action(tmp_path: Path) -> None:
    environment = load_environment([write(tmp_path, {"hosts": "[secloop_hosts]\n192.0.2.9\n"})])
    assert environment.offered_actions() == ("observe",)
    assert {environment.not_offered[name] for name in NETWORK_ACTIONS} == {"the inventory has no device"}


def test_the_caller_says_what_a_device_refuses(tmp_path: Path) -> None:
    asked = []

    def refusals(one: Device) -> dict[str, str]:
        asked.append(one.name)
        return {"rate_limit": f"{one.dialect} has no rate limit"}

    more = HOSTS_YML.replace("    secloop_hosts", "        r2: {}\n    secloop_hosts")
    files = {**GOOD, "hosts.yml": more, "host_vars/r2.yml": R1_YML.replace("198.51.100.1", "198.51.100.2")}
    environment = load_environment([write(tmp_path, files)], refusals=refusals)
    assert asked == ["r1", "r2"]
    assert environment.not_offered["rate_limit"] == "ietf has no rate limit"
    assert "rate_limit" not in environment.offered_actions()
    assert "block_ip" in environment.offered_actions()


def test_an_action_stays_while_one_device_can_take_it() -> None:
    network = Environment(devices=(device("a"), device("b")))
    assert merge_not_offered(network, {"a": {"rate_limit": "no"}, "b": {}}) == network
    assert merge_not_offered(network, {"a": {"rate_limit": "no"}}) == network


def test_different_reasons_name_their_devices() -> None:
    network = Environment(devices=(device("a"), device("b")))
    merged = merge_not_offered(network, {"b": {"rate_limit": "old"}, "a": {"rate_limit": "none"}})
    assert merged.not_offered == {"rate_limit": "a: none; b: old"}


def test_merging_keeps_what_was_not_offered_before() -> None:
    network = Environment(devices=(device("a"),), not_offered={"close_port": "no role", "rate_limit": "first"})
    merged = merge_not_offered(network, {"a": {"rate_limit": "second", "shutdown_port": "none"}})
    assert merged.not_offered == {"close_port": "no role", "rate_limit": "first", "shutdown_port": "none"}
    assert merge_not_offered(merged, {"a": {"rate_limit": "second", "shutdown_port": "none"}}) == merged


def test_an_unknown_device_refuses_nothing_for_others() -> None:
    empty = Environment(not_offered={"block_ip": "the inventory has no device"})
    assert merge_not_offered(empty, {"x": {"rate_limit": "no"}}) == empty
