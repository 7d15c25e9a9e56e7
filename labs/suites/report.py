"""The suites in figures: by split, by tactic, by means."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from labs.attacks.base import Means
from labs.attacks.registry import all_means
from labs.scenario import Kind, Scenario, Split, Suite

from .load import SuiteError, load_suite, network_of
from .measured import MEASURED, load_rows
from .rules import SEEN_BEFORE, attack_means
from .scores import FAST_SEEDS, Line, accuracy, how, left_out

Row = Mapping[str, str | int]
Tables = Mapping[str, Sequence[Line]]


def everything() -> tuple[Scenario, ...]:
    """The scenarios of all suites."""
    return tuple(scenario for suite in Suite for scenario in load_suite(suite))


def rows() -> tuple[Row, ...]:
    """One row per suite and split, and one for all suites per split."""
    found = everything()
    by_suite = (_split_row(s.value, [x for x in found if x.suite is s], p, found) for s in Suite for p in Split)
    together = (_split_row("all", found, p, found) for p in Split)
    return (*by_suite, *together)


def tables() -> dict[str, Sequence[Row]]:
    """Every table of the report by title."""
    found = everything()
    return {
        "Suites by split": rows(),
        "Attack stages by tactic": tuple(_tactics(found)),
        "Attack stages by means": tuple(_means(found)),
        "In no attack": tuple(_absent(found)),
    }


def measured_tables(
    split: Split = Split.TEST, path: Path = MEASURED, seeds: int = FAST_SEEDS
) -> dict[str, Sequence[Line]]:
    """What was measured of the baselines, by title: live, and on the fast model.

    Args:
        split: whose cases.
        path: the measured rows.
        seeds: of the fast model over the whole split.

    Raises:
        InputError: the file cannot be used.
    """
    found = load_rows(path, split=split)
    return {
        f"Accuracy, {split.value} split": tuple(accuracy(found, split, seeds)),
        "No live verdict": tuple(left_out(found)),
        "Measured": (how(found, split),),
    }


def split_of(name: str) -> Split:
    """The split of that name.

    Raises:
        SuiteError: there is none.
    """
    if name not in set(Split):
        raise SuiteError(f"no split {name!r}; there are {', '.join(Split)}")
    return Split(name)


def text(shown: Tables) -> str:
    """The tables for a terminal."""
    return "\n".join(line for title, table in shown.items() for line in ("", title, *_lines(table)))


def as_json(shown: Tables) -> str:
    """The same figures as JSON."""
    return json.dumps(shown, indent=2)


def _split_row(name: str, own: Sequence[Scenario], split: Split, every: Sequence[Scenario]) -> Row:
    mine = [s for s in own if s.split is split]
    kinds = Counter(s.kind for s in mine)
    seen = {m.means for s in every if s.split in SEEN_BEFORE[split] for m in s.chain}
    used = attack_means(mine)
    benign = len(mine) - kinds[Kind.ATTACK]
    return {
        "suite": name,
        "split": split.value,
        "scenarios": len(mine),
        "attacks": kinds[Kind.ATTACK],
        "families": len({s.family for s in mine if s.kind is Kind.ATTACK}),
        "stages": sum(len(s.chain) for s in mine if s.kind is Kind.ATTACK),
        "means": len(used),
        "means unseen": len(used - seen),
        "persistent": sum(s.persistent for s in mine),
        "networks": len({network_of(s.name, s.suite) for s in mine}),
        "false alarms": kinds[Kind.FALSE_ALARM],
        "quiet": kinds[Kind.QUIET],
        "benign": f"{benign / len(mine):.0%}" if mine else "-",
    }


def _steps(scenarios: Sequence[Scenario], split: Split) -> Counter[str]:
    return Counter(step.means for s in scenarios if s.kind is Kind.ATTACK and s.split is split for step in s.chain)


def _tactics(scenarios: Sequence[Scenario]) -> Iterator[Row]:
    tactic = {m.id: m.tactic for m in all_means()}
    counts = {split: Counter[str]() for split in Split}
    for split, counter in counts.items():
        for means, times in _steps(scenarios, split).items():
            counter[tactic[means].id] += times
    names = {t.id: t.name for t in tactic.values()}
    for identity, name in sorted(names.items()):
        here = {split.value: counts[split][identity] for split in Split}
        yield {"tactic": name, "id": identity, **here, "all": sum(here.values())}


def _means(scenarios: Sequence[Scenario]) -> Iterator[Row]:
    counts = {split: _steps(scenarios, split) for split in Split}
    false = Counter(step.means for s in scenarios if s.kind is Kind.FALSE_ALARM for step in s.chain)
    for plugin in all_means():
        here = {split.value: counts[split][plugin.id] for split in Split}
        total = sum(here.values())
        if total or false[plugin.id]:
            yield {"means": plugin.id, "technique": plugin.technique, **here, "all": total, "false": false[plugin.id]}


def _absent(scenarios: Sequence[Scenario]) -> Iterator[Row]:
    """Means that no attack uses, and why: no sensor sees them, or nothing of them passes a gateway."""
    used = attack_means(scenarios)
    for plugin in all_means():
        if plugin.id not in used:
            yield {"means": plugin.id, "why": _why(plugin)}


def _why(plugin: Means) -> str:
    return "blind: no sensor sees it" if plugin.blind else "within a segment: no gateway can be told to stop it"


def _lines(table: Sequence[Line]) -> Iterator[str]:
    if not table:
        yield "  none"
        return
    cells = [[name.replace("_", " ") for name in table[0]], *([_cell(v) for v in row.values()] for row in table)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        first, *others = (
            t.ljust(w) if n < 1 else t.rjust(w) for n, (t, w) in enumerate(zip(line, widths, strict=True))
        )
        yield "  " + "  ".join((first, *others))


def _cell(value: str | float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
