"""What happened, in lines for a person. No alert text, no secrets."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from secloop_ai.contracts import (
    Action,
    AlertSummary,
    ChangePlan,
    CommitReport,
    Decision,
    HostReport,
    Observe,
    ProbeResult,
)

from .roles import role_line


def action_line(action: Action) -> str:
    """One action: its name, its target, how long."""
    return action_target(action) + ("" if isinstance(action, Observe) else f" for {seconds(action.ttl_s)}")


def action_target(action: Action) -> str:
    """One action: its name and its target."""
    fields = action.model_dump(mode="json", exclude={"kind", "ttl_s"}, exclude_none=True)
    return " ".join([action.kind, *(f"{k}={v}" for k, v in fields.items())])


def seconds(value: float) -> str:
    """Seconds as a person says them: ``45 s``, ``12 min``, ``3 h``."""
    size = abs(value)
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if size < limit:
            return f"{value / unit:.0f} {name}"
    return f"{value / 86400:.1f} d"


def time_left(left_s: float) -> str:
    """Time until an end, or since it: ``12 min``, ``overdue 5 s``."""
    return seconds(left_s) if left_s > 0 else f"overdue {seconds(-left_s)}"


def summary_line(summary: AlertSummary) -> str:
    """One summary, from the sensor's own fields; the signature is shown defused."""
    port = f":{summary.destination_port}" if summary.destination_port is not None else ""
    technique = f" {'/'.join(summary.techniques)}" if summary.techniques else ""
    proof = "handshake seen" if summary.handshake else "no handshake"
    return (
        f"{summary.count} x sid {summary.signature_id} '{summary.signature.display(60)}'{technique} "
        f"{summary.source} -> {summary.destination}{port} ({proof}, {summary.classification})"
    )


def plan_story(plan: ChangePlan, decision: Decision | None) -> tuple[str, ...]:
    """The plan: strategy, then what traffic changes on which device, and what is done on which host."""
    lines = [f"incident {plan.incident_id}, plan {plan.plan_id}"]
    if decision:
        lines += [f"strategy ({decision.strategy.policy}): {action_line(a)}" for a in decision.strategy.actions]
        lines += [f"because: {decision.strategy.rationale}"] if decision.strategy.rationale else []
    lines += [f"already active: {m}" for m in plan.renewed]
    for device in plan.devices:
        lines += [f"{device.device}: {t}" for t in device.traffic] or [f"{device.device}: nothing to change"]
    lines += plan_host_lines(plan)
    return tuple(lines if plan.devices or plan.hosts else [*lines, "no device is touched"])


def plan_host_lines(plan: ChangePlan) -> list[str]:
    """What a plan does on hosts, a line for each role."""
    verb = "" if plan.purpose == "respond" else "undo "
    return [f"{h.host}: {verb}{role_line(t)}" for h in plan.hosts for t in h.operations]


def plan_summary(
    plan: ChangePlan, decision: Decision | None, summaries: Iterable[AlertSummary], written: datetime
) -> str:
    """The plan folder's summary.txt."""
    evidence = [f"  {summary_line(s)}" for s in summaries]
    mitigations = [f"  {m.mitigation_id}: {action_line(m.action)}" for m in plan.mitigations]
    parts = [
        f"SecLoop plan {plan.plan_id} ({plan.purpose}), incident {plan.incident_id}, {written:%Y-%m-%d %H:%M:%S} UTC",
        *(["", "Evidence:", *evidence] if evidence else []),
        *(["", "Mitigations:", *mitigations] if mitigations else []),
        "",
        "Changes:",
        *(f"  {line}" for line in plan_story(plan, decision)[1:]),
        "",
        "Apply it with: ansible-playbook playbooks/apply.yml -e plan_dir=THIS_FOLDER",
    ]
    return "\n".join(parts) + "\n"


def report_story(report: CommitReport) -> tuple[str, ...]:
    """A transaction: every device, every host, every probe, every reason."""
    lines = [f"transaction {report.transaction_id}: {report.outcome.value.replace('_', ' ')}"]
    for device in report.devices:
        spent = f", {sum(device.timings_ms.values()):.0f} ms in NETCONF" if device.timings_ms else ""
        why = f" at {device.operation}: {device.message}" if device.message else ""
        lines.append(f"{device.device}: {device.state.value.replace('_', ' ')}{why}{spent}")
    lines += host_lines(report.hosts)
    lines += probe_lines(report.probes)
    lines += [f"reason: {r}" for r in report.reasons]
    lines += [f"warning: {w}" for w in report.warnings]
    return tuple(lines)


def host_lines(hosts: Iterable[HostReport]) -> list[str]:
    """How each host fared."""
    return [_host_line(h) for h in hosts]


def _host_line(host: HostReport) -> str:
    why = f" at {host.task or 'Ansible'}: {host.message}" if host.message else ""
    same = "" if host.changed or why else ", nothing had to change"
    return f"{host.host}: {host.state.value.replace('_', ' ')}{why}{same}, {host.seconds:.1f} s in its roles"


def probe_lines(probes: Iterable[ProbeResult]) -> list[str]:
    """The legitimate checks, one line each over both phases; what failed says when."""
    by_check: dict[tuple[str, str, str], list[ProbeResult]] = {}
    for probe in probes:
        by_check.setdefault((probe.client, probe.service, probe.target), []).append(probe)
    return [f"{c} -> {s} ({t}): {_fared(found)}" for (c, s, t), found in by_check.items()]


def _fared(found: Iterable[ProbeResult]) -> str:
    parts = [
        f"{p.tries} of {p.tries} served {p.phase}"
        if p.green
        else f"{p.failures} of {p.tries} failed {p.phase}: {p.detail}"
        for p in found
    ]
    return ", ".join(parts)
