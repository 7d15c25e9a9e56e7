"""Commands that look back: incidents, show, audit; and the inventory check."""

from __future__ import annotations

from typing import Annotated

import typer

from secloop_ai.loop.context import Context
from secloop_ai.loop.story import action_line, report_story, summary_line

from .operate import Inventory, Json, LedgerUrl, context
from .tables import show


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
    rows = [line.model_dump(mode="json") for line in lines]
    show(rows, as_json=as_json, title="Incidents", empty="No incident yet.")


def show_incident(
    incident: Annotated[str, typer.Argument(help="Incident id.")], ledger: LedgerUrl = "", as_json: Json = False
) -> None:
    """One incident: evidence, strategy, verdict, commits, mitigations."""
    record = Context({"ledger_url": ledger}).ledger.incident(incident)
    if as_json:
        typer.echo(record.model_dump_json(indent=2))
        return
    typer.echo(f"incident {incident}, opened {record.line.opened_at:%Y-%m-%d %H:%M:%S} UTC")
    for summary in record.summaries:
        typer.echo(f"  evidence: {summary_line(summary)}")
    for made in record.decisions:
        strategy, verdict = made.decision.strategy, made.decision.verdict
        typer.echo(f"  {strategy.policy}: {'; '.join(action_line(a) for a in strategy.actions)}")
        for refusal in verdict.refusals:
            typer.echo(f"    refused by {refusal.rule}: {refusal.reason}")
    for commit in record.commits:
        for line in report_story(commit.report) if commit.report else (f"transaction {commit.transaction_id}: open",):
            typer.echo(f"  {line}")
    for mitigation in record.mitigations:
        typer.echo(f"  {mitigation.mitigation_id}: {action_line(mitigation.action)}: {mitigation.state.value}")


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
            "addresses": ",".join(str(a) for a in h.addresses),
            "zone": h.zone,
            "attached_to": f"{h.attached_to.device}/{h.attached_to.interface}" if h.attached_to else "",
            "services": ",".join(f"{s.name}:{s.protocol}/{s.port}" for s in h.services),
        }
        for h in environment.hosts
    ]
    show(rows, as_json=as_json, title=f"{len(environment.devices)} devices, {len(rows)} hosts", empty="No hosts.")
