"""Every network action on the lab's device by the loop's own path, seen by the packets it is for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address, ip_network

import pytest

from labs.lab import Lab
from secloop_ai.contracts import (
    Action,
    AlertSummary,
    Attachment,
    BlackholeRoute,
    BlockFlow,
    BlockIp,
    CommitReport,
    Environment,
    IsolateHost,
    MitigationState,
    Outcome,
    PlanError,
    Protocol,
    RateLimit,
    RestrictService,
    ShutdownPort,
    TransactionFailed,
)
from secloop_ai.loop.devices import with_offers
from secloop_ai.loop.draft import draft
from secloop_ai.loop.plan import plan_response
from tests.loop.make import NOON, summary

from .responder import Responder
from .support import APP, APP_6, ATTACKER, ATTACKER_6, WEB, WEB_6, eventually, needs_lab
from .traffic import exchange, flooded, reaches

pytestmark = [*needs_lab, pytest.mark.slow]
SERVED = ((WEB, 80), (WEB_6, 80), (APP, 8080), (APP_6, 8080), (APP, 22), (APP_6, 22))
ATTACKERS = (ip_network(ATTACKER), ip_network(ATTACKER_6))
SSH = (summary(ATTACKER, APP), summary(ATTACKER_6, APP_6))
HTTP = (summary(ATTACKER, WEB, port=80), summary(ATTACKER_6, WEB_6, port=80))
RATE_BYTES_PER_S = 12_500
LIMITED = 6002
RATE_CAPABILITY = "urn:secloop:yang:acl-rate-limit"


@pytest.fixture(scope="module")
def made(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Responder]:
    with Responder(lab, tmp_path_factory.mktemp("loop")) as responder:
        yield responder


@pytest.fixture
def responder(made: Responder, lab: Lab) -> Iterator[Responder]:
    """Leaves the device byte for byte as it was, also where a test fails half-way."""
    before = lab.snapshot()
    yield made
    made.clear()
    assert lab.snapshot() == before


def in_force(lab: Lab) -> str:
    """What the gateway's kernel holds: filter, discard routes, links."""
    routes = [lab.exec("gw", ["ip", family, "route", "show", "type", "blackhole"]).stdout for family in ("-4", "-6")]
    table = lab.exec("gw", ["nft", "--stateless", "list", "table", "inet", "secloop"]).stdout
    return "".join((table, *routes, str(up_ports(lab))))


def up_ports(lab: Lab) -> tuple[str, ...]:
    """Names of the gateway's ports that are up."""
    links = json.loads(lab.exec("gw", ["ip", "-j", "link", "show"]).stdout)
    return tuple(link["ifname"] for link in links if "UP" in link["flags"] and link["ifname"].startswith("ge"))


@contextmanager
def holding(
    responder: Responder,
    lab: Lab,
    actions: tuple[Action, ...],
    summaries: tuple[AlertSummary, ...],
    environment: Environment | None = None,
) -> Iterator[CommitReport]:
    """The actions in force for the block: made, verified, asked for once more in vain, and taken away."""
    before, kernel = lab.snapshot(), in_force(lab)
    content = responder.plan(actions, summaries, environment)
    assert lab.snapshot() == before
    report = responder.commit(content, environment)
    assert report.outcome is Outcome.CONFIRMED
    held = lab.snapshot()
    assert held != before
    yield report
    again = responder.plan(actions, summaries, environment)
    assert not again.plan.changes
    assert responder.commit(again, environment).outcome is Outcome.UNCHANGED
    assert lab.snapshot() == held
    removal = responder.undo(content.plan)
    assert len(removal.removed) == len(actions)
    assert (responder.active(), lab.snapshot()) == ((), before)
    assert eventually(lambda: in_force(lab) == kernel)


def lost_by_client(lab: Lab) -> tuple[tuple[str, int], ...]:
    """Declared services that the client does not reach."""
    return tuple(service for service in SERVED if not lab.can_serve("client", *service))


