"""Incidents and what was decided, planned and learnt of each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from secloop_ai.contracts import AlertSummary, ChangePlan, Decision, Feedback, MitigationState, PolicyRequest
from secloop_ai.contracts.errors import LedgerError

from . import audit, requests
from .codec import dump, instant, iso, load
from .schema import commits, decisions, feedback, incidents, mitigations, plans, summaries
from .views import DecisionRecord, IncidentLine


def touch(c: Connection, incident_id: str, *, now: datetime) -> None:
    """Make sure the incident is known; something happened in it now."""
    mine = incidents.c.incident_id == incident_id
    latest = c.execute(select(incidents.c.updated_at).where(mine)).scalar()
    if latest is None:
        c.execute(insert(incidents).values(incident_id=incident_id, opened_at=iso(now), updated_at=iso(now)))
    elif latest < iso(now):
        c.execute(update(incidents).where(mine).values(updated_at=iso(now)))


def keep_decision(c: Connection, decision: Decision, request: PolicyRequest, *, now: datetime) -> None:
    """Keep the request, the summaries as they are now, and the decision beside the earlier ones."""
    touch(c, decision.incident_id, now=now)
    requests.keep(c, request)
    for position, summary in enumerate(request.summaries):
        _keep_summary(c, decision.incident_id, position, summary)
    digests = {
        "prompt": decision.prompt_sha256,
        "policy": decision.policy_sha256,
        "strategy": decision.strategy.digest(),
    }
    c.execute(
        insert(decisions).values(
            incident_id=decision.incident_id,
            decided_at=iso(now),
            allowed=int(decision.verdict.allowed),
            policy=decision.strategy.policy,
            body=dump(decision),
            **{f"{name}_sha256": digest for name, digest in digests.items()},
        )
    )
    verdict = "allowed" if decision.verdict.allowed else f"refused by {', '.join(_rules(decision))}"
    detail = f"{decision.strategy.policy}, seed {decision.seed}: {verdict}"
    audit.append(c, "decision", decision.incident_id, now=now, detail=detail, digests=digests)


def keep_plan(c: Connection, plan: ChangePlan, *, now: datetime) -> None:
    """Keep a plan; the same one again changes nothing, another one under the same id is kept beside it."""
    digest = plan.digest()
    same = select(plans.c.seq).where(plans.c.plan_id == plan.plan_id, plans.c.sha256 == digest)
    if c.execute(same).first():
        return
    touch(c, plan.incident_id, now=now)
    fields = plan.model_dump(include={"plan_id", "incident_id", "purpose"})
    c.execute(insert(plans).values(**fields, sha256=digest, recorded_at=iso(now), body=dump(plan)))
    detail = (
        f"{plan.purpose} for incident {plan.incident_id} on {', '.join(d.device for d in plan.devices) or 'nothing'}"
    )
    audit.append(c, "plan", plan.plan_id, now=now, detail=detail, digests={"plan": digest})


def keep_feedback(c: Connection, record: Feedback, *, now: datetime) -> None:
    """Keep what a run did; a later record of the same run replaces the earlier one."""
    if record.incident_id is not None:
        touch(c, record.incident_id, now=now)
    values = {"incident_id": record.incident_id, "recorded_at": iso(now), "body": dump(record)}
    if not c.execute(update(feedback).where(feedback.c.run_id == record.run_id).values(**values)).rowcount:
        c.execute(insert(feedback).values(run_id=record.run_id, **values))
    audit.append(c, "feedback", record.run_id, now=now, detail=record.status, digests={"feedback": record.digest()})


def lines(c: Connection, *, limit: int | None = None, incident_id: str | None = None) -> tuple[IncidentLine, ...]:
    """Incidents, the one something happened in last first."""
    query = _line_query().order_by(incidents.c.updated_at.desc(), incidents.c.incident_id).limit(limit)
    if incident_id is not None:
        query = query.where(incidents.c.incident_id == incident_id)
    return tuple(_line(row) for row in c.execute(query))


def one_line(c: Connection, incident_id: str) -> IncidentLine:
    """The line of one incident.

    Raises:
        LedgerError: there is no such incident.
    """
    found = lines(c, incident_id=incident_id)
    if not found:
        raise LedgerError(f"no such incident: {incident_id}")
    return found[0]


def summaries_of(c: Connection, incident_id: str) -> tuple[AlertSummary, ...]:
    """The incident's evidence, in the order the policy saw it."""
    query = select(summaries.c.body).where(summaries.c.incident_id == incident_id).order_by(summaries.c.position)
    return tuple(
        load(AlertSummary, body, f"a summary of incident {incident_id}") for body in c.execute(query).scalars()
    )


