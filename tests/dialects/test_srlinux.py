"""What is SR Linux's own: subinterfaces, policers, and next-hop groups that carry the tags of routes."""

from __future__ import annotations

import pytest

from secloop_ai.contracts import AdminOp, DiscardOp, FilterOp
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.srlinux import DIALECT as SRLINUX
from secloop_ai.dialects.srlinux import names as n

from . import golden_files
from .making import ATTACKER, ONE, TWO, filtered, rule, tagged

RUNNING = golden_files.running("srlinux")
PORT = "ethernet-1/1.0"
BLACKHOLE = DiscardOp.model_validate({"prefix": ATTACKER})


def limit(interface: str, rate_bytes_per_s: float) -> FilterOp:
    return filtered(interface, "egress", 4, rule("permit", rate_bytes_per_s=rate_bytes_per_s), rank=1)


def test_each_entry_has_a_policer_of_its_own_that_goes_with_it() -> None:
    ops = tagged(ONE, limit(PORT, 12_500), limit("lag1", 12_500))
    after = SRLINUX.apply(RUNNING, ops).after
    assert after.count("<peak-rate-kbps>100<") == 2
    assert after.count(f"<maximum-burst-size>{n.LEAST_BURST}<") == 2
    assert SRLINUX.canonical(SRLINUX.remove(after, ops).after) == SRLINUX.canonical(RUNNING)


def test_a_policer_that_somebody_else_uses_too_stays() -> None:
    ops = tagged(ONE, limit(PORT, 125_000))
    after = SRLINUX.apply(RUNNING, ops).after
    name = after.partition("<policer>")[2].partition("<")[0]
    used = after.replace("<accept/>", f"<accept><rate-limit><policer>{name}</policer></rate-limit></accept>", 1)
    assert f"<name>{name}</name>" in SRLINUX.remove(used, ops).after


@pytest.mark.parametrize("rate", [100, 12_501, 0.25])
def test_a_rate_that_no_policer_has_is_refused(rate: float) -> None:
    with pytest.raises(DialectError, match="multiple of 125 bytes per second"):
        SRLINUX.apply(RUNNING, tagged(ONE, limit(PORT, rate)))


def test_a_reject_is_refused() -> None:
    with pytest.raises(DialectError, match="no action that rejects"):
        SRLINUX.apply(RUNNING, tagged(ONE, filtered(PORT, "ingress", 4, rule("reject"))))


def test_a_port_and_its_subinterface_are_shut_apart() -> None:
    states = SRLINUX.parse(SRLINUX.apply(RUNNING, tagged(ONE, AdminOp(interface=PORT))).after)
    assert not states.is_up(PORT)
    assert states.is_up("ethernet-1/1")


@pytest.mark.parametrize("interface", ["ethernet-1/1.7", "ethernet-1/9.0"])
def test_what_is_not_configured_is_neither_filtered_nor_shut(interface: str) -> None:
    for op in (AdminOp(interface=interface), filtered(interface, "ingress", 4, rule("drop", source=ATTACKER))):
        with pytest.raises(DialectError, match=interface):
            SRLINUX.apply(RUNNING, tagged(ONE, op))


def test_an_attachment_is_known_by_the_interface_it_refers_to() -> None:
    renamed = RUNNING.replace("<interface-id>ethernet-1/2.10<", "<interface-id>uplink<")
    places = {(a.interface, a.acls) for a in SRLINUX.parse(renamed).attachments}
    assert places == {("ethernet-1/2.10", ("EDGE/v4", "EDGE/v6"))}


def test_two_mitigations_share_a_route_by_the_name_of_its_group() -> None:
    both = SRLINUX.apply(RUNNING, [*tagged(TWO, BLACKHOLE), *tagged(ONE, BLACKHOLE)]).after
    assert f"<next-hop-group>secloop {ONE} {TWO}<" in both
    left = SRLINUX.remove(both, tagged(TWO, BLACKHOLE)).after
    assert f"<next-hop-group>secloop {ONE}<" in left
    assert TWO not in left
    assert SRLINUX.canonical(SRLINUX.remove(left, tagged(ONE, BLACKHOLE)).after) == SRLINUX.canonical(RUNNING)


def test_a_route_that_was_led_elsewhere_is_refused_and_its_group_can_be_removed() -> None:
    after = SRLINUX.apply(RUNNING, tagged(ONE, BLACKHOLE)).after
    bent = after.replace(f"<next-hop-group>secloop {ONE}<", "<next-hop-group>discard<")
    with pytest.raises(DialectError, match=r"next-hop group discard\), not ours"):
        SRLINUX.apply(bent, tagged(ONE, BLACKHOLE))
    assert SRLINUX.tags(SRLINUX.remove(bent, tagged(ONE, BLACKHOLE)).after) == frozenset()


def test_without_the_default_network_instance_there_is_nothing_to_route() -> None:
    with pytest.raises(DialectError, match="network-instance default is not in the configuration"):
        SRLINUX.apply(RUNNING.replace("<name>default<", "<name>red<"), tagged(ONE, BLACKHOLE))


def test_every_group_stays_within_a_name() -> None:
    many = [tagged(f"{number:010x}-0", BLACKHOLE)[0] for number in range(30)]
    with pytest.raises(DialectError, match="cannot carry"):
        SRLINUX.apply(RUNNING, many)
