"""What the ledger shows to people: rows of the past, without anything secret."""

from __future__ import annotations

from datetime import datetime

from secloop_ai.contracts import AlertSummary, CommitReport, Decision, Frozen, Mitigation


class IncidentLine(Frozen):
    """One incident in a list.

    Attributes:
        alerts: alerts in all its summaries.
        policy, allowed: of the newest decision; None before the first.
        outcome: state of the newest commit (``pending``, or an Outcome); None before the first.
        active: mitigations on the network now.
    """

    incident_id: str
    opened_at: datetime
    updated_at: datetime
    alerts: int = 0
    policy: str | None = None
    allowed: bool | None = None
    outcome: str | None = None
    active: int = 0


class DecisionRecord(Frozen):
    """A decision, when it was made, and the digest of the strategy chosen."""

    decided_at: datetime
    strategy_sha256: str
    decision: Decision


class CommitRecord(Frozen):
    """A commit as it stands; the persist id stays in the ledger.

    Attributes:
        state: ``pending`` until it is settled, then its Outcome; ``in_doubt`` is not settled yet.
        settled_at: None while it is open.
    """

    transaction_id: str
    plan_id: str
    incident_id: str | None
    purpose: str
    state: str
    devices: tuple[str, ...]
    mitigation_ids: tuple[str, ...]
    started_at: datetime
    timeout_s: float
    settled_at: datetime | None = None
    report: CommitReport | None = None


class IncidentRecord(Frozen):
    """Everything the ledger knows of an incident, each list oldest first."""

    line: IncidentLine
    summaries: tuple[AlertSummary, ...] = ()
    decisions: tuple[DecisionRecord, ...] = ()
    plan_ids: tuple[str, ...] = ()
    commits: tuple[CommitRecord, ...] = ()
    mitigations: tuple[Mitigation, ...] = ()


class Pause(Frozen):
    """The loop is stopped: since when and why."""

    reason: str
    since: datetime


class AuditLine(Frozen):
    """A line of the audit.

    Attributes:
        previous, sha256: the chain: `sha256` is over `previous` and the canonical JSON of the other fields.
    """

    line: int
    at: datetime
    event: str
    subject: str
    digests: dict[str, str]
    detail: str
    previous: str
    sha256: str
