"""``secloop eval`` and ``secloop results``: what policies are worth, and the page that says so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from secloop_ai.contracts.errors import InputError, SecLoopError
from secloop_ai.settings import DEFAULT_POLICY

if TYPE_CHECKING:
    from labs.scenario import Split
    from training.evaluation.cells import Cell, Side
    from training.evaluation.run import Order

EXIT_FAILED = 1


evaluation = typer.Typer(
    help="Evaluate policies on the suites: accuracy, attack success, availability, false blocks, restraint.",
    invoke_without_command=True,
    subcommand_metavar="",
    pretty_exceptions_enable=False,
)
results = typer.Typer(
    help="Write docs/results.md and its figures anew out of the evaluations that are kept.",
    invoke_without_command=True,
    subcommand_metavar="",
    pretty_exceptions_enable=False,
)

Folder = Annotated[
    Path | None, typer.Option("--results", help="Folder of the kept cells; by default the committed one.")
]


@evaluation.callback()
def evaluate(
    suite: Annotated[str, typer.Option(help="A suite, several with commas between, or all.")] = "all",
    split: Annotated[str, typer.Option(help="train, validation or test; runs on test are counted.")] = "validation",
    policy: Annotated[
        list[str] | None,
        typer.Option(
            help="A baseline, a back end, rehearse:G:POLICY, or LABEL=POLICY; several with commas, or repeated.",
            show_default=DEFAULT_POLICY,
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds of every scenario.")] = 5,
    candidates: Annotated[int, typer.Option(min=1, help="Candidates the policy is asked for.")] = 8,
    folder: Folder = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Jobs side by side.")] = None,
    scenarios: Annotated[int, typer.Option(min=0, help="Live: so many scenarios of each suite; 0 is all.")] = 0,
    injections: Annotated[int, typer.Option(min=0, help="Instead: so many requests with injected text.")] = 0,
    *,
    live: Annotated[bool, typer.Option("--live", help="On battlefields (root and the lab).")] = False,
    mid: Annotated[bool, typer.Option("--mid-attack", help="On battlefields, answering in mid-attack.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Cells that are kept already, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Run what is missing, keep it, and print the tables of everything kept for these policies."""
    from training.evaluation.cells import RESULTS
    from training.evaluation.policies import named
    from training.evaluation.run import Order, suites_of

    place = folder or RESULTS
    try:
        if live and mid:
            raise InputError("--live or --mid-attack, not both")
        order = Order(
            side="mid" if mid else "live" if live else "fast",
            split=_split(split),
            suites=suites_of(suite),
            policies=named(",".join(policy or [DEFAULT_POLICY])),
            seeds=seeds,
            candidates=candidates,
            scenarios=scenarios,
            again=again,
            workers=workers,
        )
        failed = (
            _inject(order, injections, place, as_json=as_json) if injections else _run(order, place, as_json=as_json)
        )
    except SecLoopError as error:
        _fail("eval", error)
    if failed:
        raise typer.Exit(EXIT_FAILED)


@results.callback()
def write_results(
    folder: Folder = None,
    out: Annotated[Path | None, typer.Option(help="Where the page goes; by default docs of the checkout.")] = None,
) -> None:
    """Write the page and its figures; what was not measured is said to be so."""
    from training.results import write

    try:
        for path in write(folder, out):
            typer.echo(str(path))
    except SecLoopError as error:
        _fail("results", error)


def _run(order: Order, folder: Path, *, as_json: bool) -> int:
    """Run and print; how many cells could not be run."""
    from training.evaluation import show
    from training.evaluation.run import run

    failed = 0
    for cell in run(order, folder):
        failed += bool(cell.error)
        typer.echo(show.word(cell), err=True)
    labels = {n.label for n in order.policies}
    kept = [c for c in _kept(order.side, order.split.value, folder) if c.label in labels and c.suite in order.suites]
    typer.echo(show.as_json(order, kept, folder) if as_json else show.text(order, kept, folder))
    return failed


def _kept(side: Side, split: str, folder: Path) -> Sequence[Cell]:
    from training.evaluation.cells import load_cells

    return load_cells(side, _split(split), folder)


def _inject(order: Order, wanted: int, folder: Path, *, as_json: bool) -> int:
    """Ask every policy about the injected requests; how many policies were moved by any."""
    from training.evaluation import injection, show
    from training.evaluation.policies import policy_of

    set_of = list(injection.requests(wanted, order.suites))
    reports = []
    for item in order.policies:
        reports.append(injection.attack(policy_of(item.spec), item.label, set_of, candidates=order.candidates))
        injection.keep(reports[-1], folder)
    typer.echo(show.injections(reports, as_json=as_json))
    return sum(bool(r.violations) for r in reports)


def _split(name: str) -> Split:
    from labs.suites.report import split_of

    return split_of(name)


def _fail(command: str, error: SecLoopError) -> NoReturn:
    typer.echo(f"secloop {command}: {error}", err=True)
    raise typer.Exit(EXIT_FAILED)
