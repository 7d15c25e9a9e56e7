"""Every way in which a device departs from the ledger is told apart, by its configuration alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from secloop_ai.contracts import (
    AdminOp,
    BlockIp,
    DiscardOp,
    FilterOp,
    Mitigation,
    MitigationState,
    TaggedOp,
)
from secloop_ai.dialects import dialect
from secloop_ai.loop.drift import REPAIRABLE, Finding, drift_of, orphans_of
from secloop_ai.loop.drift_rules import DriftKind
from tests.dialects.making import (
    ATTACKER,
    BLOCK,
    ONE,
    SERVER,
    TWO,
    ace,
    acl,
    config,
    filtered,
    links,
    point,
    rule,
    tagged,
)

IETF = dialect("ietf")
FROM_ATTACKER = f"<ipv4><source-ipv4-network>{ATTACKER}</source-ipv4-network></ipv4>"
FROM_ANYONE_NEAR = "<ipv4><source-ipv4-network>203.0.113.0/24</source-ipv4-network></ipv4>"
OURS = ace(f"sl-{ONE}-0-0", "drop", FROM_ATTACKER)
REST = ace("rest", "accept")
HELD = tagged(ONE, BLOCK)
AT_GE0 = point("ge0", "edge")


def found(data: str, held: Sequence[TaggedOp] = HELD) -> list[Finding]:
    return list(drift_of("gw1", IETF.parse(data), held))


def one(data: str, held: Sequence[TaggedOp] = HELD) -> Finding:
    (finding,) = found(data, held)
    assert finding.device == "gw1"
    return finding


def test_what_stands_as_it_was_put_is_no_drift() -> None:
    assert found(config(acl("edge", "ipv4-acl-type", OURS, REST), AT_GE0)) == []


def test_an_entry_that_is_gone() -> None:
    finding = one(config(acl("edge", "ipv4-acl-type", REST), AT_GE0))
    assert (finding.kind, finding.where, finding.mitigation_id) == (DriftKind.MISSING, "ge0 ingress", ONE)
    assert str(finding) == f"gw1: missing: ge0 ingress ({ONE}): 'drop ip {ATTACKER} -> any' is gone"


def test_an_equal_entry_of_somebody_else_does_not_stand_for_ours() -> None:
    theirs = ace("block-him", "drop", FROM_ATTACKER)
    assert one(config(acl("edge", "ipv4-acl-type", theirs, REST), AT_GE0)).kind is DriftKind.MISSING


@pytest.mark.parametrize(
    "changed",
    [
        ace(f"sl-{ONE}-0-0", "accept", FROM_ATTACKER),
        ace(f"sl-{ONE}-0-0", "reject", FROM_ATTACKER),
        ace(f"sl-{ONE}-0-0", "drop", FROM_ANYONE_NEAR),
    ],
)
def test_an_entry_that_was_edited(changed: str) -> None:
    finding = one(config(acl("edge", "ipv4-acl-type", changed, REST), AT_GE0))
    assert finding.kind is DriftKind.CHANGED
    assert f"was put as 'drop ip {ATTACKER} -> any'" in finding.detail


def test_an_entry_of_ours_that_nobody_put_there() -> None:
    more = ace(f"sl-{ONE}-0-1", "drop", FROM_ANYONE_NEAR)
    finding = one(config(acl("edge", "ipv4-acl-type", OURS, more, REST), AT_GE0))
    assert finding.kind is DriftKind.CHANGED
    assert "was not put there" in finding.detail


def test_an_entry_that_stands_twice_does_no_harm() -> None:
    twice = ace(f"sl-{ONE}-0-1", "drop", FROM_ATTACKER)
    assert found(config(acl("edge", "ipv4-acl-type", OURS, twice, REST), AT_GE0)) == []


def test_an_acl_that_is_not_attached_any_more() -> None:
    finding = one(config(acl("edge", "ipv4-acl-type", OURS, REST)))
    assert finding.kind is DriftKind.DETACHED
    assert "edge, which is not attached any more" in finding.detail


def test_an_acl_that_hangs_on_another_port() -> None:
    finding = one(config(acl("edge", "ipv4-acl-type", OURS, REST), point("ge1", "edge", side="egress")))
    assert finding.kind is DriftKind.DETACHED
    assert "attached to ge1 egress instead" in finding.detail


def test_the_same_rule_at_two_places_is_held_to_each() -> None:
    both = tagged(ONE, BLOCK, filtered("ge1", "ingress", 4, rule("drop", source=ATTACKER)))
    there = acl("edge", "ipv4-acl-type", OURS, REST)
    data = config(there + acl("access", "ipv4-acl-type", REST), AT_GE0 + point("ge1", "access"))
    finding = one(data, both)
    assert (finding.kind, finding.where) == (DriftKind.MISSING, "ge1 ingress")


@pytest.mark.parametrize(("theirs", "how"), [(FROM_ANYONE_NEAR, "every packet"), ("", "every packet")])
def test_a_foreign_entry_that_takes_its_packets_first(theirs: str, how: str) -> None:
    finding = one(config(acl("edge", "ipv4-acl-type", ace("vip", "accept", theirs), OURS), AT_GE0))
    assert finding.kind is DriftKind.SHADOWED
    assert "entry vip of ACL edge" in finding.detail
    assert how in finding.detail


def test_a_foreign_entry_that_takes_some_of_them() -> None:
    web = f"<ipv4><destination-ipv4-network>{SERVER}</destination-ipv4-network></ipv4>"
    finding = one(config(acl("edge", "ipv4-acl-type", ace("web", "accept", web), OURS), AT_GE0))
    assert finding.kind is DriftKind.SHADOWED
    assert "takes packets" in finding.detail


def test_a_foreign_acl_attached_in_front_shadows_too() -> None:
    acls = acl("front", "ipv4-acl-type", REST) + acl("edge", "ipv4-acl-type", OURS)
    assert one(config(acls, point("ge0", "front", "edge"))).kind is DriftKind.SHADOWED


@pytest.mark.parametrize("theirs", [ace("bad", "drop"), ace("bad", "reject", FROM_ANYONE_NEAR)])
def test_a_foreign_entry_that_refuses_them_as_well_is_no_drift(theirs: str) -> None:
    assert found(config(acl("edge", "ipv4-acl-type", theirs, OURS), AT_GE0)) == []


def test_a_limit_behind_a_permit_limits_nothing() -> None:
    limit = filtered("ge0", "ingress", 4, rule("permit", source=ATTACKER, rate_bytes_per_s=1000.0), rank=1)
    held = tagged(ONE, limit)
    data = IETF.apply(config(acl("edge", "ipv4-acl-type", REST), AT_GE0), held).after
    assert found(data, held) == []
    free = ace("free", "accept", FROM_ATTACKER)
    assert one(data.replace("<aces>", f"<aces>{free}"), held).kind is DriftKind.SHADOWED


def test_our_own_entries_out_of_their_order() -> None:
    allow = filtered("ge0", "ingress", 4, rule("permit", source=ATTACKER, destination=SERVER), rank=2)
    held = [*HELD, *tagged(TWO, allow)]
    there = (
        f"<ipv4><destination-ipv4-network>{SERVER}</destination-ipv4-network>"
        f"<source-ipv4-network>{ATTACKER}</source-ipv4-network></ipv4>"
    )
    permit = ace(f"sl-{TWO}-2-0", "accept", there)
    assert found(config(acl("edge", "ipv4-acl-type", OURS, permit, REST), AT_GE0), held) == []
    finding = one(config(acl("edge", "ipv4-acl-type", permit, OURS, REST), AT_GE0), held)
    assert (finding.kind, finding.mitigation_id) == (DriftKind.MOVED, ONE)


def test_a_rule_of_one_family_in_an_acl_of_both() -> None:
    held = tagged(ONE, filtered("ge0", "ingress", 6, rule("drop", protocol=6)))
    data = IETF.apply(config(acl("edge", "mixed-eth-ipv4-ipv6-acl-type", REST), AT_GE0), held).after
    assert found(data, held) == []


def test_ports_and_discard_routes() -> None:
    held = tagged(ONE, AdminOp(interface="ge1"), DiscardOp.model_validate({"prefix": ATTACKER}))
    applied = IETF.apply(config("", "", links(ge1="true")), held).after
    assert found(applied, held) == []
    kinds = [f.kind for f in found(config("", "", links(ge1="true")), held)]
    assert kinds == [DriftKind.REENABLED, DriftKind.UNROUTED]
    unmarked = one(applied.replace(f"secloop {ONE}", "a note"), held)
    assert (unmarked.kind, unmarked.where) == (DriftKind.CHANGED, f"to {ATTACKER}")


@pytest.mark.parametrize("known", ["ietf", "openconfig", "eos", "ios_xe", "junos", "srlinux", "sros"])
def test_applying_again_puts_every_kind_right_in_every_dialect(known: str) -> None:
    """Whatever a dialect renders it reads back as no drift; what is taken away it misses."""
    from tests.loop.grounds import ground

    here = ground(known)
    assert here, f"dialect {known}: no configuration of an emulated device to start from"
    spoken, held = dialect(known), here.held
    applied = spoken.apply(here.data, held).after
    assert drift_of("gw1", spoken.parse(applied), held) == ()
    assert spoken.tags(applied) <= {ONE, TWO}
    gone = drift_of("gw1", spoken.parse(spoken.remove(applied, held).after), held)
    assert {f.kind for f in gone} <= {DriftKind.MISSING, DriftKind.REENABLED, DriftKind.UNROUTED}
    assert len(gone) == sum(len(t.op.rules) if isinstance(t.op, FilterOp) else 1 for t in held)
    changed = spoken.apply(here.data, here.otherwise).after
    odd = drift_of("gw1", spoken.parse(changed), held)
    assert DriftKind.CHANGED in {f.kind for f in odd}
    repaired = spoken.apply(changed, held).after
    assert drift_of("gw1", spoken.parse(repaired), held) == ()


START = datetime(2026, 11, 22, tzinfo=UTC)


def mitigation(state: MitigationState, device: str = "gw1") -> Mitigation:
    return Mitigation(
        mitigation_id=ONE,
        incident_id=ONE.partition("-")[0],
        action=BlockIp.model_validate({"source": ATTACKER, "ttl_s": 900}),
        operations={device: (BLOCK,)},
        state=state,
        installed_at=START,
        expires_at=START + timedelta(seconds=900),
    )


@pytest.mark.parametrize(
    ("known", "settled", "words"),
    [
        (None, True, "does not know"),
        (mitigation(MitigationState.ACTIVE), True, None),
        (mitigation(MitigationState.ACTIVE, "gw2"), True, "on other devices only"),
        (mitigation(MitigationState.ROLLED_BACK), True, "has as rolled back"),
        (mitigation(MitigationState.EXPIRED), True, "has as expired"),
        (mitigation(MitigationState.PENDING), False, None),
        (mitigation(MitigationState.IN_DOUBT), False, None),
        (mitigation(MitigationState.IN_DOUBT), True, "has as in doubt"),
    ],
)
def test_orphans(known: Mitigation | None, settled: bool, words: str | None) -> None:
    strays = orphans_of("gw1", {ONE}, {ONE: known} if known else {}, settled=settled)
    assert [words in f.detail for f in strays if words] == ([True] if words else [])
    assert (strays == ()) == (words is None)


def test_what_applying_again_cannot_put_right() -> None:
    assert set(DriftKind) - REPAIRABLE == {DriftKind.ORPHAN, DriftKind.UNREACHABLE, DriftKind.UNREADABLE}
