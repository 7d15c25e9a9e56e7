"""After a controller died: what it left open is settled before anything new begins."""

from __future__ import annotations

from secloop_ai.contracts import CommitReport, PendingCommit, TaggedOp
from secloop_ai.netconf import Work, settle_pending

from .commit import effect_check
from .context import Context, now
from .plan import dialect_of


def recover_all(context: Context) -> tuple[CommitReport, ...]:
    """Settle every open commit of the ledger; most often there is none and no device is asked.

    Side effects: ``cancel-commit`` on devices whose confirmed commit is still pending.
    """
    return tuple(_recover(context, pending) for pending in context.ledger.pending_commits())


def _recover(context: Context, pending: PendingCommit) -> CommitReport:
    environment = context.environment()
    passwords = context.passwords(environment)
    operations = _operations(context, pending)
    works = [
        Work(
            device=device,
            password=passwords.get(name),
            dialect=dialect_of(environment, name),
            edit="",
            base_digests={},
            operations=operations.get(name, ()),
            check=effect_check(pending.purpose, operations.get(name, ())),
        )
        for name in pending.devices
        if (device := environment.device(name))
    ]
    report = settle_pending(pending, works, settings=context.settings)
    context.ledger.settle_commit(report, now=now())
    return report


def _operations(context: Context, pending: PendingCommit) -> dict[str, tuple[TaggedOp, ...]]:
    found: dict[str, list[TaggedOp]] = {}
    for m in context.ledger.mitigations(incident_id=None):
        if m.mitigation_id in pending.mitigation_ids:
            for device, ops in m.operations.items():
                found.setdefault(device, []).extend(TaggedOp(tag=m.mitigation_id, op=op) for op in ops)
    return {device: tuple(ops) for device, ops in found.items()}
