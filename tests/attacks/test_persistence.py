"""A persistent attacker comes back from another address, slower, or by another protocol: one list for both sides."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from labs.attacks.arena import arena
from labs.attacks.base import Exchange
from labs.attacks.persistence import SLOWER, attempts, slower
from labs.attacks.registry import all_means, means
from labs.battlefield.trial import LiveField
from labs.lab.requirements import explain
from labs.scenario import Case, draw
from labs.simulator import FastField
from labs.validator import baseline
from secloop_ai.contracts import Strategy
from secloop_ai.loop.decide import build_request, decide

LACKING = explain()

TWO_WAYS = ("dns-hijack", "host-sweep", "dns-tunnel", "exfil-dns")


def persistent(name: str, seed: int = 0) -> Case:
    return draw(arena(name, seed).model_copy(update={"persistent": True}), seed)


@pytest.mark.parametrize("plugin", all_means(), ids=lambda m: m.id)
def test_who_is_not_persistent_tries_once(plugin: object) -> None:
    name = plugin.id  # type: ignore[attr-defined]
    case = draw(arena(name, 1), 1)
    assert all(attempts(case, stage) == (stage,) for stage in case.stages)


@pytest.mark.parametrize("plugin", all_means(), ids=lambda m: m.id)
def test_tries_are_bounded_repeatable_and_begin_as_planned(plugin: object) -> None:
    name = plugin.id  # type: ignore[attr-defined]
    case = persistent(name)
    stage = case.stages[-1]
    tries = attempts(case, stage)
    assert tries[0] == stage
    assert tries == attempts(case, stage)
    assert len(tries) <= len(case.attackers)
    assert {(t.target, t.port, t.service, t.weak) for t in tries} == {
        (stage.target, stage.port, stage.service, stage.weak)
    }


def test_from_outside_each_try_has_an_address_of_its_own() -> None:
    case = persistent("sql-injection")
    tries = attempts(case, case.stages[0])
    assert [t.source for t in tries] == [p.address for p in case.attackers]
    assert all(t.params == case.stages[0].params for t in tries)


def test_on_a_host_the_address_stays_and_who_knows_no_other_way_gives_up() -> None:
    case = persistent("mqtt-c2")
    assert attempts(case, case.stages[0]) == (case.stages[0],)
    case = persistent("exfil-dns")
    tries = attempts(case, case.stages[0])
    assert len(tries) == 2
    assert len({t.source for t in tries}) == 1


@pytest.mark.parametrize("name", ["port-scan", "ssh-brute-force", "ftp-brute-force", "exfil-c2"])
def test_a_slower_try_is_slower(name: str) -> None:
    plugin = means(name)
    (pace,) = plugin.paces
    case = persistent(name)
    rates = [int(t.params.get(pace.name, pace.usual)) for t in attempts(case, case.stages[0])]
    assert min(rates) < rates[0]
    assert min(rates) >= pace.slowest


def test_a_slower_try_pauses_longer_up_to_a_bound() -> None:
    plugin, stage = means("smb-brute-force"), persistent("smb-brute-force").stages[0]
    assert slower(plugin, stage, SLOWER[0]).params["pause_ms"] == 80
    assert slower(plugin, stage, 1000).params["pause_ms"] == plugin.pauses[0].slowest


@pytest.mark.parametrize("name", TWO_WAYS)
def test_another_protocol_is_another_exchange(name: str) -> None:
    case = persistent(name)

    def protocols(found: tuple[Exchange, ...]) -> set[int]:
        return {e.protocol for e in found}

    seen = [protocols(means(name).exchanges(t)) for t in attempts(case, case.stages[0])]
    assert {6} in seen
    assert seen[0] != {6}


def test_the_fast_model_lets_the_other_protocol_through_a_block_of_the_first() -> None:
    case = persistent("exfil-dns")
    field, stage = FastField(case), case.stages[0]
    block = {
        "kind": "block_flow", "source": str(ip_network(stage.source)), "destination": str(stage.target),
        "protocol": "udp", "port": 53, "ttl_s": 900,
    }  # fmt: skip
    strategy = Strategy.model_validate({"actions": [block], "evidence": [], "policy": "by hand"})
    once = FastField(case.model_copy(update={"persistent": False}))
    assert once.evaluate(strategy).rs_attack == 0.0
    assert field.evaluate(strategy).rs_attack == 1.0


@pytest.mark.lab
@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.skipif(bool(LACKING), reason=LACKING or "battlefields can run")
@pytest.mark.parametrize(("name", "gets_round"), [("exfil-dns", True), ("sql-injection", True), ("mqtt-c2", False)])
def test_live_a_persistent_attacker_does_what_the_fast_model_says(name: str, gets_round: bool) -> None:
    scenario = arena(name, 2).model_copy(update={"persistent": True})
    live = LiveField.of(scenario, 2)
    request = build_request(live.alerts(), live.case.environment)
    strategy = decide(request, baseline("expert-table"), candidates=8, seed=2).strategy
    real, model = live.evaluate(strategy), FastField(live.case).evaluate(strategy)
    assert real.executed
    assert real.rs_attack == model.rs_attack == float(gets_round)
