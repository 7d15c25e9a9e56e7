"""What the parts of the results' page share: everything kept, and how it becomes Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from .cells import Cell
from .injection import Report
from .logs import Log
from .looks import Look
from .published import SHIPPED

NOT_MEASURED = "not measured"
EVAL = "secloop eval --suite all --split {split} --policy {policy} --seeds {seeds}{more}"
CONTEST = "python -m training.contest --start var/train/sft --out var/cells --split test --seeds 1"
FREELY = (
    "python -m training.free_decoding --policy embedded --policy transformers:var/chat-small --keep",
    "python -m training.chat_grpo --model var/chat-small --all-weights --steps 40 --group 4 --learning-rate 5e-5",
)
WEAK_START = (
    "python -m training.sft --corpus var/train/corpus.jsonl --out var/train/weak --steps 150 --every 150 --warmup 30"
)
CONTEST_WEAK = (
    "python -m training.contest --start var/train/weak --out var/weak --budget-s 90 --learning-rate 2e-4 --label weak: "
    "--split test --seeds 1"
)
Cells = Sequence[Cell]


class Kept(NamedTuple):
    """Everything the page is made of.

    Attributes:
        split: whose cells `fast`, `live` and `mid` are.
        images: what a figure shows → its path, relative to the page.
    """

    split: str
    fast: Cells
    live: Cells
    mid: Cells
    injections: Sequence[Report]
    curves: Mapping[str, Log]
    latency: Log
    free: Log
    looks: Sequence[Look]
    images: Mapping[str, str]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A Markdown table with an empty line after it; without rows, that nothing was measured."""
    if not rows:
        yield f"{NOT_MEASURED.capitalize()}."
        yield ""
        return
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)
    yield ""


def title(text: str, *commands: str) -> Iterator[str]:
    """A heading, and the commands that print what stands below it."""
    yield f"## {text}"
    yield ""
    yield f"Printed by {' and '.join(f'`{c}`' for c in commands)}."
    yield ""


def command(kept: Kept, policy: str = SHIPPED, *, more: str = "", of: Cells | None = None) -> str:
    """The command that prints the figures of these policies; `of` are the cells whose seeds it names, not the fast."""
    seeds = len({c.seed for c in (kept.fast if of is None else of) if c.method == SHIPPED}) or 5
    return EVAL.format(split=kept.split, policy=policy, seeds=seeds, more=more)


def image(kept: Kept, name: str) -> Iterator[str]:
    """A figure, where there is one."""
    if name in kept.images:
        yield f"![{name.capitalize()}]({kept.images[name]})"
        yield ""
