"""The steps of respond.yml: plain parameters in, JSON-able results out. The modules call these and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from secloop_ai.contracts import ChangePlan, Environment, GuardRefusal, MitigationState, Policy, sha256_json

from .context import ENVIRONMENT_FILE, Context, load_environment_file, now
from .result import StepResult

SNAPSHOTS = "running"
ACTIVE = "active.json"


def alerts_step(params: Mapping[str, Any], _check: bool) -> StepResult:
    """Read an alert file and write its summaries."""
    from secloop_ai.alerts import summarise

    from .folder import dump_summaries

    context = Context(params)
    summaries, report = summarise(Path(params["alert_file"]).absolute())  # Ansible runs in the playbook's folder
    text = dump_summaries(tuple(summaries))
    path = context.run_dir / f"summaries-{sha256_json(text)[:12]}.json"
    _write(path, text)
    warnings = [f"{report.path}:{line}: skipped: {why}" for line, why in report.bad_lines]
    if report.bad > len(report.bad_lines):
        warnings.append(f"{report.path}: {report.bad} unreadable lines in all")
    if report.dropped:
        warnings.append(f"{report.path}: {report.dropped} summaries, the least severe, had no room and were left out")
    if report.evicted or report.late:
        told = f"{report.evicted} windows closed early for want of room, {report.late} alerts late"
        warnings.append(f"{report.path}: {told}: that alone left none of them out")
    values = {
        "summaries_file": str(path),
        "summaries": len(summaries),
        "alerts": report.alerts,
        "report": report.model_dump(mode="json"),
    }
    return StepResult(changed=False, values=values, warnings=tuple(warnings))


def decide_step(params: Mapping[str, Any], check: bool) -> StepResult:
    """Environment and live state, policy, guard; writes the decision's folder."""
    context = Context(params)
    context.start_reading()  # in a process of its own, while the imports below run
    import secloop_ai.ledger
    import secloop_ai.netconf  # noqa: F401 - both are needed below
    from secloop_ai.policies import load_policy

    from .decide import build_request, decide
    from .devices import on_path, read_running, with_offers
    from .folder import dump_mitigations, load_summaries

    summaries = load_summaries(Path(params["summaries_file"]))
    environment = context.environment()
    devices = [d for name in on_path(summaries, environment) if (d := environment.device(name))]
    passwords = context.passwords(environment)
    running, failed = read_running(devices, passwords, concurrency=context.settings.concurrency)
    if devices and not running:
        raise next(iter(failed.values()))
    environment = with_offers(environment, running)
    request = build_request(summaries, environment)
    settings = context.settings
    policy = load_policy(settings.policy)
    try:
        decision = decide(request, policy, candidates=settings.candidates, seed=settings.seed)
    except GuardRefusal as refusal:
        if refusal.verdict is not None and not check:
            context.ledger.record_decision(refusal.verdict, request, now=now())
        raise
    if not check:
        context.ledger.record_decision(decision, request, now=now())
    folder = context.run_dir / decision.incident_id
    _write_decision(folder, decision.model_dump_json(indent=2), request.summaries, environment)
    _write(folder / ACTIVE, dump_mitigations(context.ledger.mitigations(states=(MitigationState.ACTIVE,))))
    _write_running(folder / SNAPSHOTS, running)
    values = {
        "incident_id": decision.incident_id,
        "decision_dir": str(folder),
        "actions": decision.for_people(),
        "quiet": decision.strategy.quiet,
        "strategy_sha256": decision.strategy.digest(),
    }
    warnings = list(_weights_trouble(settings.policy, policy))
    warnings += [f"{error}: what would change there cannot be planned" for error in failed.values()]
    warnings += [f"{n} {role} entities have no pointer left" for role, n in decision.pointers.left_out.items()]
    if (cut := len(summaries) - len(request.summaries)) > 0:
        warnings.append(f"{cut} of {len(summaries)} summaries, the least urgent, were not shown to the policy")
    return StepResult(changed=False, values=values, warnings=tuple(warnings))


def _weights_trouble(name: str, policy: Policy) -> Iterator[str]:
    """What is wrong with promoted weights that should have answered."""
    if name.rpartition(":")[2] == "embedded":
        from secloop_ai.policies.embedded.store import trouble

        asked: Policy = getattr(policy, "asked", policy)  # a rehearsal asks another
        if said := trouble(asked.digest()):
            yield said


def plan_step(params: Mapping[str, Any], _check: bool) -> StepResult:
    """The decision as a plan folder: needs neither ledger nor device, but for one that was not read before."""
    from .draft import draft
    from .folder import PlanFolder, load_decision, load_mitigations, load_summaries, write_plan
    from .plan import plan_response
    from .story import plan_host_lines, plan_story, plan_summary

    context = Context(params)
    folder = Path(params["decision_dir"])
    decision = load_decision(folder / "decision.json")
    summaries = load_summaries(folder / "request.json")
    environment = load_environment_file(folder / ENVIRONMENT_FILE)
    active = load_mitigations(folder / ACTIVE)
    made = draft(decision.strategy, decision.incident_id, environment, active)
    running = _read_written(folder / SNAPSHOTS)
    missing = [n for n in made.operations() if n not in running]
    running |= _read_missing(context, environment, missing)
    plan = plan_response(decision.incident_id, made, environment, running, now())
    target = Path(params.get("plan_dir") or folder / "plan").absolute()
    story = plan_story(plan, decision)
    write_plan(target, PlanFolder(plan, decision, summaries), plan_summary(plan, decision, summaries, plan.created_at))
    values = {
        "plan_dir": str(target),
        "plan_id": plan.plan_id,
        "needed": plan.changes,
        "traffic": {d.device: list(d.traffic) for d in plan.devices},
        "hosts": plan_host_lines(plan),
        "story": [*story, f"plan written to {target}"],
    }
    return StepResult(changed=False, values=values, diff=_diffs((plan,)))


