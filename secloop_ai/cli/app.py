"""The commands of ``secloop``, put together; what is not installed is named, not hidden."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points

import typer

from . import incidents, operate

ENTRY_POINTS = "secloop.commands"
OPTIONAL = {"lab": "labs"}
"""Command groups that come with optional packages."""


def build() -> typer.Typer:
    """The application with every command group that is installed."""
    app = typer.Typer(
        name="secloop",
        help="IDS alerts in, verified and reversible network changes out.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    operate.add_to(app)
    incidents.add_to(app)
    found = {e.name: e for e in entry_points(group=ENTRY_POINTS)}
    for name, package in OPTIONAL.items():
        app.add_typer(_load(found, name, package), name=name)
    return app


def _load(found: Mapping[str, EntryPoint], name: str, package: str) -> typer.Typer:
    try:
        loaded = found[name].load()
    except (KeyError, ImportError) as error:
        return _absent(name, package, str(error))
    if not isinstance(loaded, typer.Typer):
        return _absent(name, package, "its entry point is no typer application")
    return loaded


def _absent(name: str, package: str, why: str) -> typer.Typer:
    stand_in = typer.Typer(help=f"(not installed: package {package})", invoke_without_command=True)

    @stand_in.callback(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
    def say() -> None:
        typer.echo(
            f"secloop {name}: package '{package}' is not installed here ({why}): pip install secloop[{name}]", err=True
        )
        raise typer.Exit(1)

    return stand_in
