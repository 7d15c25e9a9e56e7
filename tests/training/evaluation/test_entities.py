"""Who is malicious in a case, and who is named by fields that no attacker writes."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from labs.scenario import Case, Kind
from labs.simulator import FastField
from secloop_ai.contracts import (
    Action,
    BlockFlow,
    BlockIp,
    DnsSinkhole,
    IsolateHost,
    Observe,
    ObserveReason,
    PolicyRequest,
    RateLimit,
    RestrictService,
    SecureSshd,
    ShutdownPort,
    Strategy,
)
from secloop_ai.loop.decide import build_request
from training.evaluation.entities import acted_on, gated

from .making import attack, calm


def on(case: Case, *actions: Action) -> tuple[bool, ...]:
    return acted_on(Strategy(actions=actions, evidence=(), policy="test"), case)


def block(address: object) -> BlockIp:
    return BlockIp(ttl_s=300, source=ip_network(str(address)))


def bystander(case: Case) -> str:
    """A host that the attack neither starts from nor is aimed at."""
    met = {s.target_host for s in case.stages} | {s.source_host for s in case.stages} | set(case.infected)
    return next(h.name for h in case.environment.hosts if h.name not in met)


def test_the_attackers_addresses_are_malicious_and_a_bystander_is_not() -> None:
    case = attack()
    innocent = case.environment.host(bystander(case))
    assert innocent is not None
    assert on(case, block(case.stages[0].source)) == (True,)
    assert on(case, block(case.attackers[-1].address)) == (True,)
    assert on(case, block(innocent.addresses[0]), block("192.0.2.77")) == (False, False)


def test_a_host_that_is_attacked_is_not_compromised_by_that() -> None:
    case = attack()
    target = case.stages[0].target_host or ""
    infected = case.model_copy(update={"infected": (target,)})
    assert on(case, IsolateHost(ttl_s=300, host=target)) == (target in {s.source_host for s in case.stages},)
    assert on(infected, IsolateHost(ttl_s=300, host=target)) == (True,)


def test_an_action_on_a_service_is_right_where_the_attack_is_aimed() -> None:
    case = attack()
    stage = case.stages[0]
    target = stage.target_host or ""
    other = bystander(case)
    aimed = RestrictService(ttl_s=300, host=target, service=stage.service or "")
    assert on(case, aimed, SecureSshd(ttl_s=300, host=target)) == (True, True)
    assert on(case, aimed.model_copy(update={"service": "other"}), SecureSshd(ttl_s=300, host=other)) == (False, False)
    limit = RateLimit(
        ttl_s=300, destination=stage.target, protocol="tcp", port=stage.port or 1, rate_bytes_per_s=12_500
    )
    assert on(case, limit, limit.model_copy(update={"port": 9})) == (True, False)


def test_a_port_stands_for_every_host_behind_it() -> None:
    case = attack()
    hosts = case.environment.hosts
    place = hosts[0].attached_to
    assert place is not None
    behind = [h for h in hosts if h.attached_to == place]
    found = on(case, ShutdownPort(ttl_s=300, device=place.device, interface=place.interface))
    assert len(found) == len(behind)


def test_on_a_false_alarm_everybody_is_benign() -> None:
    case = calm()
    assert case.kind is Kind.FALSE_ALARM
    assert on(case, block(case.stages[0].source)) == (False,)
    assert on(case, Observe(ttl_s=300, reason=ObserveReason.FALSE_ALARM)) == ()


def test_a_network_with_a_bystander_in_it_is_not_malicious() -> None:
    case = attack()
    assert on(case, BlockIp(ttl_s=300, source=ip_network("0.0.0.0/0"))) == (False,)


@pytest.fixture
def request_() -> PolicyRequest:
    case = attack()
    return build_request(FastField(case).alerts(), case.environment)


def test_trusted_is_who_was_seen_shaking_hands_or_is_ours(request_: PolicyRequest) -> None:
    source = attack().stages[0].source
    blind = tuple(s.model_copy(update={"handshake": False}) for s in request_.summaries)
    proven = tuple(s.model_copy(update={"handshake": True}) for s in request_.summaries)
    assert gated(block(source), request_.model_copy(update={"summaries": proven}))
    assert not gated(block(source), request_.model_copy(update={"summaries": blind}))
    assert not gated(block("192.0.2.77"), request_)
    assert gated(Observe(ttl_s=300, reason=ObserveReason.FALSE_ALARM), request_)


def test_a_host_is_trusted_where_an_alert_names_it(request_: PolicyRequest) -> None:
    case = attack()
    target = case.stages[0].target_host or ""
    assert gated(IsolateHost(ttl_s=300, host=target), request_)
    unnamed = next(
        h.name
        for h in case.environment.hosts
        if not {a for s in request_.summaries for a in (s.source, s.destination)} & set(h.addresses)
    )
    assert not gated(IsolateHost(ttl_s=300, host=unnamed), request_)


def test_a_name_counts_only_where_one_of_our_hosts_asked_for_it(request_: PolicyRequest) -> None:
    host = attack().environment.hosts[0]
    sink = DnsSinkhole(ttl_s=300, host=host.name, name="bad.example.org")
    asked = request_.summaries[0].model_copy(update={"domains": ("bad.example.org",), "source": host.addresses[0]})
    stranger = asked.model_copy(update={"source": ip_address("192.0.2.5")})
    assert gated(sink, request_.model_copy(update={"summaries": (asked,)}))
    assert not gated(sink, request_.model_copy(update={"summaries": (stranger,)}))


def test_a_flow_is_judged_by_who_sends_it() -> None:
    case = attack()
    stage = case.stages[0]
    flow = BlockFlow(
        ttl_s=300,
        source=ip_network(str(stage.source)),
        destination=stage.target,
        protocol="tcp",
        port=stage.port or 1,
    )
    assert on(case, flow) == (True,)
