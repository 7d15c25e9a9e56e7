"""Every network action, its effect on the attack and on legitimate use computed by hand."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from labs.simulator import FastField
from labs.simulator.effects import combine
from secloop_ai.contracts import (
    BlackholeRoute,
    BlockFlow,
    BlockIp,
    ClosePort,
    IPAddress,
    IsolateHost,
    RateLimit,
    RestrictService,
    SecureSshd,
    ShutdownPort,
)

from .world import (
    FLOOD_BYTES_PER_S,
    OBSERVE,
    address_of,
    collateral_of,
    field_of,
    host_of,
    infected,
    strategy,
)

GUESS_DB = {"means": "guess", "target": "db/redis"}
FLOOD_WEB = {"means": "flood", "target": "web/http"}
BEACON = {"means": "beacon", "source": "desk", "target": "outside", "params": {"port": 443}}


def port_of(field: FastField, name: str) -> tuple[str, str]:
    where = host_of(field.case, name).attached_to
    assert where is not None
    return where.device, where.interface


def block(address: IPAddress) -> BlockIp:
    return BlockIp(ttl_s=300, source=ip_network(address))


def test_undefended_everything_works_for_everybody() -> None:
    found = field_of().undefended()
    assert (found.valid, found.rs_attack, found.rs_service, found.collateral) == (True, 1.0, 1.0, {})
    assert not found.correct


def test_block_ip_of_the_attacker_is_right_and_hurts_nobody() -> None:
    field = field_of()
    found = field.evaluate(strategy(block(field.case.attackers[0].address)))
    assert (found.rs_attack, found.rs_service, found.correct) == (0.0, 1.0, True)
    assert found.stages[0].detail == "no way through"


def test_block_ip_of_a_client_takes_its_services_but_not_the_attackers() -> None:
    field = field_of()
    found = field.evaluate(strategy(block(address_of(field.case, "partner"))))
    assert found.rs_attack == 1.0
    # of web/http's three clients (partner, two desks) one is gone
    assert collateral_of(field.case, found.collateral) == {"web/http": round(1 / 3, 6)}


def test_block_ip_of_a_host_also_stops_its_answers() -> None:
    field = field_of()
    found = field.evaluate(strategy(block(address_of(field.case, "db"))))
    assert collateral_of(field.case, found.collateral) == {"db/redis": 1.0}


def test_block_flow_takes_one_service_from_one_source() -> None:
    field = field_of()
    desk, web = address_of(field.case, "desk"), address_of(field.case, "web")
    action = BlockFlow(ttl_s=300, source=ip_network(desk), destination=web, protocol="tcp", port=80)
    found = field.evaluate(strategy(action))
    assert collateral_of(field.case, found.collateral) == {"web/http": round(1 / 3, 6)}
    attacker = ip_network(field.case.attackers[0].address)
    right = BlockFlow(ttl_s=300, source=attacker, destination=web, protocol="tcp", port=22)
    wrong = BlockFlow(ttl_s=300, source=attacker, destination=web, protocol="tcp", port=80)
    assert field.evaluate(strategy(right)).correct
    assert field.evaluate(strategy(wrong)).rs_attack == 1.0


def test_isolate_host_cuts_it_both_ways() -> None:
    field = field_of()
    found = field.evaluate(strategy(IsolateHost(ttl_s=300, host=field.case.names["web"])))
    assert found.rs_attack == 0.0
    assert collateral_of(field.case, found.collateral) == {"web/http": 1.0, "web/ssh": 1.0, "db/redis": 1.0}


def test_isolate_host_on_a_shared_segment_leaves_its_neighbours_to_it() -> None:
    field = field_of()
    found = field.evaluate(strategy(IsolateHost(ttl_s=300, host=field.case.names["desk"])))
    # the printer is on the desk's own segment; the other desk goes on
    assert collateral_of(field.case, found.collateral) == {"web/http": round(1 / 3, 6), "web/ssh": 0.5}


def test_restrict_service_leaves_it_to_its_clients() -> None:
    field = field_of()
    action = RestrictService(ttl_s=300, host=field.case.names["web"], service="ssh")
    assert field.evaluate(strategy(action)).correct
    other = RestrictService(ttl_s=300, host=field.case.names["web"], service="http")
    assert field.evaluate(strategy(other)).rs_attack == 1.0


def test_restrict_service_does_not_help_against_one_of_its_clients() -> None:
    field = field_of({"means": "guess", "source": "desk", "target": "web/ssh"}, hosts=infected("desk"))
    action = RestrictService(ttl_s=300, host=field.case.names["web"], service="ssh")
    assert field.evaluate(strategy(action)).rs_attack == 1.0


def test_blackhole_route_stops_answers_and_what_goes_there() -> None:
    beacon = field_of(BEACON, hosts=infected("desk"))
    gone = BlackholeRoute(ttl_s=300, destination=ip_network(beacon.case.stages[0].target), device="edge")
    assert beacon.evaluate(strategy(gone)).correct
    guess = field_of()
    towards = BlackholeRoute(ttl_s=300, destination=ip_network(guess.case.attackers[0].address), device="edge")
    assert guess.evaluate(strategy(towards)).correct, "the attacker hears no answer"


def test_blackhole_route_does_not_stop_a_one_way_flood() -> None:
    field = field_of(FLOOD_WEB)
    towards = BlackholeRoute(ttl_s=300, destination=ip_network(field.case.attackers[0].address), device="edge")
    assert field.evaluate(strategy(towards)).rs_attack == 1.0


def test_blackhole_route_holds_only_on_the_device_that_has_it() -> None:
    field = field_of(BEACON, hosts=infected("desk"))
    elsewhere = BlackholeRoute(ttl_s=300, destination=ip_network(field.case.stages[0].target), device="core")
    assert field.evaluate(strategy(elsewhere)).rs_attack == 1.0


def test_shutdown_port_takes_everybody_behind_it() -> None:
    field = field_of()
    device, interface = port_of(field, "desk")
    found = field.evaluate(strategy(ShutdownPort(ttl_s=300, device=device, interface=interface)))
    assert found.rs_attack == 1.0
    # both desks lose the web server, and keep the printer on their own segment
    assert collateral_of(field.case, found.collateral) == {"web/http": round(2 / 3, 6), "web/ssh": 1.0}


def test_shutdown_of_the_outside_port_ends_the_attack_and_the_partner() -> None:
    field = field_of()
    found = field.evaluate(strategy(ShutdownPort(ttl_s=300, device="edge", interface="ge0")))
    assert (found.rs_attack, found.correct) == (0.0, False)
    assert collateral_of(field.case, found.collateral) == {"web/http": round(1 / 3, 6)}


def test_shutdown_of_the_cable_cuts_the_second_gateway_off_so_the_loop_takes_it_back() -> None:
    field = field_of(GUESS_DB)
    (link,) = field.case.links
    for device, port in ((link.one, link.one_port), (link.other, link.other_port)):
        shut = ShutdownPort(ttl_s=300, device=device, interface=port)
        cut = field.play(combine([field.effect(shut)]))
        assert not any(s.succeeded for s in cut.stages)
        assert {u.service for u in cut.uses if not u.served} == {f"{field.case.names['db']}/redis"}
        found = field.evaluate(strategy(shut))
        assert (found.executed, found.rs_exe, found.rs_attack, found.rs_service) == (False, 0.0, 1.0, 1.0)
        assert "/redis is lost for" in found.fault


def limit(field: FastField, rate: int, source: IPAddress | None = None) -> RateLimit:
    return RateLimit.model_validate(
        {
            "ttl_s": 300,
            "destination": address_of(field.case, "web"),
            "protocol": "tcp",
            "port": 80,
            "rate_bytes_per_s": rate,
            "source": ip_network(source) if source else None,
        }
    )


def test_a_rate_limit_starves_a_flood_and_those_who_share_it() -> None:
    field = field_of(FLOOD_WEB)
    found = field.evaluate(strategy(limit(field, 125_000)))
    assert found.rs_attack == 0.0
    # one of three parts of the run is flooded, for three uses of eight; their packets pass as rarely as the flood's
    flooded = 3 / (3 * 8)
    assert 1 - flooded < found.rs_service < 1 - 0.99 * flooded
    assert found.collateral == {}, "undefended they lost as much"


def test_a_rate_limit_of_the_source_alone_leaves_the_others_alone() -> None:
    field = field_of(FLOOD_WEB)
    found = field.evaluate(strategy(limit(field, 125_000, field.case.attackers[0].address)))
    assert (found.rs_attack, found.rs_service, found.correct) == (0.0, 1.0, True)


def test_a_rate_limit_above_the_flood_changes_nothing() -> None:
    field = field_of(FLOOD_WEB)
    assert FLOOD_BYTES_PER_S < 12_500_000
    assert field.evaluate(strategy(limit(field, 12_500_000))).rs_attack == 1.0


def test_a_successful_flood_takes_the_service_from_its_clients() -> None:
    found = field_of(FLOOD_WEB).undefended()
    # web/http is three of eight uses; it is gone in one part of three
    assert found.rs_service == pytest.approx(1 - 3 / (3 * 8))


@pytest.mark.parametrize(("rate", "succeeds"), [(12_500, False), (125_000, True), (1_250_000, True)])
def test_a_limit_and_the_attackers_patience(rate: int, succeeds: bool) -> None:
    # a megabyte in ten seconds: 100 kB/s suffice
    field = field_of({"means": "upload", "target": "web/http"})
    assert bool(field.evaluate(strategy(limit(field, rate))).rs_attack) is succeeds


def test_a_limit_lets_in_those_whom_restrict_would_keep_out() -> None:
    field = field_of()
    web = field.case.names["web"]
    restrict = RestrictService(ttl_s=300, host=web, service="ssh")
    opened = RateLimit(
        ttl_s=300, destination=address_of(field.case, "web"), protocol="tcp", port=22, rate_bytes_per_s=125_000
    )
    assert field.evaluate(strategy(restrict)).rs_attack == 0.0
    # limits rank before restrictions: the first entry that matches decides
    assert field.evaluate(strategy(restrict, opened)).rs_attack == 1.0


def test_a_block_wins_over_a_limit_whatever_their_order() -> None:
    field = field_of()
    cut = IsolateHost(ttl_s=300, host=field.case.names["web"])
    slow = limit(field, 12_500)
    assert field.evaluate(strategy(slow, cut)).rs_attack == field.evaluate(strategy(cut, slow)).rs_attack == 0.0


def test_host_actions_stop_what_their_means_say_and_no_more() -> None:
    field = field_of()
    web, db = field.case.names["web"], field.case.names["db"]
    assert field.evaluate(strategy(SecureSshd(ttl_s=300, host=web))).correct
    assert field.evaluate(strategy(SecureSshd(ttl_s=300, host=db))).rs_attack == 1.0
    shut = field.evaluate(strategy(ClosePort(ttl_s=300, host=web, protocol="tcp", port=22)))
    assert shut.rs_attack == 0.0
    assert collateral_of(field.case, shut.collateral) == {"web/ssh": 1.0}
    assert field.evaluate(strategy(ClosePort(ttl_s=300, host=web, protocol="udp", port=22))).rs_service == 1.0


def test_what_cannot_be_compiled_has_not_executed_and_changes_nothing() -> None:
    field = field_of()
    good = block(field.case.attackers[0].address)
    bad = BlackholeRoute(ttl_s=300, destination=ip_network("198.51.100.9"), device="nowhere")
    found = field.evaluate(strategy(good, bad))
    assert (found.executed, found.rs_exe, found.rs_attack) == (False, 0.0, 1.0)


def test_to_observe_is_to_be_undefended() -> None:
    for field in (field_of(), field_of(FLOOD_WEB), field_of(BEACON, hosts=infected("desk"))):
        assert field.evaluate(OBSERVE) == field.undefended()


def test_a_network_that_is_hardly_used_is_tried_often_enough() -> None:
    flows = [{"service": "db/redis", "per_minute": 1}]
    assert field_of(flows=flows).undefended().tries >= 20
    assert field_of(flows=[]).undefended().tries == 0
