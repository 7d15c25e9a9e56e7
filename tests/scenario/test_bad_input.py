"""Scenario files that cannot be played, and machines that cannot play them: said with file and key."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from labs.attacks.base import Tool
from labs.battlefield import Battlefield, standing
from labs.battlefield.replay import replay
from labs.scenario import draw, load_scenario
from labs.scenario.layout import MOST_HOSTS, ROUTED_ROOM, SWITCHED_ROOM
from labs.scenario.load import ScenarioError
from labs.simulator import FastField
from labs.validator import baseline
from labs.validator.harness import evaluate_on
from secloop_ai.contracts.errors import LabError

OFFICE = Path(__file__).with_name("office.yaml")


def changed(**host: Any) -> dict[str, Any]:
    """The office with another first host."""
    raw: dict[str, Any] = yaml.safe_load(OFFICE.read_text(encoding="utf-8"))
    raw["hosts"][0] |= host
    return raw


def said(tmp_path: Path, raw: dict[str, Any]) -> str:
    """What loading says of it; every line begins with the file."""
    path = tmp_path / "bad.yaml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    with pytest.raises(ScenarioError) as raised:
        load_scenario(path)
    assert all(line.startswith(f"{path}: ") for line in str(raised.value).splitlines())
    return str(raised.value)


def test_two_services_at_one_address_and_port(tmp_path: Path) -> None:
    ssh = {"name": "ssh", "kind": "ssh", "port": 22, "weaknesses": ["ssh-brute-force"], "clients": ["desk"]}
    words = said(tmp_path, changed(services=[ssh, {"name": "other", "kind": "ftp", "port": 22}]))
    assert "hosts.jump.services: tcp/22 serves twice" in words


@pytest.mark.parametrize(
    ("zone", "count", "words"),
    [
        ("dmz", ROUTED_ROOM + 1, f"zones.dmz: {ROUTED_ROOM + 1} hosts in it; there are addresses for {ROUTED_ROOM}"),
        ("office", {"between": [1, SWITCHED_ROOM]}, f"there are addresses for {SWITCHED_ROOM}"),
        ("office", MOST_HOSTS, f"there are names for {MOST_HOSTS}"),
    ],
)
def test_more_hosts_than_addresses_would_clash(tmp_path: Path, zone: str, count: object, words: str) -> None:
    assert words in said(tmp_path, changed(zone=zone, count=count))


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "hosts.jump.count: at least 1"),
        ({"between": [0, 2]}, "hosts.jump.count: at least 1"),
        ({"between": [5, 2]}, "the smaller number comes first"),
    ],
)
def test_a_number_of_hosts_that_is_none(tmp_path: Path, count: object, words: str) -> None:
    assert words in said(tmp_path, changed(count=count))


def test_as_many_as_there_is_room_for_have_an_address_each(tmp_path: Path) -> None:
    path = tmp_path / "full.yaml"
    path.write_text(yaml.safe_dump(changed(count=ROUTED_ROOM)), encoding="utf-8")
    for seed in range(5):
        hosts = draw(load_scenario(path), seed).environment.hosts
        assert len({h.addresses for h in hosts}) == len({h.name for h in hosts}) == len(hosts) > ROUTED_ROOM


def test_an_unknown_service_is_named_where_it_is_used(tmp_path: Path) -> None:
    raw = changed()
    raw["chain"][0]["target"] = "jump/telnet"
    raw["flows"].append({"service": "db/telnet"})
    words = said(tmp_path, raw)
    assert "chain.0.target: host jump has no service telnet" in words
    assert "flows: no service db/telnet" in words


def test_gateways_in_a_loop(tmp_path: Path) -> None:
    raw = changed()
    raw["gateways"][0]["uplink"] = "core"
    words = said(tmp_path, raw)
    assert "gateways.edge.uplink: a loop by edge" in words
    assert "gateways.core.uplink: a loop by core" in words


def test_without_root_the_fast_model_works_and_the_live_one_says_why_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    before = standing()
    with pytest.raises(LabError, match=r"root \(run it as root\)"):
        Battlefield.clone(load_scenario(OFFICE), 1).up()
    assert [r for r in standing() if r not in before and r.case_id == "office-brute-force#1"] == []
    found = evaluate_on(baseline("expert-table"), FastField(draw(load_scenario(OFFICE), 1))).measurement
    assert found.valid


def test_a_tool_that_is_missing_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labs.battlefield.replay.missing_tools", lambda _: (Tool(program="hydra", package="hydra-x"),))
    with pytest.raises(LabError, match=r"ssh-brute-force: needs hydra \(hydra-x\)"):
        replay(Battlefield.clone(load_scenario(OFFICE), 1), time.monotonic() + 1)
