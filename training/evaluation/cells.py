"""What was evaluated, one JSON line a cell: committed, so that anybody can print the figures, and gone on with.

A cell is one policy on one suite's split with one seed, on the fast model; of live trials, which take long, each case
is a cell of its own. A cell's key holds the digests of policy and split: new weights or other scenarios make new cells.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from labs.executor import Store
from labs.scenario import Split
from secloop_ai.contracts.base import Frozen
from secloop_ai.contracts.errors import InputError

from .outcome import Outcome

RESULTS = Path(__file__).resolve().parents[1] / "results"
"""The committed files."""
DIGEST_DIGITS = 12
Case = tuple[str, str]
"""Suite, and scenario with its seed."""
Side = Literal["fast", "live", "mid"]
"""The fast model; battlefields, strategy first; battlefields, answering in mid-attack."""


class Cell(Frozen):
    """One line.

    Attributes:
        label: of the policy in tables; ``method/run`` for one of several runs.
        policy, policy_sha: its own name, and the start of its digest (hex).
        split_sha: start of the digest of the suite's split.
        seed: as given; the cases' own may be later ones. It is the policy's, too.
        scenario: of a live cell; empty: all of the split.
        candidates: the policy was asked for.
        outcomes: one for each case.
        seconds: it took, evaluation included.
        date, commit: UTC, and of the checkout (empty where there is none).
        error: why there are no outcomes.
    """

    label: str
    policy: str
    policy_sha: str
    side: Side
    suite: str
    split: Split
    split_sha: str
    seed: int
    candidates: int
    scenario: str = ""
    outcomes: tuple[Outcome, ...] = ()
    seconds: float = 0.0
    date: str = ""
    commit: str = ""
    error: str = ""

    @property
    def key(self) -> str:
        """Readable and unique."""
        head = f"{self.side} {self.split.value} {self.suite} {self.seed} {self.label}"
        tail = f"{self.policy_sha} {self.split_sha} n{self.candidates}"
        return f"{head} {tail} {self.scenario}".rstrip()

    @property
    def method(self) -> str:
        """The label without its run."""
        return self.label.partition("/")[0]


def path_of(side: Side, split: Split, folder: Path = RESULTS) -> Path:
    """The file of a side and a split."""
    return folder / f"{side}-{split.value}.jsonl"


def to_json(cell: Cell) -> dict[str, Any]:
    """For the store; what has its usual value is left out."""
    return cell.model_dump(mode="json", exclude_defaults=True)


def cells_of(store: Store) -> dict[str, Cell]:
    """Key → cell.

    Raises:
        InputError: a value is no cell; names file and key.
    """
    found: dict[str, Cell] = {}
    for key, value in store.rows().items():
        try:
            found[key] = Cell.model_validate(value)
        except ValidationError as error:
            problem = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, problem["loc"]))
            raise InputError(f"{store.path}: {key}: {where}: {problem['msg']}") from None
    return found


def load_cells(side: Side, split: Split, folder: Path = RESULTS) -> tuple[Cell, ...]:
    """The cells of a side and a split that count now; none where there is no file.

    Of a label that was evaluated with several policies (older weights), number of candidates or states of a split, the
    latest counts.

    Raises:
        InputError: the file cannot be used.
    """
    every = [c for c in cells_of(Store(path_of(side, split, folder))).values() if not c.error]
    latest = {(c.label, c.suite): _version(c) for c in every}
    policies = {c.label: c.policy_sha for c in every}
    return tuple(c for c in every if latest[c.label, c.suite] == _version(c) and policies[c.label] == c.policy_sha)


def _version(cell: Cell) -> tuple[str, str, int]:
    return cell.policy_sha, cell.split_sha, cell.candidates


def outcomes_of(cells: Iterable[Cell]) -> list[Outcome]:
    """All outcomes."""
    return [outcome for cell in cells for outcome in cell.outcomes]


def paired(ours: Sequence[Cell], theirs: Sequence[Cell]) -> dict[str, list[tuple[float, float]]]:
    """Suite → both accuracies on each scenario, over the cases and seeds that both have."""
    both = _cases(ours) & _cases(theirs)
    one, other = by_scenario(ours, both), by_scenario(theirs, both)
    found: dict[str, list[tuple[float, float]]] = {}
    for suite, scenario in one:
        found.setdefault(suite, []).append((one[suite, scenario], other[suite, scenario]))
    return found


def by_scenario(cells: Iterable[Cell], only: Container[Case] | None = None) -> dict[tuple[str, str], float]:
    """Suite and scenario → accuracy over its valid cases, those of `only` where that is given."""
    found: dict[tuple[str, str], list[bool]] = {}
    for cell, outcome in ((c, o) for c in cells for o in c.outcomes):
        if outcome.valid and (only is None or (cell.suite, outcome.case) in only):
            found.setdefault((cell.suite, outcome.scenario), []).append(outcome.correct)
    return {key: sum(right) / len(right) for key, right in sorted(found.items())}


def _cases(cells: Iterable[Cell]) -> set[Case]:
    return {(c.suite, o.case) for c in cells for o in c.outcomes if o.valid}
