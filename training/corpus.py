"""The corpus: prompts of train cases and the apprentice's answers, one JSON line each, the same for the same seeds.

    python -m training.corpus --out var/corpus.jsonl --generated 20000 --suite-seeds 40 --workers 2

Beside suites' train scenarios it holds generated ones (training/generate.py); half of all are told by a sensor with
other rules (training/sensor.py). False alarms, quiet periods and entities beyond the slots are among them.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from labs.scenario import Case, Kind
from labs.scenario.draw import rng
from labs.suites.cases import case_of
from secloop_ai.loop.decide import build_request
from secloop_ai.policies.embedded import Grammar, encode, spell
from secloop_ai.policies.embedded.vocabulary import ids

from .apprentice import label
from .generate import generated, train_scenarios
from .sensor import renamed
from .tasks import Task, field_of

SUITE, GENERATED, DRAWN = "suite", "generated", "drawn"
OTHER_SENSOR = 0.5
THIRD = 3
"""One in so many generated cases holds means of the train split alone."""
CHUNK = 16


class Source(NamedTuple):
    """Where a case comes from: a train scenario by its number, or the generator, with new means or not; and a seed."""

    kind: str
    number: int
    seed: int


class Example(NamedTuple):
    """A prompt and its answer as rows of the weights.

    Attributes:
        allowed: for each word of the answer, the rows that the grammar allowed there.
        sturdy: the answer is right against an attacker who comes back, too.
    """

    case_id: str
    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    allowed: tuple[tuple[int, ...], ...]
    sturdy: bool


def sources(generated_cases: int, suite_seeds: int) -> Iterator[Source]:
    """All cases of a corpus, in a fixed order: the train scenarios, and generated ones, most of them with new means."""
    yield from (Source(SUITE, n, seed) for seed in range(suite_seeds) for n in range(len(train_scenarios())))
    yield from (Source(_made_kind(n), 0, n) for n in range(generated_cases))


def task_from(source: Source) -> Task:
    """The task of a source; equal sources give equal tasks."""
    if source.kind == SUITE:
        scenario = train_scenarios()[source.number]
    else:
        scenario = generated(source.seed, drawn=source.kind == DRAWN)
    return told(case_of(scenario, source.seed % 1_000_000), source.seed)


def made_task(seed: int) -> Task:
    """The generated task of a seed, with new means or, one in three, with those of the train split alone."""
    return task_from(Source(_made_kind(seed), 0, seed))


def _made_kind(number: int) -> str:
    return GENERATED if number % THIRD == 0 else DRAWN


def told(case: Case, seed: int) -> Task:
    """The case as our sensor tells it, or as another house's does."""
    field = field_of(case)
    dice = rng("sensor", case.case_id, seed)
    alerts = field.alerts()
    if dice.random() < OTHER_SENSOR:
        alerts = renamed(alerts, dice, harmless=case.kind is not Kind.ATTACK)
    request = build_request(alerts, case.environment)
    return Task(case, request, field, encode(request).words)


def example(task: Task) -> Example | None:
    """The task with the apprentice's answer; None where it has none."""
    found = label(task)
    if found is None:
        return None
    index, grammar = ids(), Grammar(task.request)
    answer = tuple(spell(found.calls))
    allowed = tuple(tuple(sorted(index[w] for w in grammar.allowed(answer[:n]))) for n in range(len(answer)))
    prompt = tuple(index[w] for w in task.prompt)
    return Example(task.case.case_id, prompt, tuple(index[w] for w in answer), allowed, found.sturdy)


def examples(of: Iterable[Source], workers: int) -> Iterator[Example | None]:
    """The examples of all sources, in their order."""
    if workers < 2:  # noqa: PLR2004 - one worker is this process
        yield from map(_made, of)
        return
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        yield from pool.imap(_made, of, chunksize=CHUNK)


def _made(source: Source) -> Example | None:
    return example(task_from(source))


def write(path: Path, of: Sequence[Source], workers: int) -> Counter[str]:
    """Write the corpus; gives how many there are of each kind of answer."""
    counted: Counter[str] = Counter()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for source, found in zip(of, examples(of, workers), strict=True):
            counted["unanswered" if found is None else source.kind] += 1
            if found:
                file.write(json.dumps(found, separators=(",", ":")) + "\n")
    return counted


def read(path: Path) -> list[Example]:
    """A written corpus."""
    same: dict[tuple[int, ...], tuple[int, ...]] = {}
    with path.open(encoding="utf-8") as file:
        return [_example(json.loads(line), same) for line in file]


def _example(row: Sequence[Any], same: dict[tuple[int, ...], tuple[int, ...]]) -> Example:
    """An example of a line; what the grammar allows is often the same, and kept once."""
    case_id, prompt, answer, allowed, sturdy = row
    choices = (tuple(among) for among in allowed)
    return Example(case_id, tuple(prompt), tuple(answer), tuple(same.setdefault(c, c) for c in choices), sturdy)


def known_words(of: Iterable[Example]) -> frozenset[int]:
    """The rows that some prompt or answer of the corpus shows."""
    return frozenset(chain.from_iterable((*e.prompt, *e.answer) for e in of))


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m training.corpus", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--generated", type=int, default=20_000)
    parser.add_argument("--suite-seeds", type=int, default=40)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args(arguments)
    counted = write(asked.out, tuple(sources(asked.generated, asked.suite_seeds)), asked.workers)
    sys.stdout.write(json.dumps(dict(counted)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
