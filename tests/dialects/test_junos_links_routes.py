from __future__ import annotations

import pytest

from secloop_ai.contracts import AdminOp, DiscardOp
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.junos import DIALECT as JUNOS
from secloop_ai.dialects.junos.names import NETCONF, YANG

from .making import ATTACKER, ONE, TWO, tagged
from .making_junos import config, unit

V4, V6 = (DiscardOp.model_validate({"prefix": p}) for p in (ATTACKER, "2001:db8::7/128"))
PORTS = unit("ge-0/0/0.0") + unit("ge-0/0/1.0", inside="<disable/>")


def shut(name: str, prior: bool | None = None) -> AdminOp:
    return AdminOp(interface=name, prior=prior)


def routing(inner: str) -> str:
    return config("", PORTS, f"<routing-options>{inner}</routing-options>")


@pytest.mark.parametrize("name", ["ge-0/0/0", "ge-0/0/0.0"])
def test_a_port_or_a_unit_of_it_is_shut_and_opened_again(name: str) -> None:
    start = config("", PORTS)
    done = JUNOS.apply(start, tagged(ONE, shut(name)))
    assert not JUNOS.parse(done.after).is_up(name)
    assert not JUNOS.parse(done.after).is_up("ge-0/0/0.0")
    assert JUNOS.apply(done.after, tagged(ONE, shut(name))).edit is None
    assert JUNOS.remove(done.after, tagged(ONE, shut(name))).after == start


def test_a_port_that_was_down_before_us_stays_down() -> None:
    start = config("", PORTS)
    state = next(i for i in JUNOS.parse(start).interfaces if i.name == "ge-0/0/1.0")
    assert (state.enabled, state.explicit) == (False, True)
    ops = tagged(ONE, shut("ge-0/0/1.0", prior=False))
    assert JUNOS.apply(start, ops).edit is None
    assert JUNOS.remove(start, ops).edit is None


def test_a_deactivated_statement_shuts_nothing_and_is_not_ours_to_activate() -> None:
    data = config("", PORTS.replace("<disable/>", '<disable inactive="inactive"/>'))
    assert JUNOS.parse(data).is_up("ge-0/0/1.0")
    with pytest.raises(DialectError, match=r"ge-0/0/1\.0: its state cannot be set: <disable> is deactivated"):
        JUNOS.apply(data, tagged(ONE, shut("ge-0/0/1.0")))


@pytest.mark.parametrize("name", ["ge-9/0/0", "ge-0/0/0.7"])
def test_a_port_nobody_configured_is_refused(name: str) -> None:
    with pytest.raises(DialectError, match=f"interface {name} is not in the configuration"):
        JUNOS.apply(config("", PORTS), tagged(ONE, shut(name)))


def test_one_route_stands_for_several_mitigations_until_the_last_is_gone() -> None:
    start = config("", PORTS)
    data = JUNOS.apply(JUNOS.apply(start, tagged(ONE, V4, V6)).after, tagged(TWO, V4)).after
    assert f"<description>secloop {ONE} {TWO}</description>" in data
    assert "<rib><name>inet6.0</name><apply-macro><name>secloop</name></apply-macro><static>" in data
    found = {(str(d.prefix), d.tag) for d in JUNOS.parse(data).discards}
    assert found == {(ATTACKER, ONE), (ATTACKER, TWO), ("2001:db8::7/128", ONE)}
    left = JUNOS.remove(data, tagged(ONE, V4, V6)).after
    assert JUNOS.tags(left) == {TWO}
    assert JUNOS.remove(left, tagged(TWO, V4)).after == start


@pytest.mark.parametrize(
    "inner",
    [
        "<rib><name>inet6.0</name></rib>",
        "<rib><name>inet6.0</name><static><route><name>2001:db8:9::/64</name><reject/></route></static></rib>",
        "<rib><name>red.inet6.0</name></rib><static><route><name>0.0.0.0/0</name><next-hop>10.0.0.1</next-hop></route></static>",
    ],
)
def test_a_table_and_routes_of_others_stay(inner: str) -> None:
    start = routing(inner)
    ops = tagged(ONE, V4, V6)
    assert JUNOS.remove(JUNOS.apply(start, ops).after, ops).after == start


def test_what_somebody_puts_into_our_table_outlives_ours() -> None:
    after = JUNOS.apply(config("", PORTS), tagged(ONE, V6)).after
    theirs = "<route><name>2001:db8:9::/64</name><reject/></route>"
    left = JUNOS.remove(after.replace("</static></rib>", f"{theirs}</static></rib>"), tagged(ONE, V6)).after
    assert left == routing(f"<rib><name>inet6.0</name><static>{theirs}</static></rib>")


@pytest.mark.parametrize("what", ["<discard/>", "<next-hop>10.0.0.1</next-hop>"])
def test_a_route_of_others_for_the_same_prefix_is_not_taken_over(what: str) -> None:
    data = routing(f"<static><route><name>{ATTACKER}</name>{what}</route></static>")
    with pytest.raises(DialectError, match=f"{ATTACKER} already has a static route that is not ours"):
        JUNOS.apply(data, tagged(ONE, V4))


def test_the_hello_of_a_junos_offers_everything_and_another_nothing() -> None:
    for uri in (NETCONF, f"{YANG}root?module=junos-conf-root&revision=2024-01-01"):
        assert JUNOS.not_offered(["urn:ietf:params:netconf:base:1.0", uri]) == {}
    assert len(JUNOS.not_offered(["urn:ietf:params:netconf:base:1.0"])) == 7
