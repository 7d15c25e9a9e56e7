"""``secloop dialects``: which there are, and whether each does what it says on an emulated device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from secloop_ai.contracts import InputError, SecLoopError

from .operate import Json
from .tables import show

EXIT_FAILED = 1
YANG = Path(__file__).resolve().parents[3] / "shared" / "yang"
"""Beside the checkout this runs from."""
COLUMNS = {
    "dialect": "dialect",
    "case": "action",
    "rendered": "rendered",
    "valid": "valid YANG",
    "applied": "applied",
    "rolled_back": "rolled back",
}
_CELLS = ("rendered", "valid", "applied", "rolled_back")


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(name="dialects")(dialects)


def dialects(
    names: Annotated[list[str] | None, typer.Argument(help="Dialects; all of them unless some are named.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Try every action on an emulated device of each.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Check references and conditions of the YANG, too.")] = False,
    yang: Annotated[Path, typer.Option(help="Folder of the vendors' YANG modules and their checker.")] = YANG,
    as_json: Json = False,
) -> None:
    """List the dialects and where our tags live; with --check, a table of what each can do: exit 1 if a check fails.

    Nothing but emulated devices on this machine is touched.
    """
    from secloop_ai.dialects import known

    chosen = tuple(names or known())
    if unknown := sorted(set(chosen) - set(known())):
        raise InputError(f"unknown dialect {', '.join(unknown)}; known: {', '.join(known())}")
    if not check:
        _show_list(chosen, as_json=as_json)
        return
    rows = list(_checked(chosen, yang, full=full, quiet=as_json))
    _show_table(rows, as_json=as_json)
    if any(row["failed"] for row in rows):
        raise typer.Exit(EXIT_FAILED)


def _show_list(names: Sequence[str], *, as_json: bool) -> None:
    rows = [_described(name) for name in names]
    columns = {"dialect": "dialect", "tag_place": "where tags and prior state live"}
    show(rows, as_json=as_json, title="Dialects", empty="There are none.", columns=columns)


def _described(name: str) -> dict[str, Any]:
    """A dialect's row; one that cannot be loaded says so."""
    from secloop_ai.dialects import dialect

    try:
        found = dialect(name)
    except Exception as error:  # noqa: BLE001 - whatever a half-made dialect raises, the others are still listed
        return {"dialect": name, "tag_place": f"cannot be loaded: {type(error).__name__}: {error}"}
    return {"dialect": name, "tag_place": found.tag_place}


def _checked(names: Sequence[str], yang: Path, *, full: bool, quiet: bool) -> Iterator[dict[str, Any]]:
    """The rows of the table; on a terminal each dialect is named as it begins."""
    try:
        proof = import_module("labs.dialects")
        folder = import_module("labs.dialects.yang").Yang(yang, full)
    except ImportError as error:
        raise InputError(
            f"dialects --check: package 'labs' is not installed here ({error}): pip install 'secloop[lab]'"
        ) from None
    for name in names:
        if not quiet:
            typer.echo(f"checking {name} ...", err=True)
        try:
            for row in proof.check(folder, (name,)):
                yield {**row.model_dump(mode="json"), "failed": row.failed, "title": row.title}
        except SecLoopError as error:
            raise InputError(f"dialects --check: {name}: {error}") from error


def _show_table(rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    if as_json:
        show(rows, as_json=True, title="", empty="")
        return
    shown = [{**row, "case": _case(row), **{cell: row[cell]["text"] for cell in _CELLS}} for row in rows]
    show(shown, as_json=False, title="Dialects", empty="There are none.", columns=COLUMNS)
    for line in _explained(rows):
        typer.echo(line)
    bad = sum(1 for row in rows if row["failed"])
    typer.echo(f"{len(rows)} rows, {bad} with a check that failed")


def _explained(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line for every cell that is not a plain pass; what many rows share is said once for each dialect."""
    said: dict[tuple[str, str, str], list[str]] = {}
    for row in rows:
        for found in (row[cell] for cell in _CELLS if row[cell]["detail"]):
            cases = said.setdefault((row["dialect"], found["text"], found["detail"]), [])
            if _case(row) not in cases:
                cases.append(_case(row))
    every: dict[str, set[str]] = {}
    for row in rows:
        every.setdefault(row["dialect"], set()).add(_case(row))
    return [
        f"{dialect}: {text} ({'every action' if set(cases) == every[dialect] else ', '.join(cases)}): {detail}"
        for (dialect, text, detail), cases in said.items()
    ]


def _case(row: Mapping[str, Any]) -> str:
    """Action and family."""
    return f"{row['action']} v{row['family']}" if row["family"] else str(row["action"])
