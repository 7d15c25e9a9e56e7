"""Commits: written down before the device hears of them, settled when it is known how they ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from secloop_ai.contracts import CommitReport, DeviceState, Mitigation, Outcome, PendingCommit, Safeguard
from secloop_ai.contracts.errors import LedgerError

from . import audit, mitigations, pauses, records
from .codec import dump, instant, iso, load, undump
from .mitigations import UNSETTLED
from .schema import commits, plans, safeguards
from .views import CommitRecord

PENDING = "pending"
PURPOSES = ("respond", *mitigations.REMOVED)


def begin(c: Connection, pending: PendingCommit, listed: Sequence[Mitigation]) -> None:
    """Store the open commit and put its mitigations under its charge.

    Raises:
        LedgerError: an open commit has one of the devices or mitigations, the transaction is known already, the loop
            is paused (nothing new is installed then, removals go on), or the lists do not fit.
    """
    _check(c, pending, listed)
    now = pending.started_at
    for incident in {pending.incident_id, *(m.incident_id for m in listed)}:
        records.touch(c, incident, now=now)
    fields = pending.model_dump(
        include={"transaction_id", "plan_id", "incident_id", "purpose", "persist_id", "timeout_s"}
    )
    c.execute(
        insert(commits).values(
            **fields,
            devices=dump(list(pending.devices)),
            mitigation_ids=dump(list(pending.mitigation_ids)),
            started_at=iso(now),
            state=PENDING,
        )
    )
    if pending.safeguard != Safeguard():
        c.execute(insert(safeguards).values(transaction_id=pending.transaction_id, body=dump(pending.safeguard)))
    if pending.purpose in mitigations.REMOVED:
        mitigations.claim(c, pending.mitigation_ids, pending.transaction_id)
        what = list(pending.mitigation_ids)
    else:
        was = [mitigations.install(c, m, pending.transaction_id, now=now) for m in listed]
        what = [f"{m.mitigation_id} (was {w}) until {iso(m.expires_at)}" for m, w in zip(listed, was, strict=True)]
    detail = f"{pending.purpose} on {', '.join(pending.devices)}: {', '.join(what)}"
    digests = {**_plan_digest(c, pending.plan_id), **{m.mitigation_id: m.digest() for m in listed}}
    audit.append(c, "commit-begun", pending.transaction_id, now=now, detail=detail, digests=digests)


def settle(c: Connection, report: CommitReport, *, now: datetime) -> None:
    """Store how a commit ended and move its mitigations; a second time with the same outcome changes nothing.

    A commit that was never begun is kept too, if it left the devices alone.

    Raises:
        LedgerError: it was settled with another outcome, or devices changed without a begin.
    """
    row = c.execute(select(commits).where(commits.c.transaction_id == report.transaction_id)).one_or_none()
    if row is None:
        _keep_unbegun(c, report, now=now)
        detail = "; ".join([f"{report.outcome} before anything was sent", *report.reasons])
        audit.append(c, "commit-not-begun", report.transaction_id, now=now, detail=detail, digests=_sha(report))
        return
    if row.state not in UNSETTLED:
        if row.state != report.outcome:
            raise LedgerError(
                f"transaction {report.transaction_id} was settled as {row.state} already, not {report.outcome}"
            )
        return
    final = report.outcome.value not in UNSETTLED
    values = {"state": report.outcome.value, "report": dump(report), "settled_at": iso(now) if final else None}
    c.execute(update(commits).where(commits.c.transaction_id == report.transaction_id).values(**values))
    moved = mitigations.settle(
        c, _names(row.mitigation_ids, row), report.transaction_id, row.purpose, report.outcome, now=now
    )
    if row.incident_id is not None:
        records.touch(c, row.incident_id, now=now)
    told = [f"{name} {state}" for name, state in moved.items()]
    detail = "; ".join([f"{row.purpose} {report.outcome}: {', '.join(told) or 'no mitigation'}", *report.reasons])
    audit.append(c, "commit-settled", report.transaction_id, now=now, detail=detail, digests=_sha(report))


def pending_commits(c: Connection) -> tuple[PendingCommit, ...]:
    """Commits begun and not settled, oldest first; those in doubt are among them."""
    return tuple(_pending(c, row) for row in _open(c))


def find(
    c: Connection, *, incident_id: str | None = None, transaction_id: str | None = None
) -> tuple[CommitRecord, ...]:
    """Commits, oldest first."""
    query = select(commits).order_by(commits.c.started_at, commits.c.transaction_id)
    if incident_id is not None:
        query = query.where(commits.c.incident_id == incident_id)
    if transaction_id is not None:
        query = query.where(commits.c.transaction_id == transaction_id)
    return tuple(_record(row) for row in c.execute(query))


def _check(c: Connection, pending: PendingCommit, listed: Sequence[Mitigation]) -> None:
    if pending.purpose not in PURPOSES:
        raise LedgerError(f"a commit is for one of {', '.join(PURPOSES)}, not for {pending.purpose!r}")
    if pending.purpose == "respond":
        if {m.mitigation_id for m in listed} != set(pending.mitigation_ids):
            raise LedgerError(f"transaction {pending.transaction_id} names other mitigations than it brings")
        if pause := pauses.get(c):
            raise LedgerError(f"the loop is paused since {iso(pause.since)}: {pause.reason}")
    known = select(commits.c.state).where(commits.c.transaction_id == pending.transaction_id)
    if state := c.execute(known).scalar():
        raise LedgerError(f"transaction {pending.transaction_id} was begun before and is {state}")
    for row in _open(c):
        _refuse_overlap(row, pending)


def _refuse_overlap(row: Row[Any], pending: PendingCommit) -> None:
    """Two open commits must not share a device or host; what one in doubt leaves open are those in doubt."""
    devices = [d for d in _held(row) if d in pending.devices]
    shared = [m for m in _names(row.mitigation_ids, row) if m in pending.mitigation_ids and row.state == PENDING]
    if devices or shared:
        over = f"device {', '.join(devices)}" if devices else f"mitigation {', '.join(shared)}"
        raise LedgerError(
            f"{over}: transaction {row.transaction_id} (incident {row.incident_id}, begun {row.started_at}, on"
            f" {', '.join(_names(row.devices, row))}) is {row.state}; it must be recovered first"
        )


def _held(row: Row[Any]) -> tuple[str, ...]:
    every = _names(row.devices, row)
    if row.state == PENDING or row.report is None:
        return every
    report = load(CommitReport, row.report, f"transaction {row.transaction_id}")
    devices = [d.device for d in report.devices if d.state is DeviceState.IN_DOUBT]
    return (*devices, *(h.host for h in report.hosts if h.state is DeviceState.IN_DOUBT)) or every


def _keep_unbegun(c: Connection, report: CommitReport, *, now: datetime) -> None:
    if report.outcome not in {Outcome.UNCHANGED, Outcome.UNDONE}:
        raise LedgerError(f"transaction {report.transaction_id} ended as {report.outcome} and was never begun")
    plan = c.execute(_newest_plan(report.plan_id)).first()
    c.execute(
        insert(commits).values(
            transaction_id=report.transaction_id,
            plan_id=report.plan_id,
            incident_id=plan.incident_id if plan else None,
            purpose=plan.purpose if plan else "respond",
            persist_id="",
            devices=dump([d.device for d in report.devices]),
            mitigation_ids="[]",
            timeout_s=0.0,
            started_at=iso(now),
            settled_at=iso(now),
            state=report.outcome.value,
            report=dump(report),
        )
    )


def _newest_plan(plan_id: str) -> Any:
    return select(plans).where(plans.c.plan_id == plan_id).order_by(plans.c.seq.desc()).limit(1)


def _plan_digest(c: Connection, plan_id: str) -> dict[str, str]:
    plan = c.execute(_newest_plan(plan_id)).first()
    return {"plan": plan.sha256} if plan else {}


def _sha(report: CommitReport) -> dict[str, str]:
    return {"report": report.digest()}


def _open(c: Connection) -> Sequence[Row[Any]]:
    query = select(commits).where(commits.c.state.in_(UNSETTLED))
    return c.execute(query.order_by(commits.c.started_at, commits.c.transaction_id)).all()


def _names(text: str, row: Row[Any]) -> tuple[str, ...]:
    return tuple(undump(text, f"transaction {row.transaction_id}"))


def _fields(row: Row[Any]) -> dict[str, Any]:
    names = ("transaction_id", "plan_id", "incident_id", "purpose", "timeout_s", "state")
    where = f"transaction {row.transaction_id}"
    lists = {"devices": _names(row.devices, row), "mitigation_ids": _names(row.mitigation_ids, row)}
    return {**{n: getattr(row, n) for n in names}, **lists, "started_at": instant(row.started_at, where)}


def _pending(c: Connection, row: Row[Any]) -> PendingCommit:
    where = f"transaction {row.transaction_id}"
    kept = c.execute(select(safeguards.c.body).where(safeguards.c.transaction_id == row.transaction_id)).scalar()
    aid = {} if kept is None else {"safeguard": undump(kept, where)}
    return load(PendingCommit, {**_fields(row), **aid, "persist_id": row.persist_id}, where)


def _record(row: Row[Any]) -> CommitRecord:
    where = f"transaction {row.transaction_id}"
    report = None if row.report is None else load(CommitReport, row.report, where)
    settled = None if row.settled_at is None else instant(row.settled_at, where)
    return load(CommitRecord, {**_fields(row), "report": report, "settled_at": settled}, where)
