"""``python -m secloop_ai.cli``."""

from __future__ import annotations

from . import main

main()
