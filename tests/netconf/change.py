"""A real change of the emulated gateways: drop one source at ge0, rendered by the real dialect."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any
from uuid import uuid4

from labs.emulator import Device as Emulated
from secloop_ai.contracts import (
    BlockIp,
    CommitReport,
    DeadMan,
    Device,
    DeviceModel,
    Direction,
    FilterOp,
    Mitigation,
    MitigationState,
    Packet,
    PacketRule,
    PendingCommit,
    RuleAction,
    TaggedOp,
)
from secloop_ai.dialects import dialect
from secloop_ai.netconf import Work, new_persist_id, open_session, run_transaction, settle_pending
from secloop_ai.settings import Settings

from .parts import contract

IETF = dialect("ietf")
TAG = "0123456789-0"
SOURCE = "203.0.113.7"
SETTINGS = Settings(pending_rpc_interval_s=0.02, verify_timeout_s=5.0)
RULE = PacketRule(name="block", action=RuleAction.DROP, source=ip_network(f"{SOURCE}/32"))
OPS = (TaggedOp(tag=TAG, op=FilterOp(interface="ge0", direction=Direction.INGRESS, family=4, rules=(RULE,))),)
PROBE = Packet(source=ip_address(SOURCE), destination=ip_address("192.0.2.10"), protocol=6, destination_port=22)
Check = Callable[[DeviceModel], tuple[str, ...]]


def blocked(model: DeviceModel) -> tuple[str, ...]:
    """Problems of a model that should block the source."""
    result = model.filter(PROBE, "ge0", Direction.INGRESS)
    return () if result.action is RuleAction.DROP else (f"a packet from {SOURCE} passes",)


def unblocked(model: DeviceModel) -> tuple[str, ...]:
    """Problems of a model that should not block the source any more."""
    return () if blocked(model) else (f"a packet from {SOURCE} is dropped",)


def read(device: Device) -> str:
    """What a device holds, as the dialect reads it."""
    session = open_session(device)
    try:
        return session.get_config("running", IETF.read_filter())
    finally:
        session.close()


def holds(emulated: Emulated) -> bool:
    """Whether a device has the change in running."""
    return TAG in emulated.running()


def work(emulated: Emulated, *, check: Check = blocked, **connection: Any) -> Work:
    """The change of an emulated device, rendered from what it holds now."""
    return work_on(contract(emulated, **connection), check=check)


def work_on(device: Device, *, check: Check = blocked) -> Work:
    """The change of any device, rendered from what it holds now."""
    data = read(device)
    return _work(device, IETF.apply(data, OPS).edit, IETF.digests(data, OPS), check)


def removal(emulated: Emulated) -> Work:
    """The change that takes it away again."""
    return removal_on(contract(emulated))


def removal_on(device: Device) -> Work:
    """The change that takes it away again, on any device."""
    data = read(device)
    return _work(device, IETF.remove(data, OPS).edit, IETF.digests(data, OPS), unblocked)


def held(emulated: Emulated) -> Work:
    """The change as the ledger has it later, when nobody knows its base any more."""
    return held_on(contract(emulated))


def held_on(device: Device) -> Work:
    """The same, on any device."""
    return _work(device, "<none/>", {}, blocked)


def _work(device: Device, edit: str | None, base: Mapping[str, str], check: Check) -> Work:
    assert edit
    return Work(device=device, password=None, dialect=IETF, edit=edit, base_digests=base, operations=OPS, check=check)


def pending(*devices: str, purpose: str = "respond", timeout_s: float = 60.0) -> PendingCommit:
    """What the loop hands in."""
    return PendingCommit(
        transaction_id=f"t-{uuid4().hex[:8]}",
        plan_id="p1",
        incident_id="0123456789",
        persist_id=new_persist_id(),
        devices=devices,
        mitigation_ids=(TAG,),
        purpose=purpose,
        started_at=datetime.now(UTC),
        timeout_s=timeout_s,
        state="pending",
    )


def mitigation() -> Mitigation:
    """The mitigation of the change."""
    now = datetime.now(UTC)
    return Mitigation(
        mitigation_id=TAG,
        incident_id="0123456789",
        action=BlockIp(source=ip_address(SOURCE), ttl_s=900),
        operations={"gw1": (OPS[0].op,), "gw2": (OPS[0].op,)},
        state=MitigationState.PENDING,
        installed_at=now,
        expires_at=now,
    )


@dataclass
class Journal:
    """Keeps what it is told; can run something when a commit begins."""

    begun: list[PendingCommit] = field(default_factory=list)
    settled: list[CommitReport] = field(default_factory=list)
    on_begin: Callable[[], None] = lambda: None

    def begin_commit(self, pending: PendingCommit, mitigations: Sequence[Mitigation]) -> None:
        assert [m.mitigation_id for m in mitigations] == list(pending.mitigation_ids)
        self.begun.append(pending)
        self.on_begin()

    def settle_commit(self, report: CommitReport, *, now: datetime) -> None:
        assert now.tzinfo is not None
        self.settled.append(report)


def transact(works: Sequence[Work], journal: Journal | None = None, **options: Any) -> CommitReport:
    """Run the change."""
    given = {"settings": SETTINGS, "watch": None, "timeout_s": 60.0, "purpose": "respond", "dead_man": None} | options
    names = [w.device.name for w in works]
    return run_transaction(
        works,
        pending=pending(*names, purpose=given["purpose"], timeout_s=given["timeout_s"]),
        mitigations=(mitigation(),),
        journal=journal or Journal(),
        watch=given["watch"],
        settings=given["settings"],
        dead_man=given["dead_man"],
    )


def recover(journal: Journal, works: Sequence[Work], dead_man: DeadMan | None = None) -> CommitReport:
    """Settle what the journal has as open."""
    return settle_pending(journal.begun[-1], works, settings=SETTINGS, dead_man=dead_man)
