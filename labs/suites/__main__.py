"""``python -m labs.suites``: the suites in figures, and the digests of their splits."""

from __future__ import annotations

import argparse
import sys

from secloop_ai.contracts import SecLoopError

from . import digest, report
from .rules import violations


def main(arguments: list[str] | None = None) -> int:
    """Print what was asked for; 1 when a file cannot be used, a rule is broken or a digest differs."""
    parser = argparse.ArgumentParser(prog="python -m labs.suites", description=__doc__)
    parser.add_argument("--report", action="store_true", help="counts by suite, split, tactic and means (the default)")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    parser.add_argument("--check", action="store_true", help="check split rules and committed digests")
    parser.add_argument("--write-digests", action="store_true", help="the splits were changed on purpose")
    options = parser.parse_args(arguments)
    try:
        if options.write_digests:
            digest.write()
            return 0
        return _check() if options.check else _report(as_json=options.json)
    except SecLoopError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _report(*, as_json: bool) -> int:
    tables = report.tables()
    sys.stdout.write(f"{report.as_json(tables) if as_json else report.text(tables)}\n")
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
