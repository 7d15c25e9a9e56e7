from __future__ import annotations

import pytest

from secloop_ai.contracts import DeviceState, Mitigation, MitigationState, Outcome
from secloop_ai.contracts.errors import LedgerError
from secloop_ai.contracts.ports import LedgerPort
from secloop_ai.ledger import Ledger

from .make import INCIDENT, OTHER, PERSIST, T0, later, mitigation, pending, report

S = MitigationState


def respond(ledger: Ledger, outcome: Outcome, *listed: Mitigation, transaction: str = "t1") -> None:
    ledger.begin_commit(pending(transaction, listed), listed)
    ledger.settle_commit(report(transaction, outcome), now=later(3))


def remove(ledger: Ledger, purpose: str, outcome: Outcome, *listed: Mitigation, transaction: str = "t2") -> None:
    ledger.begin_commit(pending(transaction, listed, purpose=purpose, at=later(100)), listed)
    ledger.settle_commit(report(transaction, outcome), now=later(103))


def states(ledger: Ledger) -> list[MitigationState]:
    return [m.state for m in ledger.mitigations()]


def test_a_begun_commit_is_open_with_everything_recovery_needs(ledger: Ledger) -> None:
    port: LedgerPort = ledger
    listed = (mitigation(0), mitigation(1))
    begun = pending("t1", listed, devices=("gw1", "gw2"))
    port.begin_commit(begun, listed)
    assert port.pending_commits() == (begun,)
    assert port.pending_commits()[0].persist_id == PERSIST
    assert port.mitigations() == listed


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Outcome.CONFIRMED, S.ACTIVE),
        (Outcome.UNCHANGED, S.ACTIVE),
        (Outcome.UNDONE, S.UNDONE),
        (Outcome.IN_DOUBT, S.IN_DOUBT),
    ],
)
def test_responding_ends_as_the_transaction_did(ledger: Ledger, outcome: Outcome, state: MitigationState) -> None:
    respond(ledger, outcome, mitigation(0), mitigation(1))
    assert states(ledger) == [state, state]
    assert [p.state for p in ledger.pending_commits()] == (["in_doubt"] if outcome is Outcome.IN_DOUBT else [])


@pytest.mark.parametrize(("purpose", "gone"), [("rollback", S.ROLLED_BACK), ("expire", S.EXPIRED)])
@pytest.mark.parametrize("outcome", list(Outcome))
def test_removing_moves_only_what_is_really_gone(
    ledger: Ledger, purpose: str, gone: MitigationState, outcome: Outcome
) -> None:
    stays, goes = mitigation(0), mitigation(1)
    respond(ledger, Outcome.CONFIRMED, stays, goes)
    before = ledger.mitigations()
    ledger.begin_commit(pending("t2", [goes], purpose=purpose), [goes])
    assert ledger.mitigations() == before
    ledger.settle_commit(report("t2", outcome), now=later(9))
    expected = {Outcome.UNDONE: S.ACTIVE, Outcome.IN_DOUBT: S.IN_DOUBT}.get(outcome, gone)
    assert states(ledger) == [S.ACTIVE, expected]


@pytest.mark.parametrize("purpose", ["respond", "rollback", "expire"])
@pytest.mark.parametrize("final", [Outcome.CONFIRMED, Outcome.UNDONE])
def test_recovery_settles_what_was_in_doubt(ledger: Ledger, purpose: str, final: Outcome) -> None:
    one = mitigation()
    if purpose != "respond":
        respond(ledger, Outcome.CONFIRMED, one)
        remove(ledger, purpose, Outcome.IN_DOUBT, one)
    else:
        respond(ledger, Outcome.IN_DOUBT, one, transaction="t2")
    assert states(ledger) == [S.IN_DOUBT]
    ledger.settle_commit(report("t2", final), now=later(200))
    gone = {"respond": S.ACTIVE, "rollback": S.ROLLED_BACK, "expire": S.EXPIRED}[purpose]
    back = S.UNDONE if purpose == "respond" else S.ACTIVE
    assert states(ledger) == [gone if final is Outcome.CONFIRMED else back]
    assert ledger.pending_commits() == ()


def test_settling_again_changes_nothing_and_another_outcome_is_refused(ledger: Ledger) -> None:
    respond(ledger, Outcome.CONFIRMED, mitigation())
    before = ledger.audit_head()
    ledger.settle_commit(report("t1", Outcome.CONFIRMED), now=later(50))
    assert ledger.audit_head() == before
    assert ledger.commit("t1").settled_at == later(3)
    with pytest.raises(LedgerError, match="t1 was settled as confirmed already, not undone"):
        ledger.settle_commit(report("t1", Outcome.UNDONE), now=later(51))
    assert states(ledger) == [S.ACTIVE]


