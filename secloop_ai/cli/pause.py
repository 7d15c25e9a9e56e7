"""Commands that stop and start the loop: with `rollback all`, the whole kill switch."""

from __future__ import annotations

from typing import Annotated

import typer

from secloop_ai.loop.context import Context, now

from .operate import LedgerUrl


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(name="pause")(pause)
    app.command(name="resume")(resume)


def pause(
    reason: Annotated[str, typer.Argument(help="What others read when their response is refused.")],
    ledger: LedgerUrl = "",
) -> None:
    """Install nothing new until `secloop resume`; rollback and expiry go on."""
    Context({"ledger_url": ledger}).ledger.pause(reason, now=now())
    typer.echo("The loop is paused: nothing new is installed until `secloop resume`.")


def resume(ledger: LedgerUrl = "") -> None:
    """Let the loop install again."""
    Context({"ledger_url": ledger}).ledger.resume(now=now())
    typer.echo("The loop runs.")
