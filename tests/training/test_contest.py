"""The contest: equal cells for all, and a cell that fails is named while the others go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from secloop_ai.contracts.errors import InputError
from training import contest


def test_every_method_has_its_first_run_before_any_has_its_second() -> None:
    found = contest.entries((), 2)
    methods = {e.method for e in found}
    assert {"ppo", "dqn", "ddqn", "kto", "grpo", "sa-grpo", "untuned", "ablation:G3"} <= methods
    assert [e.run for e in found] == [0] * len(methods) + [1] * len(methods)


def test_an_unknown_method_is_named() -> None:
    with pytest.raises(InputError, match="no method sarsa"):
        contest.entries(("sarsa",), 1)


def test_all_learners_have_the_budget_and_the_checkpoint_where_they_start_from_one() -> None:
    terms = contest.Terms(Path("start"), Path("out"), 7.0)
    for entry in contest.entries((), 1):
        words = contest.command(entry, terms)
        assert words[words.index("--budget-s") + 1] == "7.0"
        from_nothing = entry.method in contest.LEARNERS and entry.method != contest.FROM_WEIGHTS
        assert ("--start" in words) is not from_nothing


def test_a_cell_that_fails_says_why_and_ends_nothing(tmp_path: Path) -> None:
    terms = contest.Terms(tmp_path / "nowhere", tmp_path / "cells", 1.0)
    kto, grpo = contest.all_trained([contest.Entry("kto", 0), contest.Entry("grpo", 0)], terms, workers=1)
    assert not kto.policy
    assert "nowhere" in kto.error
    assert not grpo.policy
    assert "no weights" in grpo.error
    assert contest.evaluated([kto, grpo], "validation", 1, 1) == 1