def commit_step(params: Mapping[str, Any], check: bool) -> StepResult:
    """A plan folder onto the network, or (check mode) nothing but what it would do."""
    from .folder import read_plan
    from .host_check import Rehearsed, rehearse
    from .story import plan_story, report_story

    content = read_plan(Path(params["plan_dir"]))
    if check:
        rehearsed = rehearse(Context(params), content.plan) if content.plan.hosts else Rehearsed((), ())
        story = [*plan_story(content.plan, content.decision), *rehearsed.story]
        values = {"outcome": "not committed (check mode)", "report": {}, "story": story}
        return StepResult(content.plan.changes, values, diff=(*_diffs((content.plan,)), *rehearsed.diff))
    from .commit import commit_plan
    from .recover import recover_all

    context = Context(params)
    recover_all(context)
    decision_dir = params.get("decision_dir")
    environment = (
        load_environment_file(Path(decision_dir) / ENVIRONMENT_FILE) if decision_dir else context.environment()
    )
    context.ledger.record_plan(content.plan, now=now())
    runner = context.host_runner() if content.plan.hosts else None
    passwords = context.passwords(environment)
    report = commit_plan(content, environment, passwords, context.ledger, context.settings, hosts=runner)
    values = {
        "outcome": report.outcome.value,
        "report": report.model_dump(mode="json"),
        "story": [*plan_story(content.plan, content.decision), *report_story(report)],
    }
    return StepResult(report.outcome == "confirmed", values, report.warnings, _diffs((content.plan,)))


def rollback_step(params: Mapping[str, Any], check: bool) -> StepResult:
    """Mitigations off the network: of an incident, all, or those overdue."""
    from secloop_ai.contracts import InputError, TransactionFailed

    from .undo import expire_due, roll_back

    context = Context(params)
    if params.get("expired"):
        removal = expire_due(context, within_s=float(params.get("within_s") or 0.0), check=check)
    elif params.get("incident"):
        removal = roll_back(context, str(params["incident"]), check=check)
    else:
        raise InputError("give incident (an id, or 'all'), or expired: true")
    if removal.failures:
        done = f"{len(removal.removed)} mitigations were removed; still on the network"
        raise TransactionFailed(f"{done}: {'; '.join(removal.failures)}")
    changed = bool(removal.removed) or any(p.changes for p in removal.plans)
    values = {"removed": list(removal.removed), "story": list(removal.story)}
    return StepResult(changed, values, diff=_diffs(removal.plans))


def verify_step(params: Mapping[str, Any], check: bool) -> StepResult:
    """The devices held to the ledger, and what drifted put right where that is wanted."""
    from .drift_check import Wish, verify

    found = verify(Context(params), Wish(**{name: bool(params.get(name)) for name in Wish._fields}), check=check)
    values = {
        "drifted": bool(found.remaining),
        "findings": [f.model_dump(mode="json") for f in found.findings],
        "remaining": [f.model_dump(mode="json") for f in found.remaining],
        "told": [str(f) for f in found.remaining],
        "checked": list(found.checked),
        "repaired": list(found.repaired),
        "counters": [c.model_dump(mode="json") for c in found.counters],
        "story": list(found.story),
    }
    return StepResult(bool(found.repaired), values, (*found.failures, *found.notes), _diffs(found.plans))


def _diffs(plans: Sequence[ChangePlan]) -> tuple[dict[str, str], ...]:
    """Ansible diff entries: what traffic changes, beside the document."""
    found = []
    for device in (d for p in plans for d in p.devices if d.edit):
        traffic = "".join(f"{device.device}: {line}\n" for line in device.traffic)
        found.append({"prepared": f"traffic that changes:\n{traffic}\n{device.document}"})
    return tuple(found)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    path.write_text(text)


def _write_decision(folder: Path, decision: str, summaries: Any, environment: Environment) -> None:
    from .folder import dump_summaries

    _write(folder / "decision.json", decision)
    _write(folder / "request.json", dump_summaries(summaries))
    _write(folder / ENVIRONMENT_FILE, environment.model_dump_json())


def _write_running(folder: Path, running: Mapping[str, Any]) -> None:
    for old in folder.glob("*"):  # of an earlier run; a device not read now must not look as if it had been
        old.unlink()
    for name, state in running.items():
        _write(folder / f"{name}.xml", state.data)
        _write(folder / f"{name}.capabilities", "\n".join(sorted(state.capabilities)))


def _read_written(folder: Path) -> dict[str, Any]:
    from .plan import Running

    return {
        p.stem: Running(p.read_text(), frozenset(p.with_suffix(".capabilities").read_text().split("\n")))
        for p in folder.glob("*.xml")
    }


def _read_missing(context: Context, environment: Environment, names: Sequence[str]) -> dict[str, Any]:
    from .devices import read_running

    devices = [d for n in names if (d := environment.device(n))]
    if not devices:
        return {}
    found, failed = read_running(devices, context.passwords(environment), concurrency=context.settings.concurrency)
    for error in failed.values():
        raise error
    return dict(found)
