"""What a stage needs before it can be tried, who tries again, and which cases prove nothing."""

from __future__ import annotations

from ipaddress import ip_network

from labs.simulator import FastField
from secloop_ai.contracts import BlockIp, RestrictService

from .world import GUESS_SSH, OBSERVE, address_of, field_of, infected, strategy

PIVOT = {"means": "pivot", "source": "web", "target": "db/redis"}
SWEEP_FROM_WEB = {"means": "sweep", "source": "web", "target": "db"}
WEAK_EVERYWHERE = [
    h | {"services": [s | {"weaknesses": ["guess", "pivot"]} for s in h.get("services", [])]} for h in infected()
]


def block_first(field: FastField) -> BlockIp:
    return BlockIp(ttl_s=300, source=ip_network(field.case.attackers[0].address))


def test_a_chain_ends_where_its_first_stage_fails() -> None:
    field = field_of(GUESS_SSH, PIVOT, SWEEP_FROM_WEB, hosts=WEAK_EVERYWHERE)
    assert field.undefended().rs_attack == 1.0
    found = field.evaluate(strategy(block_first(field)))
    assert [s.attempted for s in found.stages] == [True, False, False]
    assert found.stages[1].detail == "needs guess to have succeeded before"
    assert found.stages[2].detail == f"nobody is on {field.case.names['web']}"
    assert found.correct


def test_only_a_later_stage_stopped_is_not_enough() -> None:
    field = field_of(GUESS_SSH, SWEEP_FROM_WEB)
    found = field.evaluate(strategy(RestrictService(ttl_s=300, host=field.case.names["db"], service="redis")))
    assert found.rs_attack == 1.0, "a sweep without a port is no redis traffic"
    later = field.evaluate(strategy(BlockIp(ttl_s=300, source=ip_network(address_of(field.case, "web")))))
    # blocked at its port the web server cannot answer the attacker either
    assert later.rs_attack == 0.0
    assert not later.correct


def test_an_implant_from_the_beginning_needs_no_way_in() -> None:
    field = field_of(PIVOT, hosts=[h | {"infected": h["name"] == "web"} for h in WEAK_EVERYWHERE])
    assert field.undefended().valid
    assert not field_of(PIVOT, hosts=WEAK_EVERYWHERE).undefended().valid


def test_a_target_without_the_weakness_refuses_and_the_case_proves_nothing() -> None:
    field = field_of({"means": "guess", "target": "web/http"})
    found = field.undefended()
    assert found.stages[0].attempted
    assert not found.stages[0].succeeded
    assert "no such weakness" in found.stages[0].detail
    assert (found.valid, found.rs_attack) == (False, 0.0)
    assert not field.evaluate(OBSERVE).valid


def test_one_failing_stage_undefended_is_enough_to_prove_nothing() -> None:
    assert not field_of(GUESS_SSH, {"means": "guess", "target": "web/http"}).undefended().valid


def test_a_persistent_attacker_comes_back_from_another_address() -> None:
    field = field_of(persistent=True)
    once = field.evaluate(strategy(block_first(field)))
    assert once.rs_attack == 1.0
    every = [BlockIp(ttl_s=300, source=ip_network(a.address)) for a in field.case.attackers]
    assert field.evaluate(strategy(*every)).correct
    assert field.evaluate(strategy(*every[:-1])).rs_attack == 1.0
    left = RestrictService(ttl_s=300, host=field.case.names["web"], service="ssh")
    assert field.evaluate(strategy(left)).correct


def test_an_infected_host_cannot_change_its_address() -> None:
    field = field_of({"means": "guess", "source": "desk", "target": "web/ssh"}, hosts=infected("desk"), persistent=True)
    source = ip_network(field.case.stages[0].source)
    assert field.evaluate(strategy(BlockIp(ttl_s=300, source=source))).rs_attack == 0.0


def test_on_a_false_alarm_only_observing_is_right() -> None:
    field = field_of({"means": "guess", "source": "desk", "target": "web/ssh"}, kind="false-alarm")
    assert field.alerts()
    assert field.undefended().rs_attack == 0.0
    assert field.evaluate(OBSERVE).correct
    harmless = strategy(BlockIp(ttl_s=300, source=ip_network("198.51.100.3")))
    assert field.evaluate(harmless).served
    assert not field.evaluate(harmless).correct


def test_in_a_quiet_period_too() -> None:
    field = field_of(kind="quiet", chain=[])
    assert field.alerts() == ()
    assert field.evaluate(OBSERVE).correct
