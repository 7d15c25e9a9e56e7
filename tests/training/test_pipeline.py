"""From nothing to weights: the steps have processes of their own, and say who they are."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("trl", reason="the extra `train` is not installed")

from secloop_ai.contracts.errors import LabError
from training.pipeline import Step, apart, line

from .dying import always, fails


def test_a_step_that_is_killed_is_named_and_nobody_waits_for_it() -> None:
    with pytest.raises(LabError, match="the process of always was killed"):
        apart(always, "mark")


def test_an_error_of_a_step_comes_through() -> None:
    with pytest.raises(LabError, match="no such corpus"):
        apart(fails, "no such corpus")


def test_a_step_is_called_by_its_own_name() -> None:
    row = line(Step("sft", 12.34, {"step": 2800, "seconds": 9.0, "loss": 0.1}))
    assert row == {"step": "sft", "seconds": 12.3, "loss": 0.1}
