from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secloop_ai.contracts import Mitigation, MitigationState, Outcome
from secloop_ai.contracts.errors import LedgerError
from secloop_ai.ledger import Ledger, open_ledger

from .make import INCIDENT, OTHER, T0, later, mitigation, pending, report

S = MitigationState
ID = f"{INCIDENT}-0"


def active(ledger: Ledger, *listed: Mitigation, transaction: str = "t1") -> None:
    incident = listed[0].incident_id
    ledger.begin_commit(pending(transaction, listed, incident=incident, at=listed[0].installed_at), listed)
    ledger.settle_commit(report(transaction, Outcome.CONFIRMED), now=listed[0].installed_at)


def test_filters_and_order(ledger: Ledger) -> None:
    active(ledger, *(mitigation(n, incident=OTHER, at=later(50)) for n in (10, 2)), transaction="t1")
    active(ledger, mitigation(0), transaction="t2")
    ledger.close_mitigations([f"{OTHER}-2"], S.EXPIRED, now=later(60))
    assert [m.mitigation_id for m in ledger.mitigations()] == [ID, f"{OTHER}-2", f"{OTHER}-10"]
    assert [m.mitigation_id for m in ledger.mitigations(incident_id=OTHER)] == [f"{OTHER}-2", f"{OTHER}-10"]
    assert [m.mitigation_id for m in ledger.mitigations(states=[S.EXPIRED, S.PENDING])] == [f"{OTHER}-2"]
    assert [m.mitigation_id for m in ledger.mitigations(incident_id=INCIDENT, states=[S.ACTIVE])] == [ID]
    assert ledger.mitigations(states=[]) == ()


def test_what_comes_out_is_what_went_in(ledger: Ledger) -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    one = mitigation(at=datetime(2026, 3, 1, 23, 15, 0, 123456, tzinfo=east))
    active(ledger, one)
    (read,) = ledger.mitigations()
    assert read == one.model_copy(update={"state": S.ACTIVE})
    assert read.installed_at.tzinfo is UTC


def test_renewing_only_ever_lengthens(ledger: Ledger) -> None:
    active(ledger, mitigation(0, ttl_s=900), mitigation(1, ttl_s=3600))
    ledger.renew([ID, f"{INCIDENT}-1"], expires_at=later(1800), now=later(10))
    assert [m.expires_at for m in ledger.mitigations()] == [later(1800), later(3600)]
    ledger.renew([ID], expires_at=later(60), now=later(20))
    assert ledger.mitigations()[0].expires_at == later(1800)
    assert [(x.event, x.subject) for x in ledger.audit_lines() if x.event == "renewed"] == [("renewed", ID)]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(min_value=-(10**6), max_value=10**6), max_size=6))
def test_the_expiry_is_the_latest_ever_asked_for(asked: list[int]) -> None:
    with TemporaryDirectory() as folder, open_ledger(f"sqlite:///{Path(folder)}/l.sqlite") as ledger:
        active(ledger, mitigation(ttl_s=900))
        for seconds in asked:
            ledger.renew([ID], expires_at=later(seconds), now=T0)
        assert ledger.mitigations()[0].expires_at == later(max([900, *asked]))


def test_nothing_is_renewed_when_one_cannot_be(ledger: Ledger) -> None:
    active(ledger, mitigation(0), mitigation(1), mitigation(2))
    before = [m.expires_at for m in ledger.mitigations()]
    ledger.close_mitigations([f"{INCIDENT}-1"], S.ROLLED_BACK, now=later(5))
    with pytest.raises(LedgerError, match=f"{INCIDENT}-1 is rolled_back"):
        ledger.renew([ID, f"{INCIDENT}-1"], expires_at=later(9999), now=later(6))
    with pytest.raises(LedgerError, match="no such mitigation: nope-1"):
        ledger.renew([ID, "nope-1"], expires_at=later(9999), now=later(6))
    ledger.begin_commit(pending("t2", [mitigation(2)], purpose="expire"), [mitigation(2)])
    with pytest.raises(LedgerError, match=f"{INCIDENT}-2 is part of the open transaction t2"):
        ledger.renew([ID, f"{INCIDENT}-2"], expires_at=later(9999), now=later(6))
    assert [m.expires_at for m in ledger.mitigations()] == before


def test_closing(ledger: Ledger) -> None:
    active(ledger, mitigation(0), mitigation(1))
    ledger.close_mitigations([ID], S.EXPIRED, now=later(5))
    ledger.close_mitigations([ID, f"{INCIDENT}-1"], S.ROLLED_BACK, now=later(6))
    assert [m.state for m in ledger.mitigations()] == [S.EXPIRED, S.ROLLED_BACK]
    assert [x.detail for x in ledger.audit_lines() if x.event == "closed"] == ["expired", "rolled_back"]
    with pytest.raises(LedgerError, match="does not say that a mitigation is gone"):
        ledger.close_mitigations([ID], S.ACTIVE, now=later(7))
    with pytest.raises(LedgerError, match="no such mitigation: nope-1"):
        ledger.close_mitigations(["nope-1"], S.EXPIRED, now=later(7))


def test_what_an_open_commit_holds_is_not_closed_beside_it(ledger: Ledger) -> None:
    ledger.begin_commit(pending("t1", [mitigation()]), [mitigation()])
    with pytest.raises(LedgerError, match=f"recover that first: {ID} \\(transaction t1\\)"):
        ledger.close_mitigations([ID], S.EXPIRED, now=later(5))
    ledger.settle_commit(report("t1", Outcome.IN_DOUBT), now=later(6))
    with pytest.raises(LedgerError, match="recover that first"):
        ledger.close_mitigations([ID], S.EXPIRED, now=later(7))


def test_a_time_without_a_zone_is_refused(ledger: Ledger) -> None:
    naive = datetime(2026, 3, 1, 12, 0)  # noqa: DTZ001 - the very thing that is refused
    with pytest.raises(LedgerError, match="2026-03-01T12:00:00 has no time zone"):
        ledger.begin_commit(pending("t1", [mitigation(at=naive)]), [mitigation(at=naive)])
    assert ledger.mitigations() == ()


def test_heartbeats(ledger: Ledger) -> None:
    assert not ledger.alive("expirer", now=T0)
    ledger.heartbeat("expirer", interval_s=30.0, now=T0)
    assert ledger.alive("expirer", now=later(60))
    assert not ledger.alive("expirer", now=later(60.001))
    assert not ledger.alive("watchdog", now=T0)
    ledger.heartbeat("expirer", interval_s=5.0, now=later(60))
    assert ledger.alive("expirer", now=later(70))
    assert not ledger.alive("expirer", now=later(71))
    with pytest.raises(LedgerError, match="interval of expirer must be more than 0 s"):
        ledger.heartbeat("expirer", interval_s=0.0, now=T0)
