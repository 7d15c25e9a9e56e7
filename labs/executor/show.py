"""How far a run is, for a person at a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from .model import Result


def progress(results: Iterable[Result], total: int | None = None, *, title: str = "jobs") -> Iterator[Result]:
    """The same results, with a bar on stderr; without a terminal there is none.

    Args:
        results: of a run.
        total: how many there will be, where it is known.
        title: what the bar says.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield from results
        return
    failed = 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task(title, total=total)
        for result in results:
            failed += not result.ok
            said = f"{title} ({failed} failed)" if failed else title
            bar.update(task, advance=1, description=said)
            yield result
