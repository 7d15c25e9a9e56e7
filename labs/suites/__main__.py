"""``python -m labs.suites``: the suites in figures, the digests of their splits, and trials of the baselines."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from labs.scenario import Split
from secloop_ai.contracts import SecLoopError

from . import digest, report
from .measured import MEASURED, Row, load_rows
from .rules import violations

FIRST_SEED = 100
"""Seeds below were looked at while the fast model was made; from here on none was."""


def main(arguments: list[str] | None = None) -> int:
    """Print what was asked for; 1 when a file cannot be used, a rule is broken or a digest differs."""
    options = _parser().parse_args(arguments)
    try:
        if options.write_digests:
            digest.write()
            return 0
        if options.measure:
            return _measure(options)
        if options.refresh:
            return _refresh(options.out)
        return _check() if options.check else _report(options)
    except SecLoopError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m labs.suites", description=__doc__)
    parser.add_argument("--report", action="store_true", help="counts, and what was measured (the default)")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    parser.add_argument("--check", action="store_true", help="check split rules and committed digests")
    parser.add_argument("--write-digests", action="store_true", help="the splits were changed on purpose")
    parser.add_argument("--measure", action="store_true", help="run trials live (root, the lab), from where it ended")
    parser.add_argument("--refresh", action="store_true", help="ask the fast model anew about every measured row")
    parser.add_argument("--split", type=Split, choices=list(Split), default=Split.TEST)
    parser.add_argument("--seeds", type=int, nargs="+", default=[FIRST_SEED], help=f"{FIRST_SEED} or above")
    parser.add_argument("--policies", nargs="+", help="by default the baselines and the oracle")
    parser.add_argument("--repeats", type=int, metavar="PAIRS", help="so many pairs once more instead of new ones")
    parser.add_argument("--workers", type=int, help="trials side by side")
    parser.add_argument("--limit", type=int, help="battlefields side by side on this machine, others' among them")
    parser.add_argument("--executor", choices=["local", "inline", "ray"], default="local")
    parser.add_argument("--out", type=Path, default=MEASURED, help="the file of measured rows")
    return parser


def _report(options: argparse.Namespace) -> int:
    tables = {**report.tables(), **report.measured_tables(options.split, options.out)}
    sys.stdout.write(f"{report.as_json(tables) if options.json else report.text(tables)}\n")
    return 0


def _measure(options: argparse.Namespace) -> int:
    from .measure import POLICIES, again, plan, run

    if options.repeats:
        trials = again(load_rows(options.out, split=options.split), options.repeats)
    else:
        trials = plan(options.split, options.seeds, options.policies or POLICIES)
    failed = 0
    side_by_side = {"kind": options.executor, "workers": options.workers, "limit": options.limit}
    for row in run(trials, options.out, **side_by_side):
        failed += bool(row.error)
        sys.stdout.write(f"{row.trial.key}: {_word(row)}\n")
        sys.stdout.flush()
    return 1 if failed else 0


def _word(row: Row) -> str:
    if row.pair is None:
        return f"not run: {row.error}"
    live, fast = ("correct" if s.correct else f"attack {s.rs_attack:.2f} service {s.rs_service:.2f}" for s in row.pair)
    notes = [note for note, holds in (("refused", row.refused), ("void", not row.valid)) if holds]
    return f"{'; '.join(row.words)}: live {live}, fast {fast}{''.join(f', {n}' for n in notes)}"


def _refresh(path: Path) -> int:
    from .measure import refresh

    sys.stdout.write(f"{refresh(path)} rows changed\n")
    return 0


def _check() -> int:
    found = list(violations(report.everything()))
    now, before = digest.digests(), digest.committed()
    found += [
        f"{suite} {split}: its digest is not the committed one"
        for suite, splits in now.items()
        for split, value in splits.items()
        if before.get(suite, {}).get(split) != value
    ]
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
