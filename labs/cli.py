"""``secloop lab``: the lab up and down, battlefields reaped, the red team's means listed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from secloop_ai.contracts.errors import LabError, SecLoopError

from . import fleets
from .lab.lab import DEFAULT_NAME, Lab, LabStatus
from .window.commands import add_to

CHECKOUT = Path(__file__).resolve().parents[1]
EXIT_FAILED, EXIT_DOWN = 1, 3

Name = Annotated[
    str,
    typer.Option("--name", show_default=False, help="Name; labs of different names stand side by side (lab0, fleet0)."),
]
RunDir = Annotated[Path | None, typer.Option("--run-dir", help="Run directory; by default /run/secloop/NAME.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON.")]

app = typer.Typer(
    help="A NETCONF device, hosts and an IDS in network namespaces of this machine (needs root).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


add_to(app)


def default_inventory() -> Path:
    """``inventory/lab`` of the checkout this runs from, else of the working directory."""
    return _checkout() / "inventory" / "lab"


def _checkout() -> Path:
    return CHECKOUT if (CHECKOUT / "pyproject.toml").is_file() else Path.cwd()


class _OptionalMix(TyperCommand):
    """Lets `--mix` stand alone: then it is a mix of every dialect."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Give a bare `--mix` its value."""
        filled: list[str] = []
        for word, following in zip(args, [*args[1:], "-"], strict=True):
            filled += [word, "all"] if word == "--mix" and following.startswith("-") else [word]
        return super().parse_args(ctx, filled)


@app.command(cls=_OptionalMix)
def up(
    name: Name = "",
    run_dir: RunDir = None,
    inventory: Annotated[Path | None, typer.Option("--inventory", help="Folder for the Ansible inventory.")] = None,
    fleet: Annotated[int | None, typer.Option("--fleet", min=1, help="Instead: so many emulated devices.")] = None,
    mix: Annotated[
        str | None, typer.Option("--mix", help="Their dialects, commas between; alone: all of them.")
    ] = None,
    yang: Annotated[Path | None, typer.Option("--yang", help="YANG modules to check their edits against.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Bring the lab up; one that is up stays as it is, remains of an earlier one are cleared first.

    With --fleet it is emulated NETCONF devices on loopback, in a supervised process of their own; needs no root.
    """
    try:
        if fleet is None and (mix is not None or yang is not None):
            raise LabError("--mix and --yang go with --fleet")
        if fleet is not None:
            fleets.up(
                name, run_dir, inventory or _checkout() / "inventory" / "fleet", fleet, mix, yang, as_json=as_json
            )
            return
        status = Lab(name or DEFAULT_NAME, run_dir, inventory or default_inventory()).up()
    except SecLoopError as error:
        _fail(error)
    _show(status, as_json=as_json)


@app.command()
def down(name: Name = "", run_dir: RunDir = None, *, as_json: Json = False) -> None:
    """Remove everything of the lab, or of the fleet of that name, whatever state it is in."""
    try:
        if fleets.down(name, run_dir, as_json=as_json):
            return
        lab = Lab(name or DEFAULT_NAME, run_dir)
        lab.down()
    except SecLoopError as error:
        _fail(error)
    _show(lab.status(), as_json=as_json)


@app.command("status")
def show_status(name: Name = "", run_dir: RunDir = None, *, as_json: Json = False) -> None:
    """Say how the lab or fleet is: exit 0 when it is up, 3 when there is none, 1 when a part of it is gone."""
    try:
        state = fleets.show(name, run_dir, as_json=as_json)
        if state is None:
            status = Lab(name or DEFAULT_NAME, run_dir).status()
            _show(status, as_json=as_json)
            state = status.state
    except SecLoopError as error:
        _fail(error)
    if state != "up":
        raise typer.Exit(EXIT_DOWN if state == "down" else EXIT_FAILED)


@app.command()
def reap(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Those in use by another process, too.")] = False,
    as_json: Json = False,
) -> None:
    """Remove battlefields whose maker has died."""
    from .battlefield import reap as remove

    try:
        rows = [{"index": r.index, "case": r.case_id} for r in remove(everything=everything)]
    except SecLoopError as error:
        _fail(error)
    _rows(rows, as_json=as_json, empty="No battlefield was left behind.")


@app.command()
def attacks(
    *,
    measure: Annotated[bool, typer.Option("--measure", help="First measure live what is missing.")] = False,
    runs: Annotated[int, typer.Option(min=1, help="Seeds that each means is measured with.")] = 5,
    only: Annotated[str, typer.Option("--means", help="Of these alone, with commas between.")] = "",
    workers: Annotated[int | None, typer.Option(min=1, help="Measurements side by side.")] = None,
    results: Annotated[Path | None, typer.Option(help="The results file; by default the one that is shipped.")] = None,
    as_json: Json = False,
) -> None:
    """The means of the red team, and what was measured of each: does it succeed, is it seen, is it stopped."""
    from .attacks import campaign, table

    path = results or campaign.RESULTS
    try:
        plugins = campaign.chosen([name for name in only.split(",") if name])
        if measure:
            for line in campaign.run(plugins, range(runs), path, workers=workers):
                typer.echo(line, err=True)
        found = table.rows(plugins, campaign.load(path))
    except SecLoopError as error:
        _fail(error)
    typer.echo(json.dumps(found, indent=2) if as_json else table.text(found))


@app.command()
def suites(
    *,
    full: Annotated[bool, typer.Option("--report", help="With the accuracy that was measured.")] = False,
    split: Annotated[str, typer.Option(help="Whose accuracy: train, validation or test.")] = "test",
    as_json: Json = False,
) -> None:
    """The five suites in figures: scenarios by split, tactic and means, false alarms; --report adds accuracy."""
    from .suites import report

    try:
        tables: report.Tables = report.tables()
        if full:
            tables = {**tables, **report.measured_tables(report.split_of(split))}
    except SecLoopError as error:
        _fail(error)
    typer.echo(report.as_json(tables) if as_json else report.text(tables))


def _rows(rows: list[dict[str, Any]], *, as_json: bool, empty: str) -> None:
    if as_json or not rows:
        typer.echo(json.dumps(rows, indent=2) if as_json else empty)
        return
    widths = {k: max(len(k), *(len(str(r[k])) for r in rows)) for k in rows[0]}
    for row in ({k: k.replace("_", " ") for k in widths}, *rows):
        typer.echo("  ".join(str(row[k]).ljust(w) for k, w in widths.items()).rstrip())


def _fail(error: SecLoopError) -> None:
    typer.echo(f"secloop lab: {error}", err=True)
    raise typer.Exit(EXIT_FAILED)


def _show(status: LabStatus, *, as_json: bool) -> None:
    if as_json:
        typer.echo(status.model_dump_json(indent=2))
        return
    boot = f", booted in {status.boot_s:.2f} s" if status.boot_s is not None else ""
    typer.echo(f"lab {status.name}: {status.state}{boot}")
    if status.state == "down":
        return
    if status.dead:
        typer.echo(f"  ended:     {', '.join(status.dead)}")
    typer.echo(f"  device:    netconf over ssh, {status.user}@{status.address}:{status.port}, key {status.key_file}")
    typer.echo(f"  alerts:    {status.eve_path}")
    typer.echo(f"  inventory: {status.inventory_dir or 'none written'}")
