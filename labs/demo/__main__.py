"""``python -m labs.demo``."""

from __future__ import annotations

import argparse
import sys

from labs.lab import requirements
from labs.setup import packages
from secloop_ai.contracts import SecLoopError

from . import attack, configuration, fleet
from .screen import Screen


def main() -> int:
    """Run the demo; its exit status is the verdict."""
    parser = argparse.ArgumentParser(prog="python -m labs.demo", description=__doc__)
    parser.add_argument("--config-only", action="store_true", help="no attack, no root: the configuration half")
    parser.add_argument("--fleet", action="store_true", help="no attack, no root: six makes of devices, and drift")
    options = parser.parse_args()
    screen = Screen()
    try:
        if options.fleet:
            return fleet.run(screen)
        if options.config_only:
            return configuration.run(screen, "the configuration half was asked for")
        if requirements.missing():
            packages.main(["--optional"])
        if lacking := requirements.explain():
            return configuration.run(screen, lacking)
        return attack.run(screen)
    except SecLoopError as error:
        screen.line(f"DEMO FAILED: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
