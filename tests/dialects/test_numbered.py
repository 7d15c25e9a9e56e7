"""Numbers for our entries, and where the numbered engine refuses."""

from __future__ import annotations

import re
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secloop_ai.contracts import PacketRule, RuleAction
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.eos import DIALECT as EOS
from secloop_ai.dialects.marks import Mark
from secloop_ai.dialects.numbered import IMPLICIT_DENY, Found
from secloop_ai.dialects.numbered.found import port_ranges
from secloop_ai.dialects.numbered.numbering import Room, numbered
from secloop_ai.dialects.openconfig import DIALECT as OPENCONFIG

from . import golden_files as golden
from .making import BLOCK, ONE, filtered, rule, tagged

RUNNING = golden.running("openconfig")
EDGE, BARE = "Ethernet2.10", "Ethernet1"
DROP = rule("drop", source="203.0.113.66/32")


def marks(*ranks: int) -> list[Mark]:
    return [Mark(rank, "0123456789-0", number) for number, rank in enumerate(ranks)]


@given(
    st.sets(st.integers(0, 40), max_size=8),
    st.integers(0, 8),
    st.integers(1, 60),
    st.sampled_from((1, 2)),
    st.randoms(use_true_random=False),
)
def test_numbers_never_collide_and_stand_in_the_order_of_the_marks(
    held: set[int], new: int, limit: int, span: int, random: Random
) -> None:
    everything = [Mark(random.randint(0, 2), f"012345678{i % 10}-{i}", 0) for i in range(len(held) + new)]
    kept = dict(zip(everything, sorted(held), strict=False))
    fresh = everything[len(held) :]
    found = numbered(kept, fresh, Room(1, limit, span, 10))
    if found is None:
        assert len(everything) * span > limit - 1
        return
    order = [found[mark] for mark in sorted(everything)]
    assert all(b - a >= span for a, b in pairwise(order))
    assert all(number >= 1 and number + span <= limit for number in order)


def test_what_is_there_keeps_its_number_while_the_gaps_suffice() -> None:
    low, mid, high = marks(0, 1, 2)
    room = Room(1, 100, 1, 10)
    assert numbered({}, [low], room) == {low: 10}
    assert numbered({low: 10}, [high], room) == {low: 10, high: 20}
    assert numbered({low: 10, high: 20}, [mid], room) == {low: 10, mid: 19, high: 20}
    assert numbered({low: 10, high: 11}, [mid], room) == {low: 10, mid: 20, high: 30}
    assert numbered({low: 10, mid: 150}, [], room) == {low: 10, mid: 20}
    assert numbered({}, [low, mid], Room(1, 3, 1, 10)) == {low: 1, mid: 2}
    assert numbered({}, [low, mid], Room(1, 2, 1, 10)) is None


def crowded(first: int) -> str:
    """The running configuration with the edge's ACL starting at another number."""
    return RUNNING.replace("<sequence-id>100<", f"<sequence-id>{first}<")


def test_an_acl_without_free_numbers_is_named_with_its_places() -> None:
    two = tagged(ONE, filtered(EDGE, "ingress", 4, DROP, DROP))
    assert OPENCONFIG.apply(crowded(3), two).edit
    with pytest.raises(DialectError, match=r"EDGE-IN .*Ethernet2\.10 ingress has room for 1 of our 2 .* entry 2"):
        OPENCONFIG.apply(crowded(2), two)


def test_the_numbers_of_others_are_never_touched() -> None:
    after = OPENCONFIG.apply(crowded(3), tagged(ONE, filtered(EDGE, "ingress", 4, DROP, DROP))).after
    numbers = re.findall(r"<acl-entry[^>]*><sequence-id>(\d+)<", after)
    assert sorted(map(int, numbers[:4])) == [1, 2, 3, 110]


def test_an_acl_that_other_places_share_is_refused() -> None:
    point = RUNNING[RUNNING.index("      <interface>\n        <id>") : RUNNING.index("    </interfaces>\n  </acl>")]
    other = point.replace(EDGE, BARE).replace(">Ethernet2<", ">Ethernet1<").replace(">10<", ">0<")
    shared = RUNNING.replace(point, point + other)
    with pytest.raises(
        DialectError, match=r"EDGE-IN \(IPv4\) at Ethernet1 ingress is attached at Ethernet2\.10 ingress"
    ):
        OPENCONFIG.apply(shared, tagged(ONE, filtered(BARE, "ingress", 4, DROP)))


