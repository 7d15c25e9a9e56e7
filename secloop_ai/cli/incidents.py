"""Commands that look back: incidents, show, audit; and the inventory check."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from secloop_ai.contracts import Decision, Feedback, MitigationState
from secloop_ai.loop.context import Context, now
from secloop_ai.loop.story import action_line, report_story, summary_line, time_left

from .operate import Inventory, Json, LedgerUrl, context
from .tables import as_text, show, text

if TYPE_CHECKING:
    from secloop_ai.ledger import IncidentRecord


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(name="incidents")(incidents)
    app.command(name="show")(show_incident)
    app.command(name="audit")(audit)
    app.command(name="inventory")(inventory_check)


def incidents(
    limit: Annotated[int, typer.Option(help="How many, newest first.", min=1)] = 20,
    ledger: LedgerUrl = "",
    as_json: Json = False,
) -> None:
    """Incidents the ledger knows, newest first."""
    lines = Context({"ledger_url": ledger}).ledger.incidents(limit)
    rows = [line.model_dump(mode="json" if as_json else "python") for line in lines]
    columns = {
        "incident_id": "incident",
        "updated_at": "last event (UTC)",
        "alerts": "alerts",
        "policy": "policy",
        "allowed": "allowed",
        "outcome": "outcome",
        "active": "active",
    }
    show(rows, as_json=as_json, title="Incidents", empty="No incident yet.", columns=columns)


def show_incident(
    incident: Annotated[str, typer.Argument(help="Incident id.")], ledger: LedgerUrl = "", as_json: Json = False
) -> None:
    """One incident: evidence, decisions, transactions, mitigations, runs."""
    book = Context({"ledger_url": ledger}).ledger
    record, runs = book.incident(incident), book.feedback_for(incident)
    if as_json:
        values = record.model_dump(mode="json") | {"runs": [r.model_dump(mode="json") for r in runs]}
        typer.echo(as_text(values))
        return
    typer.echo(f"incident {incident}, opened {text(record.line.opened_at)} UTC")
    for heading, lines in _parts(record, runs):
        if lines:
            typer.echo(heading)
        for line in lines:
            typer.echo(f"  {line}")


def _parts(record: IncidentRecord, runs: tuple[Feedback, ...]) -> Iterator[tuple[str, list[str]]]:
    yield "evidence", [summary_line(s) for s in record.summaries]
    yield (
        "decisions",
        [line for made in record.decisions for line in _decision(text(made.decided_at), made.decision)],
    )
    done: list[str] = []
    for commit in record.commits:
        first, *rest = report_story(commit.report) if commit.report else (f"transaction {commit.transaction_id}: open",)
        done += [f"{text(commit.started_at)} {commit.purpose}, {first}", *(f"  {line}" for line in rest)]
    yield "transactions", done
    yield "mitigations", [f"{m.mitigation_id}: {action_line(m.action)}: {_state(m)}" for m in record.mitigations]
    yield "runs", [_run(r) for r in runs]


def _decision(at: str, decision: Decision) -> list[str]:
    strategy, refusals = decision.strategy, decision.verdict.refusals
    word = "refused" if refusals else "allowed"
    actions = "; ".join(action_line(a) for a in strategy.actions) or "no action"
    return [f"{at} {strategy.policy}, {word}: {actions}", *(f"  refused by {r.rule}: {r.reason}" for r in refusals)]


def _state(mitigation: Any) -> str:
    state = str(mitigation.state.value).replace("_", " ")
    left = time_left(mitigation.left_s(now()))
    return f"{state}, time left: {left}" if mitigation.state is MitigationState.ACTIVE else state


def _run(run: Feedback) -> str:
    scores = {"executed": run.rs_exe, "attack": run.rs_attack, "service": run.rs_service}
    said = ", ".join(f"{name} {value:.2f}" for name, value in scores.items() if value is not None)
    failed = f", failed at: {', '.join(run.failed_tasks)}" if run.failed_tasks else ""
    return f"{run.status} in {run.seconds:.1f} s, {run.outcome or 'no transaction'}{failed}" + (
        f" ({said})" if said else ""
    )


def audit(ledger: LedgerUrl = "", as_json: Json = False) -> None:
    """Check the audit's chain of hashes; exit 1 when a line was changed."""
    broken = Context({"ledger_url": ledger}).ledger.verify_audit()
    rows = [{"broken_line": n} for n in broken]
    show(rows, as_json=as_json, title="Audit lines that do not hold", empty="The audit's chain holds.")
    raise typer.Exit(1 if broken else 0)


def inventory_check(inventory: Inventory = None, as_json: Json = False) -> None:
    """Check the inventory against the schema, and show the network it describes."""
    environment = context(inventory, "").environment()
    rows = [
        {
            "host": h.name,
            "addresses": [str(a) for a in h.addresses],
            "zone": h.zone,
            "attached_to": f"{h.attached_to.device}/{h.attached_to.interface}" if h.attached_to else "",
            "services": [f"{s.name}:{s.protocol}/{s.port}" for s in h.services],
        }
        for h in environment.hosts
    ]
    names = ", ".join(f"{d.name} ({d.dialect})" for d in environment.devices) or "none"
    show(rows, as_json=as_json, title=f"Devices: {names}. Hosts:", empty=f"Devices: {names}. No hosts.")
