"""Scenarios are checked, and a seed draws the same case every time."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from labs.scenario import Split, draw, load_scenario
from labs.scenario.access import ABSENT, ALLOWED, COMM
from labs.scenario.accounts import USED_BY
from labs.scenario.layout import PARTS, PARTS_OF
from labs.scenario.load import ScenarioError, scenario_of
from secloop_ai.contracts import CATALOGUE, Plane

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


@pytest.mark.parametrize("split", Split)
def test_each_split_has_address_plans_of_its_own(split: Split) -> None:
    scenario = load_scenario(OFFICE).model_copy(update={"split": split})
    cases = [draw(scenario, seed) for seed in range(60)]
    plans = {int(a) >> 16 & 255 for c in cases for h in c.environment.hosts for a in h.addresses if int(a) >> 24 == 10}
    assert {plan % PARTS for plan in plans} == set(PARTS_OF[split])
    assert len(plans) > 20


def test_a_host_of_ours_tells_what_roles_may_do_there() -> None:
    case = draw(load_scenario(OFFICE), 3)
    for host in case.environment.hosts:
        if host.zone == "outside":
            assert host.access is None
            continue
        assert host.access is not None
        assert {"harden_kernel", "deploy_hids"} <= set(host.access.actions)
        assert ("stop_process" in host.access.actions) is bool(host.services)
        assert ("secure_sshd" in host.access.actions) is ("ssh" in [s.name for s in host.services])
        assert bool(host.access.accounts) is ("disable_account" in host.access.actions)
        assert (host.access.resolver is not None) is ("dns_sinkhole" in host.access.actions)
        assert all(len(p) <= COMM for p in host.access.processes)


def test_a_protected_host_lets_no_role_in() -> None:
    scenario = load_scenario(OFFICE)
    kept = [h.model_copy(update={"protected": h.name == "jump"}) for h in scenario.hosts]
    case = draw(scenario.model_copy(update={"hosts": tuple(kept)}), 3)
    jump = case.environment.host(case.names["jump"])
    assert jump is not None
    assert jump.access is None


def test_what_no_host_allows_is_not_offered_and_says_why() -> None:
    environment = draw(load_scenario(OFFICE), 3).environment
    allowed = {a for h in environment.hosts if h.access for a in h.access.actions}
    host_plane = {name for name, kind in CATALOGUE.items() if kind.spec.plane is Plane.HOST}
    assert set(environment.not_offered) == host_plane - allowed
    assert {"enforce_apparmor", "patch_vulnerability"} <= set(environment.not_offered)
    assert all(environment.not_offered.values())
    assert host_plane == {*ABSENT, *ALLOWED}


def test_the_accounts_of_a_host_do_not_tell_which_one_is_attacked() -> None:
    scenario = load_scenario(OFFICE)
    places, everywhere = set(), []
    for seed in range(80):
        case = draw(scenario, seed)
        jump = case.environment.host(case.names["jump"])
        assert jump is not None
        assert jump.access is not None
        right = USED_BY[case.stages[0].means]
        assert right in jump.access.accounts
        places.add((jump.access.accounts.index(right), len(jump.access.accounts)))
        everywhere.append(set(jump.access.accounts) - {right})
    assert len({place for place, _ in places}) > 2
    assert any(found & set(USED_BY.values()) for found in everywhere), "accounts that others attack stand there too"


def test_content_is_checked_wherever_it_comes_from() -> None:
    raw = yaml.safe_load(OFFICE.read_text())
    assert scenario_of(raw, "here") == load_scenario(OFFICE)
    with pytest.raises(ScenarioError, match=r"^here: chain: "):
        scenario_of(raw | {"chain": []}, "here")


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
