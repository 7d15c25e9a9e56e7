"""The semantic diff says a change of a packet exactly where the two states treat it differently."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secloop_ai.contracts import (
    AclAttachment,
    AclModel,
    DeviceModel,
    Direction,
    Family,
    Packet,
    PacketRule,
    PortRange,
    RuleAction,
)
from secloop_ai.dialects import traffic_diff
from secloop_ai.dialects.boxes import Box, left_of
from secloop_ai.dialects.diff import TrafficChange, traffic_changes
from secloop_ai.dialects.regions import verdict

from .making import ATTACKER, SERVER, rule
from .strategies import families, packets, port_ranges, rules

PLACES = (("ge0", Direction.INGRESS), ("ge1", Direction.EGRESS))


@st.composite
def filters(draw: st.DrawFn, name: str) -> AclModel:
    """An ACL that has one family or looks at both, often ending in a deny of everything."""
    family = draw(st.none() | families)
    held = draw(st.lists(rules(family) if family else rules(4) | rules(6) | _loose(), max_size=4))
    if draw(st.booleans()):
        held.append(PacketRule(name="deny-rest", action=RuleAction.DROP))
    named = tuple(r.model_copy(update={"name": f"{name}{n}"}) for n, r in enumerate(held))
    return AclModel(name=name, family=family, rules=named)


@st.composite
def _loose(draw: st.DrawFn) -> PacketRule:
    """A rule without addresses: of both families where its ACL is."""
    ports = draw(port_ranges)
    return PacketRule(name="r", action=draw(st.sampled_from(RuleAction)), protocol=6, destination_port=ports)


@st.composite
def states(draw: st.DrawFn) -> DeviceModel:
    """A device with up to two ACLs in a row at each place."""
    acls = tuple(draw(filters(name)) for name in "ABC")
    attached = tuple(
        AclAttachment(interface=i, direction=d, acls=tuple(draw(st.lists(st.sampled_from("ABC"), max_size=2))))
        for i, d in PLACES
    )
    return DeviceModel(acls=acls, attachments=attached)


@st.composite
def variants(draw: st.DrawFn) -> tuple[DeviceModel, DeviceModel]:
    """Two states of a device, related or not."""
    before = draw(states())
    if draw(st.booleans()):
        return before, draw(states())
    touched = draw(st.integers(0, 2))
    changed = draw(filters("ABC"[touched]))
    mixed = list(draw(st.permutations([*before.acls[touched].rules, *changed.rules[:1]])))
    named = tuple(r.model_copy(update={"name": f"n{n}"}) for n, r in enumerate(mixed))
    acls = list(before.acls)
    acls[touched] = acls[touched].model_copy(update={"rules": named})
    return before, before.model_copy(update={"acls": tuple(acls)})


def treated(model: DeviceModel, packet: Packet, place: tuple[str, Direction]) -> str:
    """What the model's own evaluation says of a packet."""
    found = model.filter(packet, *place)
    return verdict(found.rule) if found.rule else str(found.action)


def meant(change: TrafficChange, packet: Packet, place: tuple[str, Direction]) -> bool:
    """Whether the line is about the packet."""
    here = (change.interface, change.direction) == place and change.family == packet.family
    return here and change.region.matches(packet) and not any(part.matches(packet) for part in change.but_for)


@settings(deadline=None, max_examples=50)
@given(variants(), st.lists(packets(), min_size=1, max_size=20))
def test_a_change_is_said_of_a_packet_exactly_where_its_verdict_changes(
    models: tuple[DeviceModel, DeviceModel], sent: list[Packet]
) -> None:
    changes = list(traffic_changes(*models))
    for place in PLACES:
        for packet in sent:
            was, now = (treated(m, packet, place) for m in models)
            about = [c for c in changes if meant(c, packet, place)]
            assert [(c.was.of(packet), c.now.of(packet)) for c in about] == [(was, now)] * len(about)
            assert was == now or about


@settings(deadline=None, max_examples=50)
@given(variants())
def test_every_line_is_about_some_packet_whose_verdict_changes(models: tuple[DeviceModel, DeviceModel]) -> None:
    for change in traffic_changes(*models):
        place = (change.interface, change.direction)
        was, now = (treated(m, change.witness, place) for m in models)
        assert was != now
        assert meant(change, change.witness, place)
        assert (change.was.of(change.witness), change.now.of(change.witness)) == (was, now)


@settings(deadline=None, max_examples=50)
@given(states())
def test_a_state_does_not_differ_from_itself(model: DeviceModel) -> None:
    assert traffic_diff(model, model) == ()


def state(*held: PacketRule, family: Family | None = 4) -> DeviceModel:
    named = tuple(r.model_copy(update={"name": f"r{n}"}) for n, r in enumerate(held))
    place = AclAttachment(interface="ge0", direction=Direction.INGRESS, acls=("A",))
    return DeviceModel(acls=(AclModel(name="A", family=family, rules=named),), attachments=(place,))


WEB = rule("permit", protocol=6, destination=SERVER, destination_port={"low": 80, "high": 80})
DENY = rule("drop")
DROP = rule("drop", source=ATTACKER)