def reached_by_attacker(lab: Lab) -> tuple[tuple[str, int], ...]:
    """Services that the attacker reaches."""
    return tuple(service for service in SERVED if reaches(lab, "attacker", *service))


def probes_green(report: CommitReport) -> bool:
    """Whether the watch saw every service served, before and while the change was pending."""
    return len(report.probes) > 0 and all(p.green for p in report.probes)


def test_block_ip(responder: Responder, lab: Lab) -> None:
    assert reached_by_attacker(lab) == SERVED
    with holding(responder, lab, tuple(BlockIp(source=s, ttl_s=900) for s in ATTACKERS), SSH) as report:
        assert reached_by_attacker(lab) == ()
        assert lost_by_client(lab) == ()
        assert probes_green(report)
    assert reached_by_attacker(lab) == SERVED


def test_block_flow(responder: Responder, lab: Lab) -> None:
    actions = tuple(
        BlockFlow(source=source, destination=ip_address(target), protocol="tcp", port=22, ttl_s=900)
        for source, target in zip(ATTACKERS, (APP, APP_6), strict=True)
    )
    with holding(responder, lab, actions, SSH) as report:
        assert set(SERVED) - set(reached_by_attacker(lab)) == {(APP, 22), (APP_6, 22)}
        assert lost_by_client(lab) == ()
        assert probes_green(report)
    assert reached_by_attacker(lab) == SERVED


@pytest.mark.parametrize("address", [WEB, WEB_6])
def test_rate_limit(responder: Responder, lab: Lab, address: str) -> None:
    flood = summary(ATTACKER_6 if ":" in address else ATTACKER, address, port=LIMITED)
    evidence = (flood.model_copy(update={"protocol": Protocol.UDP, "app_protocol": None, "handshake": False}),)
    action = RateLimit(
        destination=ip_address(address), protocol="udp", port=LIMITED, rate_bytes_per_s=RATE_BYTES_PER_S, ttl_s=900
    )
    free = flooded(lab, "web", address, LIMITED)
    with holding(responder, lab, (action,), evidence) as report:
        slow = flooded(lab, "web", address, LIMITED)
        assert 0 < slow.size_bytes <= RATE_BYTES_PER_S * (slow.seconds + 1.5)  # a second's worth may pass at once
        assert free.size_bytes > 3 * slow.size_bytes
        beside = flooded(lab, "web", address, LIMITED + 1)  # another port of the same host
        assert beside.size_bytes > 3 * slow.size_bytes
        assert lost_by_client(lab) == ()
        assert probes_green(report)
    assert flooded(lab, "web", address, LIMITED).size_bytes > 3 * slow.size_bytes


def test_isolate_host(responder: Responder, lab: Lab) -> None:
    with holding(responder, lab, (IsolateHost(host="web1", ttl_s=900),), HTTP) as report:
        assert lost_by_client(lab) == ((WEB, 80), (WEB_6, 80))
        assert not any(reaches(lab, "web", address, 8080) for address in (APP, APP_6))
        assert probes_green(report)
    assert lost_by_client(lab) == ()
    assert all(reaches(lab, "web", address, 8080) for address in (APP, APP_6))


def test_restrict_service(responder: Responder, lab: Lab) -> None:
    action = RestrictService(host="app1", service="ssh", ttl_s=900)
    with holding(responder, lab, (action,), SSH) as report:
        assert set(SERVED) - set(reached_by_attacker(lab)) == {(APP, 22), (APP_6, 22)}
        assert not reaches(lab, "web", APP, 22)
        assert lost_by_client(lab) == ()
        assert probes_green(report)
    assert reached_by_attacker(lab) == SERVED


