from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secloop_ai.contracts import (
    CAPS,
    AlertSummary,
    Criticality,
    Host,
    HostAccess,
    PointerError,
    PointerTable,
    Protocol,
    Role,
    Slot,
)
from secloop_ai.policies import build_pointers

from .samples import (
    ADMIN,
    ATTACKER,
    CLIENT,
    DB,
    DNS,
    PC,
    STRANGER,
    WEB,
    WEB6,
    environment,
    some_summaries,
    summary,
    with_access,
)


def of(table: PointerTable, role: Role) -> list[Slot]:
    return list(table.of(role))


def test_sources_come_by_proof_then_severity_then_count() -> None:
    table = build_pointers(
        (
            summary("198.51.100.1", severity=3, count=9),
            summary("198.51.100.2", severity=1, count=1),
            summary("198.51.100.3", severity=1, count=5),
            summary("198.51.100.4", severity=1, count=999, handshake=False),
        ),
        environment(),
    )
    found = [str(s.address) for s in of(table, Role.SOURCE)]
    assert found == ["198.51.100.3", "198.51.100.2", "198.51.100.1", "198.51.100.4"]
    assert [s.slot for s in of(table, Role.SOURCE)] == ["@src0", "@src1", "@src2", "@src3"]


def test_a_flood_of_forged_sources_does_not_push_the_real_one_out() -> None:
    forged = [summary(f"192.0.2.{n}", handshake=False, count=1000) for n in range(1, 200)]
    table = build_pointers([*forged, summary(ATTACKER, severity=2, count=3)], environment())
    assert of(table, Role.SOURCE)[0].address == ip_address(ATTACKER)
    assert table.left_out == {"src": 200 - CAPS[Role.SOURCE]}


def test_an_outside_destination_of_an_inside_host_has_a_source_slot() -> None:
    table = build_pointers((summary(PC, ATTACKER, 4444),), environment())
    assert {str(s.address) for s in of(table, Role.SOURCE)} == {PC, ATTACKER}


def test_hosts_targets_then_sources_then_the_rest_by_criticality_and_name() -> None:
    table = build_pointers((summary(PC, DB, 6379),), environment())
    assert [s.host for s in of(table, Role.HOST)] == ["db", "pc", "web", "admin", "client", "dns", "scanner"]


def test_a_host_named_by_two_addresses_has_a_slot_for_each() -> None:
    table = build_pointers((summary(), summary("2001:db8:bad::66", WEB6, severity=2)), environment())
    web = [str(s.address) for s in of(table, Role.HOST) if s.host == "web"]
    assert web == [WEB, WEB6]


def test_services_the_alerts_hit_come_first() -> None:
    table = build_pointers((summary(port=22),), environment())
    assert [(s.host, s.value) for s in of(table, Role.SERVICE)][:4] == [
        ("web", "ssh"), ("web", "http"), ("web", "telnet"), ("db", "mysql"),
    ]  # fmt: skip


def test_interfaces_attachments_of_named_hosts_first_and_never_management() -> None:
    table = build_pointers((summary(PC, DB, 6379),), environment())
    assert [s.value for s in of(table, Role.INTERFACE)] == ["dmz0", "lan1", "wan0", "lan0"]


def test_ports_are_those_of_the_servers_and_name_each_once() -> None:
    table = build_pointers(
        (
            summary(port=22),
            summary(STRANGER, port=22, count=1),
            summary(port=53, protocol=Protocol.UDP, severity=2),
            summary(port=None, protocol=Protocol.ICMP),
        ),
        environment(),
    )
    assert [(s.protocol, s.port) for s in of(table, Role.PORT)] == [("tcp", 22), ("udp", 53)]


def test_an_alert_on_the_way_back_gives_the_servers_port_before_the_clients() -> None:
    table = build_pointers((summary(WEB, ATTACKER, 50123, to_server=False, app_protocol="http"),), environment())
    assert [s.port for s in of(table, Role.PORT)] == [80, 50123]


