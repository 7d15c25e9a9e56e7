"""Mitigations and the states they move through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from secloop_ai.contracts import Mitigation, MitigationState, Outcome
from secloop_ai.contracts.errors import LedgerError

from .codec import dump, instant, iso, load, undump
from .schema import commits
from .schema import mitigations as table

S = MitigationState
OPEN = frozenset({S.PENDING, S.ACTIVE, S.IN_DOUBT})
"""States of what is, or may be, on the network."""

STANDING = frozenset({S.ACTIVE, S.IN_DOUBT})
UNSETTLED = ("pending", Outcome.IN_DOUBT.value)
"""States of a commit that is open."""

CLOSED = frozenset({S.UNDONE, S.EXPIRED, S.ROLLED_BACK})
REMOVED = {"rollback": S.ROLLED_BACK, "expire": S.EXPIRED}
"""What a purpose that removes makes of a mitigation."""

_KEPT = ("state", "installed_at", "expires_at", "action", "operations", "transaction_id")


def find(
    c: Connection, *, incident_id: str | None = None, states: Sequence[MitigationState] | None = None
) -> tuple[Mitigation, ...]:
    """Mitigations, oldest first; those of one moment in the order of their strategy."""
    query = select(table)
    if incident_id is not None:
        query = query.where(table.c.incident_id == incident_id)
    if states is not None:
        query = query.where(table.c.state.in_([S(s).value for s in states]))
    found = [_model(row) for row in c.execute(query)]
    return tuple(sorted(found, key=lambda m: (m.installed_at, m.incident_id, _index(m.mitigation_id))))


def install(c: Connection, mitigation: Mitigation, transaction_id: str, *, now: datetime) -> str:
    """Put a mitigation down as pending, over what an earlier life of it left; how it stood before, for the audit."""
    row = _row(c, mitigation.mitigation_id)
    standing = row is not None and row.state in STANDING
    plain = mitigation.model_dump(mode="json")
    values = {
        "incident_id": mitigation.incident_id,
        "state": S.PENDING.value,
        "installed_at": iso(mitigation.installed_at),
        "expires_at": iso(mitigation.expires_at),
        "action": dump(plain["action"]),
        "operations": dump(plain["operations"]),
        "transaction_id": transaction_id,
        "prior": _snapshot(row) if row is not None and standing else None,
        "updated_at": iso(now),
    }
    if row is None:
        c.execute(insert(table).values(mitigation_id=mitigation.mitigation_id, **values))
        return "new"
    _set(c, mitigation.mitigation_id, values)
    return str(row.state)


def claim(c: Connection, mitigation_ids: Sequence[str], transaction_id: str) -> None:
    """Let a removal take charge of what stands; the states stay as they are until it is settled."""
    for row in _rows(c, mitigation_ids):
        if row.state in STANDING:
            _set(c, row.mitigation_id, {"transaction_id": transaction_id, "prior": _snapshot(row)})


def settle(
    c: Connection, mitigation_ids: Sequence[str], transaction_id: str, purpose: str, outcome: Outcome, *, now: datetime
) -> dict[str, str]:
    """Move what this transaction has charge of; the new states by id."""
    moved = {}
    for row in _rows(c, mitigation_ids):
        if row.transaction_id == transaction_id and row.state in OPEN:
            values = _settled(row, purpose, outcome)
            _set(c, row.mitigation_id, {**values, "updated_at": iso(now)})
            moved[row.mitigation_id] = str(values["state"])
    return moved


def _settled(row: Row[Any], purpose: str, outcome: Outcome) -> dict[str, Any]:
    if outcome is Outcome.IN_DOUBT:
        return {"state": S.IN_DOUBT.value}  # `prior` stays: the final answer may be that nothing happened
    if outcome is Outcome.UNDONE:
        if row.prior is not None:
            prior: dict[str, Any] = undump(row.prior, f"mitigation {row.mitigation_id}")
            return {**prior, "prior": None}
        return {"state": S.UNDONE.value}
    # Unchanged is as good as confirmed: the devices held already what was wanted.
    return {"state": REMOVED.get(purpose, S.ACTIVE).value, "prior": None}


def renew(c: Connection, mitigation_ids: Sequence[str], *, expires_at: datetime, now: datetime) -> tuple[str, ...]:
    """Move the expiry later where it is earlier; the ids that moved.

    Raises:
        LedgerError: one is unknown, not active, or part of an open commit; then none is renewed.
    """
    rows = _known(c, mitigation_ids)
    busy = _unsettled(c)
    wrong = [f"{r.mitigation_id} is {_standing(r, busy)}" for r in rows if _standing(r, busy) != S.ACTIVE]
    if wrong:
        raise LedgerError(f"only active mitigations can be renewed: {', '.join(wrong)}")
    late = tuple(r.mitigation_id for r in rows if r.expires_at < iso(expires_at))
    for mitigation_id in late:
        _set(c, mitigation_id, {"expires_at": iso(expires_at), "updated_at": iso(now)})
    return late


def close(c: Connection, mitigation_ids: Sequence[str], state: MitigationState, *, now: datetime) -> tuple[str, ...]:
    """Mark as no longer on the network; the ids that moved (what is closed already stays as it is).

    Raises:
        LedgerError: not a closed state, an unknown id, or one that an open commit has charge of.
    """
    if state not in CLOSED:
        raise LedgerError(f"{state!r} does not say that a mitigation is gone: use undone, expired or rolled_back")
    rows = _known(c, mitigation_ids)
    unsettled = _unsettled(c)
    busy = [f"{r.mitigation_id} (transaction {r.transaction_id})" for r in rows if r.transaction_id in unsettled]
    if busy:
        raise LedgerError(f"part of an open commit, recover that first: {', '.join(busy)}")
    moved = tuple(r.mitigation_id for r in rows if r.state not in CLOSED)
    for mitigation_id in moved:
        _set(c, mitigation_id, {"state": state.value, "updated_at": iso(now)})
    return moved


def _unsettled(c: Connection) -> frozenset[str]:
    return frozenset(c.execute(select(commits.c.transaction_id).where(commits.c.state.in_(UNSETTLED))).scalars())


def _standing(row: Row[Any], unsettled: frozenset[str]) -> str:
    busy = row.transaction_id in unsettled
    return f"part of the open transaction {row.transaction_id}" if busy else str(row.state)


def _snapshot(row: Row[Any]) -> str:
    """What an undo of the transaction that takes charge now has to restore."""
    return dump({name: getattr(row, name) for name in _KEPT})


def _row(c: Connection, mitigation_id: str) -> Row[Any] | None:
    return c.execute(select(table).where(table.c.mitigation_id == mitigation_id)).one_or_none()


def _rows(c: Connection, mitigation_ids: Sequence[str]) -> Sequence[Row[Any]]:
    query = select(table).where(table.c.mitigation_id.in_(list(mitigation_ids))).order_by(table.c.mitigation_id)
    return c.execute(query).all()


def _known(c: Connection, mitigation_ids: Sequence[str]) -> Sequence[Row[Any]]:
    rows = _rows(c, mitigation_ids)
    unknown = sorted(set(mitigation_ids) - {r.mitigation_id for r in rows})
    if unknown:
        raise LedgerError(f"no such mitigation: {', '.join(unknown)}")
    return rows


def _set(c: Connection, mitigation_id: str, values: Mapping[str, Any]) -> None:
    c.execute(update(table).where(table.c.mitigation_id == mitigation_id).values(**values))


def _index(mitigation_id: str) -> tuple[int, str]:
    tail = mitigation_id.rpartition("-")[2]
    return (int(tail) if tail.isdigit() else 0, mitigation_id)


def _model(row: Row[Any]) -> Mitigation:
    where = f"mitigation {row.mitigation_id}"
    fields = {
        "mitigation_id": row.mitigation_id,
        "incident_id": row.incident_id,
        "action": undump(row.action, where),
        "operations": undump(row.operations, where),
        "state": row.state,
        "installed_at": instant(row.installed_at, where),
        "expires_at": instant(row.expires_at, where),
    }
    return load(Mitigation, fields, where)
