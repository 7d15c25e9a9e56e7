"""Measurements, small networks and tasks that the tests of training share."""

from __future__ import annotations

from typing import Any

from labs.scenario import Kind
from labs.validator import Measurement
from training.sources import CaseTasks

SUITE = "autoattack"
QUIET_WARNINGS = "ignore:.*gradient_checkpointing.*is deprecated:FutureWarning"
"""TRL still asks transformers by the old name."""


def report(**changes: Any) -> Measurement:
    """The right answer to an attack, with changes."""
    values: dict[str, Any] = {
        "case_id": "made#1",
        "backend": "fast",
        "kind": Kind.ATTACK,
        "valid": True,
        "quiet_strategy": False,
        "executed": True,
        "rs_exe": 1.0,
        "rs_attack": 0.0,
        "rs_service": 1.0,
    }
    return Measurement(**(values | changes))


def source(seeds: int = 1) -> CaseTasks:
    """Cases of one suite's train split."""
    return CaseTasks("train", range(seeds), [SUITE])