def test_what_does_not_fit_is_counted_by_role() -> None:
    hosts = tuple(
        Host(name=f"h{n:03}", addresses=(ip_address(0x0A000200 + n),), criticality=Criticality.LOW) for n in range(50)
    )
    table = build_pointers((summary(),), environment(hosts=hosts))
    assert len(of(table, Role.HOST)) == CAPS[Role.HOST]
    assert table.left_out == {"host": 50 - CAPS[Role.HOST]}


def test_accounts_and_processes_come_with_their_hosts_those_of_named_ones_first() -> None:
    table = build_pointers((summary(PC, DB, 6379),), with_access())
    # the db lists an account, but allows nothing to be done with it
    assert [(s.host, s.value) for s in of(table, Role.ACCOUNT)] == [
        ("pc", "p.moss"), ("web", "operator"), ("web", "backup"),
    ]  # fmt: skip
    assert [(s.host, s.value) for s in of(table, Role.PROCESS)][:3] == [
        ("db", "redis"),
        ("db", "mysql"),
        ("web", "http"),
    ]
    assert of(table, Role.PACKAGE) == []


def test_accounts_and_processes_beyond_the_caps_are_counted() -> None:
    many = HostAccess(
        actions=("disable_account", "stop_process"),
        accounts=tuple(f"a{n}" for n in range(20)),
        processes=tuple(f"p{n}" for n in range(20)),
    )
    hosts = tuple(h.model_copy(update={"access": many}) for h in environment().hosts if h.name == "web")
    table = build_pointers((summary(),), environment(hosts=hosts))
    assert table.left_out == {"acct": 20 - CAPS[Role.ACCOUNT], "proc": 20 - CAPS[Role.PROCESS]}


def test_names_come_from_alerts_alone_and_only_where_one_can_be_made_to_vanish() -> None:
    seen = (
        summary(PC, DNS, 53, severity=2, domains=("b.example", "a.example")),
        summary(PC, DNS, 53, signature_id=2, domains=("t.lure.example", "b.example")),
    )
    table = build_pointers(seen, with_access())
    assert [(s.slot, s.value) for s in of(table, Role.NAME)] == [
        ("@name0", "t.lure.example"), ("@name1", "b.example"), ("@name2", "a.example"),
    ]  # fmt: skip
    assert of(build_pointers(seen, environment()), Role.NAME) == []
    assert of(build_pointers((summary(),), with_access()), Role.NAME) == []


def test_a_network_without_access_has_the_slots_it_always_had() -> None:
    roles = {s.role for s in build_pointers((summary(domains=("t.lure.example",)),), environment()).slots}
    assert roles.isdisjoint({Role.ACCOUNT, Role.PROCESS, Role.PACKAGE, Role.NAME})


@given(some_summaries(), st.randoms(use_true_random=False))
def test_the_order_of_the_summaries_does_not_matter(summaries: list[AlertSummary], random: Any) -> None:
    shuffled = list(summaries)
    random.shuffle(shuffled)
    assert build_pointers(summaries, with_access()) == build_pointers(shuffled, with_access())


@given(some_summaries())
def test_every_slot_is_unique_and_resolves_to_itself(summaries: list[AlertSummary]) -> None:
    table = build_pointers(summaries, environment())
    assert len({s.slot for s in table.slots}) == len(table.slots)
    for slot in table.slots:
        assert table.resolve(slot.slot, (slot.role.value,)) == slot
    assert all(s.value != "mgmt0" for s in of(table, Role.INTERFACE))


def test_no_summaries_still_name_the_network() -> None:
    table = build_pointers((), environment())
    assert of(table, Role.SOURCE) == []
    assert {str(s.address) for s in of(table, Role.HOST)} >= {ADMIN, CLIENT}
    with pytest.raises(PointerError, match="not in this request"):
        table.resolve("@src0", ("src",))
