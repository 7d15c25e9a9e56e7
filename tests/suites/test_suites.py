"""The suites hold together: every file draws, every means fits its target, the splits keep apart."""

from __future__ import annotations

from collections import defaultdict

import pytest

from labs.attacks.registry import all_means, means
from labs.scenario import Kind, Scenario, Split, Suite, draw
from labs.services.base import program, programs
from labs.simulator import FastField
from labs.simulator.alerts import SERVER_SSH
from labs.suites import PLANS, Network, cases, load_networks, load_suite, plan_of, rows, shape, violations
from labs.suites.cases import PARTS, STRIDE, case_of
from labs.suites.report import everything, tables, text
from labs.suites.rules import BENIGN_SHARE, BENIGN_SLACK, attack_means

SCENARIOS = everything()
SEEDS = range(20)
NAMES = [s.name for s in SCENARIOS]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=NAMES)
def test_every_scenario_draws_with_twenty_seeds(scenario: Scenario) -> None:
    plans = set()
    for seed in SEEDS:
        case = case_of(scenario, seed)
        assert case == draw(scenario, case.seed)
        assert len(case.flows) > 1
        assert len({h.addresses[0] for h in case.environment.hosts}) == len(case.environment.hosts)
        assert 4 <= len(case.environment.hosts) <= 20
        assert 1 <= len(case.environment.devices) <= 3
        plans.add(plan_of(case))
    assert len(plans) > 1
    assert {p % PARTS for p in plans} <= PLANS[scenario.split]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=NAMES)
def test_the_fast_model_finds_every_case_valid_and_seen(scenario: Scenario) -> None:
    for seed in range(3):
        field = FastField(case_of(scenario, seed))
        undefended = field.undefended()
        assert undefended.valid, [s.detail for s in undefended.stages if not s.succeeded]
        seen = {a.signature_id for a in field.alerts()} - {SERVER_SSH.sid}
        assert bool(seen) == (scenario.kind is not Kind.QUIET)
        if scenario.kind is not Kind.ATTACK:
            assert undefended.rs_service == 1.0


@pytest.mark.parametrize("scenario", SCENARIOS, ids=NAMES)
def test_every_means_exists_and_fits_its_target(scenario: Scenario) -> None:
    kinds = {f"{h.name}/{s.name}": s.kind for h in scenario.hosts for s in h.services}
    for step in scenario.chain:
        plugin = means(step.means)
        if "/" in step.target and plugin.service_kinds:
            assert kinds[step.target] in plugin.service_kinds
        elif plugin.service_kinds:
            assert step.target == "outside"
            assert step.source != "attacker"
            assert set(plugin.service_kinds) & set(programs())
        if scenario.kind is Kind.FALSE_ALARM:
            assert step.source != "attacker"
    infected = {h.name for h in scenario.hosts if h.infected}
    assert infected <= {step.source for step in scenario.chain}
    if scenario.kind is not Kind.ATTACK:
        assert not infected
        assert not scenario.persistent


@pytest.mark.parametrize("scenario", SCENARIOS, ids=NAMES)
def test_who_starts_a_stage_of_an_attack_was_taken_before(scenario: Scenario) -> None:
    taken = {"attacker"} | {h.name for h in scenario.hosts if h.infected}
    for step in scenario.chain if scenario.kind is Kind.ATTACK else ():
        assert step.source in taken
        if not step.optional:
            taken.add(step.target.partition("/")[0])


@pytest.mark.parametrize("network", load_networks().values(), ids=load_networks())
def test_services_of_a_network_are_programs_with_their_protocol(network: Network) -> None:
    for host in network.hosts:
        for service in host.services:
            assert program(service.kind).protocol == service.protocol


def test_every_network_is_used() -> None:
    used = {shape(s) for s in SCENARIOS}
    assert len(used) == len(load_networks())


def test_the_splits_keep_their_rules() -> None:
    assert list(violations(SCENARIOS)) == []


@pytest.mark.parametrize("key", ["family", "shape", "name"])
def test_nothing_of_a_split_is_in_another(key: str) -> None:
    splits: dict[object, set[Split]] = defaultdict(set)
    for scenario in SCENARIOS:
        splits[shape(scenario) if key == "shape" else getattr(scenario, key)].add(scenario.split)
    assert all(len(found) == 1 for found in splits.values())


def test_the_test_split_holds_unseen_techniques_in_every_attack() -> None:
    learned = {step.means for s in SCENARIOS if s.split is not Split.TEST for step in s.chain}
    attacks = [s for s in SCENARIOS if s.split is Split.TEST and s.kind is Kind.ATTACK]
    assert attacks
    assert all(attack_means([s]) - learned for s in attacks)


@pytest.mark.parametrize("split", Split)
@pytest.mark.parametrize("suite", Suite)
def test_a_fifth_of_each_split_is_benign(suite: Suite, split: Split) -> None:
    found = [s.kind for s in load_suite(suite) if s.split is split]
    assert abs(sum(k is not Kind.ATTACK for k in found) / len(found) - BENIGN_SHARE) <= BENIGN_SLACK


@pytest.mark.parametrize("suite", Suite)
def test_a_suite_has_families_tactics_and_persistence(suite: Suite) -> None:
    attacks = [s for s in load_suite(suite) if s.kind is Kind.ATTACK]
    assert len({s.family for s in attacks}) >= 8
    assert len({means(m).tactic.id for m in attack_means(attacks)}) >= 4
    assert any(s.persistent for s in attacks)


def test_all_means_that_a_sensor_sees_are_in_some_attack() -> None:
    absent = {m.id for m in all_means()} - attack_means(SCENARIOS)
    assert absent == {"arp-spoof"}  # it never leaves its segment: no gateway can be told to stop it


def test_cases_come_seed_by_seed_and_apart_from_other_splits() -> None:
    drawn = {split: list(cases("autoattack", split, range(4))) for split in Split}
    chosen = [s.name for s in load_suite("autoattack") if s.split is Split.TEST]
    assert [c.scenario for c in drawn[Split.TEST]] == chosen * 4
    plans = {split: {plan_of(c) for c in found} for split, found in drawn.items()}
    assert not plans[Split.TRAIN] & plans[Split.TEST]
    assert not plans[Split.VALIDATION] & plans[Split.TEST]
    assert len({c.case_id for c in drawn[Split.TEST]}) == len(drawn[Split.TEST])


@pytest.mark.parametrize("seed", [-1, STRIDE])
def test_a_seed_out_of_range_is_refused(seed: int) -> None:
    with pytest.raises(ValueError, match=f"seed {seed}"):
        next(cases("autoattack", "test", [seed]))


def test_the_report_counts_every_scenario() -> None:
    together = [r for r in rows() if r["suite"] == "all"]
    assert sum(int(r["scenarios"]) for r in together) == len(SCENARIOS)
    shown = tables()
    assert sum(int(r["all"]) for r in shown["Attack stages by tactic"]) == sum(int(r["stages"]) for r in together)
    assert "arp-spoof" in text(shown)
