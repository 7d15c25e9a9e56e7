"""What happened, kept: incidents, decisions, plans, commits, mitigations, feedback and a hash-chained audit.

SQLite by default, PostgreSQL by URL::

    with open_ledger("sqlite:////var/lib/secloop/ledger.sqlite") as ledger:
        for mitigation in ledger.mitigations(states=[MitigationState.ACTIVE]):
            print(mitigation.mitigation_id, mitigation.left_s(now))
"""

from __future__ import annotations

from .store import Ledger, open_ledger
from .views import AuditLine, CommitRecord, DecisionRecord, IncidentLine, IncidentRecord, Pause

__all__ = [
    "AuditLine",
    "CommitRecord",
    "DecisionRecord",
    "IncidentLine",
    "IncidentRecord",
    "Ledger",
    "Pause",
    "open_ledger",
]
