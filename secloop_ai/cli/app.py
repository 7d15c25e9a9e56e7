"""The commands of ``secloop``, put together; what is not installed is named, not hidden."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points

import typer

from secloop_ai.contracts import InputError

from . import dialects, incidents, operate, pause, policy, verify

ENTRY_POINTS = "secloop.commands"
OPTIONAL = {"lab": "labs", "eval": "training", "learn": "training", "results": "training"}
"""Command groups that come with optional packages."""
EXTRA = {"labs": "lab", "training": "train"}
"""Package → the extra that brings what it needs."""


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
    pause.add_to(app)
    verify.add_to(app)
    policy.add_to(app)
    dialects.add_to(app)
    found = {e.name: e for e in entry_points(group=ENTRY_POINTS)}
    for name, package in OPTIONAL.items():
        _add_optional(app, found, name, package)
    return app


def _add_optional(app: typer.Typer, found: Mapping[str, EntryPoint], name: str, package: str) -> None:
    if name not in found:
        _add_absent(app, name, package, "no entry point")
        return
    try:
        loaded = found[name].load()
    except ImportError as error:
        _add_absent(app, name, package, str(error))
        return
    app.add_typer(loaded, name=name)


def _add_absent(app: typer.Typer, name: str, package: str, why: str) -> None:
    """A command that takes whatever is typed after it, and says what is missing."""

    @app.command(
        name=name,
        help=f"(not installed: package {package})",
        add_help_option=False,
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )
    def say(_context: typer.Context) -> None:
        extra = EXTRA.get(package, package)
        raise InputError(f"{name}: package '{package}' is not installed here ({why}): pip install 'secloop[{extra}]'")
