"""Scenarios are checked, and a seed draws the same case every time."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from labs.scenario import draw, load_scenario
from labs.scenario.load import ScenarioError

OFFICE = Path(__file__).with_name("office.yaml")


def test_a_seed_draws_the_same_case_every_time() -> None:
    scenario = load_scenario(OFFICE)
    assert draw(scenario, 7) == draw(scenario, 7)
    assert draw(scenario, 7).environment != draw(scenario, 8).environment


@pytest.mark.parametrize("seed", range(40))
def test_every_case_is_a_network_that_holds_together(seed: int) -> None:
    case = draw(load_scenario(OFFICE), seed)
    environment = case.environment
    addresses = [a for h in environment.hosts for a in h.addresses] + [p.address for p in case.attackers]
    addresses += [a for d in environment.devices for a in d.own_addresses()]
    assert len(addresses) == len(set(addresses))
    for host in environment.hosts:
        assert host.attached_to is not None
        device = environment.device(host.attached_to.device)
        assert device is not None
        port = device.interface(host.attached_to.interface)
        assert port is not None
        assert port.reach(host.addresses[0]) >= 0
    assert {d.name for d, _ in environment.entries_for(case.attackers[0].address)} == {"edge", "core"}
    assert all(f.packet.destination in environment.host(f.server).addresses for f in case.flows)  # type: ignore[union-attr]
    assert case.stages[0].weak
    assert case.stages[0].target_host == case.names["jump"]


def test_the_environment_knows_nothing_of_the_attack() -> None:
    case = draw(load_scenario(OFFICE), 3)
    text = case.environment.model_dump_json()
    assert "brute" not in text
    assert all(str(p.address) not in text for p in case.attackers)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"gateways": [{"name": "edge", "zones": ["dmz", "office", "servers"], "uplink": "edge"}]}, "a loop by edge"),
        ({"gateways": [{"name": "edge", "zones": ["dmz", "office"]}]}, "zones: servers hangs on no gateway"),
        ({"zones": [{"name": "outside"}, {"name": "dmz"}]}, "exactly one zone is outside"),
        ({"flows": [{"service": "jump/ftp"}]}, "no service jump/ftp"),
        ({"chain": [{"means": "x-y", "target": "nobody/ssh"}]}, "chain.0.target: no host nobody"),
        ({"chain": []}, "kind attack needs one"),
        ({"kind": "quiet"}, "kind quiet has none"),
        ({"colour": "red"}, "colour: Extra inputs are not permitted"),
        ({"hosts": [{"name": "jump", "zone": "attic"}]}, r"hosts.jump.zone: attic is not an inside zone"),
    ],
)
def test_what_is_wrong_is_named_by_file_and_key(tmp_path: Path, change: dict[str, object], said: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(OFFICE.read_text()) | change))
    with pytest.raises(ScenarioError) as raised:
        load_scenario(path)
    assert said in str(raised.value)
    assert str(path) in str(raised.value)


def test_what_is_no_yaml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("a: [")
    with pytest.raises(ScenarioError, match=r"bad\.yaml"):
        load_scenario(path)
    with pytest.raises(ScenarioError, match=r"none\.yaml"):
        load_scenario(tmp_path / "none.yaml")