def decisions_of(c: Connection, incident_id: str) -> tuple[DecisionRecord, ...]:
    """Decisions, oldest first."""
    query = select(decisions).where(decisions.c.incident_id == incident_id).order_by(decisions.c.seq)
    where = f"a decision of incident {incident_id}"
    return tuple(
        DecisionRecord(
            decided_at=instant(row.decided_at, where),
            strategy_sha256=row.strategy_sha256,
            decision=load(Decision, row.body, where),
        )
        for row in c.execute(query)
    )


def plan_ids_of(c: Connection, incident_id: str) -> tuple[str, ...]:
    """Ids of the plans, oldest first."""
    query = select(plans.c.plan_id).where(plans.c.incident_id == incident_id).order_by(plans.c.seq)
    return tuple(dict.fromkeys(c.execute(query).scalars()))


def plan(c: Connection, plan_id: str) -> ChangePlan:
    """The plan kept last under that id.

    Raises:
        LedgerError: there is no such plan.
    """
    query = select(plans.c.body).where(plans.c.plan_id == plan_id).order_by(plans.c.seq.desc()).limit(1)
    body = c.execute(query).scalar()
    if body is None:
        raise LedgerError(f"no such plan: {plan_id}")
    return load(ChangePlan, body, f"plan {plan_id}")


def feedback_of(c: Connection, incident_id: str) -> tuple[Feedback, ...]:
    """Feedback records, oldest first."""
    query = select(feedback).where(feedback.c.incident_id == incident_id)
    rows = c.execute(query.order_by(feedback.c.recorded_at, feedback.c.run_id))
    return tuple(load(Feedback, row.body, f"the feedback of run {row.run_id}") for row in rows)


def newest_feedback(c: Connection, *, limit: int) -> tuple[Feedback, ...]:
    """Feedback records of all incidents, the newest, oldest first."""
    query = select(feedback).order_by(feedback.c.recorded_at.desc(), feedback.c.run_id.desc()).limit(limit)
    rows = reversed(c.execute(query).all())
    return tuple(load(Feedback, row.body, f"the feedback of run {row.run_id}") for row in rows)


def _keep_summary(c: Connection, incident_id: str, position: int, summary: AlertSummary) -> None:
    mine = (summaries.c.incident_id == incident_id) & (summaries.c.summary_id == summary.summary_id)
    values = {"position": position, "alerts": summary.count, "body": dump(summary)}
    if not c.execute(update(summaries).where(mine).values(**values)).rowcount:
        c.execute(insert(summaries).values(incident_id=incident_id, summary_id=summary.summary_id, **values))


def _rules(decision: Decision) -> list[str]:
    return sorted({refusal.rule for refusal in decision.verdict.refusals})


def _line_query() -> Any:
    mine = incidents.c.incident_id
    alerts = select(func.coalesce(func.sum(summaries.c.alerts), 0)).where(summaries.c.incident_id == mine)
    decided = decisions.c.incident_id == mine
    policy = select(decisions.c.policy).where(decided).order_by(decisions.c.seq.desc()).limit(1)
    allowed = select(decisions.c.allowed).where(decided).order_by(decisions.c.seq.desc()).limit(1)
    active = select(func.count()).where(
        mitigations.c.incident_id == mine, mitigations.c.state == MitigationState.ACTIVE.value
    )
    outcome = (
        select(commits.c.state).where(commits.c.incident_id == mine).order_by(commits.c.started_at.desc()).limit(1)
    )
    return select(
        incidents,
        alerts.scalar_subquery().label("alerts"),
        policy.scalar_subquery().label("policy"),
        allowed.scalar_subquery().label("allowed"),
        outcome.scalar_subquery().label("outcome"),
        active.scalar_subquery().label("active"),
    )


def _line(row: Row[Any]) -> IncidentLine:
    where = f"incident {row.incident_id}"
    return IncidentLine(
        incident_id=row.incident_id,
        opened_at=instant(row.opened_at, where),
        updated_at=instant(row.updated_at, where),
        alerts=row.alerts,
        policy=row.policy,
        allowed=None if row.allowed is None else bool(row.allowed),
        outcome=row.outcome,
        active=row.active,
    )
