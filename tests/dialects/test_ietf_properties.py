"""What must hold for any configuration of somebody else's and any mitigations of ours."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from secloop_ai.contracts import AdminOp, DeviceModel, Direction, FilterOp, FilterResult, Packet, PacketRule, TaggedOp
from secloop_ai.dialects.ietf import DIALECT as IETF

from .editing import edited, shape
from .foreign_ietf import configurations
from .strategies import INTERFACES, mitigations, packets

ANYTHING = settings(deadline=None, max_examples=60)


def flat(groups: Sequence[Sequence[TaggedOp]]) -> list[TaggedOp]:
    return list(chain.from_iterable(groups))


def with_prior(data: str, ops: Sequence[TaggedOp]) -> list[TaggedOp]:
    """The operations with the prior states a plan would find."""
    states = {i.name: i.enabled if i.explicit else None for i in IETF.parse(data).interfaces}
    found = []
    for tagged in ops:
        if isinstance(tagged.op, AdminOp):
            op = tagged.op.model_copy(update={"prior": states[tagged.op.interface]})
            found.append(tagged.model_copy(update={"op": op}))
        else:
            found.append(tagged)
    return found


def applied(data: str, groups: Sequence[Sequence[TaggedOp]]) -> str:
    for ops in groups:
        data = IETF.apply(data, with_prior(data, ops)).after
    return data


def unordered(data: str) -> list[set[str]]:
    """What a configuration does, whatever the order of ACLs that look at different families."""
    model = IETF.parse(data)
    attached = {f"{a.interface} {a.direction} {sorted(a.acls)}" for a in model.attachments}
    return [
        {str(a) for a in model.acls},
        attached,
        {str(d) for d in model.discards},
        {str(i) for i in model.interfaces},
    ]


@ANYTHING
@given(configurations(), mitigations(), st.randoms(use_true_random=False), st.booleans())
def test_undone_in_any_order_the_configuration_is_what_it_was(
    data: str, groups: list[list[TaggedOp]], random: Random, at_once: bool
) -> None:
    start = IETF.apply(data, ())
    assert start.edit is None
    groups = [with_prior(data, ops) for ops in groups]
    now = applied(data, [flat(groups)] if at_once else groups)
    random.shuffle(groups)
    for ops in groups:
        now = IETF.remove(now, ops).after
    assert now == start.after
    assert IETF.canonical(now) == IETF.canonical(data)
    assert IETF.tags(now) == frozenset()


@ANYTHING
@given(configurations(), mitigations())
def test_undoing_one_leaves_the_others_as_if_it_had_never_been(data: str, groups: list[list[TaggedOp]]) -> None:
    groups = [with_prior(data, ops) for ops in groups]
    both = IETF.remove(applied(data, groups), groups[0]).after
    assert unordered(both) == unordered(applied(data, groups[1:]))


@ANYTHING
@given(configurations(), mitigations())
def test_a_second_time_changes_nothing(data: str, groups: list[list[TaggedOp]]) -> None:
    after = applied(data, groups)
    for ops in (*groups, flat(groups)):
        again = IETF.apply(after, with_prior(data, ops))
        assert again == (None, after)
    gone = IETF.remove(after, flat(groups)).after
    assert IETF.remove(gone, flat(groups)) == (None, gone)


@ANYTHING
@given(configurations(), mitigations())
def test_the_edit_does_what_it_says(data: str, groups: list[list[TaggedOp]]) -> None:
    ops = with_prior(data, flat(groups))
    there = IETF.apply(data, ops)
    assert shape(edited(data, there.edit)) == shape(there.after)
    back = IETF.remove(there.after, ops)
    assert shape(edited(there.after, back.edit)) == shape(back.after)
    careful = IETF.remove(there.after, ops, tidy=False)
    assert careful.after == back.after
    assert unordered(edited(there.after, careful.edit)) == unordered(back.after)
    assert (there.edit is None) == (IETF.canonical(there.after) == IETF.canonical(data))


def expected(
    packet: Packet, interface: str, direction: Direction, groups: Sequence[Sequence[TaggedOp]], before: DeviceModel
) -> FilterResult:
    """Ours by rank, tag and order; then what was there."""
    ours: list[tuple[int, str, PacketRule]] = []
    for tagged in flat(groups):
        op = tagged.op
        if isinstance(op, FilterOp) and (op.interface, op.direction) == (interface, direction):
            ours += [(op.rank, tagged.tag, rule) for rule in op.rules if op.family == packet.family]
    for _, _, rule in sorted(ours, key=lambda item: item[:2]):
        if rule.matches(packet):
            return FilterResult(action=rule.action, rule=rule)
    return before.filter(packet, interface, direction)


@ANYTHING
@given(configurations(), mitigations(), st.lists(packets(), min_size=1, max_size=20))
def test_packets_meet_our_rules_by_rank_and_tag_and_then_the_foreign_ones(
    data: str, groups: list[list[TaggedOp]], sent: list[Packet]
) -> None:
    before, after = IETF.parse(data), IETF.parse(applied(data, groups))
    for interface in INTERFACES:
        for direction in Direction:
            for packet in sent:
                wanted = expected(packet, interface, direction, groups, before)
                got = after.filter(packet, interface, direction)
                rates = [r.rule.rate_bytes_per_s if r.rule else None for r in (wanted, got)]
                assert (got.action, rates[1]) == (wanted.action, rates[0]), (packet, interface, direction, got)


@ANYTHING
@given(configurations(), mitigations())
def test_every_mark_is_found_and_every_touched_subtree_moves(data: str, groups: list[list[TaggedOp]]) -> None:
    after = applied(data, groups)
    ops = flat(groups)
    marked = {t.tag for t in ops if not isinstance(t.op, AdminOp)}
    assert IETF.tags(after) == marked
    if IETF.apply(data, with_prior(data, ops)).edit:
        assert IETF.digests(data, ops) != IETF.digests(after, ops)
    assert IETF.digests(data, ops) == IETF.digests(IETF.apply(data, ()).after, ops)
