"""``python -m labs.suites.datasets FLOWS.csv EVE.json``: labelled flows as EVE alerts."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from secloop_ai.contracts import SecLoopError

from .convert import write_eve


def main(arguments: list[str] | None = None) -> int:
    """Convert one file and print what became of its rows; 1 when it cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m labs.suites.datasets", description=__doc__)
    parser.add_argument(
        "flows", type=Path, help="CSV file of CIC-IDS2017, CSE-CIC-IDS2018 or UNSW-NB15, with addresses"
    )
    parser.add_argument("eve", type=Path, help="EVE file to write")
    options = parser.parse_args(arguments)
    try:
        report = write_eve(options.flows, options.eve)
    except SecLoopError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{report.model_dump_json(indent=2)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
