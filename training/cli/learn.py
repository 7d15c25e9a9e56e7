"""``secloop learn``: a further SA-GRPO run from what the ledger's runs came to, then the gate."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from secloop_ai.contracts.errors import InputError, SecLoopError

EXIT_FAILED = 1
DEFAULT_STEPS, DEFAULT_SHARE = 20, 0.75

learning = typer.Typer(
    help="Train the live weights further on the ledger's Feedback; they go live only through the gate.",
    invoke_without_command=True,
    subcommand_metavar="",
    pretty_exceptions_enable=False,
)


@learning.callback()
def learn(
    ledger: Annotated[str, typer.Option(help="SQLAlchemy URL of the ledger.", envvar="SECLOOP_LEDGER_URL")] = "",
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the run; by default a new one in the state folder. One that was interrupted goes on."
        ),
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps.")] = DEFAULT_STEPS,
    generated: Annotated[
        float, typer.Option(min=0.25, max=0.95, help="Share of generated tasks, so that nothing is forgotten.")
    ] = DEFAULT_SHARE,
    runs: Annotated[int, typer.Option(min=1, help="Newest runs of the ledger that are looked at.")] = 256,
    learning_rate: Annotated[float, typer.Option(min=1e-9, help="Of AdamW.")] = 5e-5,
    seed: Annotated[int, typer.Option(min=0, help="Of the run.")] = 0,
    seeds: Annotated[int, typer.Option(min=5, help="Of the gate: seeds of every held-out scenario.")] = 10,
    injections: Annotated[int, typer.Option(min=100, help="Of the gate: requests with injected text.")] = 200,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Learn from runs that really happened; exit 1 where the new weights do not go live."""
    try:
        better = _learn(
            ledger,
            out,
            {"steps": steps, "generated": generated, "limit": runs, "learning_rate": learning_rate, "seed": seed}
            | {"seeds": seeds, "injections": injections},
            as_json=as_json,
        )
    except SecLoopError as error:
        typer.echo(f"secloop learn: {error}", err=True)
        raise typer.Exit(EXIT_FAILED) from None
    if not better:
        raise typer.Exit(EXIT_FAILED)


def _learn(url: str, out: Path | None, values: dict[str, float], *, as_json: bool) -> bool:
    from secloop_ai.ledger import open_ledger
    from secloop_ai.policies.embedded.store import Store
    from secloop_ai.settings import Settings

    try:
        from training.lifecycle.learn import LearnConfig, learn
    except ModuleNotFoundError as error:
        raise InputError(f"{error.name} is not installed: pip install 'secloop[train]'") from None
    from training.lifecycle.show import as_text, lines
    from training.lifecycle.trainer import hushed

    hushed()
    settings = Settings.load()
    folder = out or Path(settings.state_dir, "learning", f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    with open_ledger(url or settings.ledger_url) as book:
        found = learn(book, Store(), folder, LearnConfig.model_validate(values), lambda s: typer.echo(s, err=True))
    if as_json:
        typer.echo(as_text(found))
    else:
        for line in lines(found):
            typer.echo(line)
    return found.comparison.better