def test_settling_a_removal_again_does_not_touch_a_later_life(ledger: Ledger) -> None:
    respond(ledger, Outcome.CONFIRMED, mitigation())
    remove(ledger, "expire", Outcome.CONFIRMED, mitigation())
    respond(ledger, Outcome.CONFIRMED, mitigation(at=later(2000)), transaction="t3")
    ledger.settle_commit(report("t2", Outcome.CONFIRMED), now=later(2100))
    assert states(ledger) == [S.ACTIVE]


def test_an_expired_mitigation_lives_again_with_new_times(ledger: Ledger) -> None:
    respond(ledger, Outcome.CONFIRMED, mitigation())
    remove(ledger, "expire", Outcome.CONFIRMED, mitigation())
    again = mitigation(at=later(2000))
    ledger.begin_commit(pending("t3", [again], at=later(2000)), [again])
    assert ledger.mitigations() == (again,)
    ledger.settle_commit(report("t3", Outcome.UNDONE), now=later(2003))
    assert states(ledger) == [S.UNDONE]
    told = [line.detail for line in ledger.audit_lines() if line.event == "commit-begun"]
    assert len(told) == 3
    assert f"{INCIDENT}-0 (was expired) until {again.expires_at.isoformat(timespec='microseconds')}" in told[2]


def test_an_undone_repair_leaves_the_standing_mitigation_as_it_was(ledger: Ledger) -> None:
    respond(ledger, Outcome.CONFIRMED, mitigation())
    before = ledger.mitigations()
    respond(ledger, Outcome.UNDONE, mitigation(at=later(500), ttl_s=3600), transaction="t2")
    assert ledger.mitigations() == before


def test_two_commits_may_not_be_open_on_one_device(ledger: Ledger) -> None:
    ledger.begin_commit(pending("t1", [mitigation()], devices=("gw1", "gw2")), [mitigation()])
    other = mitigation(incident=OTHER)
    clash = pending("t2", [other], devices=("gw2", "gw3"), incident=OTHER, at=later(10_000))
    with pytest.raises(LedgerError, match=r"device gw2: transaction t1 .*on gw1, gw2\) is pending; it must be recov"):
        ledger.begin_commit(clash, [other])
    assert [m.incident_id for m in ledger.mitigations()] == [INCIDENT]
    assert [line.incident_id for line in ledger.incidents()] == [INCIDENT]
    ledger.begin_commit(pending("t3", [other], devices=("gw3",), incident=OTHER), [other])
    assert [p.transaction_id for p in ledger.pending_commits()] == ["t1", "t3"]
    ledger.settle_commit(report("t1", Outcome.UNDONE), now=later(60))
    ledger.settle_commit(report("t3", Outcome.UNDONE), now=later(60))
    ledger.begin_commit(clash, [other])


def test_a_commit_in_doubt_holds_only_the_devices_in_doubt(ledger: Ledger) -> None:
    ledger.begin_commit(pending("t1", [mitigation()], devices=("gw1", "gw2")), [mitigation()])
    parts = {"gw1": DeviceState.CONFIRMED, "gw2": DeviceState.IN_DOUBT}
    ledger.settle_commit(report("t1", Outcome.IN_DOUBT, parts), now=later(60))
    other = mitigation(incident=OTHER)
    with pytest.raises(LedgerError, match="device gw2: transaction t1"):
        ledger.begin_commit(pending("t2", [other], devices=("gw2",), incident=OTHER), [other])
    ledger.begin_commit(pending("t3", [other], devices=("gw1",), incident=OTHER), [other])


def test_an_expiry_may_go_on_where_one_peer_is_in_doubt(ledger: Ledger) -> None:
    one = mitigation()
    ledger.begin_commit(pending("t1", [one], devices=("gw1", "gw2")), [one])
    parts = {"gw1": DeviceState.CONFIRMED, "gw2": DeviceState.IN_DOUBT}
    ledger.settle_commit(report("t1", Outcome.IN_DOUBT, parts), now=later(60))
    remove(ledger, "expire", Outcome.CONFIRMED, one)
    ledger.settle_commit(report("t1", Outcome.CONFIRMED), now=later(300))
    assert states(ledger) == [S.EXPIRED]


