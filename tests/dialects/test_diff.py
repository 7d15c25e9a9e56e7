from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secloop_ai.contracts import (
    AclAttachment,
    AclModel,
    DeviceModel,
    Direction,
    InterfaceState,
    Packet,
    PacketRule,
    RuleAction,
    StaticDiscard,
)
from secloop_ai.dialects import document_diff, traffic_diff
from secloop_ai.dialects.regions import covers, intersection

from .making import ATTACKER, ONE, SERVER, rule
from .strategies import packets, rules

HOLE = StaticDiscard.model_validate({"prefix": ATTACKER, "tag": ONE})


def device(*held: PacketRule, family: int | None = 4) -> DeviceModel:
    named = tuple(r.model_copy(update={"name": f"r{i}"}) for i, r in enumerate(held))
    model = AclModel.model_validate({"name": "A", "family": family, "rules": named})
    return DeviceModel(
        acls=(model,), attachments=(AclAttachment(interface="ge0", direction=Direction.INGRESS, acls=("A",)),)
    )


DROP = rule("drop", source=ATTACKER)
WEB = rule("permit", protocol=6, destination=SERVER, destination_port={"low": 80, "high": 80})
ALL = rule("permit")
NONE = rule("drop")


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ([], [DROP], ["ip 203.0.113.66/32 -> any: permit -> drop (by r0)"]),
        ([DROP], [], ["ip 203.0.113.66/32 -> any: drop -> permit (without r0)"]),
        ([], [DROP, ALL], ["ip 203.0.113.66/32 -> any: permit -> drop (by r0)"]),
        ([ALL], [DROP, ALL], ["ip 203.0.113.66/32 -> any: permit -> drop (by r0)"]),
        ([DROP, ALL], [ALL], ["ip 203.0.113.66/32 -> any: drop -> permit (without r0)"]),
        ([NONE], [DROP, NONE], []),
        ([ALL], [ALL, DROP], []),
        ([DROP], [DROP], []),
        (
            [WEB, NONE],
            [DROP, WEB, NONE],
            ["ip 203.0.113.66/32 -> any: drop (except permit tcp 203.0.113.66/32 -> 10.0.2.10/32:80) -> drop (by r0)"],
        ),
        ([], [NONE], ["ip any -> any (IPv4): permit -> drop (by r0)"]),
        (
            [DROP],
            [rule("reject", source=ATTACKER)],
            ["ip 203.0.113.66/32 -> any: drop -> reject (by r0)"],
        ),
        (
            [],
            [rule("permit", source=ATTACKER, rate_bytes_per_s=12500)],
            ["ip 203.0.113.66/32 -> any: permit -> permit up to 12500 B/s (by r0)"],
        ),
        ([DROP, WEB], [WEB, DROP], None),
    ],
)
def test_lines(before: list[PacketRule], after: list[PacketRule], lines: list[str] | None) -> None:
    found = traffic_diff(device(*before), device(*after))
    if lines is None:
        assert len(found) == 1
        assert "tcp 203.0.113.66/32 -> 10.0.2.10/32:80" in found[0]
    else:
        assert found == tuple(f"ge0 ingress: {line}" for line in lines)


def test_many_exceptions_are_counted() -> None:
    holes = [rule("permit", destination=f"10.0.2.{i}/32") for i in range(6)]
    (line,) = traffic_diff(device(*holes, NONE), device(DROP, *holes, NONE))
    assert line.count("permit ip") == 3
    assert "and 3 more" in line


def test_a_rule_for_both_families_is_said_for_each() -> None:
    found = traffic_diff(device(family=None), device(NONE, family=None))
    assert [line.partition(" (IPv")[2][0] for line in found] == ["4", "6"]


def test_an_attached_acl_shows_by_its_rules() -> None:
    attached = device(DROP)
    loose = attached.model_copy(update={"attachments": ()})
    assert traffic_diff(loose, attached) == ("ge0 ingress: ip 203.0.113.66/32 -> any: permit -> drop (by r0)",)


def test_links_and_discard_routes() -> None:
    before = DeviceModel(interfaces=(InterfaceState(name="ge0"),))
    after = DeviceModel(interfaces=(InterfaceState(name="ge0", enabled=False, explicit=True),), discards=(HOLE,))
    down, hole = traffic_diff(before, after)
    assert down == "ge0: link up -> down"
    assert hole == f"to {ATTACKER}: routed -> discarded (by {ONE})"
    assert traffic_diff(after, before) == (
        "ge0: link down -> up",
        f"to {ATTACKER}: discarded -> routed (without {ONE})",
    )


lists = st.lists(rules(4), max_size=4)


@settings(deadline=None)
@given(lists, lists, st.lists(packets(), min_size=1, max_size=30))
def test_no_line_means_no_packet_fares_otherwise(
    before: list[PacketRule], after: list[PacketRule], sent: list[Packet]
) -> None:
    old, new = device(*before), device(*after)
    if not traffic_diff(old, new):
        for packet in sent:
            was, now = (m.filter(packet, "ge0", Direction.INGRESS) for m in (old, new))
            assert was.action == now.action
    assert traffic_diff(old, old) == ()


@settings(deadline=None)
@given(rules(4), rules(4), packets())
def test_regions_agree_with_the_packets_in_them(one: PacketRule, other: PacketRule, packet: Packet) -> None:
    if one.overlaps(other):
        assert intersection(one, other).matches(packet) == (one.matches(packet) and other.matches(packet))
    if covers(one, other) and other.matches(packet):
        assert one.matches(packet)


def test_the_document_diff_is_unified() -> None:
    assert document_diff("a\nb\n", "a\nc\n").splitlines() == [
        "--- before",
        "+++ after",
        "@@ -1,2 +1,2 @@",
        " a",
        "-b",
        "+c",
    ]
    assert document_diff("a\n", "a\n") == ""


def test_actions_are_said_as_the_model_has_them() -> None:
    assert [str(a) for a in RuleAction] == ["permit", "drop", "reject"]