def test_blackhole_route(responder: Responder, lab: Lab) -> None:
    actions = tuple(BlackholeRoute(destination=a, device="gw1", ttl_s=900) for a in ATTACKERS)
    assert exchange(lab, "web", WEB, 6004).answered
    with holding(responder, lab, actions, SSH) as report:
        for address in (WEB, WEB_6):
            assert exchange(lab, "web", address, 6004) == (True, False)  # there, but not back
        assert reached_by_attacker(lab) == ()
        assert lost_by_client(lab) == ()
        assert probes_green(report)
    assert reached_by_attacker(lab) == SERVED


def test_shutdown_port(responder: Responder, lab: Lab) -> None:
    with holding(responder, lab, (ShutdownPort(device="gw1", interface="ge2", ttl_s=900),), HTTP) as report:
        assert up_ports(lab) == ("ge0", "ge1", "ge3")
        assert lost_by_client(lab) == ((WEB, 80), (WEB_6, 80))
        assert probes_green(report)
    assert eventually(lambda: lost_by_client(lab) == ())


def test_two_actions_in_one_strategy_leave_together(responder: Responder, lab: Lab) -> None:
    actions = (
        RestrictService(host="web1", service="web", ttl_s=900),
        BlackholeRoute(destination=ATTACKERS[0], device="gw1", ttl_s=900),
    )
    with holding(responder, lab, actions, HTTP) as report:
        assert not reaches(lab, "attacker", WEB_6, 80)
        assert not reaches(lab, "attacker", APP, 22)
        assert reaches(lab, "attacker", APP_6, 22)
        assert probes_green(report)


def test_a_change_that_takes_a_service_nobody_meant_is_undone(responder: Responder, lab: Lab) -> None:
    """The inventory is wrong: web1 hangs elsewhere than it says, so shutting its old port is not known to hit it."""
    before, kernel = lab.snapshot(), in_force(lab)
    content = responder.plan((ShutdownPort(device="gw1", interface="ge2", ttl_s=900),), HTTP[:1])
    elsewhere = Attachment(device="gw1", interface="ge3")
    hosts = tuple(
        h.model_copy(update={"attached_to": elsewhere}) if h.name == "web1" else h for h in responder.environment.hosts
    )
    wrong = responder.environment.model_copy(update={"hosts": hosts})
    with pytest.raises(TransactionFailed, match="service web1/web") as raised:
        responder.commit(content._replace(decision=None), wrong)
    report = raised.value.report
    assert report is not None
    assert report.outcome is Outcome.UNDONE
    assert {p.service for p in report.probes if p.phase == "during" and p.failures} == {"web1/web"}
    assert lab.snapshot() == before
    assert eventually(lambda: in_force(lab) == kernel)
    assert eventually(lambda: lost_by_client(lab) == ())
    (undone,) = responder.context.ledger.mitigations(incident_id=content.plan.incident_id)
    assert undone.state is MitigationState.UNDONE


def test_what_the_hello_lacks_is_not_offered_and_not_planned(responder: Responder) -> None:
    running = responder.running()
    whole = with_offers(responder.environment, running)
    network = {"block_ip", "block_flow", "rate_limit", "isolate_host", "restrict_service", "blackhole_route"}
    assert network | {"shutdown_port"} <= set(whole.offered_actions())
    hello = running["gw1"].capabilities
    lesser = frozenset(c for c in hello if RATE_CAPABILITY not in c)
    assert lesser < hello
    without = {"gw1": running["gw1"]._replace(capabilities=lesser)}
    environment = with_offers(responder.environment, without)
    assert set(whole.offered_actions()) - set(environment.offered_actions()) == {"rate_limit"}
    assert RATE_CAPABILITY in environment.not_offered["rate_limit"]
    action = RateLimit(
        destination=ip_address(WEB), protocol="tcp", port=80, rate_bytes_per_s=RATE_BYTES_PER_S, ttl_s=900
    )
    made = draft(responder.strategy((action,), HTTP), "0123456789", environment, ())
    with pytest.raises(PlanError, match=r"gw1: rate_limit is not offered here"):
        plan_response("0123456789", made, environment, without, NOON)
