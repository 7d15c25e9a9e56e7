"""``secloop results``: docs/results.md and its figures, made anew out of what is kept in ``training/results``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from labs.scenario import Split
from secloop_ai.contracts.errors import InputError, SecLoopError

from .evaluation import injection, logs, looks, plots, tables
from .evaluation.cells import RESULTS, Cell, load_cells
from .evaluation.markdown import Kept
from .evaluation.page import page
from .evaluation.published import ABLATION, APART, GAINS, LOSSES, OURS, SHIPPED, WEAK

PAGE = Path(__file__).resolve().parents[1] / "docs" / "results.md"
IMAGES = Path("img") / "results"


def write(folder: Path | None = None, out: Path | None = None) -> Iterator[Path]:
    """Write the page and its figures; every path as it is written.

    Args:
        folder: of the kept lines; by default the committed one.
        out: the page; its figures go to ``img/results`` beside it.

    Raises:
        InputError: a file is broken or cannot be written, or matplotlib is not installed.
    """
    target = out or PAGE
    kept = gather(folder or RESULTS)
    drawn = dict(_draw(kept, target.parent))
    yield from (target.parent / path for path in drawn.values())
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(page(kept._replace(images=drawn)), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{target}: {error.strerror}") from None
    yield target


def gather(folder: Path) -> Kept:
    """What is kept: of the test split, or of the validation split while the test split was not looked at.

    Raises:
        InputError: a file is broken.
    """
    split = Split.TEST if load_cells("fast", Split.TEST, folder) else Split.VALIDATION
    fast = load_cells("fast", split, folder)
    return Kept(
        split=split.value,
        fast=fast,
        live=same_weights(load_cells("live", split, folder), fast),
        mid=same_weights(load_cells("mid", split, folder), fast),
        injections=injection.kept(folder),
        curves=logs.curves(folder),
        latency=logs.latency(folder),
        free=logs.free(folder),
        looks=looks.runs(folder),
        images={},
    )


def same_weights(cells: Sequence[Cell], fast: Sequence[Cell]) -> tuple[Cell, ...]:
    """The cells without those of a policy's older weights: sides measured with other weights go apart."""
    known = {c.method for c in fast}
    today = {(c.method, c.policy_sha) for c in fast}
    return tuple(c for c in cells if c.method not in known or (c.method, c.policy_sha) in today)


def _draw(kept: Kept, beside: Path) -> Iterator[tuple[str, str]]:
    """What a figure shows, and its path; those without anything to show are left out."""
    own = tables.accuracy_rows([c for c in kept.fast if c.method == SHIPPED])
    gaps = [r for r in tables.gap_rows(kept.fast, SHIPPED) if r["gap"] is not None]
    others = [r for r in gaps if not r["policy"].startswith(APART)]
    small = tables.gap_rows(kept.fast, OURS)
    without = [r for r in small if r["policy"].startswith(ABLATION) and r["gap"] is not None]
    if own:
        title = f"Accuracy by suite, {kept.split} split, fast model"
        yield "accuracy", _at(beside, plots.bars(own, _path(beside, "accuracy"), title=title))
    if others:
        title = "Our lead on the same scenarios"
        yield "gaps", _at(beside, plots.forest(others, GAINS, _path(beside, "gaps"), title=title))
    if without:
        losses = {f"{ABLATION}{name}": lost for name, lost in LOSSES.items()}
        title = "What each change costs or brings"
        drawn = plots.forest(without, losses, _path(beside, "ablations"), title=title, sign=-1)
        yield "ablations", _at(beside, drawn)
    ours = f"{WEAK}{OURS}"
    weak = [r for r in tables.gap_rows(kept.fast, ours) if r["policy"].startswith(WEAK) and r["gap"] is not None]
    if weak:
        published = GAINS | {f"{ABLATION}{name}": lost for name, lost in LOSSES.items()}
        rows = [{**r, "policy": r["policy"].removeprefix(WEAK)} for r in weak]
        title = "SA-GRPO's lead from a weak checkpoint"
        yield "weak", _at(beside, plots.forest(rows, published, _path(beside, "weak"), title=title))
    yield from _learning(kept.curves, beside)


def _learning(curves: Mapping[str, logs.Log], beside: Path) -> Iterator[tuple[str, str]]:
    for key, title in (("reward", "Reward while training"), ("correct", "Ground truth while training: share correct")):
        shown = {name: log for name, log in curves.items() if any(key in line for line in log)}
        if shown:
            yield key, _at(beside, plots.learning(shown, key, _path(beside, key), title=title))


def _path(beside: Path, name: str) -> Path:
    return beside / IMAGES / f"{name}.svg"


def _at(beside: Path, drawn: Path) -> str:
    """The figure's path as the page names it."""
    return drawn.relative_to(beside).as_posix()


def main() -> int:
    """Write everything; 1 when a file cannot be used."""
    try:
        sys.stdout.writelines(f"{path}\n" for path in write())
    except SecLoopError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
