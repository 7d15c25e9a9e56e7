"""Actions become the right rules on the right side of the right port."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from secloop_ai.contracts import (
    Action,
    AdminOp,
    BlackholeRoute,
    BlockFlow,
    BlockIp,
    Direction,
    DiscardOp,
    FilterOp,
    HardenKernel,
    IsolateHost,
    Operation,
    PlanError,
    RateLimit,
    RestrictService,
    RuleAction,
    ShutdownPort,
)
from secloop_ai.loop.compile import compile_action

from .make import network


def only(operations: dict[str, tuple[Operation, ...]]) -> FilterOp:
    (op,) = operations["gw1"]
    assert isinstance(op, FilterOp)
    return op


def test_an_outside_source_is_blocked_where_it_enters() -> None:
    op = only(compile_action(BlockIp(ttl_s=3600, source=ip_network("203.0.113.66/32")), network()))
    assert (op.interface, op.direction, op.family, op.rank) == ("ge0", Direction.INGRESS, 4, 0)
    assert [str(r) for r in op.rules] == ["drop ip 203.0.113.66/32 -> any"]


def test_a_known_host_is_blocked_at_its_attachment() -> None:
    op = only(compile_action(BlockIp(ttl_s=3600, source=ip_network("192.0.2.10/32")), network()))
    assert op.interface == "ge2"


def test_an_ipv6_source_makes_an_ipv6_rule() -> None:
    op = only(compile_action(BlockIp(ttl_s=3600, source=ip_network("2001:db8:66::66/128")), network()))
    assert op.family == 6


def test_a_flow_is_blocked_by_port() -> None:
    action = BlockFlow(
        ttl_s=300, source=ip_network("203.0.113.66/32"), destination=ip_address("192.0.2.10"), protocol="tcp", port=80
    )
    assert str(only(compile_action(action, network())).rules[0]) == "drop tcp 203.0.113.66/32 -> 192.0.2.10/32:80"


def test_a_rate_limit_stands_before_its_host() -> None:
    action = RateLimit(
        ttl_s=300, destination=ip_address("192.0.2.10"), protocol="tcp", port=80, rate_bytes_per_s=125_000
    )
    op = only(compile_action(action, network()))
    assert (op.interface, op.direction, op.rank) == ("ge2", Direction.EGRESS, 1)
    assert op.rules[0].rate_bytes_per_s == 125_000


def test_isolation_works_both_ways() -> None:
    ops = compile_action(IsolateHost(ttl_s=300, host="app1"), network())["gw1"]
    assert {(o.interface, o.direction) for o in ops if isinstance(o, FilterOp)} == {
        ("ge3", Direction.INGRESS),
        ("ge3", Direction.EGRESS),
    }


def test_a_restricted_service_is_left_to_hosts_and_prefixes_of_its_clients() -> None:
    op = only(compile_action(RestrictService(ttl_s=300, host="app1", service="ssh"), network()))
    assert op.rank == 2
    assert [(r.action, str(r.source)) for r in op.rules] == [
        (RuleAction.PERMIT, "198.51.100.10/32"),
        (RuleAction.PERMIT, "198.51.100.128/25"),
        (RuleAction.DROP, "None"),
    ]


def test_routes_and_ports() -> None:
    route = BlackholeRoute(ttl_s=300, destination=ip_network("203.0.113.66/32"), device="gw1")
    assert compile_action(route, network()) == {"gw1": (DiscardOp(prefix=ip_network("203.0.113.66/32")),)}
    port = ShutdownPort(ttl_s=300, device="gw1", interface="ge2")
    assert compile_action(port, network()) == {"gw1": (AdminOp(interface="ge2", enabled=False),)}


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (IsolateHost(ttl_s=300, host="nobody"), "host nobody is not in the inventory"),
        (RestrictService(ttl_s=300, host="app1", service="ftp"), "host app1 has no service ftp"),
        (ShutdownPort(ttl_s=300, device="gw1", interface="ge9"), "gw1 has no port ge9"),
        (BlackholeRoute(ttl_s=300, destination=ip_network("203.0.113.66/32"), device="gw9"), "device gw9"),
        (HardenKernel(ttl_s=300, host="app1"), "host app1 has no access"),
        (
            RateLimit(ttl_s=300, destination=ip_address("10.0.0.1"), protocol="tcp", port=1, rate_bytes_per_s=12_500),
            "no inventory host has the address 10.0.0.1",
        ),
    ],
)
def test_what_does_not_fit_is_named(action: Action, said: str) -> None:
    with pytest.raises(PlanError, match=said):
        compile_action(action, network())


def test_an_address_no_port_leads_to_is_named() -> None:
    environment = network()
    ports = tuple(i.model_copy(update={"networks": ()}) for i in environment.devices[0].interfaces)
    closed = environment.model_copy(
        update={"devices": (environment.devices[0].model_copy(update={"interfaces": ports}),)}
    )
    with pytest.raises(PlanError, match=r"no port of any device leads to 8\.8\.8\.8/32"):
        compile_action(BlockIp(ttl_s=300, source=ip_network("8.8.8.8/32")), closed)
