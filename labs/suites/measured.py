"""Trials that were run live, each with the fast model's word on the same strategy: one line of a file for each.

``measured.jsonl`` is committed, so that anybody can print what was measured. Nothing is left out: what the guard
refused, what is void since the attack fails undefended, and what could not be run stand there, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from labs.executor import Store
from labs.scenario import Case, Split
from labs.validator.measurement import Measurement
from secloop_ai.contracts import Action, Observe
from secloop_ai.contracts.base import Frozen
from secloop_ai.contracts.errors import InputError

from .load import HERE

MEASURED = HERE / "measured.jsonl"
CANDIDATES = 8
"""How many a policy is asked for; the guard's first is taken."""
DIGEST_DIGITS = 12
DETAIL, FAULT = 60, 240
"""Letters of a stage's detail, and of a fault, that are kept."""


class Trial(Frozen):
    """What was asked for.

    Attributes:
        seed: as given to `case_of`; the case's own may be a later one.
        repeat: 0; more is the same once again from the beginning, for the noise floor.
    """

    suite: str
    scenario: str
    seed: int
    policy: str
    repeat: int = 0

    @property
    def key(self) -> str:
        """Readable and unique."""
        return f"{self.suite} {self.scenario} {self.seed} {self.policy} {self.repeat}"

    @property
    def case_key(self) -> str:
        """The same for all policies that meet one undefended twin."""
        return f"{self.scenario} {self.seed} {self.repeat}"


class Alone(Frozen):
    """The policy on the fast model alone, from the alerts to the verdict.

    Attributes:
        same: it chose what it chose with the live sensor's alerts.
    """

    correct: bool
    valid: bool
    refused: bool
    same: bool


class Row(Frozen):
    """One trial, or why there is none.

    Attributes:
        case_sha: start of the case's SHA-256 (hex): with another, the row is stale.
        alerts: summaries that the live sensor gave the policy.
        refused: the guard allowed none of the policy's candidates; both sides then say what the twin says.
        live, fast: of the same strategy; None where it could not be run.
        error: why it could not be run.
        tried_before: errors of earlier tries.
        date: of the trial, UTC.
    """

    trial: Trial
    split: Split
    case_id: str
    case_sha: str
    alerts: int = 0
    actions: tuple[Action, ...] = ()
    refused: bool = False
    live: Measurement | None = None
    fast: Measurement | None = None
    alone: Alone | None = None
    error: str = ""
    tried_before: tuple[str, ...] = ()
    date: str = ""

    @property
    def pair(self) -> tuple[Measurement, Measurement] | None:
        """Live and fast, where both are there."""
        return (self.live, self.fast) if self.live and self.fast else None

    @property
    def valid(self) -> bool:
        """Whether there is a pair and the attack succeeds undefended on both sides."""
        return self.pair is not None and all(side.valid for side in self.pair)

    @property
    def words(self) -> tuple[str, ...]:
        """The strategy for a reader: what acts on what."""
        return tuple(_words(a) for a in self.actions) or ("nothing",)


def _words(action: Action) -> str:
    skip = {"kind", "ttl_s"}
    params = action.model_dump(mode="json", exclude_none=True, exclude=skip)
    return action.kind if isinstance(action, Observe) else " ".join([action.kind, *map(str, params.values())])


def case_sha(case: Case) -> str:
    """Start of the case's digest."""
    return case.digest()[:DIGEST_DIGITS]


def compact(found: Measurement) -> Measurement:
    """The same without the length of its details."""
    stages = tuple(s.model_copy(update={"detail": s.detail[:DETAIL]}) for s in found.stages)
    lost = {name: round(share, 3) for name, share in found.collateral.items()}
    short = {
        "rs_service": round(found.rs_service, 4) if not found.served else 1.0,
        "seconds": round(found.seconds, 1),
        "fault": found.fault[:FAULT],
        "phases_s": {},
    }
    return found.model_copy(update={"stages": stages, "collateral": lost, **short})


def to_json(row: Row) -> dict[str, Any]:
    """For the store; what has its usual value is left out."""
    actions = [a.model_dump(mode="json", exclude_none=True) for a in row.actions]  # its kind is a default, too
    return {**row.model_dump(mode="json", exclude_defaults=True), "actions": actions}


def open_store(path: Path = MEASURED) -> Store:
    """The file as a store.

    Raises:
        InputError: a line is no row of it.
    """
    return Store(path)


def rows_of(store: Store) -> tuple[Row, ...]:
    """The store's rows.

    Raises:
        InputError: a value is no row; names file and key.
    """
    found = []
    for key, value in store.rows().items():
        try:
            found.append(Row.model_validate(value))
        except ValidationError as error:
            problem = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, problem["loc"]))
            raise InputError(f"{store.path}: {key}: {where}: {problem['msg']}") from None
    return tuple(found)


def load_rows(path: Path = MEASURED, *, split: Split | None = None) -> tuple[Row, ...]:
    """The rows of a file, of one split or of all; none where there is no file.

    Raises:
        InputError: the file cannot be used.
    """
    return tuple(r for r in rows_of(open_store(path)) if split in {None, r.split})


def first_runs(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Without the repeats."""
    return tuple(r for r in rows if not r.trial.repeat)


def repeats(rows: Iterable[Row]) -> tuple[tuple[Row, Row], ...]:
    """Each repeat with the first run of the same, where both were run."""
    every = list(rows)
    first = {r.trial: r for r in first_runs(every)}
    pairs = ((first.get(r.trial.model_copy(update={"repeat": 0})), r) for r in every if r.trial.repeat)
    return tuple((a, b) for a, b in pairs if a and a.live and b.live)


__all__ = [
    "CANDIDATES",
    "MEASURED",
    "Alone",
    "Row",
    "Trial",
    "case_sha",
    "compact",
    "first_runs",
    "load_rows",
    "open_store",
    "repeats",
    "rows_of",
    "to_json",
]