def test_what_a_later_commit_took_over_is_not_moved_by_the_earlier_one(ledger: Ledger) -> None:
    one = mitigation()
    ledger.begin_commit(pending("t1", [one], devices=("gw1", "gw2")), [one])
    parts = {"gw1": DeviceState.CONFIRMED, "gw2": DeviceState.IN_DOUBT}
    ledger.settle_commit(report("t1", Outcome.IN_DOUBT, parts), now=later(60))
    ledger.begin_commit(pending("t2", [one], purpose="rollback"), [one])
    ledger.settle_commit(report("t1", Outcome.CONFIRMED), now=later(70))
    assert states(ledger) == [S.IN_DOUBT]
    ledger.settle_commit(report("t2", Outcome.CONFIRMED), now=later(80))
    assert states(ledger) == [S.ROLLED_BACK]


def test_doubt_that_names_no_device_holds_them_all(ledger: Ledger) -> None:
    ledger.begin_commit(pending("t1", [mitigation()], devices=("gw1", "gw2")), [mitigation()])
    ledger.settle_commit(report("t1", Outcome.IN_DOUBT, {"gw1": DeviceState.CONFIRMED}), now=later(60))
    with pytest.raises(LedgerError, match=r"device gw1, gw2: transaction t1"):
        ledger.begin_commit(pending("t2", [mitigation()], devices=("gw1", "gw2"), purpose="expire"), [mitigation()])


def test_one_mitigation_is_in_one_pending_commit_only(ledger: Ledger) -> None:
    respond(ledger, Outcome.CONFIRMED, mitigation())
    ledger.begin_commit(pending("t2", [mitigation()], purpose="expire"), [mitigation()])
    with pytest.raises(LedgerError, match=f"mitigation {INCIDENT}-0: transaction t2"):
        ledger.begin_commit(pending("t3", [mitigation()], devices=("gw2",), purpose="rollback"), [mitigation()])


def test_a_transaction_begins_once(ledger: Ledger) -> None:
    respond(ledger, Outcome.UNDONE, mitigation())
    with pytest.raises(LedgerError, match="t1 was begun before and is undone"):
        ledger.begin_commit(pending("t1", [mitigation()]), [mitigation()])


def test_an_end_without_a_begin_is_kept_if_no_device_changed(ledger: Ledger) -> None:
    ledger.settle_commit(report("t9", Outcome.UNDONE), now=T0)
    kept = ledger.commit("t9")
    assert (kept.state, kept.devices, kept.settled_at) == ("undone", ("gw1",), T0)
    assert kept.report == report("t9", Outcome.UNDONE)
    assert ledger.pending_commits() == ()
    assert "said no" in ledger.audit_lines()[-1].detail
    for outcome in (Outcome.CONFIRMED, Outcome.IN_DOUBT):
        with pytest.raises(LedgerError, match=r"t8 ended as .* and was never begun"):
            ledger.settle_commit(report("t8", outcome), now=T0)
    with pytest.raises(LedgerError, match="no such transaction: t8"):
        ledger.commit("t8")


def test_lists_that_do_not_fit_and_unknown_purposes_are_refused(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="names other mitigations than it brings"):
        ledger.begin_commit(pending("t1", [mitigation(0)]), [mitigation(1)])
    with pytest.raises(LedgerError, match="not for 'tidy'"):
        ledger.begin_commit(pending("t1", [], purpose="tidy"), [])
    assert ledger.pending_commits() == ()
    assert ledger.incidents() == ()


def test_a_paused_loop_installs_nothing_but_still_removes(ledger: Ledger) -> None:
    respond(ledger, Outcome.CONFIRMED, mitigation())
    assert ledger.paused() is None
    ledger.pause("drill {{ x }}", now=later(50))
    ledger.pause("no drill", now=later(60))
    pause = ledger.paused()
    assert pause is not None
    assert (pause.reason, pause.since) == ("no drill", later(50))
    with pytest.raises(LedgerError, match=r"the loop is paused since .*: no drill"):
        ledger.begin_commit(pending("t3", [mitigation(1)]), [mitigation(1)])
    remove(ledger, "rollback", Outcome.CONFIRMED, mitigation())
    assert states(ledger) == [S.ROLLED_BACK]
    ledger.resume(now=later(70))
    ledger.resume(now=later(71))
    assert ledger.paused() is None
    ledger.begin_commit(pending("t4", [mitigation(1)]), [mitigation(1)])
    assert [line.event for line in ledger.audit_lines() if line.subject == "loop"] == ["paused", "paused", "resumed"]
