"""Runs the cells that are missing, keeps each as it is done, and counts every look at the test split."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from labs.executor import Result, Store, open_executor, progress
from labs.scenario import Split, Suite
from labs.suites import committed
from secloop_ai.contracts.base import Frozen
from secloop_ai.contracts.errors import InputError

from . import looks
from .cells import DIGEST_DIGITS, RESULTS, Cell, Side, cells_of, path_of, to_json
from .jobs import job_of, names
from .outcome import Outcome
from .policies import Named, policy_of

FIRST_SEED = 100
"""Seeds below were looked at while the fast model was made."""
CANDIDATES = 8
ALL = "all"
ERROR_LIMIT = 400


class Order(Frozen):
    """What is to be evaluated.

    Attributes:
        seeds: so many, from `FIRST_SEED` on.
        scenarios: of live trials, at most so many of each suite's split (0: all).
        again: cells that are there already, too (after a change of the fast model).
        workers: jobs side by side; None: in this process on the fast model, by the machine's cores live.
    """

    side: Side = "fast"
    split: Split = Split.VALIDATION
    suites: tuple[Suite, ...] = tuple(Suite)
    policies: tuple[Named, ...]
    seeds: int = 5
    candidates: int = CANDIDATES
    scenarios: int = 0
    again: bool = False
    workers: int | None = None


def suites_of(name: str) -> tuple[Suite, ...]:
    """``all``, or suites with commas between.

    Raises:
        InputError: there is no such suite.
    """
    if name == ALL:
        return tuple(Suite)
    known = {s.value: s for s in Suite}
    found = [part.strip() for part in name.split(",") if part.strip()]
    if not found or (wrong := [part for part in found if part not in known]):
        raise InputError(f"no suite {', '.join(wrong) if found else name!r}; there are {', '.join(known)}, and {ALL}")
    return tuple(known[part] for part in dict.fromkeys(found))


def plan(order: Order) -> tuple[Cell, ...]:
    """Every cell of an order, seed by seed; a case's policies follow one another.

    Raises:
        PolicyError: a policy cannot start.
        SuiteError: a suite cannot be used.
    """
    digests = committed()
    loaded = {n: policy_of(n.spec) for n in order.policies}
    known = {n: (p.name, p.digest()[:DIGEST_DIGITS]) for n, p in loaded.items()}
    places = [
        (suite, seed, scenario)
        for seed in range(FIRST_SEED, FIRST_SEED + order.seeds)
        for suite in order.suites
        for scenario in _scenarios(suite, order)
    ]
    return tuple(
        Cell(
            label=n.label,
            policy=known[n][0],
            policy_sha=known[n][1],
            side=order.side,
            suite=suite.value,
            split=order.split,
            split_sha=digests[suite.value][order.split.value][:DIGEST_DIGITS],
            seed=seed,
            candidates=order.candidates,
            scenario=scenario,
        )
        for suite, seed, scenario in places
        for n in order.policies
    )


def _scenarios(suite: Suite, order: Order) -> Sequence[str]:
    if order.side == "fast":
        return ("",)
    every = names(suite.value, order.split)
    return every[: order.scenarios] if order.scenarios else every


def missing(cells: Iterable[Cell], folder: Path = RESULTS) -> tuple[Cell, ...]:
    """Those that no file holds yet, or that could not be run.

    Raises:
        InputError: a file cannot be used.
    """
    wanted = tuple(cells)
    stores = {(c.side, c.split) for c in wanted}
    known = {k: c for side, split in stores for k, c in cells_of(Store(path_of(side, split, folder))).items()}
    return tuple(c for c in wanted if c.key not in known or known[c.key].error)


def run(order: Order, folder: Path = RESULTS) -> Iterator[Cell]:
    """Run what is missing; cells as they are done and kept.

    Side effects: appends to the files of `folder`; a run on the test split is written down before it begins.

    Raises:
        PolicyError: a policy cannot start.
        InputError: a file cannot be used.
        LabError: no worker can be started.
    """
    wanted = plan(order)
    todo = wanted if order.again else missing(wanted, folder)
    if not todo:
        return
    if order.split is Split.TEST:
        _count(order, todo, folder)
    specs = {n.label: n.spec for n in order.policies}
    store = Store(path_of(order.side, order.split, folder))
    waiting = {c.key: c for c in todo}
    kind = "inline" if order.side == "fast" and order.workers is None else "local"
    head = {"date": datetime.now(UTC).date().isoformat(), "commit": looks.commit()}
    with open_executor(kind, order.workers) as executor:
        jobs = [job_of(c, specs[c.label]) for c in todo]
        for result in progress(executor.run(jobs), len(jobs), title="cells"):
            cell = _filled(waiting[result.key], result).model_copy(update=head)
            store.append(cell.key, to_json(cell))
            yield cell


def _count(order: Order, todo: Sequence[Cell], folder: Path) -> None:
    policies = {c.label: c.policy_sha for c in todo}
    suites = list(dict.fromkeys(c.suite for c in todo))
    seeds = sorted({c.seed for c in todo})
    looks.record(order.side, suites, seeds, policies, len(todo), folder)


def _filled(cell: Cell, result: Result) -> Cell:
    if not result.ok:
        return cell.model_copy(update={"error": result.error[:ERROR_LIMIT]})
    outcomes = tuple(Outcome.model_validate(value) for value in result.value)
    return cell.model_copy(update={"outcomes": outcomes, "seconds": round(result.seconds, 2)})
