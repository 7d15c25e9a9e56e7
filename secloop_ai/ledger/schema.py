"""The ledger's tables. Times are UTC ISO 8601 text of fixed width, so that they sort; models are canonical JSON text.

JSON is kept as text, not as a database's own JSON type: a sensor's text may hold a NUL, which PostgreSQL's refuses.
"""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text, UniqueConstraint

VERSION = 3
"""Of the schema below. A ledger with a higher one was written by a newer release and is left alone.

2: `requests` and `environments`, so that a decision can be asked again as it was asked.
3: `safeguards`, so that a commit on a device without an own rollback can be undone by whoever finds it open.
"""

metadata = MetaData()


def _incident(*, required: bool = True) -> Column[str]:
    return Column("incident_id", String, ForeignKey("incidents.incident_id"), nullable=not required, index=True)


meta = Table("secloop_meta", metadata, Column("key", String, primary_key=True), Column("value", Text, nullable=False))

incidents = Table(
    "incidents",
    metadata,
    Column("incident_id", String, primary_key=True),
    Column("opened_at", String, nullable=False),
    Column("updated_at", String, nullable=False, index=True),
)

summaries = Table(
    "summaries",
    metadata,
    Column("incident_id", String, ForeignKey("incidents.incident_id"), primary_key=True),
    Column("summary_id", String, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("alerts", Integer, nullable=False),
    Column("body", Text, nullable=False),
)

decisions = Table(
    "decisions",
    metadata,
    Column("seq", Integer, primary_key=True),
    _incident(),
    Column("decided_at", String, nullable=False),
    Column("allowed", Integer, nullable=False),
    Column("policy", String, nullable=False),
    Column("prompt_sha256", String, nullable=False),
    Column("policy_sha256", String, nullable=False),
    Column("strategy_sha256", String, nullable=False),
    Column("body", Text, nullable=False),
)

# What a policy was shown, whole: summaries go on growing and inventories change, and what was learnt must be checkable.
# `body` is the request without its environment, which many requests share.
environments = Table(
    "environments", metadata, Column("sha256", String, primary_key=True), Column("body", Text, nullable=False)
)

requests = Table(
    "requests",
    metadata,
    Column("prompt_sha256", String, primary_key=True),
    Column("environment_sha256", String, ForeignKey("environments.sha256"), nullable=False),
    Column("body", Text, nullable=False),
)

plans = Table(
    "plans",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("plan_id", String, nullable=False),
    Column("sha256", String, nullable=False),
    _incident(),
    Column("purpose", String, nullable=False),
    Column("recorded_at", String, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("plan_id", "sha256"),
)

commits = Table(
    "commits",
    metadata,
    Column("transaction_id", String, primary_key=True),
    Column("plan_id", String, nullable=False),
    _incident(required=False),
    Column("purpose", String, nullable=False),
    Column("persist_id", String, nullable=False),
    Column("devices", Text, nullable=False),
    Column("mitigation_ids", Text, nullable=False),
    Column("timeout_s", Float, nullable=False),
    Column("started_at", String, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("settled_at", String),
    Column("report", Text),
)

# What takes an open commit back: its owner, its watchdog, the inverse edits. Kept for the record once it is settled.
safeguards = Table(
    "safeguards",
    metadata,
    Column("transaction_id", String, ForeignKey("commits.transaction_id"), primary_key=True),
    Column("body", Text, nullable=False),
)

# `transaction_id` is the commit that has, or last had, charge of the row; `prior` is what an undo of it restores.
mitigations = Table(
    "mitigations",
    metadata,
    Column("mitigation_id", String, primary_key=True),
    _incident(),
    Column("state", String, nullable=False, index=True),
    Column("installed_at", String, nullable=False),
    Column("expires_at", String, nullable=False),
    Column("action", Text, nullable=False),
    Column("operations", Text, nullable=False),
    Column("transaction_id", String, nullable=False),
    Column("prior", Text),
    Column("updated_at", String, nullable=False),
)

feedback = Table(
    "feedback",
    metadata,
    Column("run_id", String, primary_key=True),
    _incident(required=False),
    Column("recorded_at", String, nullable=False),
    Column("body", Text, nullable=False),
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("worker", String, primary_key=True),
    Column("beat_at", String, nullable=False),
    Column("interval_s", Float, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("content", Text, nullable=False),
    Column("previous", String, nullable=False),
    Column("sha256", String, nullable=False),
)

Index("commits_by_start", commits.c.started_at)