def ported(action: str, low: int, high: int, **fields: object) -> PacketRule:
    return rule(action, protocol=6, destination_port={"low": low, "high": high}, **fields)


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        (  # a default deny comes: what the entries before it let through stays
            [WEB],
            [WEB, DENY],
            ["ip any -> any (IPv4), but for tcp any -> 10.0.2.10/32:80: permit -> drop (by r1)"],
        ),
        (  # and goes
            [WEB, DENY],
            [WEB],
            ["ip any -> any (IPv4), but for tcp any -> 10.0.2.10/32:80: drop -> permit (without r1)"],
        ),
        (  # two halves take the whole: nothing is left for a third
            [ported("drop", 0, 79), ported("drop", 80, 65535)],
            [ported("drop", 0, 79), ported("drop", 80, 65535), ported("permit", 10, 100)],
            [],
        ),
        (  # the range in the middle of another
            [ported("drop", 1, 100), DENY],
            [ported("permit", 40, 60), ported("drop", 1, 100), DENY],
            ["tcp any -> any:40-60 (IPv4): drop -> permit (by r0)"],
        ),
        (  # ranges that overlap: the common part stays dropped
            [ported("drop", 1, 50)],
            [ported("drop", 25, 75)],
            [
                "tcp any -> any:25-75 (IPv4): permit (except drop tcp any -> any:25-50 (IPv4)) -> drop (by r0)",
                "tcp any -> any:1-50 (IPv4): drop -> permit (except drop tcp any -> any:25-50 (IPv4)) (without r0)",
            ],
        ),
        (  # another rate is a change, the same is none
            [rule("permit", source=ATTACKER, rate_bytes_per_s=1000.0)],
            [rule("permit", source=ATTACKER, rate_bytes_per_s=2000.0)],
            ["ip 203.0.113.66/32 -> any: permit up to 1000 B/s -> permit up to 2000 B/s (by r0)"],
        ),
        (
            [rule("permit", source=ATTACKER, rate_bytes_per_s=1000.0)],
            [rule("permit", source="203.0.113.64/28"), rule("permit", source=ATTACKER, rate_bytes_per_s=1000.0)],
            ["ip 203.0.113.64/28 -> any: permit (except permit up to 1000 B/s ip 203.0.113.66/32 -> any) -> permit"],
        ),
        (  # a prefix of length 0 is the family itself
            [rule("drop", source="0.0.0.0/0")],
            [DENY],
            [],
        ),
        (  # a hole in an exception is kept apart from it
            [rule("permit", source=ATTACKER), rule("drop", source="203.0.113.64/28")],
            [rule("reject")],
            ["ip any -> any (IPv4): permit (except permit ip 203.0.113.66/32 -> any, drop ip 203.0.113.64/28 -> any)"],
        ),
    ],
)
def test_lines(before: list[PacketRule], after: list[PacketRule], lines: list[str]) -> None:
    found = traffic_diff(state(*before), state(*after))
    assert len(found) == len(lines)
    assert all(line.startswith(f"ge0 ingress: {start}") for line, start in zip(found, lines, strict=True))


def test_an_acl_of_both_families_is_said_for_each_with_its_own_addresses() -> None:
    deny = [rule("permit", source=ATTACKER), rule("permit", source="2001:db8::/32"), DENY]
    found = traffic_diff(state(family=None), state(*deny, family=None))
    assert found == (
        "ge0 ingress: ip any -> any (IPv4), but for ip 203.0.113.66/32 -> any: permit -> drop (by r2)",
        "ge0 ingress: ip any -> any (IPv6), but for ip 2001:db8::/32 -> any: permit -> drop (by r2)",
    )


def test_an_acl_of_one_family_says_nothing_of_the_other() -> None:
    assert all("IPv6" in line for line in traffic_diff(state(family=6), state(DENY, family=6)))


@settings(deadline=None, max_examples=50)
@given(rules(4), st.lists(rules(4), max_size=5), packets())
def test_what_is_left_of_a_box_is_outside_the_others(whole: PacketRule, taken: list[PacketRule], sent: Packet) -> None:
    found = left_of(Box.of(whole, 4), [Box.of(r, 4) for r in taken], 4)
    if found is None:
        assert not (sent.family == 4 and whole.matches(sent)) or any(r.matches(sent) for r in taken)
    else:
        assert whole.matches(found)
        assert not any(r.matches(found) for r in taken)


def test_a_region_in_too_many_pieces_is_taken_to_be_left(monkeypatch: pytest.MonkeyPatch) -> None:
    halves = [ported("drop", 0, 79), ported("drop", 80, 65535)]
    whole, boxes = Box.of(ported("drop", 1, 90), 4), [Box.of(r, 4) for r in halves]
    assert left_of(whole, boxes, 4) is None
    monkeypatch.setattr("secloop_ai.dialects.boxes.PIECES", 2)
    assert left_of(whole, boxes, 4) is not None


def test_hundreds_of_entries_are_compared_in_no_time() -> None:
    held = [
        rule("drop", source=str(net), protocol=6, destination_port=PortRange.one(port).model_dump())
        for net in ip_network("10.0.0.0/8").subnets(new_prefix=16)
        for port in (22, 80)
    ]
    (line,) = traffic_diff(state(*held, DENY), state(DROP, *held))
    assert line.endswith("(without r512)")
