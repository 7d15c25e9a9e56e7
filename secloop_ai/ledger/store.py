"""The ledger as the other rooms use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from secloop_ai.contracts import (
    ChangePlan,
    CommitReport,
    Decision,
    Feedback,
    Mitigation,
    MitigationState,
    PendingCommit,
    PolicyRequest,
)
from secloop_ai.contracts.errors import LedgerError

from . import audit, journal, mitigations, pauses, records, requests, setup, workers
from .database import Database
from .views import AuditLine, CommitRecord, IncidentLine, IncidentRecord, Pause


def open_ledger(url: str) -> Ledger:
    """Open a ledger, made on first use.

    Args:
        url: ``sqlite:////absolute/path`` (the file is private to its owner) or ``postgresql://user@host/database``.

    Raises:
        LedgerError: it cannot be opened or made, or was written by a newer release; names the place and the reason.
    """
    database = Database(url)
    try:
        setup.ensure(database)
    except LedgerError:
        database.close()
        raise
    return Ledger(database)


class Ledger:
    """Implements :class:`secloop_ai.contracts.ports.LedgerPort`; may be shared by threads.

    Every method is one transaction: it is on disk when the method returns. All raise
    :class:`secloop_ai.contracts.errors.LedgerError`, whose text names the ledger's place and the reason.
    """

    def __init__(self, database: Database) -> None:
        self._db = database

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return repr(self._db)

    def close(self) -> None:
        """Close the connections."""
        self._db.close()

    def record_decision(self, decision: Decision, request: PolicyRequest, *, now: datetime) -> None:
        """Keep incident, request, summaries, strategy, verdict and digests, with an audit line."""
        with self._db.writing("keep the decision") as c:
            records.keep_decision(c, decision, request, now=now)

    def record_plan(self, plan: ChangePlan, *, now: datetime) -> None:
        """Keep a plan, with an audit line."""
        with self._db.writing("keep the plan") as c:
            records.keep_plan(c, plan, now=now)

    def begin_commit(self, pending: PendingCommit, mitigations: Sequence[Mitigation]) -> None:
        """Store the open commit with its persist id, and its mitigations as pending; durable on return.

        For the purposes ``rollback`` and ``expire`` the mitigations are those being removed: they keep their state
        until the commit is settled.

        Raises:
            LedgerError: another commit is open on one of the devices (the text names it), or the loop is paused.
        """
        with self._db.writing("begin the commit") as c:
            journal.begin(c, pending, mitigations)

    def settle_commit(self, report: CommitReport, *, now: datetime) -> None:
        """Store how a commit ended and move its mitigations; safe to repeat."""
        with self._db.writing("settle the commit") as c:
            journal.settle(c, report, now=now)

    def pending_commits(self) -> tuple[PendingCommit, ...]:
        """Commits begun and not settled, in doubt ones (`state`) too, oldest first."""
        with self._db.reading("read the open commits") as c:
            return journal.pending_commits(c)

    def commit(self, transaction_id: str) -> CommitRecord:
        """One commit as it stands.

        Raises:
            LedgerError: there is no such transaction.
        """
        with self._db.reading("read the commit") as c:
            found = journal.find(c, transaction_id=transaction_id)
            if not found:
                raise LedgerError(f"no such transaction: {transaction_id}")
            return found[0]

    def mitigations(
        self, *, incident_id: str | None = None, states: Sequence[MitigationState] | None = None
    ) -> tuple[Mitigation, ...]:
        """Mitigations, oldest first; all states when none is named."""
        with self._db.reading("read the mitigations") as c:
            return mitigations.find(c, incident_id=incident_id, states=states)

    def renew(self, mitigation_ids: Sequence[str], *, expires_at: datetime, now: datetime) -> None:
        """Move the expiry of active mitigations later; never earlier.

        Raises:
            LedgerError: one is unknown, not active or part of an open commit; then none is renewed.
        """
        with self._db.writing("renew the mitigations") as c:
            for mitigation_id in mitigations.renew(c, mitigation_ids, expires_at=expires_at, now=now):
                detail = f"until {expires_at.isoformat()}"
                audit.append(c, "renewed", mitigation_id, now=now, detail=detail)

    def close_mitigations(self, mitigation_ids: Sequence[str], state: MitigationState, *, now: datetime) -> None:
        """Mark mitigations as no longer on the network; what is closed already stays as it is.

        Raises:
            LedgerError: one is unknown or part of an open commit, or `state` is not a closed one.
        """
        with self._db.writing("close the mitigations") as c:
            for mitigation_id in mitigations.close(c, mitigation_ids, state, now=now):
                audit.append(c, "closed", mitigation_id, now=now, detail=state.value)

    def record_feedback(self, feedback: Feedback, *, now: datetime) -> None:
        """Keep what a run really did; a later record of the same run replaces the earlier one."""
        with self._db.writing("keep the feedback") as c:
            records.keep_feedback(c, feedback, now=now)

    def heartbeat(self, worker: str, *, interval_s: float, now: datetime) -> None:
        """Say that a worker is alive and will be heard of again within `interval_s` seconds."""
        with self._db.writing("note the heartbeat") as c:
            workers.beat(c, worker, interval_s=interval_s, now=now)

    def alive(self, worker: str, *, now: datetime) -> bool:
        """Whether the worker was heard of within twice its interval."""
        with self._db.reading("read the heartbeat") as c:
            return workers.alive(c, worker, now=now)

    def audit(self, event: str, subject: str, *, digests: Mapping[str, str], detail: str, now: datetime) -> None:
        """Append a line to the audit, chained to the one before."""
        with self._db.writing("write the audit") as c:
            audit.append(c, event, subject, now=now, detail=detail, digests=digests)

    def audit_lines(self, *, limit: int = 100) -> tuple[AuditLine, ...]:
        """The newest lines of the audit, oldest first."""
        with self._db.reading("read the audit") as c:
            return audit.lines(c, limit=limit)

    def audit_head(self) -> tuple[int, str]:
        """Number and hash of the last line: kept elsewhere, they show also a rewritten chain."""
        with self._db.reading("read the audit") as c:
            return audit.head(c)

    def verify_audit(self) -> list[int]:
        """Numbers of the audit's lines that are missing, changed or unlinked; empty when all hold."""
        with self._db.reading("verify the audit") as c:
            return audit.verify(c)

    def pause(self, reason: str, *, now: datetime) -> None:
        """Stop the loop: from now on no commit that installs something begins; removals still do."""
        with self._db.writing("pause the loop") as c:
            pauses.start(c, reason, now=now)

    def resume(self, *, now: datetime) -> None:
        """Let the loop run again."""
        with self._db.writing("resume the loop") as c:
            pauses.end(c, now=now)

    def paused(self) -> Pause | None:
        """Since when and why the loop is paused; None while it may run."""
        with self._db.reading("read the pause") as c:
            return pauses.get(c)

    def incidents(self, limit: int = 50) -> tuple[IncidentLine, ...]:
        """Incidents, the one something happened in last first."""
        with self._db.reading("read the incidents") as c:
            return records.lines(c, limit=limit)

    def incident(self, incident_id: str) -> IncidentRecord:
        """Everything known of an incident.

        Raises:
            LedgerError: there is no such incident.
        """
        with self._db.reading("read the incident") as c:
            return IncidentRecord(
                line=records.one_line(c, incident_id),
                summaries=records.summaries_of(c, incident_id),
                decisions=records.decisions_of(c, incident_id),
                plan_ids=records.plan_ids_of(c, incident_id),
                commits=journal.find(c, incident_id=incident_id),
                mitigations=mitigations.find(c, incident_id=incident_id),
            )

    def request(self, prompt_sha256: str) -> PolicyRequest | None:
        """What the policy was asked in a decision; None where an older release kept the decision without it.

        Raises:
            LedgerError: what is kept is another request than the digest says.
        """
        with self._db.reading("read the request") as c:
            return requests.find(c, prompt_sha256)

    def plan(self, plan_id: str) -> ChangePlan:
        """The plan kept last under that id.

        Raises:
            LedgerError: there is no such plan.
        """
        with self._db.reading("read the plan") as c:
            return records.plan(c, plan_id)

    def feedbacks(self, limit: int = 1000) -> tuple[Feedback, ...]:
        """Feedback of all runs, the newest records, oldest first."""
        with self._db.reading("read the feedback") as c:
            return records.newest_feedback(c, limit=limit)

    def feedback_for(self, incident_id: str) -> tuple[Feedback, ...]:
        """Feedback of the incident's runs, oldest first."""
        with self._db.reading("read the feedback") as c:
            return records.feedback_of(c, incident_id)
