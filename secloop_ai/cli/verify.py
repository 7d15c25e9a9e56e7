"""``secloop verify``: are the mitigations on the devices as the ledger has them?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from .operate import EXIT_FAILED, Inventory, Json, LedgerUrl, context
from .progress import bar
from .tables import as_text

if TYPE_CHECKING:
    from secloop_ai.loop.drift_check import Verification


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(name="verify")(verify)


def verify(
    fix: Annotated[bool, typer.Option("--fix", help="Apply again what drifted.")] = False,
    orphans: Annotated[
        bool, typer.Option("--orphans", help="With --fix, also remove entries of ours that the ledger does not know.")
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="Read every device, not only those with mitigations.")] = False,
    counters: Annotated[bool, typer.Option("--counters", help="Show how often the entries have matched.")] = False,
    check: Annotated[bool, typer.Option("--check", help="With --fix, change nothing: say what it would do.")] = False,
    inventory: Inventory = None,
    ledger: LedgerUrl = "",
    as_json: Json = False,
) -> None:
    """Hold the devices to the ledger; exit 1 while one departs from it."""
    from secloop_ai.loop.drift_check import Wish
    from secloop_ai.loop.drift_check import verify as hold

    wish = Wish(fix=fix, orphans=orphans, every_device=every, counters=counters)
    with bar():
        found = hold(context(inventory, ledger), wish, check=check)
    if as_json:
        typer.echo(as_text(_as_dict(found)))
    for line in () if as_json else found.story:
        typer.echo(line)
    for line in (*found.failures, *found.notes):
        typer.echo(f"warning: {line}", err=True)
    raise typer.Exit(EXIT_FAILED if found.remaining else 0)


def _as_dict(found: Verification) -> dict[str, Any]:
    return {
        "checked": found.checked,
        "findings": [f.model_dump(mode="json") for f in found.findings],
        "repaired": found.repaired,
        "remaining": [f.model_dump(mode="json") for f in found.remaining],
        "counters": [c.model_dump(mode="json") for c in found.counters],
        "failures": found.failures,
    }
