"""``secloop lab top``, ``play`` and ``replay``: options in, lines out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import typer

from secloop_ai.contracts.errors import LabError, SecLoopError

EXIT_FAILED = 1
Json = Annotated[bool, typer.Option("--json", help="As JSON.")]
Html = Annotated[Path | None, typer.Option("--html", help="Write the run as one HTML page.")]
PolicyName = Literal["none", "expert-table", "no-op", "block-all", "block-source", "random-valid"]


def add_to(app: typer.Typer) -> None:
    """Make the commands part of ``secloop lab``."""
    app.command()(play)
    app.command()(replay)
    app.command()(top)


def play(
    what: Annotated[str, typer.Argument(metavar="SUITE/SCENARIO", help="Or the path of a scenario file.")],
    seed: Annotated[int, typer.Option(min=0, help="Draws addresses, names, parameters.")] = 0,
    policy: Annotated[PolicyName, typer.Option(help="Who decides; none: the undefended run alone.")] = "expert-table",
    *,
    mid_attack: Annotated[bool, typer.Option("--mid-attack", help="Answer while the attack runs.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write the recorded run as JSON.")] = None,
    html: Html = None,
    as_json: Json = False,
) -> None:
    """Play one run live and record it: the undefended twin, then the run with the policy's strategy."""
    from .order import order_of
    from .play import play as run
    from .words import WORDS, headline, verdict_rows

    try:
        _writable(out, html)
        found = run(order_of(what, seed, policy, mid_attack=mid_attack), lambda line: typer.echo(line, err=True))
        if out:
            found.save(out)
        if html:
            _write_page(found, html)
    except SecLoopError as error:
        _fail(error)
    rows = verdict_rows(found)
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    typer.echo(headline(found)[1])
    words = [f"{key[:-1] if key == 'refusals' else key}: {text}" for key in WORDS for text in rows[0].pop(key)]
    for line in (*words, *sideways([{k: v for k, v in row.items() if k not in WORDS} for row in rows])):
        typer.echo(line)


def replay(
    file: Annotated[Path, typer.Argument(metavar="RUN.json", help="As `play --out` wrote it.")],
    html: Html = None,
    *,
    as_json: Json = False,
) -> None:
    """Show a recorded run: its events here, or the page for a browser."""
    from .timeline import load_timeline
    from .words import headline, lines

    try:
        found = load_timeline(file)
        if html:
            _write_page(found, html)
    except SecLoopError as error:
        _fail(error)
    rows = [line.row() for line in lines(found)]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    typer.echo(f"{found.facts.case_id}, {found.mode}: {headline(found)[1]}")
    for row in rows:
        typer.echo(f"{row['at_s']:8.2f} s  {row['lane']:7}{row['event']}")


def top(
    name: Annotated[str, typer.Argument(help="Show this one first, such as 'battlefield 3' or 'lab lab0'.")] = "",
    *,
    only_once: Annotated[bool, typer.Option("--once", help="Print one frame and end.")] = False,
    as_json: Json = False,
) -> None:
    """Watch battlefields and labs of this machine: traffic, attack, alerts, mitigations, probes. Needs root."""
    from rich.console import Console

    from . import top as room
    from .frame import frame

    console = Console(highlight=False)
    try:
        if as_json or only_once:
            found, place = room.once(name)
            if as_json:
                typer.echo(json.dumps([v.model_dump(mode="json") for v in found], indent=2))
            else:
                console.print(frame(found[0] if found else None, place, console.width, console.height))
        else:
            room.watch(console, name)
    except KeyboardInterrupt:
        return
    except SecLoopError as error:
        _fail(error)


def sideways(rows: list[dict[str, Any]]) -> list[str]:
    """A table of few rows and many columns, on its side: a line for each column."""
    heads = [key.replace("_", " ") for key in rows[0]]
    columns = [[_cell(row[key]) for key in row] for row in rows]
    first = max(map(len, heads))
    widths = [max(map(len, column)) for column in columns]
    table = zip(heads, *columns, strict=True)
    return [
        "  ".join([head.ljust(first), *(c.ljust(w) for c, w in zip(cells, widths, strict=True))]).rstrip()
        for head, *cells in table
    ]


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _writable(*paths: Path | None) -> None:
    """Before minutes are spent: somewhere to write to.

    Raises:
        LabError: the folder of a file is not there.
    """
    for path in paths:
        if path and not path.absolute().parent.is_dir():
            raise LabError(f"{path}: no folder {path.absolute().parent}")


def _write_page(run: Any, target: Path) -> None:
    from .page import page

    try:
        target.write_text(page(run), encoding="utf-8")
    except OSError as error:
        raise LabError(f"{target}: {error.strerror}") from None


def _fail(error: SecLoopError) -> NoReturn:
    typer.echo(f"secloop lab: {error}", err=True)
    raise typer.Exit(EXIT_FAILED)
