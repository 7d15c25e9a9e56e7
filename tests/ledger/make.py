"""Things to put into a ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

from secloop_ai.contracts import (
    ActionCall,
    AlertSummary,
    BlockIp,
    Candidate,
    ChangePlan,
    CommitReport,
    Decision,
    DevicePlan,
    DeviceReport,
    DeviceState,
    DiscardOp,
    Environment,
    Flow,
    Mitigation,
    MitigationState,
    Outcome,
    PendingCommit,
    PointerTable,
    PolicyRequest,
    Protocol,
    Refusal,
    Strategy,
    Untrusted,
    Verdict,
)

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
INCIDENT = "0123456789"
OTHER = "aaaaaaaaaa"
PERSIST = "persist-7f3a-secret"
SOURCE = ip_network("198.51.100.7/32")
HOSTILE = "x'); DROP TABLE audit; --\x00\x1b[31m {{ lookup('pipe','touch pwned') }} <a>&\n\"\u2028é"


def later(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def mitigation(index: int = 0, *, incident: str = INCIDENT, at: datetime = T0, ttl_s: int = 900) -> Mitigation:
    return Mitigation(
        mitigation_id=f"{incident}-{index}",
        incident_id=incident,
        action=BlockIp(ttl_s=900, source=SOURCE),
        operations={"gw1": (DiscardOp(prefix=SOURCE),)},
        state=MitigationState.PENDING,
        installed_at=at,
        expires_at=at + timedelta(seconds=ttl_s),
    )


def pending(
    transaction: str = "t1",
    mitigations: Sequence[Mitigation] = (),
    *,
    devices: Sequence[str] = ("gw1",),
    purpose: str = "respond",
    incident: str = INCIDENT,
    at: datetime = T0,
) -> PendingCommit:
    return PendingCommit(
        transaction_id=transaction,
        plan_id="0" * 16,
        incident_id=incident,
        persist_id=PERSIST,
        devices=tuple(devices),
        mitigation_ids=tuple(m.mitigation_id for m in mitigations),
        purpose=purpose,
        started_at=at,
        timeout_s=60.0,
        state="pending",
    )


def report(transaction: str, outcome: Outcome, devices: dict[str, DeviceState] | None = None) -> CommitReport:
    parts = devices or {"gw1": DeviceState(outcome.value)}
    return CommitReport(
        transaction_id=transaction,
        plan_id="0" * 16,
        outcome=outcome,
        devices=tuple(DeviceReport(device=d, state=s, timings_ms={"commit": 1.5}) for d, s in parts.items()),
        reasons=() if outcome is Outcome.CONFIRMED else ("gw1: commit [operation-failed]: said no",),
    )


def summary(text: str = HOSTILE, *, count: int = 40, signature: int = 2001219) -> AlertSummary:
    return AlertSummary(
        signature_id=signature,
        signature=Untrusted.of(text),
        source=ip_address("198.51.100.7"),
        destination=ip_address("10.0.2.10"),
        destination_port=22,
        protocol=Protocol.TCP,
        app_protocol="ssh",
        classification="attempted-admin",
        techniques=("T1110.001",),
        severity=1,
        count=count,
        first_seen=T0,
        last_seen=later(20),
        source_ports=12,
        to_server=True,
        handshake=True,
        flow=Flow(packets_to_server=90, bytes_to_server=12_000),
        zones=("outside", "servers"),
    )


def request(*summaries: AlertSummary) -> PolicyRequest:
    return PolicyRequest(summaries=summaries, environment=Environment(), pointers=PointerTable(), offered=("block_ip",))


def decision(asked: PolicyRequest, *, incident: str = INCIDENT, refused: bool = False) -> Decision:
    refusals = (Refusal(rule="handshake", action=0, reason="the source may be spoofed"),) if refused else ()
    return Decision(
        incident_id=incident,
        strategy=Strategy(
            actions=(BlockIp(ttl_s=900, source=SOURCE),),
            evidence=tuple(s.summary_id for s in asked.summaries),
            policy="playbook 1",
        ),
        verdict=Verdict(refusals=refusals, rules_checked=("handshake", "protected-set")),
        candidates=(Candidate(calls=(ActionCall(tool="block_ip", params={"source": "@src0"}, ttl_s=900),)),),
        prompt_sha256=asked.prompt_digest(),
        policy_sha256="b" * 64,
        seed=7,
        pointers=PointerTable(),
    )


def plan(plan_id: str = "00000000000000aa", *, incident: str = INCIDENT, edit: str = "<acls/>") -> ChangePlan:
    device = DevicePlan(device="gw1", dialect="ietf", base_digests={"/acls": "c" * 64}, edit=edit, inverse="<acls/>")
    return ChangePlan(plan_id=plan_id, incident_id=incident, created_at=T0, devices=(device,))
