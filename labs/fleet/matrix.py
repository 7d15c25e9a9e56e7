"""Every fault at every operation over a mixed fleet: how many devices are left with a part of a change.

    python -m labs.fleet.matrix [--mix all] [--step commit]... [--kind drop]... [--side-by-side 8] [--json]

Each case is a transaction over one device of every kind in the mix; one of them meets the fault. Then the devices come
back, recovery runs until nothing is open, and every device is compared, byte for byte, with what it held before and
with what it holds after the same change in peace. The exit status is 0 when no case went wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from labs.emulator import EmulatedFleet, mixed, parse_mix
from labs.emulator.mix import ALL
from secloop_ai.contracts import SecLoopError

from .cases import Case, every_case
from .trial import Ground, Verdict

AT_LEAST = 3
"""Devices of a transaction, so that a majority and an odd one can be told apart."""
WORDS = 2
"""Columns of a row that are no figures."""


def run(cases: Sequence[Case], mix: str, *, side_by_side: int) -> Iterator[tuple[Case, Verdict]]:
    """Try the cases, several at a time, each on devices of its own; as they end.

    Raises:
        LabError: the emulator does not start, or the change cannot be made even without a fault.
    """
    size = devices_of(mix)
    grounds = max(1, min(side_by_side, len(cases)))
    specs = mixed(size * grounds, parse_mix(mix) * AT_LEAST if size > len(parse_mix(mix)) else mix)
    with tempfile.TemporaryDirectory(prefix="secloop-matrix-") as folder, EmulatedFleet(specs) as devices:
        free: SimpleQueue[Ground] = SimpleQueue()
        for number in range(grounds):
            free.put(Ground(devices[number * size : (number + 1) * size], Path(folder) / str(number)))

        def attempt(case: Case) -> tuple[Case, Verdict]:
            ground = free.get()
            try:
                return case, ground.try_out(case)
            finally:
                free.put(ground)

        with ThreadPoolExecutor(grounds) as pool:
            yield from pool.map(attempt, cases)


def devices_of(mix: str) -> int:
    """How many devices take part in each transaction.

    Raises:
        LabError: the mix names what cannot be emulated.
    """
    return max(AT_LEAST, len(parse_mix(mix)))


def rows(found: Sequence[tuple[Case, Verdict]]) -> list[dict[str, Any]]:
    """One row per operation and kind of fault, and one for all."""
    groups: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
    for case, verdict in found:
        groups[(case.operation, case.kind.value)].append(verdict)
    table = [_row(operation, kind, verdicts) for (operation, kind), verdicts in groups.items()]
    return [*table, _row("all", "", [v for _, v in found])]


def _row(operation: str, fault: str, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    doubt = [v for v in verdicts if v.outcome == "in_doubt"]
    return {
        "operation": operation,
        "fault": fault,
        "cases": len(verdicts),
        "met": sum(v.met for v in verdicts),
        "confirmed": sum(v.outcome == "confirmed" for v in verdicts),
        "undone": sum(v.outcome == "undone" for v in verdicts),
        "in_doubt": len(doubt),
        "settled": sum(v.settled in {"confirmed", "undone"} for v in doubt),
        "not_named": sum(not v.named for v in verdicts),
        "misreported": sum(not v.told for v in verdicts),
        "left_busy": sum(len(v.busy) for v in verdicts),
        "left_mixed": sum(len(v.mixed) for v in verdicts),
        "broken": sum(bool(v.broken) for v in verdicts),
    }


def text(table: Sequence[dict[str, Any]], found: Sequence[tuple[Case, Verdict]], seconds: float) -> str:
    """The table, and every case that went wrong."""
    cells = [[str(v) for v in row.values()] for row in table]
    names = [name.replace("_", " ") for name in table[0]]
    widths = [max(len(n), *(len(c[i]) for c in cells)) for i, n in enumerate(names)]
    lines = [
        "  ".join(t.ljust(w) if i < WORDS else t.rjust(w) for i, (t, w) in enumerate(zip(line, widths, strict=True)))
        for line in (names, *cells)
    ]
    wrong = [f"wrong: {v.dialect}: {v.case}: {_ails(v)}" for _, v in found if not v.good]
    left = sum(len(v.mixed) for _, v in found)
    summary = f"{len(found)} cases in {seconds:.0f} s; devices left mixed: {left}; cases that went wrong: {len(wrong)}"
    return "\n".join([*lines, *wrong, summary])


def _tell(verdict: Verdict, done: int, of: int) -> None:
    """What goes wrong is said at once, how far it has come to a person alone."""
    if not verdict.good:
        sys.stderr.write(f"wrong: {verdict.dialect}: {verdict.case}: {_ails(verdict)}\n")
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done} of {of} ")
    sys.stderr.flush()


def _ails(verdict: Verdict) -> str:
    found = [f"{verdict.outcome}{f', then {verdict.settled}' if verdict.settled else ''}"]
    found += [f"mixed: {', '.join(verdict.mixed)}"] if verdict.mixed else []
    found += [f"busy: {', '.join(verdict.busy)}"] if verdict.busy else []
    found += [] if verdict.named else ["the report names no device and operation"]
    found += [] if verdict.told else ["the devices do not hold what the report says"]
    return "; ".join([*found, *([verdict.broken] if verdict.broken else [])])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print; 0 when every case went as it should, 1 when one did not, 2 for a mistake in the call."""
    parser = argparse.ArgumentParser(
        prog="python -m labs.fleet.matrix", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mix", default=ALL, help="dialects, as of `secloop lab up --mix` (default: all)")
    parser.add_argument("--step", action="append", default=[], help="only this operation; several may be given")
    parser.add_argument("--kind", action="append", default=[], help="only this fault; several may be given")
    parser.add_argument("--side-by-side", type=int, default=8, help="cases at a time (default 8)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    try:
        cases = every_case(len(parse_mix(options.mix)), steps=options.step, kinds=options.kind)
        found = []
        for case, verdict in run(cases, options.mix, side_by_side=options.side_by_side):
            found.append((case, verdict))
            _tell(verdict, len(found), len(cases))
    except SecLoopError as error:
        sys.stderr.write(f"fault matrix: {error}\n")
        return 2
    table = rows(found)
    if options.json:
        verdicts = [{**v.model_dump(mode="json"), "good": v.good} for _, v in found]
        sys.stdout.write(json.dumps({"rows": table, "cases": verdicts}, indent=2) + "\n")
    else:
        sys.stdout.write(text(table, found, time.monotonic() - began) + "\n")
    return 0 if all(v.good for _, v in found) else 1


if __name__ == "__main__":
    sys.exit(main())