def test_an_unknown_interface_and_an_empty_acl_are_refused() -> None:
    with pytest.raises(DialectError, match=r"interface ge0 is not in the configuration"):
        OPENCONFIG.apply(RUNNING, tagged(ONE, BLOCK))
    empty = re.sub(r"(EDGE-IN</name>.*?)<acl-entries>.*?</acl-entries>", r"\1", RUNNING, count=1, flags=re.DOTALL)
    with pytest.raises(DialectError, match=r"EDGE-IN .* has no entries"):
        OPENCONFIG.apply(empty, tagged(ONE, filtered(EDGE, "ingress", 4, DROP)))


def test_what_the_models_cannot_say_is_refused_or_not_offered() -> None:
    rejecting = tagged(ONE, filtered(EDGE, "ingress", 4, rule("reject")))
    assert OPENCONFIG.apply(RUNNING, rejecting).edit
    with pytest.raises(DialectError, match="cannot reject"):
        EOS.apply(golden.running("eos"), rejecting)
    limit = rule("permit", rate_bytes_per_s=1000.0)
    with pytest.raises(DialectError, match="cannot limit a rate"):
        OPENCONFIG.apply(RUNNING, tagged(ONE, filtered(BARE, "egress", 4, limit)))
    for dialect in (OPENCONFIG, EOS):
        assert "openconfig-acl has no rate" in dialect.not_offered(())["rate_limit"]


def test_the_implicit_deny_is_in_the_model_and_our_own_acl_permits_the_rest() -> None:
    model = OPENCONFIG.parse(RUNNING.replace("ACCEPT", "DROP"))
    edge = model.acl("EDGE-IN")
    assert edge
    assert [r.action for r in edge.rules] == [RuleAction.DROP, RuleAction.DROP]
    limited = OPENCONFIG.parse(RUNNING.replace("ACCEPT", "DROP").replace("<sequence-id>110<", "<sequence-id>90<"))
    assert [r.name for r in limited.acls[0].rules] == ["90", "100", IMPLICIT_DENY]
    after = OPENCONFIG.parse(OPENCONFIG.apply(RUNNING, tagged(ONE, filtered(BARE, "ingress", 4, DROP))).after)
    own = after.acl(f"secloop-{BARE}-in-v4")
    assert own
    assert own.rules[-1].same_effect(PacketRule(name="x", action=RuleAction.PERMIT))


def test_two_acls_of_one_name_are_told_apart_in_the_model() -> None:
    model = OPENCONFIG.parse(RUNNING.replace("EDGE6-IN", "EDGE-IN"))
    assert {acl.name for acl in model.acls} == {"EDGE-IN/v4", "EDGE-IN/v6"}
    assert model.attachments[0].acls == ("EDGE-IN/v4", "EDGE-IN/v6")


def test_an_unreadable_condition_never_lets_more_pass() -> None:
    said = Found(action=RuleAction.PERMIT, unread=["dscp"]).meaning("10")
    assert said.rules == ()
    assert "permit left out" in said.notes[0]
    dropped = Found(action=RuleAction.DROP, unread=["dscp"]).meaning("10")
    assert [r.action for r in dropped.rules] == [RuleAction.DROP]
    both = Found(action=RuleAction.DROP, destination_ports=port_ranges("neq", 22)).meaning("10")
    assert {(r.protocol, str(r.destination_port)) for r in both.rules} == {
        (protocol, ports) for protocol in (6, 17) for ports in ("0-21", "23-65535")
    }


@pytest.mark.parametrize(
    ("operator", "numbers", "spans"),
    [
        ("eq", (22,), ["22"]),
        ("lt", (22,), ["0-21"]),
        ("lt", (0,), []),
        ("gt", (22,), ["23-65535"]),
        ("le", (22,), ["0-22"]),
        ("ge", (22,), ["22-65535"]),
        ("range", (22, 25), ["22-25"]),
        ("neq", (0,), ["1-65535"]),
    ],
)
def test_port_operators(operator: str, numbers: tuple[int, ...], spans: list[str]) -> None:
    assert [str(r) for r in port_ranges(operator, *numbers)] == spans


def test_an_unknown_port_operator_is_an_error() -> None:
    with pytest.raises(ValueError, match="near"):
        port_ranges("near", 22)
