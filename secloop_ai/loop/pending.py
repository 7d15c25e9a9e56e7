"""What the ledger is told before a device or a host is: an open commit, and its mitigations with their ends."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta

from secloop_ai.contracts import ChangePlan, Mitigation, MitigationState, PendingCommit, Safeguard

from .context import now
from .owner import me
from .roles import on_hosts


def open_commit(
    plan: ChangePlan, names: Sequence[str], *, persist_id: str, timeout_s: float
) -> tuple[PendingCommit, tuple[Mitigation, ...]]:
    """The open commit of a plan.

    Args:
        plan: whose mitigations it brings or takes away.
        names: the devices, or the hosts, that change.
        persist_id: by which a device knows the commit; hosts need none.
        timeout_s: seconds after which whoever hears of it need not wait for its end.
    """
    began = now()
    pending = PendingCommit(
        transaction_id=uuid.uuid4().hex[:12],
        plan_id=plan.plan_id,
        incident_id=plan.incident_id,
        persist_id=persist_id,
        devices=tuple(names),
        mitigation_ids=tuple(m.mitigation_id for m in plan.mitigations),
        purpose=plan.purpose,
        started_at=began,
        timeout_s=timeout_s,
        state="pending",
        safeguard=Safeguard(owner=me()),
    )
    mitigations = tuple(
        Mitigation(
            mitigation_id=m.mitigation_id,
            incident_id=plan.incident_id,
            action=m.action,
            operations=m.operations,
            state=MitigationState.PENDING,
            installed_at=began,
            expires_at=began + timedelta(seconds=m.ttl_s),
        )
        for m in plan.mitigations
    )
    return pending, mitigations


def device_half(plan: ChangePlan) -> ChangePlan:
    """The plan without its hosts."""
    return plan.model_copy(update={"hosts": (), "mitigations": tuple(m for m in plan.mitigations if not on_hosts(m))})


def host_half(plan: ChangePlan, *names: str) -> ChangePlan:
    """The plan of its hosts alone, or of those named."""
    hosts = tuple(h for h in plan.hosts if not names or h.host in names)
    there = {h.host for h in hosts}
    mitigations = tuple(m for m in plan.mitigations if on_hosts(m) and there & set(m.operations))
    return plan.model_copy(update={"devices": (), "hosts": hosts, "mitigations": mitigations, "renewed": ()})


def without_standing(plan: ChangePlan, active: Sequence[Mitigation]) -> ChangePlan:
    """The plan without the roles that stand on their hosts already: a plan may be applied a second time."""
    there = {m.mitigation_id for m in active if on_hosts(m)}
    left = [(h, tuple(t for t in h.operations if t.tag not in there)) for h in plan.hosts]
    return plan.model_copy(
        update={
            "hosts": tuple(h.model_copy(update={"operations": ops}) for h, ops in left if ops),
            "mitigations": tuple(m for m in plan.mitigations if m.mitigation_id not in there),
        }
    )
