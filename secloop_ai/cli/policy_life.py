"""``secloop policy promote`` and ``rollback``: which weights are live, and how they came to be."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from secloop_ai.contracts import InputError, PolicyError
from secloop_ai.loop.context import Context, now

from .operate import EXIT_FAILED, Json, LedgerUrl
from .tables import as_text

ROLLED_BACK = "policy-rolled-back"


def promoted(
    folder: Annotated[Path, typer.Argument(help="New weights: config.json and model.safetensors.")],
    seeds: Annotated[int, typer.Option(help="Seeds of every held-out scenario.", min=5)] = 10,
    injections: Annotated[int, typer.Option(help="Requests with injected text.", min=100)] = 200,
    ledger: LedgerUrl = "",
    as_json: Json = False,
) -> None:
    """Compare new weights with the live ones on held-out cases; they go live only if they are better.

    Accuracy must gain beyond its paired 95 % interval; restraint, false blocks, guard refusals, validity and injection
    violations must not be worse. More seeds show smaller gains.
    """
    from secloop_ai.policies.embedded.store import Store

    try:  # by name, as what policies need must not need what training does
        gate, words = import_module("training.lifecycle.gate"), import_module("training.lifecycle.show")
    except ModuleNotFoundError as error:
        raise InputError(f"policy promote: {error.name} is not installed: pip install 'secloop[train]'") from None
    book = Context({"ledger_url": ledger}).ledger
    found = gate.promote(
        folder, book, Store(), lambda line: typer.echo(line, err=True), seeds=seeds, injections=injections
    )
    if as_json:
        typer.echo(as_text(found.model_dump(mode="json") | {"promoted": found.better}))
    for line in () if as_json else words.table(found):
        typer.echo(line)
    if not found.better:
        raise typer.Exit(EXIT_FAILED)


def rolled_back(ledger: LedgerUrl = "", as_json: Json = False) -> None:
    """Make the weights live again that were so before; the ones that were promoted stay in the state folder."""
    from secloop_ai.policies.embedded.policy import EmbeddedPolicy
    from secloop_ai.policies.embedded.store import Store, checked

    store, book = Store(), Context({"ledger_url": ledger}).ledger

    def usable(name: str) -> bool:
        try:
            checked(EmbeddedPolicy, store.folder / name, EmbeddedPolicy.digest)
        except PolicyError as error:
            typer.echo(f"passed over: {error}", err=True)
            return False
        return True

    old, new = store.back(usable)
    book.audit(ROLLED_BACK, new, digests={"old": old, "new": new}, detail=f"{old} -> {new}", now=now())
    typer.echo(as_text({"old": old, "new": new}) if as_json else f"{new} is live again, in place of {old}")


def weights() -> list[dict[str, Any]]:
    """Every set of weights that is at hand, the live one first."""
    from secloop_ai.policies.embedded.policy import SHIPPED as FOLDER
    from secloop_ai.policies.embedded.store import SHIPPED, Store

    store = Store()
    try:
        live, before = store.pointer()
    except PolicyError as error:
        live, before = SHIPPED, ()
        typer.echo(f"warning: {error}: the shipped weights answer", err=True)
    names = dict.fromkeys((live, *reversed(before), SHIPPED))
    return [_weights(name, store.place(name, FOLDER), live=name == live) for name in names]


def _weights(name: str, folder: Path, *, live: bool) -> dict[str, Any]:
    from secloop_ai.policies.embedded.policy import EmbeddedPolicy

    row = {"weights": name, "live": live, "usable": True, "policy": "", "digest": "", "folder": str(folder)}
    try:
        policy = EmbeddedPolicy(folder)
    except PolicyError as error:
        return {**row, "usable": False, "policy": str(error)}
    return {**row, "policy": policy.name, "digest": policy.digest()}
