"""The command line: wiring only."""

from __future__ import annotations

import sys

from secloop_ai.contracts import SecLoopError

__all__ = ["main"]


def main() -> None:
    """Run ``secloop``; an error made on purpose becomes one sentence and exit status 1."""
    from .app import build

    try:
        build()(standalone_mode=True)
    except SecLoopError as error:
        print(f"secloop: {error}", file=sys.stderr)
        sys.exit(1)
