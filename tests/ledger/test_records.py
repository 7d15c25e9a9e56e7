from __future__ import annotations

import pytest

from secloop_ai.contracts import Feedback, Outcome
from secloop_ai.contracts.errors import LedgerError
from secloop_ai.ledger import Ledger

from .make import (
    HOSTILE,
    INCIDENT,
    OTHER,
    PERSIST,
    T0,
    decision,
    later,
    mitigation,
    pending,
    plan,
    report,
    request,
    summary,
)


def test_a_decision_is_kept_whole(ledger: Ledger) -> None:
    asked = request(summary(), summary("other", signature=5, count=2))
    made = decision(asked)
    ledger.record_decision(made, asked, now=T0)
    kept = ledger.incident(INCIDENT)
    assert kept.summaries == asked.summaries
    assert kept.summaries[0].signature.raw == HOSTILE
    assert [(d.decided_at, d.decision) for d in kept.decisions] == [(T0, made)]
    assert kept.decisions[0].strategy_sha256 == made.strategy.digest()
    assert (kept.line.alerts, kept.line.policy, kept.line.allowed) == (42, "playbook 1", True)
    line = ledger.audit_lines()[-1]
    assert (line.event, line.subject) == ("decision", INCIDENT)
    assert line.digests == {
        "prompt": made.prompt_sha256,
        "policy": made.policy_sha256,
        "strategy": made.strategy.digest(),
    }


def test_a_growing_window_replaces_its_summary_and_every_decision_stays(ledger: Ledger) -> None:
    first, second = request(summary(count=40)), request(summary(count=90))
    ledger.record_decision(decision(first), first, now=T0)
    ledger.record_decision(decision(second, refused=True), second, now=later(5))
    kept = ledger.incident(INCIDENT)
    assert kept.summaries == second.summaries
    assert [d.decision.verdict.allowed for d in kept.decisions] == [True, False]
    assert (kept.line.alerts, kept.line.allowed) == (90, False)
    assert (kept.line.opened_at, kept.line.updated_at) == (T0, later(5))
    assert "refused by handshake" in ledger.audit_lines()[-1].detail


def test_plans(ledger: Ledger) -> None:
    ledger.record_plan(plan(), now=T0)
    head = ledger.audit_head()
    ledger.record_plan(plan(), now=later(1))
    assert ledger.audit_head() == head
    ledger.record_plan(plan(edit="<acls>2</acls>"), now=later(2))
    ledger.record_plan(plan("00000000000000bb"), now=later(3))
    assert ledger.plan("00000000000000aa") == plan(edit="<acls>2</acls>")
    assert ledger.incident(INCIDENT).plan_ids == ("00000000000000aa", "00000000000000bb")
    planned = [line.digests["plan"] for line in ledger.audit_lines() if line.event == "plan"]
    assert planned == [plan().digest(), plan(edit="<acls>2</acls>").digest(), plan("00000000000000bb").digest()]
    with pytest.raises(LedgerError, match="no such plan: ffff"):
        ledger.plan("ffff")


def test_a_commit_names_the_digest_of_its_plan(ledger: Ledger) -> None:
    planned = plan("0" * 16)
    ledger.record_plan(planned, now=T0)
    ledger.begin_commit(pending("t1", [mitigation()]), [mitigation()])
    line = ledger.audit_lines()[-1]
    assert line.event == "commit-begun"
    assert line.digests == {"plan": planned.digest(), f"{INCIDENT}-0": mitigation().digest()}


def test_an_incident_tells_its_commits_without_the_persist_id(ledger: Ledger) -> None:
    ledger.begin_commit(pending("t1", [mitigation()]), [mitigation()])
    assert ledger.incident(INCIDENT).line.outcome == "pending"
    ended = report("t1", Outcome.CONFIRMED)
    ledger.settle_commit(ended, now=later(4))
    kept = ledger.incident(INCIDENT)
    (commit,) = kept.commits
    assert (commit.state, commit.started_at, commit.settled_at, commit.report) == ("confirmed", T0, later(4), ended)
    assert (kept.line.outcome, kept.line.active) == ("confirmed", 1)
    assert kept.mitigations == ledger.mitigations()
    assert PERSIST not in kept.model_dump_json()
    assert all(PERSIST not in line.model_dump_json() for line in ledger.audit_lines())


def test_incidents_are_listed_latest_first(ledger: Ledger) -> None:
    for number, incident in enumerate((OTHER, INCIDENT, "bbbbbbbbbb")):
        ledger.record_plan(plan(incident=incident, plan_id=f"{number:016x}"), now=later(number))
    ledger.settle_commit(report("t0", Outcome.UNDONE), now=later(4))
    asked = request(summary())
    ledger.record_decision(decision(asked, incident=OTHER), asked, now=later(9))
    assert [line.incident_id for line in ledger.incidents()] == [OTHER, "bbbbbbbbbb", INCIDENT]
    assert [line.incident_id for line in ledger.incidents(limit=1)] == [OTHER]
    with pytest.raises(LedgerError, match="no such incident: ffff"):
        ledger.incident("ffff")


def test_feedback_of_a_run_is_replaced_and_of_an_incident_listed(ledger: Ledger) -> None:
    first = Feedback(run_id="r1", incident_id=INCIDENT, status="successful", rc=0, changed=True, rs_exe=1.0)
    judged = first.model_copy(update={"rs_attack": 0.25})
    second = Feedback(run_id="r2", incident_id=INCIDENT, status="failed", rc=2, changed=False, failed_tasks=(HOSTILE,))
    stray = Feedback(run_id="r3", incident_id=None, status="failed", rc=4, changed=False)
    for seconds, record in enumerate((first, second, judged, stray)):
        ledger.record_feedback(record, now=later(seconds))
    assert ledger.feedback_for(INCIDENT) == (second, judged)
    assert ledger.feedback_for(OTHER) == ()
    assert sum(line.event == "feedback" for line in ledger.audit_lines()) == 4


def test_a_decision_can_be_asked_again_as_it_was_asked(ledger: Ledger) -> None:
    first, second = request(summary(count=40)), request(summary(count=90), summary("other", signature=5))
    for asked in (first, second, second):
        ledger.record_decision(decision(asked), asked, now=T0)
    for asked in (first, second):
        found = ledger.request(asked.prompt_digest())
        assert found == asked
        assert found is not None
        assert found.prompt_digest() == asked.prompt_digest()
    assert ledger.request("f" * 64) is None
    with ledger._db.reading("test") as c:
        assert c.exec_driver_sql("SELECT count(*) FROM environments").scalar() == 1


def test_a_request_that_was_changed_is_not_believed(ledger: Ledger) -> None:
    asked = request(summary())
    ledger.record_decision(decision(asked), asked, now=T0)
    with ledger._db.writing("test") as c:
        c.exec_driver_sql("UPDATE requests SET body = replace(body, 'block_ip', 'observe')")
    with pytest.raises(LedgerError, match=f"the request {asked.prompt_digest()[:12]} is damaged"):
        ledger.request(asked.prompt_digest())


def test_feedback_of_all_runs_is_listed_oldest_first_and_bounded(ledger: Ledger) -> None:
    made = [
        Feedback(run_id=f"r{n}", incident_id=i, status="successful", rc=0, changed=True, strategy_sha256="5" * 64)
        for n, i in enumerate((INCIDENT, OTHER, INCIDENT))
    ]
    for seconds, record in enumerate(made):
        ledger.record_feedback(record, now=later(seconds))
    assert ledger.feedbacks() == tuple(made)
    assert ledger.feedbacks(limit=2) == tuple(made[1:])
