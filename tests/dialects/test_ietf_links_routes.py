from __future__ import annotations

import pytest

from secloop_ai.contracts import AdminOp, DiscardOp
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.ietf import DIALECT as IETF
from secloop_ai.dialects.ietf import names as n

from .making import ATTACKER, ONE, TWO, config, links, tagged

HOP = "<next-hop-address>192.0.2.1</next-hop-address>"
HOLE = "<special-next-hop>blackhole</special-next-hop>"


def discard(prefix: str) -> DiscardOp:
    return DiscardOp.model_validate({"prefix": prefix})


def static(name: str, prefix: str, hop: str, text: str = "") -> str:
    route = (
        f"<route><destination-prefix>{prefix}</destination-prefix><description>{text}</description>"
        f"<next-hop>{hop}</next-hop></route>"
    )
    return (
        f'<routing xmlns="{n.ROUTING}"><control-plane-protocols><control-plane-protocol><type>static</type>'
        f'<name>{name}</name><static-routes><ipv4 xmlns="{n.V4}">{route}</ipv4></static-routes>'
        "</control-plane-protocol></control-plane-protocols></routing>"
    )


@pytest.mark.parametrize(("prior", "state"), [(None, None), (True, "true"), (False, "false")])
def test_a_port_goes_down_and_back_to_what_it_was(prior: bool | None, state: str | None) -> None:
    data = config("", "", links(ge0=state, ge1="true"))
    ops = tagged(ONE, AdminOp(interface="ge0", prior=prior))
    done = IETF.apply(data, ops)
    assert (done.edit is None) == (state == "false")
    assert not IETF.parse(done.after).is_up("ge0")
    assert IETF.remove(done.after, ops).after == data


def test_a_port_that_somebody_has_opened_since_is_left_so() -> None:
    opened = config("", "", links(ge0="true"))
    assert IETF.remove(opened, tagged(ONE, AdminOp(interface="ge0", prior=None))).edit is None


def test_the_state_goes_where_the_model_has_it() -> None:
    data = config("", "", links(ge0=None)).replace("</name>", "</name><type>x</type><mtu>9</mtu>")
    assert "<type>x</type><enabled>false" in IETF.apply(data, tagged(ONE, AdminOp(interface="ge0"))).after


def test_an_interface_that_is_not_configured_cannot_be_shut() -> None:
    with pytest.raises(DialectError, match="ge9"):
        IETF.apply(config("", "", links(ge0=None)), tagged(ONE, AdminOp(interface="ge9")))


def test_a_port_has_no_place_for_a_tag_but_a_digest() -> None:
    ops = tagged(ONE, AdminOp(interface="ge0"))
    data = config("", "", links(ge0=None))
    after = IETF.apply(data, ops).after
    assert IETF.tags(after) == frozenset()
    assert set(IETF.digests(data, ops)) == {"/interfaces/interface[name='ge0']/enabled"}
    assert IETF.digests(data, ops) != IETF.digests(after, ops)
    assert IETF.digests(data, ops) != IETF.digests(config(), ops)


def test_a_route_for_two_mitigations_goes_with_the_second() -> None:
    data = config()
    for tag in (TWO, ONE):
        data = IETF.apply(data, tagged(tag, discard(ATTACKER))).after
    assert [(str(d.prefix), d.tag) for d in IETF.parse(data).discards] == [(ATTACKER, ONE), (ATTACKER, TWO)]
    assert IETF.tags(data) == {ONE, TWO}
    data = IETF.remove(data, tagged(TWO, discard(ATTACKER))).after
    assert [d.tag for d in IETF.parse(data).discards] == [ONE]
    assert IETF.remove(data, tagged(ONE, discard(ATTACKER))).after == config()


def test_both_families_share_our_instance_which_goes_with_the_last_route() -> None:
    six = discard("2001:db8::7/128")
    both = IETF.apply(config(), [*tagged(ONE, discard(ATTACKER)), *tagged(TWO, six)]).after
    left = IETF.remove(both, tagged(ONE, discard(ATTACKER)))
    assert left.edit is not None
    assert 'route nc:operation="delete"' not in left.edit
    assert [str(d.prefix) for d in IETF.parse(left.after).discards] == ["2001:db8::7/128"]
    assert IETF.remove(left.after, tagged(TWO, six)).after == config()


def test_an_instance_of_our_name_that_somebody_made_stays() -> None:
    data = config("", "", static("secloop", "198.51.100.0/24", HOP))
    after = IETF.apply(data, tagged(ONE, discard(ATTACKER))).after
    assert IETF.remove(after, tagged(ONE, discard(ATTACKER))).after == IETF.apply(data, ()).after


@pytest.mark.parametrize("other", ["", "<router-id>192.0.2.1</router-id>"])
def test_routing_goes_with_our_last_route_when_nothing_else_is_in_it(other: str) -> None:
    data = config("", "", f'<routing xmlns="{n.ROUTING}">{other}</routing>' if other else "")
    ops = tagged(ONE, discard(ATTACKER))
    after = IETF.apply(data, ops).after
    removed = IETF.remove(after, ops)
    assert removed.edit is not None
    assert ("<control-plane-protocols" in removed.edit) == bool(other)
    assert removed.edit.count('nc:operation="delete"') == 1
    assert removed.after == IETF.apply(data, ()).after
    assert ("/routing" in IETF.digests(after, ops)) == (not other)


def test_a_discard_of_somebody_else_is_neither_taken_over_nor_removed() -> None:
    data = config("", "", static("main", ATTACKER, HOLE, "secloop was here"))
    after = IETF.apply(data, tagged(ONE, discard(ATTACKER))).after
    assert [(str(d.prefix), d.tag) for d in IETF.parse(after).discards] == [(ATTACKER, None), (ATTACKER, ONE)]
    assert IETF.remove(after, tagged(ONE, discard(ATTACKER))).after == IETF.apply(data, ()).after


@pytest.mark.parametrize(("instance", "hop"), [("main", HOP), ("secloop", HOP), ("secloop", HOLE)])
def test_a_prefix_that_somebody_routes_is_refused(instance: str, hop: str) -> None:
    with pytest.raises(DialectError, match=f"203.0.113.66/32 .*'{instance}'"):
        IETF.apply(config("", "", static(instance, ATTACKER, hop)), tagged(ONE, discard(ATTACKER)))


def test_a_route_that_was_pointed_elsewhere_under_our_mark_is_refused_and_can_be_removed() -> None:
    after = IETF.apply(config(), tagged(ONE, discard(ATTACKER))).after
    bent = after.replace(HOLE, HOP)
    with pytest.raises(DialectError):
        IETF.apply(bent, tagged(ONE, discard(ATTACKER)))
    assert IETF.remove(bent, tagged(ONE, discard(ATTACKER))).after == config()
