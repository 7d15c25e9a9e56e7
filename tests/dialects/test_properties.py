"""What must hold for any configuration of somebody else's and any mitigations of ours, in every dialect."""

from __future__ import annotations

import os
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from secloop_ai.contracts import AclModel, Direction, Packet, PacketRule, RuleAction
from secloop_ai.dialects.compose import TreeDialect
from secloop_ai.dialects.numbered import IMPLICIT_DENY, NumberedFilters
from secloop_ai.dialects.numbered.reading import read_acl
from secloop_ai.dialects.xml import load

from .editing import edited, shape
from .properties import Groups, Play, accepted, applied, dialects, expected, flat, play_of, unordered
from .strategies import families, packets, rules

PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""Without shrinking: whole configurations take minutes to shrink, and the drawn one is printed."""
ANYTHING = settings(
    deadline=None,
    max_examples=int(os.environ.get("SECLOOP_EXAMPLES", "25")),
    phases=PHASES,
    suppress_health_check=[HealthCheck.too_slow],
)
every_dialect = pytest.mark.parametrize("name", dialects())


def drawn(draws: DataObject, play: Play) -> tuple[str, Groups]:
    """A configuration and the mitigations it accepts."""
    data = draws.draw(play.configurations, label="configuration")
    return data, accepted(play.dialect, data, draws.draw(play.groups(), label="mitigations"))


@every_dialect
@ANYTHING
@given(st.data(), st.randoms(use_true_random=False), st.booleans())
def test_undone_in_any_order_the_configuration_is_what_it_was(
    name: str, draws: DataObject, random: Random, at_once: bool
) -> None:
    play = play_of(name)
    data, groups = drawn(draws, play)
    dialect, start = play.dialect, play.dialect.apply(data, ())
    assert start.edit is None
    now = applied(dialect, start.after, [flat(groups)] if at_once else groups)
    random.shuffle(groups)
    for ops in groups:
        now = dialect.remove(now, ops).after
    assert now == start.after
    assert dialect.canonical(now) == dialect.canonical(data)
    assert dialect.tags(now) == frozenset()


@every_dialect
@ANYTHING
@given(st.data())
def test_undoing_one_leaves_the_others_as_if_it_had_never_been(name: str, draws: DataObject) -> None:
    play = play_of(name)
    data, groups = drawn(draws, play)
    for ops in groups[:1]:
        both = play.dialect.remove(applied(play.dialect, data, groups), ops).after
        alone = applied(play.dialect, data, groups[1:])
        assert unordered(play.dialect, both) == unordered(play.dialect, alone)


@every_dialect
@ANYTHING
@given(st.data())
def test_a_second_time_changes_nothing(name: str, draws: DataObject) -> None:
    play = play_of(name)
    data, groups = drawn(draws, play)
    after = applied(play.dialect, play.dialect.apply(data, ()).after, groups)
    for ops in (*groups, flat(groups)):
        assert play.dialect.apply(after, ops) == (None, after)
    gone = play.dialect.remove(after, flat(groups)).after
    assert play.dialect.remove(gone, flat(groups)) == (None, gone)


@every_dialect
@ANYTHING
@given(st.data())
def test_the_edit_does_what_it_says(name: str, draws: DataObject) -> None:
    play = play_of(name)
    data, groups = drawn(draws, play)
    dialect, ops = play.dialect, flat(groups)

    def does(text: str, edit: str | None) -> object:
        return shape(edited(text, edit, keys=play.keys), ordered=play.ordered)

    there = dialect.apply(data, ops)
    assert does(data, there.edit) == shape(there.after, ordered=play.ordered)
    back = dialect.remove(there.after, ops)
    assert does(there.after, back.edit) == shape(back.after, ordered=play.ordered)
    careful = dialect.remove(there.after, ops, tidy=False)
    assert careful.after == back.after
    sent = edited(there.after, careful.edit, keys=play.keys)
    assert unordered(dialect, sent) == unordered(dialect, back.after)
    assert (there.edit is None) == (dialect.canonical(there.after) == dialect.canonical(data))


@every_dialect
@ANYTHING
@given(st.data(), st.lists(packets(), min_size=1, max_size=20))
def test_packets_meet_our_rules_by_rank_and_tag_and_then_the_foreign_ones(
    name: str, draws: DataObject, sent: list[Packet]
) -> None:
    play = play_of(name)
    data, groups = drawn(draws, play)
    before, after = play.dialect.parse(data), play.dialect.parse(applied(play.dialect, data, groups))
    for interface in play.interfaces:
        for direction in Direction:
            for packet in sent:
                wanted = expected(packet, interface, direction, groups, before)
                got = after.filter(packet, interface, direction)
                rates = [r.rule.rate_bytes_per_s if r.rule else None for r in (wanted, got)]
                assert (got.action, rates[1]) == (wanted.action, rates[0]), (packet, interface, direction, got)


@every_dialect
@ANYTHING
@given(st.data())
def test_every_mark_is_found_and_every_touched_subtree_moves(name: str, draws: DataObject) -> None:
    play = play_of(name)
    data, groups = drawn(draws, play)
    dialect, ops = play.dialect, flat(groups)
    after = applied(dialect, data, groups)
    assert dialect.tags(after) == {t.tag for t in ops if not isinstance(t.op, play.tagless)}
    if dialect.apply(data, ops).edit:
        assert dialect.digests(data, ops) != dialect.digests(after, ops)
    assert dialect.digests(data, ops) == dialect.digests(dialect.apply(data, ()).after, ops)


@every_dialect
def test_most_mitigations_are_taken(name: str) -> None:
    play, asked, taken = play_of(name), 0, 0

    @ANYTHING
    @given(st.data())
    def count(draws: DataObject) -> None:
        nonlocal asked, taken
        data, groups = draws.draw(play.configurations), draws.draw(play.groups())
        asked += len(groups)
        taken += len(accepted(play.dialect, data, groups))

    count()
    assert taken >= play.taken * asked, f"{taken} of {asked}"


def numbered_section(dialect: TreeDialect) -> NumberedFilters | None:
    return next((s for s in dialect.sections if isinstance(s, NumberedFilters)), None)


@every_dialect
@ANYTHING
@given(st.data())
def test_a_numbered_acl_reads_back_as_it_was_written(name: str, draws: DataObject) -> None:
    play = play_of(name)
    section = numbered_section(play.dialect)
    if section is None:
        pytest.skip(f"{name}: entries have no numbers; its own tests render whole ACLs")
    adapter = section.adapter
    family = draws.draw(families)
    wanted = [r for r in draws.draw(st.lists(rules(family), max_size=6)) if play.takes(r)]
    root = load("<data/>")
    acl = adapter.create(root, "WHOLE", family)
    for index, rule in enumerate(wanted, start=1):
        adapter.write(root, acl, index * adapter.step, f"sl-0123456789-0-0-{index}", rule)
    model, notes = read_acl(adapter, root, acl, "WHOLE")
    closing = [PacketRule(name=IMPLICIT_DENY, action=RuleAction.DROP)]
    read = [rule for rule in model.rules if rule.name != IMPLICIT_DENY]
    assert notes == []
    assert (model.name, model.family) == ("WHOLE", family)
    assert [r.model_copy(update={"name": w.name}) for r, w in zip(read, wanted, strict=True)] == wanted
    if adapter.unmatched(acl, adapter.entries(acl)) is not RuleAction.PERMIT:
        whole = AclModel(name="WHOLE", family=family, rules=(*wanted, *closing))
        fates = [(model.decide(p), whole.decide(p)) for p in draws.draw(seen_by(family))]
        assert all(a and b and a.action == b.action for a, b in fates)


def seen_by(family: int) -> st.SearchStrategy[list[Packet]]:
    return st.lists(packets().filter(lambda packet: packet.family == family), max_size=10)
