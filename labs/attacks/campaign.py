"""Measures what the results file lacks: many means, many seeds, side by side; it can be stopped and gone on with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError

from labs.executor import Job, Store, open_executor, progress
from secloop_ai.contracts.errors import InputError

from .base import Means
from .measure import Measured
from .registry import all_means, means, missing_tools

RESULTS = Path(__file__).with_name("measured.jsonl")
"""What was measured, and is shipped."""
CALL = f"{__package__}.measure:measure"
LONGEST_S = 300.0
"""Seconds that one measurement may take before its worker is ended."""


def key_of(means_id: str, seed: int) -> str:
    """Of a row in the file."""
    return f"{means_id}#{seed}"


def load(path: Path = RESULTS) -> tuple[Measured, ...]:
    """The rows of a results file; none where there is no file.

    Raises:
        InputError: a line is no row; names file, key and field.
    """
    return tuple(_row(path, key, value) for key, value in Store(path).rows().items())


def _row(path: Path, key: str, value: object) -> Measured:
    try:
        return Measured.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise InputError(f"{path}: {key}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def chosen(names: Sequence[str]) -> tuple[Means, ...]:
    """The means of these ids, or all.

    Raises:
        LabError: there is none of an id; the likeliest is named.
    """
    return tuple(means(name) for name in names) or all_means()


def run(plugins: Iterable[Means], seeds: Iterable[int], path: Path, *, workers: int | None = None) -> Iterator[str]:
    """Measure what is missing of these means and seeds, and keep each row at once.

    What could not be measured is told, not kept: a later run tries again. A means whose tools this machine lacks is
    left out, with their packages' names.

    Args:
        plugins: which means.
        seeds: with which seeds each.
        path: the results file; it and its folder are made when the first row is kept.
        workers: measurements side by side; by default as many as the machine takes.

    Yields:
        A line about everything that could not be measured.

    Raises:
        InputError: the file cannot be used.
        LabError: no worker can be started.
    """
    store, every = Store(path), tuple(plugins)
    for plugin in every:
        if lacking := missing_tools(plugin):
            yield f"{plugin.id}: skipped: needs {', '.join(f'{t.program} ({t.package})' for t in lacking)}"
    able = [p.id for p in every if not missing_tools(p)]
    wanted = [(name, seed) for seed in seeds for name in able if key_of(name, seed) not in store.done()]
    jobs = [
        Job(key=key_of(n, s), call=CALL, arguments={"means_id": n, "seed": s}, timeout_s=LONGEST_S) for n, s in wanted
    ]
    if not jobs:
        return
    with open_executor("local", workers) as executor:
        for result in progress(executor.run(jobs), len(jobs), title="means"):
            if error := result.error or (result.value or {}).get("error", ""):
                yield f"{result.key}: {error}"
            else:
                store.append(result.key, result.value)
